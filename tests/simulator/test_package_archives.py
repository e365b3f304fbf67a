"""Exporting and importing packages, custom tags, copies from the catalogue."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator, archive

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


def _entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


async def _export(client: httpx.AsyncClient, package: str) -> bytes:
    answer = await client.get(f"IntegrationPackages('{package}')/$value")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    return answer.content


async def test_an_export_has_the_shape_of_the_web_ui(connect: Connect, flow: Build, bundle: Build) -> None:
    """One content entry per artifact without ``metainfo.prop``, and the files that list them."""
    simulator, client = connect()
    simulator.add_package("P", "Orders")
    simulator.add_artifact("P", "F", "Integration", flow("F", files={"metainfo.prop": b"description=d\n"}), "1.0.3")
    simulator.add_artifact("P", "V", "ValueMapping", bundle("V", "ValueMapping"))
    files = _entries(await _export(client, "P"))
    contents = [name for name in files if re.fullmatch(r"[0-9a-f]{32}_content", name)]
    assert sorted(files.keys() - set(contents)) == [
        *("ExportInformation.info", "contentmetadata.md", "hash", "resources.cnt")
    ]
    resources = json.loads(base64.b64decode(files["resources.cnt"]))["resources"]
    shown = [(row["uniqueId"], row["displayName"], row["resourceType"], row["semanticVersion"]) for row in resources]
    assert shown == [
        ("P", "Orders", "ContentPackage", "1.0.0"),
        ("F", "F", "IFlow", "1.0.3"),
        ("V", "V", "ValueMapping", "1.0.0"),
    ]
    assert [f"{row['id']}_content" for row in resources[1:]] == contents
    assert list(_entries(files[contents[0]])) == [
        "META-INF/MANIFEST.MF",
        "src/main/resources/scenarioflows/integrationflow/model.iflw",
    ]
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in json.loads(files["hash"]))
    assert files["ExportInformation.info"].startswith(b"Name=Orders\nDate=")


async def test_an_empty_package_exports_and_drafts_do_not(connect: Connect, flow: Build) -> None:
    """All drafts are named."""
    simulator, client = connect()
    simulator.add_package("P")
    assert "resources.cnt" in _entries(await _export(client, "P"))
    for name in "AB":
        simulator.add_artifact("P", name, "Integration", flow(name))
        simulator.edit_as_draft(name, {"a.txt": b"1"})
    failed = await client.get("IntegrationPackages('P')/$value")
    assert (failed.status_code, _message(failed)) == (
        500,
        (
            "Package export failed. It contains the following artifacts are in draft state: "
            "[ {Type=IFlow, Name=A}, {Type=IFlow, Name=B} ]"
        ),
    )


async def test_an_export_can_be_imported_elsewhere(
    connect: Connect, flow: Build, bundle: Build, encode: Encode
) -> None:
    """Package, artifacts, names and versions arrive; 201 with the package."""
    source, exporting = connect()
    source.add_package("P", "Orders", description="text", Vendor="me", Keywords="a,b", Version="2.0.0")
    source.add_artifact("P", "F", "Integration", flow("F", name="My flow", parameters={"a": "1"}), "1.0.3")
    source.add_artifact("P", "S", "ScriptCollection", bundle("S", "ScriptCollection"))
    target, client = connect()
    body = {"PackageContent": encode(await _export(exporting, "P"))}
    answer = await client.post("IntegrationPackages", json=body)
    assert (answer.status_code, answer.json()["d"]["Id"], answer.json()["d"]["Name"]) == (201, "P", "Orders")
    stored = answer.json()["d"]
    assert (stored["Vendor"], stored["Keywords"], stored["Version"], stored["Description"]) == (
        *("me", "[a,b]", "2.0.0", "<p>text</p>"),
    )
    flow_f = target.artifact("F")
    assert (flow_f.name, flow_f.version, flow_f.parameters) == ("My flow", "1.0.3", {"a": "1"})
    assert target.artifact("S").content.digest == source.artifact("S").content.digest


@pytest.mark.parametrize("status", [409, 400, 500])
async def test_an_existing_package_needs_overwriting(
    connect: Connect, flow: Build, encode: Encode, status: int
) -> None:
    """Without ``Overwrite=true`` it is refused with a status that is a setting, with it all is replaced."""
    simulator, client = connect(duplicate_package_status=status)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    body = {"PackageContent": encode(await _export(client, "P"))}
    simulator.add_artifact("P", "G", "Integration", flow("G"))
    assert (await client.post("IntegrationPackages", json=body)).status_code == status
    again = await client.post("IntegrationPackages", json={"Id": "P", "Name": "P", "ShortText": "P"})
    assert (again.status_code, _message(again)) == (
        status,
        "Entity with the specified IntegrationPackage id already exist.",
    )
    assert (await client.post("IntegrationPackages?Overwrite=true", json=body)).status_code == 201
    assert list(simulator.artifacts) == ["F"]


async def test_an_import_that_fails_changes_nothing(connect: Connect, flow: Build, encode: Encode) -> None:
    """An artifact id that another package has is a 500, a locked artifact a 400; the old package stays."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    content = await _export(client, "P")
    await client.delete("IntegrationPackages('P')")
    simulator.add_package("P", "Mine")
    simulator.add_package("Q")
    simulator.add_artifact("Q", "F", "Integration", flow("F"))
    body = {"PackageContent": encode(content)}
    taken = await client.post("IntegrationPackages?Overwrite=true", json=body)
    assert (taken.status_code, "already exists in the Q package" in _message(taken)) == (500, True)
    assert [package.name for package in simulator.packages.values()] == ["Mine", "Q"]
    simulator.add_artifact("P", "G", "Integration", flow("G"))
    simulator.lock("G")
    assert (await client.post("IntegrationPackages?Overwrite=true", json=body)).status_code == 400
    assert list(simulator.artifacts) == ["F", "G"]


