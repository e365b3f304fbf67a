"""Design-time artifacts: creating, reading, changing and deleting them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"


def _files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


async def test_a_created_flow_is_version_1_0_0_whatever_its_manifest_says(
    connect: Connect, flow: Build, encode: Encode
) -> None:
    """Creation is 201 with the entity; links are absolute, carry the port and work when called as given."""
    simulator, client = connect()
    simulator.add_package("P")
    body = {"Id": "F", "Name": "My flow", "PackageId": "P", "ArtifactContent": encode(flow("F", version="3.1.0"))}
    answer = await client.post("IntegrationDesigntimeArtifacts", json=body)
    assert answer.status_code == 201
    stored = answer.json()["d"]
    assert (stored["Version"], stored["Name"], stored["ArtifactContent"]) == ("1.0.0", "My flow", None)
    links = stored["__metadata"]
    root = "https://tenant.example:443/api/v1/IntegrationDesigntimeArtifacts(Id='F',Version='1.0.0')"
    assert (links["uri"], links["media_src"], links["edit_media"]) == (root, f"{root}/$value", f"{root}/$value")
    assert (await client.get(links["uri"])).json()["d"]["Name"] == "My flow"
    assert (await client.get(links["media_src"])).headers["content-type"] == "application/zip"
    deferred = stored["Configurations"]["__deferred"]["uri"]
    assert (await client.get(deferred)).json() == {"d": {"results": []}}


async def test_a_value_mapping_is_created_with_its_own_version(connect: Connect, bundle: Build, encode: Encode) -> None:
    """Only value mappings take ``Bundle-Version`` at creation."""
    simulator, client = connect()
    simulator.add_package("P")
    for kind, version in (("ValueMapping", "2.5.0"), ("MessageMapping", "1.0.0"), ("ScriptCollection", "1.0.0")):
        content = encode(bundle(kind, kind, version="2.5.0"))
        body = {"Id": kind, "Name": kind, "PackageId": "P", "ArtifactContent": content}
        answer = await client.post(f"{kind}DesigntimeArtifacts", json=body)
        assert (answer.status_code, answer.json()["d"]["Version"]) == (201, version)


async def test_the_symbolic_name_becomes_the_id_and_keeps_its_directives(
    connect: Connect, flow: Build, encode: Encode
) -> None:
    """Creation accepts a zip with another symbolic name and stores the artifact's id in its place."""
    simulator, client = connect()
    simulator.add_package("P")
    body = {"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": encode(flow("Other"))}
    assert (await client.post("IntegrationDesigntimeArtifacts", json=body)).status_code == 201
    stored = _files((await client.get(f"{FLOW_F}/$value")).content)["META-INF/MANIFEST.MF"]
    assert b"Bundle-SymbolicName: F; singleton:=true\r\n" in stored


async def test_stored_content_never_comes_back_byte_for_byte(connect: Connect, bundle: Build) -> None:
    """The manifest is reordered and folded at 72 bytes, a mapping's file is renamed, ``metainfo.prop`` may be lost."""
    simulator, client = connect()
    simulator.add_package("P")
    long = "com.sap.esb." + "ä" * 80
    files = {"src/main/resources/mapping/Old.mmap": b"<x/>", "metainfo.prop": b"description=d\n"}
    mapping = bundle("M", "MessageMapping", headers={"Import-Package": long}, files=files)
    simulator.add_artifact("P", "M", "MessageMapping", mapping)
    simulator.add_artifact("P", "V", "ValueMapping", bundle("V", "ValueMapping", files=files))
    sent = _files(mapping)
    got = _files((await client.get("MessageMappingDesigntimeArtifacts(Id='M',Version='active')/$value")).content)
    assert got["src/main/resources/mapping/M.mmap"] == b"<x/>"
    assert "src/main/resources/mapping/Old.mmap" not in got
    manifest = got["META-INF/MANIFEST.MF"]
    assert max(len(line) for line in manifest.split(b"\r\n")) == 72
    assert f"Import-Package: {long}".encode() in manifest.replace(b"\r\n ", b"")
    assert manifest.split(b"\r\n")[0] == b"Manifest-Version: 1.0"
    assert manifest.split(b"\r\n")[1] != sent["META-INF/MANIFEST.MF"].split(b"\n")[1]
    values = _files((await client.get("ValueMappingDesigntimeArtifacts(Id='V',Version='active')/$value")).content)
    assert "metainfo.prop" not in values
    assert simulator.artifact("M").description == "d"


