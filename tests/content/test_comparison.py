"""Published artifacts as a tenant gives them back: its rewriting is no difference, a person's change is."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpi_tasks.content import build_archive, changed_paths, load_contents, read_archive
from cpi_tasks.content.manifest import MANIFEST_PATH, Manifest
from cpi_tasks.content.properties import read_properties
from cpi_tasks.model.config import ArtifactSpec, DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind

Files = dict[str, bytes]
RESOURCES = "src/main/resources/"
PROP = f"{RESOURCES}parameters.prop"
PROPDEF = f"{RESOURCES}parameters.propdef"
VALUES = "value_mapping.xml"
OWN_MAPPING = f"{RESOURCES}mapping/*.mmap"
CAPABILITIES = {"Provide-Capability", "Require-Capability"}
TENANTS_HEADERS = {
    "Bundle-Version": "9.9.9",
    "Origin-Bundle-Name": "Somebody's copy",
    "Origin-ModifiedDate": "1578214800000",
    "Import-Package": "com.sap.esb.application.services.cxf.interceptor,org.apache.camel;version=2.8",
    "Created-By": "17 (SAP SE)",
}
LINE_ENDS = st.sampled_from([b"\r\n", b"\n"])


class Sample(NamedTuple):
    """A loaded artifact and the files of its archive."""

    content: ArtifactContent
    files: Files


@pytest.fixture
def loaded(
    samples: Path, make_spec: Callable[..., ArtifactSpec], make_config: Callable[..., DeployConfig]
) -> list[Sample]:
    """Give all published artifacts."""
    specs = []
    for file in sorted(samples.glob("*/*/META-INF/MANIFEST.MF")):
        kind = ArtifactKind(Manifest(file.read_bytes()).get("SAP-BundleType"))
        specs.append(make_spec(file.parent.parent, kind))
    contents, problems = load_contents(make_config(*specs))
    assert problems == ()
    return [Sample(content, unpack(build_archive(content).data)) for content in contents.values()]


def unpack(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changes(content: ArtifactContent, files: Files) -> tuple[str, ...]:
    """Give what differs between an artifact's folder and a tenant that has these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("src/", b"")
        for path, data in files.items():
            archive.writestr(path, data)
    spec = content.spec
    return changed_paths(content.digest, read_archive(buffer.getvalue(), artifact=spec.id, kind=spec.kind).digest)


def folded(headers: list[tuple[str, str]], width: int, eol: bytes) -> bytes:
    """Give a manifest whose lines have so many bytes with their line end, whatever character they are cut in."""
    lines = []
    for name, value in headers:
        data = f"{name}: {value}".encode()
        room = width - len(eol)
        rest = [data[at : at + room - 1] for at in range(room, len(data), room - 1)]
        lines.append((eol + b" ").join([data[:room], *rest]) + eol)
    return b"".join(lines) + eol


@st.composite
def manifests(draw: st.DrawFn, data: bytes) -> bytes:
    """Rewrite a manifest as tenants do: other folding, order, directives, spacing, and headers of their own."""
    headers = {name: value for name, value in Manifest(data).items() if draw(st.booleans()) or value}
    headers |= draw(st.fixed_dictionaries({}, optional={k: st.just(v) for k, v in TENANTS_HEADERS.items()}))
    directive = draw(st.sampled_from(["", ";singleton:=true", "; singleton:=true", " ; singleton:=true "]))
    headers["Bundle-SymbolicName"] = headers["Bundle-SymbolicName"].partition(";")[0].strip() + directive
    for name in sorted(CAPABILITIES & headers.keys()):
        headers[name] = headers[name].replace(",", draw(st.sampled_from([",", ", "])))
    if "Provide-Capability" in headers:
        headers["Provide-Capability"] = re.sub(r'="[\d.]+"', '="9.9.9"', headers["Provide-Capability"])
    order = draw(st.permutations(list(headers.items())))
    return folded(order, draw(st.sampled_from([70, 72])), draw(LINE_ENDS))


@st.composite
def properties(draw: st.DrawFn, data: bytes, *, with_values: bool) -> bytes:
    """Rewrite a properties file: date, order, escapes and line ends; configured values where they are no content."""
    values = draw(st.permutations(list(read_properties(data).items())))
    eol = draw(LINE_ENDS).decode()
    lines = [f"#{draw(st.sampled_from(['Mon Jan 05 08:00:00 UTC 2026', 'none']))}"]
    for key, value in values:
        new = value if with_values else draw(st.sampled_from([value, "", "configured"]))
        # Every character escaped is a spelling too.
        lines.append("=".join("".join(f"\\u{ord(c):04x}" for c in text) for text in (key, new)))
    return (eol.join(lines) + eol).encode()


