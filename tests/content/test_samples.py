"""Real artifacts, as SAP publishes them, with and without a prefix."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.content import build_archive, changed_paths, load_contents, read_archive
from cpi_tasks.content.manifest import Manifest
from cpi_tasks.model.config import ArtifactSpec, DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind

Load = Callable[[str], dict[str, ArtifactContent]]
B2B = "BIMA_-_ASCX12_Flow_-_Inbound_TEMPLATE"
ASC_SCRIPTS = "BIMA_-_ASC_X12_Essential_Scripts"
ASC_MAPPING = "MM_ASC850_4010_TO_ORDERS05_Sample"
DOTS = "com.sap.integration.cloud.utilities.MessageTransformations"
NORTHWIND = "Northwind_Category_Supplier_Product_Entity_Replication"


@pytest.fixture
def load(samples: Path, make_spec: Callable[..., ArtifactSpec], make_config: Callable[..., DeployConfig]) -> Load:
    """Give a function that loads all samples under a prefix, by the ids in the files."""

    def run(prefix: str) -> dict[str, ArtifactContent]:
        specs = []
        for file in sorted(samples.glob("*/*/META-INF/MANIFEST.MF")):
            kind = ArtifactKind(Manifest(file.read_bytes()).get("SAP-BundleType"))
            specs.append(make_spec(file.parent.parent, kind, prefix=prefix))
        contents, problems = load_contents(make_config(*specs, prefix=prefix))
        assert problems == ()
        return {content.spec.source_id: content for content in contents.values()}

    return run


def unpack(content: ArtifactContent) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(build_archive(content).data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def header(content: ArtifactContent, name: str) -> str | None:
    return Manifest(unpack(content)["META-INF/MANIFEST.MF"]).get(name)


def test_without_a_prefix_every_file_is_packed_as_it_is(load: Load) -> None:
    """Nothing to rename means no byte changes in any published artifact."""
    for content in load("").values():
        for path, data in unpack(content).items():
            assert data == (content.spec.folder / path).read_bytes(), f"{content.spec.id}: {path}"


@pytest.mark.parametrize("prefix", ["", "QA"])
def test_what_was_uploaded_is_unchanged_afterwards(load: Load, prefix: str) -> None:
    """A download of our own upload equals the files."""
    for content in load(prefix).values():
        archive = build_archive(content).data
        downloaded = read_archive(archive, artifact=content.spec.id, kind=content.spec.kind)

        assert changed_paths(content.digest, downloaded.digest) == ()
        assert downloaded.version == content.version


def test_the_tenants_rewriting_of_a_mapping_is_no_change(load: Load) -> None:
    """A mapping renamed, refolded, reordered, with a directive more and the version moved, is the same mapping."""
    content = load("")["MM_Category"]
    stored = unpack(content)
    mapping = stored.pop("src/main/resources/mapping/MM_Category.mmap")
    headers = {**dict(Manifest(stored["META-INF/MANIFEST.MF"]).items()), "Bundle-SymbolicName": "MM_Category"}
    headers |= {"Bundle-Version": "1.0.9", "Origin-Bundle-Name": "x"}
    manifest = Manifest(b"")
    for name, value in sorted(headers.items()):
        manifest = manifest.with_header(name, value)
    stored["META-INF/MANIFEST.MF"] = manifest.to_bytes()
    stored["src/main/resources/mapping/Renamed.mmap"] = mapping
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in stored.items():
            archive.writestr(path, data)
    downloaded = read_archive(buffer.getvalue(), artifact=content.spec.id, kind=content.spec.kind)

    assert changed_paths(content.digest, downloaded.digest) == ()


def test_references_of_a_flow_follow_a_prefix(load: Load) -> None:
    """Model and manifest name the renamed collection and mapping, file names included, and nothing else changes."""
    content = load("QA")[B2B]
    model = "src/main/resources/scenarioflows/integrationflow/test_flow.iflw"
    before = (content.spec.folder / model).read_text().splitlines()
    after = unpack(content)[model].decode().splitlines()

    assert content.references == {f"QA_{ASC_SCRIPTS}", f"QA_{ASC_MAPPING}"}
    assert [line.strip() for line, old in zip(after, before, strict=True) if line != old] == [
        f"<value>QA_{ASC_SCRIPTS}</value>",
        f"<value>dir://mmap/src/main/resources/mapping/QA_{ASC_MAPPING}.mmap</value>",
        f"<value>QA_{ASC_MAPPING}</value>",
        f"<value>src/main/resources/mapping/QA_{ASC_MAPPING}</value>",
        f"<value>QA_{ASC_MAPPING}</value>",
    ]
    assert header(content, "Require-Capability") == (
        f'scriptcollection.QA_{ASC_SCRIPTS};resolution:=optional;bundleType:String="ScriptCollection";'
        f'source:String="reference",messagemapping.QA_{ASC_MAPPING};resolution:=optional;'
        'bundleType:String="MessageMapping";source:String="reference"'
    )


def test_mappings_chosen_at_run_time_follow_a_prefix(load: Load) -> None:
    """The flow that picks its mapping by a constant ``ref:<id>`` picks the renamed one."""
    content = load("QA")[NORTHWIND]
    model = unpack(content)["src/main/resources/scenarioflows/integrationflow/JMS Flow.iflw"]

    assert content.references == {"QA_SC_MPL_Utils", "QA_MM_Category"}
    assert b"&gt;ref:QA_MM_Category&lt;" in model
    assert b"&gt;ref:MM_Product&lt;" in model


def test_defect_10_a_folded_id_with_directives_is_renamed_whole(load: Load) -> None:
    """An id that was cut over two lines keeps its directive and leaves no rest behind."""
    content = load("QA")[f"{DOTS}.XMLAnonymizer.RenameNamespaces.TC2"]
    manifest = unpack(content)["META-INF/MANIFEST.MF"]

    assert header(content, "Bundle-SymbolicName") == (f"QA_{DOTS}.XMLAnonymizer.RenameNamespaces.TC2; singleton:=true")
    assert header(content, "Bundle-Name") == "XMLAnonymizer - Rename Namespaces"
    assert header(content, "Origin-Bundle-SymbolicName") == f"{DOTS}.XMLAnonymizer.RenameNamespaces.TC2"
    assert all(len(line) <= 72 for line in manifest.split(b"\r\n"))
    assert content.references == {f"QA_{DOTS}.Utilities"}
    assert content.fixed_addresses == ("/XMLAnonymizer/RenameNamespaces",)


def test_what_a_collection_and_a_mapping_provide_follows_a_prefix(load: Load) -> None:
    """Capabilities carry the final id, also where the manifest named another one before."""
    contents = load("QA")

    assert header(contents["SC_MPL_Utils"], "Provide-Capability") == (
        'scriptcollection.QA_SC_MPL_Utils;version:Version="1.0.0"'
    )
    assert header(contents["MM_Category"], "Provide-Capability") == (
        'messagemapping.QA_MM_Category;version:Version="1.0.0"'
    )
    assert header(contents["MM_Category"], "Bundle-SymbolicName") == "QA_MM_Category; singleton:=true"


def test_a_mappings_file_and_project_follow_a_prefix(load: Load) -> None:
    """The mapping's file has its id for a name; of the project file only the project's own name changes."""
    content = load("QA")["MM_Category"]
    files = unpack(content)
    project = (content.spec.folder / ".project").read_bytes()

    assert "src/main/resources/mapping/QA_MM_Category.mmap" in files
    assert "src/main/resources/mapping/MM_Category.mmap" not in files
    assert files[".project"] == project.replace(b"<name>MM_Category</name>", b"<name>QA_MM_Category</name>")
    assert files[".project"] != project


def test_parameters_of_a_published_flow_are_read(load: Load) -> None:
    """Escaped values and definitions come out as a person would write them."""
    content = load("")[B2B]

    assert content.parameters["HTTPS_Address"] == "https://<Address>"
    assert content.parameter_types["HTTPs_Method"] == "xsd:string"
    assert len(content.known_keys) == 9
    assert content.fixed_addresses == ()


def test_values_of_a_published_value_mapping_are_read(load: Load) -> None:
    """Each group has its agencies, schemas and values."""
    groups = load("")["TestValueMap"].values or frozenset()

    assert [[(v.agency, v.schema, v.value) for v in sorted(group)] for group in groups] == [
        [("Fruit", "Germany", "Apfel"), ("Fruit", "US", "Apple")]
    ]


def test_process_direct_addresses_of_published_flows(load: Load) -> None:
    """Whom a published flow calls, and where one listens, is read with the values of its parameters."""
    contents = load("")
    calls = {content.spec.source_id: content.calls for content in contents.values() if content.calls}
    listens = {content.spec.source_id: content.listens_to for content in contents.values() if content.listens_to}

    assert calls == {B2B: {"ascx12/inbound/structure/modifier"}}
    assert listens == {NORTHWIND: {"<Define_Process_Direct_URL>"}}