async def test_what_is_no_export_is_400(connect: Connect, encode: Encode, flow: Build) -> None:
    """Bad base64, bad zips, missing or broken lists, missing contents, absurd sizes."""
    _, client = connect()

    def listing(*resources: object) -> bytes:
        return base64.b64encode(json.dumps({"resources": resources}).encode())

    package = {"resourceType": "ContentPackage", "uniqueId": "P", "displayName": "P"}
    artifact = {"resourceType": "IFlow", "id": "0" * 32, "displayName": "F"}
    bomb = bytearray(flow("F", files={"a": b"x"}))
    place = bomb.rindex(b"PK\x01\x02") + 24
    bomb[place : place + 4] = (129 * 1024 * 1024).to_bytes(4, "little")
    contents = [
        "no base64!",
        encode(b"no zip"),
        encode(archive.pack({})),
        encode(archive.pack({"resources.cnt": b"!"})),
        encode(archive.pack({"resources.cnt": base64.b64encode(b"[]")})),
        encode(archive.pack({"resources.cnt": listing(artifact)})),
        encode(archive.pack({"resources.cnt": listing(package, artifact)})),
        encode(archive.pack({"resources.cnt": listing({**package, "displayName": "\ud800"})})),
        encode(archive.pack({"resources.cnt": listing({**package, "uniqueId": 7})})),
        encode(archive.pack({"resources.cnt": listing({**package, "uniqueId": "A_B"})})),
        encode(archive.pack({"resources.cnt": listing(package, artifact), "0" * 32 + "_content": bytes(bomb)})),
    ]
    for content in contents:
        answer = await client.post("IntegrationPackages", json={"PackageContent": content})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Bad Request")
    assert (await client.get("IntegrationPackages")).json() == {"d": {"results": []}}


async def test_artifacts_of_families_without_api_are_left_out(connect: Connect, encode: Encode) -> None:
    """Function libraries and the like do not make an import fail."""
    simulator, client = connect()
    package = {"resourceType": "ContentPackage", "uniqueId": "P", "displayName": "P"}
    other = {"resourceType": "FunctionLibraries", "id": "x"}
    listed = base64.b64encode(json.dumps({"resources": [package, other]}).encode())
    body = {"PackageContent": encode(archive.pack({"resources.cnt": listed}))}
    assert (await client.post("IntegrationPackages", json=body)).status_code == 201
    assert (list(simulator.packages), simulator.artifacts) == (["P"], {})


async def test_copies_of_own_packages_are_404(connect: Connect) -> None:
    """Arguments are checked first."""
    simulator, client = connect()
    simulator.add_package("P")
    answer = await client.post("CopyIntegrationPackage?Id='P'&ImportMode='OVERWRITE_MERGE'&Suffix='A'")
    assert (answer.status_code, _message(answer)) == (
        404,
        "Copy not successful from content hub to workpace. Package P is not in the content hub.",
    )
    for query in ("", "?Id=P", "?Id='P'&ImportMode='OTHER'"):
        assert (await client.post(f"CopyIntegrationPackage{query}")).status_code == 400


async def test_custom_tags_are_listed_written_and_searched(connect: Connect) -> None:
    """Every tag of the tenant is there; plain parameters choose packages; a tag nobody defined is 404."""
    simulator, client = connect(custom_tags=("Author", "Team"))
    for name in "AB":
        simulator.add_package(name)
    written = await client.put("IntegrationPackages('A')/$links/CustomTags('Author')", json={"Value": "Ann"})
    assert (written.status_code, written.content) == (202, b"")
    rows = (await client.get("IntegrationPackages('A')/CustomTags")).json()["d"]["results"]
    assert [(row["Name"], row["Value"]) for row in rows] == [("Author", "Ann"), ("Team", "")]
    for query, expected in (("Author=Ann|Bob", ["A"]), ("Author=Bob", []), ("Colour=red", ["A", "B"])):
        found = (await client.get(f"IntegrationPackages?{query}")).json()["d"]["results"]
        assert [row["Id"] for row in found] == expected
    unknown = await client.put("IntegrationPackages('A')/$links/CustomTags('X')", json={"Value": "1"})
    assert (unknown.status_code, _message(unknown)) == (404, "Custom tag 'X' not found.")
    assert (await client.put("IntegrationPackages('A')/$links/CustomTags('Team')", json={})).status_code == 400


async def test_contents_are_limited_together(
    connect: Connect, flow: Build, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many small archives in one that unpack to something huge are refused before they are all unpacked."""
    simulator, client = connect()
    simulator.add_package("P")
    for name in "AB":
        simulator.add_artifact("P", name, "Integration", flow(name, files={"a.bin": bytes(6000)}))
    body = {"PackageContent": encode(await _export(client, "P"))}
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 10_000)
    answer = await client.post("IntegrationPackages?Overwrite=true", json=body)
    assert (answer.status_code, _message(answer)) == (400, "The artifact content is too large.")