@pytest.mark.parametrize("accept", ["application/zip", "application/json", "application/octet-stream", "*/*"])
async def test_a_download_is_the_zip_whatever_is_accepted(connect: Connect, flow: Build, accept: str) -> None:
    """``$value`` gives zip bytes with a file name for any ``Accept``."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", name="My Flow"))
    answer = await client.get(f"{FLOW_F}/$value", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="My Flow.zip"'
    assert "META-INF/MANIFEST.MF" in _files(answer.content)


async def test_an_existing_id_is_refused_with_500_also_in_another_package(
    connect: Connect, flow: Build, encode: Encode
) -> None:
    """Ids are unique on a tenant."""
    simulator, client = connect()
    simulator.add_package("P", "Orders")
    simulator.add_package("Q")
    simulator.add_artifact("P", "F", "Integration", flow("F", name="Flow F"))
    for package in ("P", "Q"):
        body = {"Id": "F", "Name": "Other", "PackageId": package, "ArtifactContent": encode(flow("F"))}
        answer = await client.post("IntegrationDesigntimeArtifacts", json=body)
        assert answer.status_code == 500
        assert _message(answer) == (
            "An integration flow Flow F with the artifact ID F already exists in the Orders package. "
            "To create /upload an integration flow, use a different ID."
        )


async def test_creating_in_an_unknown_package_is_404(connect: Connect) -> None:
    """The message names the package."""
    _, client = connect()
    answer = await client.post("IntegrationDesigntimeArtifacts", json={"Id": "F", "Name": "F", "PackageId": "Nope"})
    assert (answer.status_code, _message(answer)) == (404, "Package ID Nope does not exist.")


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("Integration", 400, "Could not update artifact of the package; due to change in the Bundle-symbolicName."),
        (
            "ScriptCollection",
            400,
            "Could not update artifact of the package; due to change in the Bundle-symbolicName.",
        ),
        ("MessageMapping", 500, "BUNDLE_SYMBOLIC_NAME_CANNOT_BE_UPDATED"),
    ],
)
async def test_an_update_with_another_symbolic_name_is_refused(
    connect: Connect, bundle: Build, encode: Encode, kind: str, status: int, text: str
) -> None:
    """A rejected update changes nothing."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "A", kind, bundle("A", kind))
    before = simulator.artifact("A").archive
    content = encode(bundle("B", kind, version="2.0.0"))
    answer = await client.put(f"{kind}DesigntimeArtifacts(Id='A',Version='active')", json={"ArtifactContent": content})
    assert (answer.status_code, _message(answer)) == (status, text)
    assert (simulator.artifact("A").archive, simulator.artifact("A").version) == (before, "1.0.0")


async def test_a_mapping_update_must_not_name_id_or_package(connect: Connect, bundle: Build, encode: Encode) -> None:
    """Even empty ``Id`` or ``PackageId`` make it a 500; flows do not mind."""
    simulator, client = connect()
    simulator.add_package("P")
    for kind, name, status in (("MessageMapping", "M", 500), ("ScriptCollection", "S", 200)):
        simulator.add_artifact("P", name, kind, bundle(name, kind))
        body = {"ArtifactContent": encode(bundle(name, kind)), "Id": "", "PackageId": ""}
        answer = await client.put(f"{kind}DesigntimeArtifacts(Id='{name}',Version='active')", json=body)
        assert answer.status_code == status
        if status == 500:
            assert _message(answer) == "Update of Message Mapping failed : Update of PackageId and Id are not allowed"


async def test_parameters_without_definitions_are_refused_with_500(
    connect: Connect, bundle: Build, flow: Build, encode: Encode
) -> None:
    """``parameters.prop`` needs ``parameters.propdef``."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    content = encode(bundle("F", files={"src/main/resources/parameters.prop": b"a=1\n"}))
    answer = await client.put(FLOW_F, json={"ArtifactContent": content})
    assert (answer.status_code, _message(answer)) == (500, "InputStream cannot be null")
    body = {"Id": "G", "Name": "G", "PackageId": "P", "ArtifactContent": content}
    assert (await client.post("IntegrationDesigntimeArtifacts", json=body)).status_code == 500


async def test_a_value_mapping_cannot_be_updated(connect: Connect, bundle: Build, encode: Encode) -> None:
    """PUT on a value mapping is 501."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "V", "ValueMapping", bundle("V", "ValueMapping"))
    body = {"ArtifactContent": encode(bundle("V", "ValueMapping"))}
    answer = await client.put("ValueMappingDesigntimeArtifacts(Id='V',Version='active')", json=body)
    assert answer.status_code == 501