@st.composite
def rewritten(draw: st.DrawFn, sample: Sample) -> Files:
    """Give a sample's files as a tenant may give them back."""
    content, files = sample
    tenant = {MANIFEST_PATH: draw(manifests(files[MANIFEST_PATH]))}
    for path, data in files.items():
        if path == PROP:
            tenant[path] = draw(properties(data, with_values=content.spec.kind is not ArtifactKind.INTEGRATION_FLOW))
        elif path.endswith(".prop"):
            tenant[path] = draw(properties(data, with_values=True))
        elif path != MANIFEST_PATH and b"\0" not in data:
            tenant[path] = draw(LINE_ENDS).join(re.split(rb"\r\n|\r|\n", data))
        elif path != MANIFEST_PATH:
            tenant[path] = data
    if draw(st.booleans()):
        tenant.pop(".project", None)
    if draw(st.booleans()):
        tenant["metainfo.prop"] = b"#Mon\ndescription=made on the tenant\n"
    if content.spec.kind is ArtifactKind.MESSAGE_MAPPING:
        old = next(path for path in tenant if path.endswith(".mmap"))
        name = draw(st.sampled_from([str(content.spec.id), "Renamed on the tenant"]))
        tenant[f"{RESOURCES}mapping/{name}.mmap"] = tenant.pop(old)
    return dict(draw(st.permutations(list(tenant.items()))))


@st.composite
def edited(draw: st.DrawFn, sample: Sample, files: Files) -> tuple[Files, str]:
    """Give files in which a person changed one thing, and the path by which the comparison is to name it."""
    ignored = {".project", "metainfo.prop"}
    path = draw(st.sampled_from(sorted(files.keys() - ignored)))
    data = files[path]
    if path == MANIFEST_PATH:
        headers = dict(Manifest(data).items())
        name = draw(st.sampled_from(["Bundle-Name", "Bundle-SymbolicName", "Require-Capability", "SAP-RuntimeProfile"]))
        clause = "scriptcollection.Another;resolution:=optional" if name == "Require-Capability" else "Another"
        new = Manifest(data).with_header(name, ",".join(filter(None, [headers.get(name), clause])))
        if name == "Bundle-SymbolicName":
            new = Manifest(data).with_header(name, f"Another; {headers[name]}")
        return {**files, path: new.to_bytes()}, path
    if path == PROP:
        return {**files, path: data + b"Added\\ key=1\n"}, path
    if path == PROPDEF:
        added = b"<parameter><name>Added</name><type>xsd:string</type></parameter></parameters>"
        return {**files, path: data.replace(b"</parameters>", added, 1)}, path
    if path == VALUES:
        return {**files, path: data.replace(b"<value>", b"<value>x", 1)}, path
    is_own = sample.content.spec.kind is ArtifactKind.MESSAGE_MAPPING and path.endswith(".mmap")
    at = draw(st.integers(min_value=0, max_value=len(data)))
    byte = draw(st.sampled_from([b" ", b"x", b"\n\n", b"\0", b"\xff"]))
    return {**files, path: data[:at] + byte + data[at:]}, OWN_MAPPING if is_own else path


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_a_tenant_rewrites_is_no_difference(loaded: list[Sample], data: st.DataObject) -> None:
    """Any published artifact equals what a tenant made of it, in every mixture of its habits."""
    sample = data.draw(st.sampled_from(loaded))

    assert changes(sample.content, data.draw(rewritten(sample))) == ()


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_a_person_changes_is_named(loaded: list[Sample], data: st.DataObject) -> None:
    """One change in one file is found among everything the tenant rewrote, and exactly that file is named."""
    sample = data.draw(st.sampled_from(loaded))
    files, path = data.draw(edited(sample, data.draw(rewritten(sample))))

    assert changes(sample.content, files) == (path,)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_more_or_less_is_named(loaded: list[Sample], data: st.DataObject) -> None:
    """What only one side has is a difference under its own path."""
    sample = data.draw(st.sampled_from([sample for sample in loaded if sample.content.values is None]))
    files = data.draw(rewritten(sample))
    path = data.draw(st.sampled_from([path for path in files if path.startswith(f"{RESOURCES}script/")] or [""]))
    new = f"{RESOURCES}script/new.groovy"

    assert changes(sample.content, {**files, new: b"new\n"}) == (new,)
    if path:
        assert changes(sample.content, {name: text for name, text in files.items() if name != path}) == (path,)


def test_a_description_on_both_sides_is_compared(
    make_folder: Callable[..., Path], make_spec: Callable[..., ArtifactSpec], make_config: Callable[..., DeployConfig]
) -> None:
    """Where files and tenant both describe the artifact, another description is a difference."""
    spec = make_spec(make_folder("A", files={"metainfo.prop": b"description=Orders\n"}))
    content = load_contents(make_config(spec))[0][spec.ref]
    files = unpack(build_archive(content).data)

    assert changes(content, {**files, "metainfo.prop": b"#Mon\r\ndescription=Orders\r\n"}) == ()
    assert changes(content, {**files, "metainfo.prop": b"description=Bills\n"}) == ("metainfo.prop",)
