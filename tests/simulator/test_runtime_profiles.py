"""The parameter SAP_ProfileId, which some tenants add to every integration flow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator, SimulatorSettings

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
DEPLOY_F = "DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'"
KEY = "SAP_ProfileId"


async def _values(client: httpx.AsyncClient) -> dict[str, str]:
    rows = (await client.get(f"{FLOW_F}/Configurations")).json()["d"]["results"]
    return {row["ParameterKey"]: row["ParameterValue"] for row in rows}


async def _created(client: httpx.AsyncClient, content: str) -> None:
    sent = {"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": content}
    assert (await client.post("IntegrationDesigntimeArtifacts", json=sent)).status_code == 201


@pytest.mark.parametrize("profile", ["", "iflmap", "integrationcell"])
async def test_every_flow_has_the_profile_among_its_parameters(
    connect: Connect, flow: Build, encode: Encode, profile: str
) -> None:
    """It is listed, counted, read and written like others (terraform-provider-sap-integration-suite)."""
    simulator, client = connect(added_profile=profile)
    simulator.add_package("P")
    await _created(client, encode(flow("F", parameters={"Host": "a"})))
    expected = {"Host": "a", **({KEY: profile} if profile else {})}
    assert await _values(client) == expected
    assert (await client.get(f"{FLOW_F}/Configurations/$count")).text == str(len(expected))
    answer = await client.put(f"{FLOW_F}/$links/Configurations('{KEY}')", json={"ParameterValue": "iflmap"})
    assert answer.status_code == (202 if profile else 404)
    assert (await client.get(f"{FLOW_F}/Configurations('{KEY}')")).status_code == (200 if profile else 404)


async def test_what_is_written_stays_over_uploads_and_restarts(
    connect: Connect, flow: Build, encode: Encode, tmp_path: Path
) -> None:
    """A configured value survives an upload, like that of any parameter (flashpipe), and the tenant's state file."""
    settings = SimulatorSettings(enforce_csrf="never", added_profile="integrationcell")
    simulator, client = connect(state=Simulator(settings, state_file=tmp_path / "tenant.json"))
    simulator.add_package("P")
    await _created(client, encode(flow("F")))
    await client.put(f"{FLOW_F}/$links/Configurations('{KEY}')", json={"ParameterValue": "iflmap"})
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", version="1.0.1"))})
    assert await _values(client) == {KEY: "iflmap"}
    simulator.save()
    _, again = connect(state=Simulator(settings, state_file=tmp_path / "tenant.json"))
    assert await _values(again) == {KEY: "iflmap"}


async def test_the_content_s_own_profile_counts(connect: Connect, flow: Build, encode: Encode) -> None:
    """A flow whose files have the parameter keeps that value; other families have no parameters."""
    simulator, client = connect(added_profile="integrationcell")
    simulator.add_package("P")
    await _created(client, encode(flow("F", parameters={KEY: "iflmap"})))
    assert await _values(client) == {KEY: "iflmap"}


@pytest.mark.parametrize("configured", [False, True])
async def test_the_other_profile_never_reaches_this_runtime(
    connect: Connect, flow: Build, encode: Encode, autojump_clock: MockClock, *, configured: bool
) -> None:
    """The task says SUCCESS and nothing ever appears, until ``iflmap`` is configured (mcp-cpi, the provider)."""
    simulator, client = connect(added_profile="integrationcell")
    simulator.add_package("P")
    await _created(client, encode(flow("F")))
    if configured:
        await client.put(f"{FLOW_F}/$links/Configurations('{KEY}')", json={"ParameterValue": "iflmap"})
    task = (await client.post(DEPLOY_F)).text
    await trio.sleep(3600)
    assert (await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).json()["d"]["Status"] == "SUCCESS"
    assert (await client.get("IntegrationRuntimeArtifacts('F')")).status_code == (200 if configured else 404)


async def test_a_refused_profile_is_a_400_without_a_text(connect: Connect, flow: Build, encode: Encode) -> None:
    """Where the tenant refuses it at once, the message is null (SAP/jenkins-library, issue 4820)."""
    simulator, client = connect(added_profile="integrationcell", other_runtime_trigger="refused")
    simulator.add_package("P")
    await _created(client, encode(flow("F")))
    answer = await client.post(DEPLOY_F)
    assert (answer.status_code, answer.json()["error"]["message"]["value"]) == (400, None)


async def test_a_person_can_configure_the_profile(connect: Connect, flow: Build) -> None:
    """In the Web UI, too."""
    simulator, _ = connect(added_profile="integrationcell")
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.set_parameter("F", KEY, "iflmap")
    assert simulator.artifact("F").parameters == {KEY: "iflmap"}
