"""Every position of the switches about packages, artifacts and locks."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator, archive

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
SAVE_F = "IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion="
BODY = {"Id": "P", "Name": "P", "ShortText": "P"}


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


def _with_flow(simulator: Simulator, content: bytes, *, mode: str = "EDIT_ALLOWED") -> None:
    simulator.add_package("P", mode=mode)
    simulator.add_artifact("P", "F", "Integration", content)


@pytest.mark.parametrize("status", [202, 200])
async def test_package_update_status(connect: Connect, status: int) -> None:
    """202 or 200, without a body."""
    simulator, client = connect(package_update_status=status)
    simulator.add_package("P")
    answer = await client.put("IntegrationPackages('P')", json=BODY)
    assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize("status", [400, 403, 405, 500])
async def test_read_only_status(connect: Connect, flow: Build, status: int) -> None:
    """Content of a configure-only package is refused with it, everywhere."""
    simulator, client = connect(read_only_status=status)
    _with_flow(simulator, flow("F"), mode="READ_ONLY")
    answers = [await client.get(f"{FLOW_F}/$value"), await client.delete(FLOW_F), await client.post(f"{SAVE_F}'1.0.1'")]
    assert [answer.status_code for answer in answers] == [status] * 3
    assert "Integration Flow artifact consists in a configure only package with Id: P" in _message(answers[0])


@pytest.mark.parametrize(("rule", "flow_version"), [("1.0.0", "1.0.0"), ("manifest", "3.1.0")])
async def test_create_version(
    connect: Connect, flow: Build, bundle: Build, encode: Encode, rule: str, flow_version: str
) -> None:
    """Always 1.0.0, or the manifest's; value mappings take the manifest's in any case."""
    _, client = connect(create_version=rule)
    await client.post("IntegrationPackages", json=BODY)
    contents = {
        "Integration": (flow("A", version="3.1.0"), flow_version),
        "ValueMapping": (bundle("A", "ValueMapping", version="3.1.0"), "3.1.0"),
    }
    for kind, (content, version) in contents.items():
        body = {"Id": kind, "Name": kind, "PackageId": "P", "ArtifactContent": encode(content)}
        assert (await client.post(f"{kind}DesigntimeArtifacts", json=body)).json()["d"]["Version"] == version
    bare = await client.post("IntegrationDesigntimeArtifacts", json={"Id": "E", "Name": "E", "PackageId": "P"})
    assert bare.json()["d"]["Version"] == "1.0.0"


@pytest.mark.parametrize("word", ["Active", "Draft"])
async def test_draft_word(connect: Connect, flow: Build, word: str) -> None:
    """Reads, lists and links say it; both words address the draft, its former number does not."""
    simulator, client = connect(draft_word=word)
    _with_flow(simulator, flow("F"))
    simulator.edit_as_draft("F", {"a.txt": b"1"})
    rows = (await client.get("IntegrationPackages('P')/IntegrationDesigntimeArtifacts")).json()["d"]["results"]
    assert [row["Version"] for row in rows] == [word]
    assert f"Version='{word}'" in rows[0]["__metadata"]["uri"]
    statuses = [
        (await client.get(f"IntegrationDesigntimeArtifacts(Id='F',Version='{version}')")).status_code
        for version in ("active", "Draft", "1.0.0")
    ]
    assert statuses == [200, 200, 404]


@pytest.mark.parametrize("rule", ["null", "base64"])
async def test_artifact_content_on_reads(connect: Connect, flow: Build, rule: str) -> None:
    """Null, or the archive; a configure-only package never gives it away."""
    simulator, client = connect(artifact_content_on_reads=rule)
    _with_flow(simulator, flow("F"))
    simulator.add_package("R", mode="READ_ONLY")
    simulator.add_artifact("R", "G", "Integration", flow("G"))
    content = (await client.get(FLOW_F)).json()["d"]["ArtifactContent"]
    assert content == (None if rule == "null" else base64.b64encode(simulator.artifact("F").archive).decode())
    hidden = await client.get("IntegrationDesigntimeArtifacts(Id='G',Version='active')")
    assert hidden.json()["d"]["ArtifactContent"] is None


@pytest.mark.parametrize(
    ("rule", "pattern"), [("epoch-ms", r"\d{13}"), ("iso", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")]
)
async def test_artifact_times(connect: Connect, flow: Build, rule: str, pattern: str) -> None:
    """Digits, or written out."""
    simulator, client = connect(artifact_times=rule)
    _with_flow(simulator, flow("F"))
    row = (await client.get(FLOW_F)).json()["d"]
    for name in ("CreatedAt", "ModifiedAt"):
        assert re.fullmatch(pattern, row[name])


@pytest.mark.parametrize(
    ("rule", "created", "updated"), [("refused", 500, 500), ("refused-on-update", 201, 500), ("accepted", 201, 200)]
)
async def test_prop_without_propdef(
    connect: Connect, bundle: Build, flow: Build, encode: Encode, rule: str, created: int, updated: int
) -> None:
    """Refused always, by PUT only, or not at all."""
    simulator, client = connect(prop_without_propdef=rule)
    _with_flow(simulator, flow("F"))
    content = bundle("F", files={"src/main/resources/parameters.prop": b"a=1\n"})
    body = {"Id": "G", "Name": "G", "PackageId": "P", "ArtifactContent": encode(content)}
    assert (await client.post("IntegrationDesigntimeArtifacts", json=body)).status_code == created
    assert (await client.put(FLOW_F, json={"ArtifactContent": encode(content)})).status_code == updated


@pytest.mark.parametrize(
    ("rule", "statuses"), [("any", [200, 200, 200]), ("not-lower", [400, 200, 200]), ("higher", [400, 400, 200])]
)
async def test_save_version_rule(connect: Connect, flow: Build, bundle: Build, rule: str, statuses: list[int]) -> None:
    """Lower, same and higher numbers; value mappings take them all."""
    for number, status in zip(("1.0.1", "1.0.2", "1.0.10"), statuses, strict=True):
        simulator, client = connect(save_version_rule=rule)
        simulator.add_package("P")
        simulator.add_artifact("P", "F", "Integration", flow("F"), version="1.0.2")
        simulator.add_artifact("P", "V", "ValueMapping", bundle("V", "ValueMapping"), version="1.0.2")
        answer = await client.post(f"{SAVE_F}'{number}'")
        assert (answer.status_code, simulator.artifact("F").version) == (status, number if status == 200 else "1.0.2")
        if status == 400:
            assert _message(answer) == "CANNOT_UPDATE_BUNDLE"
        path = f"ValueMappingDesigntimeArtifactSaveAsVersion?Id='V'&SaveAsVersion='{number}'"
        assert (await client.post(path)).status_code == 200


@pytest.mark.parametrize("status", [200, 202])
async def test_save_version_status_of_mappings(connect: Connect, flow: Build, bundle: Build, status: int) -> None:
    """Flows and collections are 200 in any case."""
    simulator, client = connect(save_version_status_of_mappings=status)
    simulator.add_package("P")
    expected = {"MessageMapping": status, "ValueMapping": status, "ScriptCollection": 200}
    for kind, wanted in expected.items():
        simulator.add_artifact("P", kind, kind, bundle(kind, kind))
        answer = await client.post(f"{kind}DesigntimeArtifactSaveAsVersion?Id='{kind}'&SaveAsVersion='1.0.1'")
        assert (answer.status_code, answer.content) == (wanted, b"")


@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 400)])
async def test_deletes_deployed(connect: Connect, flow: Build, *, allowed: bool, status: int) -> None:
    """Where it is not allowed, undeploying opens the way."""
    simulator, client = connect(deletes_deployed=allowed)
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED")
    assert (await client.delete(FLOW_F)).status_code == status
    if not allowed:
        simulator.set_runtime("F", None)
        assert (await client.delete(FLOW_F)).status_code == 200


@pytest.mark.parametrize("width", [72, 70])
async def test_manifest_line_bytes(connect: Connect, flow: Build, width: int) -> None:
    """Where the tenant folds, at creation, update and saving."""
    simulator, client = connect(manifest_line_bytes=width)
    _with_flow(simulator, flow("F", headers={"Import-Package": "a" * 500}))
    for _ in range(2):
        assert simulator.artifact("F").content.headers["Import-Package"] == "a" * 500
        lines = archive.unpack(simulator.artifact("F").archive)["META-INF/MANIFEST.MF"].split(b"\r\n")
        assert max(len(line) for line in lines) == width
        await client.post(f"{SAVE_F}'1.0.1'")


@pytest.mark.parametrize(("status", "text"), [(400, "is locked"), (423, "open elsewhere"), (409, "x"), (500, "y")])
async def test_lock_status_and_text(connect: Connect, flow: Build, status: int, text: str) -> None:
    """Nobody has recorded the real ones."""
    simulator, client = connect(lock_status=status, lock_text=text)
    _with_flow(simulator, flow("F"))
    simulator.lock("F")
    answer = await client.delete(FLOW_F)
    assert (answer.status_code, _message(answer)) == (status, text)


@pytest.mark.parametrize("blocked", ["update", "delete", "save", "configure", "deploy"])
async def test_lock_blocks(connect: Connect, flow: Build, encode: Encode, blocked: str) -> None:
    """Exactly the operations that the setting names; deleting the package counts as deleting."""
    simulator, client = connect(lock_blocks=frozenset({blocked}))
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    simulator.lock("F")
    content = {"ArtifactContent": encode(flow("F", parameters={"a": "1"}))}
    resource = {"Name": "a.js", "ResourceType": "js", "ResourceContent": encode(b"1")}
    answers = {
        "update": [await client.put(FLOW_F, json=content), await client.post(f"{FLOW_F}/Resources", json=resource)],
        "save": [await client.post(f"{SAVE_F}'1.0.1'")],
        "configure": [await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "2"})],
        "deploy": [await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")],
        "delete": [await client.delete("IntegrationPackages('P')")],
    }
    for operation, results in answers.items():
        refused = [answer.status_code == 400 for answer in results]
        assert refused == [operation == blocked] * len(results), operation


@pytest.mark.parametrize(
    ("rule", "status", "left"), [("allowed", 200, 0), ("forbidden", 403, 1), ("not-implemented", 501, 1)]
)
async def test_lock_deletion(connect: Connect, flow: Build, rule: str, status: int, left: int) -> None:
    """An unknown lock is 404 where locks can be deleted."""
    simulator, client = connect(lock_deletion=rule)
    _with_flow(simulator, flow("F"))
    simulator.lock("F")
    uri = (await client.get("IntegrationDesigntimeLocks")).json()["d"]["results"][0]["__metadata"]["uri"]
    assert (await client.get(uri)).json()["d"]["ArtifactId"] == "F"
    assert (await client.delete(uri)).status_code == status
    assert len((await client.get("IntegrationDesigntimeLocks")).json()["d"]["results"]) == left
    assert (await client.get("IntegrationDesigntimeLocks('x')")).status_code == 404
