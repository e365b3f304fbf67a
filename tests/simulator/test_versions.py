"""Versions, drafts, locks and read-only packages."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
LIST = "IntegrationPackages('P')/IntegrationDesigntimeArtifacts"


async def _versions(client: httpx.AsyncClient) -> tuple[str, str]:
    listed = (await client.get(LIST)).json()["d"]["results"][0]["Version"]
    return listed, (await client.get(FLOW_F)).json()["d"]["Version"]


@pytest.mark.parametrize(
    ("mode", "higher", "lower"),
    [
        ("manifest-if-higher", "1.0.1", "1.0.1"),
        ("keep", "1.0.0", "1.0.0"),
        ("draft", "Active", "Active"),
    ],
)
async def test_what_an_update_does_to_the_version_is_a_setting(
    connect: Connect, flow: Build, encode: Encode, mode: str, higher: str, lower: str
) -> None:
    """A higher manifest version is taken, or the version stays, or the result is a draft until it is saved."""
    simulator, client = connect(version_mode=mode)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", version="1.0.1"))})
    assert await _versions(client) == (higher, higher)
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", version="0.9.0"))})
    assert await _versions(client) == (lower, lower)
    saved = await client.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='1.0.4'")
    assert (saved.status_code, saved.content) == (200, b"")
    assert await _versions(client) == ("1.0.4", "1.0.4")


async def test_version_ten_is_higher_than_nine(connect: Connect, flow: Build, encode: Encode) -> None:
    """Versions are compared by number, not as text."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"), version="1.0.9")
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", version="1.0.10"))})
    assert simulator.artifact("F").version == "1.0.10"


async def test_saving_as_no_version_is_refused(connect: Connect, flow: Build) -> None:
    """A name such as ``Active`` is 400."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    answer = await client.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='Active'")
    assert (answer.status_code, answer.json()["error"]["message"]["value"]) == (400, "CANNOT_UPDATE_BUNDLE")
    missing = await client.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='X'&SaveAsVersion='1.0.1'")
    assert missing.status_code == 404


@pytest.mark.parametrize(("literal", "status"), [("active", 200), ("Active", 200), ("1.0.3", 200), ("1.0.2", 404)])
async def test_only_the_current_version_is_addressable(
    connect: Connect, flow: Build, literal: str, status: int
) -> None:
    """``active`` in any case or the current number; an older number is 404."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"), version="1.0.3")
    path = f"IntegrationDesigntimeArtifacts(Id='F',Version='{literal}')"
    assert (await client.get(path)).status_code == status
    assert (await client.get(f"{path}/$value")).status_code == status
    assert (await client.get(f"{path}/Configurations")).status_code == status
    assert (await client.get(f"IntegrationPackages('P')/{path}")).status_code == status


async def test_a_draft_made_in_the_editor_shows_active_and_moves_modified_at(connect: Connect, flow: Build) -> None:
    """Its links say ``Active`` and work; the archive still downloads."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"), version="1.0.2")
    before = (await client.get(FLOW_F)).json()["d"]
    simulator.edit_as_draft("F", {"src/main/resources/script/a.groovy": b"x"})
    after = (await client.get(FLOW_F)).json()["d"]
    assert (before["Version"], after["Version"]) == ("1.0.2", "Active")
    assert int(after["ModifiedAt"]) > int(before["ModifiedAt"])
    assert (await client.get(after["__metadata"]["media_src"])).status_code == 200
    simulator.edit_content("F", {"src/main/resources/script/a.groovy": b"y"})
    saved = (await client.get(FLOW_F)).json()["d"]
    assert saved["Version"] == "1.0.2"
    assert int(saved["ModifiedAt"]) > int(after["ModifiedAt"])


async def test_which_families_have_modified_at_is_a_setting(connect: Connect, flow: Build, bundle: Build) -> None:
    """By default only flows have it."""
    for families, flow_has, mapping_has in ((None, True, False), (frozenset({"MessageMapping"}), False, True)):
        simulator, client = connect(**({} if families is None else {"modified_at_families": families}))
        simulator.add_package("P")
        simulator.add_artifact("P", "F", "Integration", flow("F"))
        simulator.add_artifact("P", "M", "MessageMapping", bundle("M", "MessageMapping"))
        mapping = await client.get("MessageMappingDesigntimeArtifacts(Id='M',Version='active')")
        assert ("ModifiedAt" in (await client.get(FLOW_F)).json()["d"]) is flow_has
        assert ("ModifiedAt" in mapping.json()["d"]) is mapping_has


async def test_a_locked_artifact_refuses_writes_and_is_listed(connect: Connect, flow: Build, encode: Encode) -> None:
    """Update, delete, save and configure are 400 until the editor is closed; reading and deploying go on."""
    simulator, client = connect()
    simulator.add_package("P", "Orders")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    simulator.lock("F", "jane@example.com")
    writes = [
        await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F"))}),
        await client.delete(FLOW_F),
        await client.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='1.0.1'"),
        await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "2"}),
    ]
    assert [answer.status_code for answer in writes] == [400, 400, 400, 400]
    assert writes[0].json()["error"]["message"]["value"] == "Cannot update the artifact as it is locked"
    lock = (await client.get("IntegrationDesigntimeLocks")).json()["d"]["results"][0]
    assert (lock["ArtifactId"], lock["CreatedBy"], lock["PackageName"]) == ("F", "jane@example.com", "Orders")
    assert lock["CreatedAt"].startswith("/Date(")
    assert (await client.get(f"{FLOW_F}/$value")).status_code == 200
    assert (await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")).status_code == 202
    simulator.unlock("F")
    assert (await client.delete(FLOW_F)).status_code == 200
    assert (await client.get("IntegrationDesigntimeLocks")).json() == {"d": {"results": []}}


async def test_locks_need_a_role(connect: Connect) -> None:
    """Without it the list is 403 with a null message."""
    _, client = connect(may_read_locks=False)
    answer = await client.get("IntegrationDesigntimeLocks")
    assert (answer.status_code, answer.json()["error"]["message"]["value"]) == (403, None)


async def test_a_read_only_package_allows_configuring_and_deploying_only(
    connect: Connect, flow: Build, encode: Encode
) -> None:
    """Downloads, updates, deletions, creations and saving are 400; Configurations are written."""
    simulator, client = connect()
    simulator.add_package("P", mode="READ_ONLY")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    refused = [
        await client.get(f"{FLOW_F}/$value"),
        await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F"))}),
        await client.delete(FLOW_F),
        await client.post("IntegrationDesigntimeArtifacts", json={"Id": "G", "Name": "G", "PackageId": "P"}),
        await client.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='1.0.1'"),
        await client.put("IntegrationPackages('P')", json={"ShortText": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [400] * 6
    configured = await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "2"})
    assert configured.status_code == 202
    assert (await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")).status_code == 202
    assert (await client.get("IntegrationPackages('P')")).json()["d"]["Mode"] == "READ_ONLY"
