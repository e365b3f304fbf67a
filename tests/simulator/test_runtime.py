"""The runtime as the API shows it, and undeploying."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
RUNTIME_F = "IntegrationRuntimeArtifacts('F')"


def _with_flow(simulator: Simulator, content: bytes) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", content)


async def test_other_families_answer_a_deployment_with_an_empty_202(connect: Connect, bundle: Build) -> None:
    """Only flows give a task id, unless the setting says that all do; flows give it as bare text for any Accept."""
    for gives, matches in ((False, False), (True, True)):
        simulator, client = connect(gives_task_id_for_all=gives)
        simulator.add_package("P")
        for kind in ("MessageMapping", "ScriptCollection", "ValueMapping"):
            simulator.add_artifact("P", kind, kind, bundle(kind, kind))
            answer = await client.post(f"Deploy{kind}DesigntimeArtifact?Id='{kind}'&Version='Active'")
            assert answer.status_code == 202
            assert (re.fullmatch(r"[0-9a-f-]{36}", answer.text) is not None) is matches
        assert (await client.post("DeployIntegrationDesigntimeArtifact?Id='X'&Version='active'")).status_code == 404


async def test_an_unknown_task_is_404(connect: Connect) -> None:
    """As is the collection itself not implemented."""
    _, client = connect()
    assert (await client.get("BuildAndDeployStatus(TaskId='00000000')")).status_code == 404
    assert (await client.get("BuildAndDeployStatus")).status_code == 501


async def test_what_is_not_deployed_is_404_with_the_known_text(connect: Connect) -> None:
    """Clients look for a part of the text."""
    _, client = connect()
    answer = await client.get(RUNTIME_F)
    assert answer.status_code == 404
    assert "Requested entity could not be found" in answer.text


async def test_undeploying_stops_and_then_removes(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """202, STOPPING, 404; a second call is 404; design time stays."""
    simulator, client = connect(stop_s=5.0)
    _with_flow(simulator, flow("F"))
    assert (await client.delete(RUNTIME_F)).status_code == 404
    simulator.set_runtime("F", "STARTED")
    answer = await client.delete(RUNTIME_F)
    assert (answer.status_code, answer.content) == (202, b"")
    assert (await client.get(RUNTIME_F)).json()["d"]["Status"] == "STOPPING"
    assert (await client.delete(RUNTIME_F)).status_code == 404
    await trio.sleep(5.1)
    assert (await client.get(RUNTIME_F)).status_code == 404
    assert (await client.delete(RUNTIME_F)).status_code == 404
    assert (await client.get(FLOW_F)).status_code == 200


async def test_what_is_stopping_cannot_be_deployed(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """400 and nothing begins while it is being undeployed; afterwards it can."""
    simulator, client = connect(stop_s=5.0, deploy_s=0.0)
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED")
    await client.delete(RUNTIME_F)
    trigger = "DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'"
    refused = await client.post(trigger)
    assert (refused.status_code, refused.json()["error"]["message"]["value"]) == (
        400,
        "The artifact F cannot be deployed while it is being undeployed.",
    )
    await trio.sleep(5.1)
    assert (await client.get(RUNTIME_F)).status_code == 404
    assert (await client.post(trigger)).status_code == 202
    assert simulator.is_running_design_time("F")


async def test_deployed_on_may_be_missing(connect: Connect, flow: Build) -> None:
    """Where the tenant gives none it is null."""
    simulator, client = connect(gives_deployed_on=False)
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED")
    assert (await client.get(RUNTIME_F)).json()["d"]["DeployedOn"] is None


async def test_error_information_may_refuse_json(connect: Connect, flow: Build) -> None:
    """406 for JSON, the JSON text for XML; 204 for a healthy artifact and 404 for none."""
    simulator, client = connect(error_information_accept="not-json", error_information_delay_s=0.0)
    _with_flow(simulator, flow("F"))
    path = f"{RUNTIME_F}/ErrorInformation/$value"
    assert (await client.get(path)).status_code == 404
    simulator.set_runtime("F", "STARTED")
    assert (await client.get(path)).status_code == 204
    simulator.set_runtime("F", "ERROR", error="broken")
    assert (await client.get(path)).status_code == 406
    answer = await client.get(path, headers={"Accept": "application/xml"})
    assert (answer.status_code, answer.json()["parameter"]) == (200, ["broken"])


async def test_the_runtime_list_is_filtered_cut_and_counted(connect: Connect, flow: Build) -> None:
    """``$filter``, ``$top``, ``$select``, ``/$count``; an empty list is 200."""
    simulator, client = connect()
    simulator.add_package("P")
    for name, status in (("A", "STARTED"), ("B", "ERROR"), ("C", "STARTED")):
        simulator.add_artifact("P", name, "Integration", flow(name))
        simulator.set_runtime(name, status)
    path = "IntegrationRuntimeArtifacts"

    async def ids(query: str) -> list[str]:
        return [row["Id"] for row in (await client.get(f"{path}?{query}")).json()["d"]["results"]]

    assert await ids("") == ["A", "B", "C"]
    assert await ids("$filter=Id%20eq%20'B'&$top=1") == ["B"]
    assert await ids("%24filter=Id+eq+%27X%27") == []
    assert await ids("$filter=Status eq 'STARTED'") == ["A", "C"]
    assert await ids("$filter=Id eq 'A' or Id eq 'B'") == ["A", "B"]
    assert (await client.get(f"{path}/$count")).text == "3"
    selected = (await client.get(f"{path}('B')?$select=Status")).json()["d"]
    assert {key: value for key, value in selected.items() if key != "__metadata"} == {"Status": "ERROR"}
    counted = (await client.get(f"{path}?$inlinecount=allpages&$top=1")).json()["d"]
    assert (counted["__count"], len(counted["results"])) == ("3", 1)


async def test_what_is_put_on_the_runtime_listens_as_what_was_deployed(
    connect: Connect, flow: Build, step: Callable[..., str], autojump_clock: MockClock
) -> None:
    """Its entry points are those of the design-time content with its parameters; without content there are none."""
    simulator, client = connect(deploy_s=1.0, endpoints_delay_s=0.0)
    sender = step(ComponentType="HTTPS", direction="Sender", urlPath="/{{Path}}/in")
    _with_flow(simulator, flow("F", steps=sender, parameters={"Path": "qa"}))
    simulator.set_runtime("F", "STARTED", deployed_on=1)
    simulator.set_runtime("Unknown", "STARTED")
    placed = (await client.get("ServiceEndpoints?$expand=EntryPoints")).json()["d"]["results"]
    assert [row["Id"] for row in placed] == ["F$endpointAddress=qa/in"]
    simulator.set_runtime("F", "ERROR")
    assert (await client.get("ServiceEndpoints/$count")).text == "0"
    simulator.deploy("F")
    await trio.sleep(1)
    deployed = (await client.get("ServiceEndpoints?$expand=EntryPoints")).json()["d"]["results"]
    assert [{**row, "LastUpdated": None} for row in deployed] == [{**row, "LastUpdated": None} for row in placed]