async def test_empty_value_mappings_are_accepted_or_not(connect: Connect, bundle: Build, encode: Encode) -> None:
    """Both observed behaviours can be played."""
    content = encode(bundle("V", "ValueMapping", files={"value_mapping.xml": b'<vm version="2.0"></vm>'}))
    body = {"Id": "V", "Name": "V", "PackageId": "P", "ArtifactContent": content}
    for accepts, status in ((True, 201), (False, 400)):
        simulator, client = connect(accepts_empty_value_mapping=accepts)
        simulator.add_package("P")
        assert (await client.post("ValueMappingDesigntimeArtifacts", json=body)).status_code == status


async def test_an_update_is_an_empty_200_and_takes_the_name_from_the_manifest(
    connect: Connect, flow: Build, encode: Encode
) -> None:
    """Without ``Name`` the manifest's name is taken, with it the given one; a name alone leaves a draft."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    answer = await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", name="From manifest"))})
    assert (answer.status_code, answer.content) == (200, b"")
    assert simulator.artifact("F").name == "From manifest"
    await client.put(FLOW_F, json={"Name": "Given", "ArtifactContent": encode(flow("F", name="From manifest"))})
    assert (simulator.artifact("F").name, simulator.artifact("F").shown_version) == ("Given", "1.0.0")
    await client.put(FLOW_F, json={"Name": "Only"})
    assert (simulator.artifact("F").name, simulator.artifact("F").shown_version) == ("Only", "Active")
    assert (await client.put(FLOW_F, json={})).status_code == 400


async def test_deleting_an_artifact_is_an_empty_200(connect: Connect, flow: Build) -> None:
    """Afterwards it is unknown, but what runs keeps running."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.set_runtime("F", "STARTED")
    answer = await client.delete(FLOW_F)
    assert (answer.status_code, answer.content) == (200, b"")
    gone = await client.get(FLOW_F)
    assert (gone.status_code, _message(gone)) == (404, "Integration design time artifact not found.")
    assert (await client.get("IntegrationRuntimeArtifacts('F')")).status_code == 200


async def test_an_adapter_probe_is_404(connect: Connect) -> None:
    """Unknown integration adapters are 404, also for DELETE."""
    _, client = connect()
    assert (await client.delete("IntegrationAdapterDesigntimeArtifacts(Id='x')")).status_code == 404


async def test_lists_of_a_package_ignore_skip_and_tell_the_families_apart(
    connect: Connect, flow: Build, bundle: Build
) -> None:
    """``$top`` works, ``$skip`` does not; each family has its own list; only mappings have one of the tenant."""
    simulator, client = connect()
    simulator.add_package("P")
    for name in ("A", "B", "C"):
        simulator.add_artifact("P", name, "Integration", flow(name))
    simulator.add_artifact("P", "S", "ScriptCollection", bundle("S", "ScriptCollection"))
    simulator.add_artifact("P", "M", "MessageMapping", bundle("M", "MessageMapping"))
    rows = (await client.get("IntegrationPackages('P')/IntegrationDesigntimeArtifacts?$skip=2")).json()["d"]["results"]
    assert [row["Id"] for row in rows] == ["A", "B", "C"]
    rows = (await client.get("IntegrationPackages('P')/IntegrationDesigntimeArtifacts?$top=1")).json()["d"]["results"]
    assert [row["Id"] for row in rows] == ["A"]
    rows = (await client.get("IntegrationPackages('P')/ScriptCollectionDesigntimeArtifacts")).json()["d"]["results"]
    assert [row["Id"] for row in rows] == ["S"]
    rows = (await client.get("MessageMappingDesigntimeArtifacts")).json()["d"]["results"]
    assert [row["Id"] for row in rows] == ["M"]
    assert (await client.get("IntegrationDesigntimeArtifacts")).status_code == 501
