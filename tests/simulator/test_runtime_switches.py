"""Every position of the switches about deployments and the runtime."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
import trio
from defusedxml import ElementTree
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Step = Callable[..., str]
RUNTIME_F = "IntegrationRuntimeArtifacts('F')"
ERROR_F = f"{RUNTIME_F}/ErrorInformation"
DEPLOY_F = "DeployIntegrationDesigntimeArtifact?Id='F'&Version="


def _with_flow(simulator: Simulator, content: bytes) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", content)


async def _deployed_on(client: httpx.AsyncClient) -> int:
    text = (await client.get(RUNTIME_F)).json()["d"]["DeployedOn"]
    return int(text.removeprefix("/Date(").removesuffix(")/"))


@pytest.mark.parametrize(("form", "before", "after"), [("bare", "", ""), ("quoted", '"', '"'), ("newline", "", "\n")])
async def test_task_id_form(connect: Connect, flow: Build, form: str, before: str, after: str) -> None:
    """Bare, in quotes, or with a line end; the id inside is good."""
    simulator, client = connect(task_id_form=form)
    _with_flow(simulator, flow("F"))
    text = (await client.post(f"{DEPLOY_F}'active'")).text
    task = text.removeprefix(before).removesuffix(after)
    assert (text, len(task)) == (f"{before}{task}{after}", 36)
    assert (await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).status_code == 200


@pytest.mark.parametrize(
    ("words", "success", "fail"), [("upper", "SUCCESS", "FAIL"), ("capitalised", "Success", "Fail")]
)
async def test_task_words(connect: Connect, flow: Build, words: str, success: str, fail: str) -> None:
    """In capitals, or as in one example."""
    simulator, client = connect(task_words=words, deploy_s=0.0, failing=frozenset({"G"}))
    _with_flow(simulator, flow("F"))
    simulator.add_artifact("P", "G", "Integration", flow("G"))
    seen = []
    for name in "FG":
        task = (await client.post(f"DeployIntegrationDesigntimeArtifact?Id='{name}'&Version='active'")).text
        seen.append((await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).json()["d"]["Status"])
    assert seen == [success, fail]


@pytest.mark.parametrize("works", [True, False])
async def test_deploys_version_numbers(connect: Connect, flow: Build, *, works: bool) -> None:
    """A number is answered like ``active``, but may start nothing."""
    simulator, client = connect(deploys_version_numbers=works, deploy_s=0.0)
    _with_flow(simulator, flow("F"))
    answer = await client.post(f"{DEPLOY_F}'1.0.0'")
    assert (answer.status_code, len(answer.text)) == (202, 36)
    assert (simulator.runtime("F") is not None) is works
    assert (await client.post(f"{DEPLOY_F}'Active'")).status_code == 202
    assert simulator.is_running_design_time("F")
    assert (await client.post(f"{DEPLOY_F}'0.9.0'")).status_code == 404


@pytest.mark.parametrize(("rule", "status"), [("checked", "ERROR"), ("ignored", "STARTED")])
async def test_optional_references(connect: Connect, flow: Build, step: Step, rule: str, status: str) -> None:
    """A missing collection that the manifest calls optional may not matter, also where the model names it."""
    simulator, client = connect(optional_references=rule, deploy_s=0.0)
    required = 'scriptcollection.S;resolution:=optional;bundleType:String="ScriptCollection"'
    _with_flow(simulator, flow("F", headers={"Require-Capability": required}, steps=step(scriptBundleId="S")))
    await client.post(f"{DEPLOY_F}'active'")
    assert (await client.get(RUNTIME_F)).json()["d"]["Status"] == status


async def test_references_that_are_not_optional_are_always_checked(connect: Connect, flow: Build) -> None:
    """Optional is said of each one by itself."""
    simulator, client = connect(optional_references="ignored", deploy_s=0.0, error_information_delay_s=0.0)
    required = "scriptcollection.S;resolution:=optional,messagemapping.M;a:=b"
    _with_flow(simulator, flow("F", headers={"Require-Capability": required}))
    await client.post(f"{DEPLOY_F}'active'")
    text = (await client.get(f"{ERROR_F}/$value")).json()["parameter"][0]
    assert [line for line in text.splitlines() if "not found" in line] == ["Message mapping 'M' not found"]


@pytest.mark.parametrize("by", ["setting", "parameter"])
async def test_other_runtime(connect: Connect, flow: Build, by: str) -> None:
    """The task succeeds and this runtime never shows it."""
    simulator, client = connect(other_runtime=frozenset({"F"} if by == "setting" else ()), deploy_s=0.0)
    profile = {"SAP_ProfileId": "integrationcell" if by == "parameter" else "iflmap"}
    _with_flow(simulator, flow("F", parameters=profile))
    task = (await client.post(f"{DEPLOY_F}'active'")).text
    assert (await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).json()["d"]["Status"] == "SUCCESS"
    assert (await client.get(RUNTIME_F)).status_code == 404


@pytest.mark.parametrize("by", ["setting", "parameter"])
@pytest.mark.parametrize(("rule", "status"), [("accepted", 202), ("refused", 400)])
async def test_other_runtime_trigger(connect: Connect, flow: Build, by: str, rule: str, status: int) -> None:
    """What belongs to another runtime may be refused at once; what belongs here is deployed."""
    simulator, client = connect(
        other_runtime_trigger=rule, other_runtime=frozenset({"F"} if by == "setting" else ()), deploy_s=0.0
    )
    profile = {"SAP_ProfileId": "integrationcell" if by == "parameter" else "iflmap"}
    _with_flow(simulator, flow("F", parameters=profile))
    simulator.add_artifact("P", "G", "Integration", flow("G"))
    assert (await client.post(f"{DEPLOY_F}'active'")).status_code == status
    assert (await client.post(f"{DEPLOY_F}'active'".replace("'F'", "'G'"))).status_code == 202
    assert simulator.is_running_design_time("G")


async def test_license_failing(connect: Connect, flow: Build) -> None:
    """The task says so, the runtime goes to ERROR with a text."""
    simulator, client = connect(license_failing=frozenset({"F"}), deploy_s=0.0, error_information_delay_s=0.0)
    _with_flow(simulator, flow("F"))
    task = (await client.post(f"{DEPLOY_F}'active'")).text
    status = (await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).json()["d"]["Status"]
    assert (status, (await client.get(RUNTIME_F)).json()["d"]["Status"]) == ("FAIL_ON_LICENSE_ERROR", "ERROR")
    assert "license" in (await client.get(f"{ERROR_F}/$value")).text


@pytest.mark.parametrize(("stamp", "offset_s"), [("trigger", 0), ("starting", 10), ("started", 30)])
async def test_deployed_on_stamp(
    connect: Connect, flow: Build, autojump_clock: MockClock, stamp: str, offset_s: int
) -> None:
    """At the trigger, when STARTING, or when STARTED: until then STARTING shows the former one."""
    simulator, client = connect(deployed_on_stamp=stamp, deploy_s=30.0)
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED", deployed_on=1760000000000)
    await trio.sleep(5)
    trigger_ms = simulator._state.now_ms()
    await client.post(f"{DEPLOY_F}'active'")
    assert await _deployed_on(client) == 1760000000000
    await trio.sleep(15)
    starting = await _deployed_on(client)
    await trio.sleep(16)
    started = await _deployed_on(client)
    assert started - trigger_ms == pytest.approx(offset_s * 1000, abs=5)
    assert starting == (1760000000000 if stamp == "started" else started)


async def test_a_first_deployment_is_never_without_deployed_on(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """While it is STARTING it shows the time of the trigger, where the real one comes at the end."""
    simulator, client = connect(deployed_on_stamp="started", deploy_s=30.0)
    _with_flow(simulator, flow("F"))
    trigger_ms = simulator._state.now_ms()
    await client.post(f"{DEPLOY_F}'active'")
    await trio.sleep(15)
    assert await _deployed_on(client) == pytest.approx(trigger_ms, abs=5)


@pytest.mark.parametrize(("rule", "version"), [("new", "1.0.0"), ("old", "0.9.0")])
@pytest.mark.parametrize("setting", ["failing", "late_failing", "license_failing"])
async def test_failed_version(connect: Connect, flow: Build, rule: str, version: str, setting: str) -> None:
    """An ERROR after a failed redeployment shows either version."""
    simulator, client = connect(failed_version=rule, deploy_s=0.0, **{setting: frozenset({"F"})})
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED", version="0.9.0")
    await client.post(f"{DEPLOY_F}'active'")
    row = (await client.get(RUNTIME_F)).json()["d"]
    assert (row["Status"], row["Version"]) == ("ERROR", version)


@pytest.mark.parametrize("status", [404, 400, 500])
async def test_not_deployed_status(connect: Connect, status: int) -> None:
    """Reading and undeploying; the text stays the known one."""
    _, client = connect(not_deployed_status=status)
    for answer in (await client.get(RUNTIME_F), await client.delete(RUNTIME_F)):
        assert (answer.status_code, "Requested entity could not be found" in answer.text) == (status, True)


@pytest.mark.parametrize("rule", ["not-found", "atom"])
async def test_error_navigation(connect: Connect, rule: str) -> None:
    """404, or an entry that leads to the value."""
    simulator, client = connect(error_navigation=rule, error_information_delay_s=0.0)
    simulator.set_runtime("F", "ERROR", error="broken")
    answer = await client.get(ERROR_F, headers={"Accept": "*/*"})
    assert answer.status_code == (404 if rule == "not-found" else 200)
    if rule == "atom":
        source = ElementTree.fromstring(answer.content).find("{http://www.w3.org/2005/Atom}content")
        assert source is not None
        assert (await client.get(source.get("src", ""))).json()["parameter"] == ["broken"]


@pytest.mark.parametrize("status", [204, 404])
async def test_healthy_error_information(connect: Connect, status: int) -> None:
    """Where there is no error, there is no content or nothing at all."""
    simulator, client = connect(healthy_error_information=status)
    simulator.set_runtime("F", "STARTED")
    assert (await client.get(f"{ERROR_F}/$value")).status_code == status


@pytest.mark.parametrize("shape", ["parameter", "template", "children", "nested", "message", "text"])
async def test_error_shape(connect: Connect, shape: str) -> None:
    """The text stands in a different place in each."""
    simulator, client = connect(error_shape=shape, error_information_delay_s=0.0)
    simulator.set_runtime("F", "ERROR", error="broken\nthing")
    answer = await client.get(f"{ERROR_F}/$value")
    if shape == "text":
        assert answer.text == "broken\nthing"
        return
    body = answer.json()
    if shape == "message":
        assert body == {"message": "broken\nthing"}
        return
    assert body["message"]["messageText"] == ("{0}" if shape == "template" else "")
    if shape == "children":
        body = body["childInstances"][0]
    found = json.loads(body["parameter"][0])["parameters"] if shape == "nested" else body["parameter"]
    assert found == ["broken\nthing"]


@pytest.mark.parametrize("delay_s", [0.0, 180.0])
async def test_endpoints_delay_s(
    connect: Connect, flow: Build, step: Step, autojump_clock: MockClock, delay_s: float
) -> None:
    """Entry points show up some time after STARTED, with addresses filled in, and go with the flow."""
    simulator, client = connect(endpoints_delay_s=delay_s, deploy_s=3.0, stop_s=0.0)
    steps = (
        step(ComponentType="HTTPS", direction="Sender", urlPath="/{{Path}}/in")
        + step(ComponentType="SOAP", direction="Sender", address="/soap")
        + step(ComponentType="HTTPS", direction="Receiver", urlPath="/out")
        + step(ComponentType="JMS", direction="Sender", address="queue")
    )
    _with_flow(simulator, flow("F", steps=steps, parameters={"Path": "qa"}))
    await client.post(f"{DEPLOY_F}'active'")
    await trio.sleep(3)
    assert (await client.get("ServiceEndpoints/$count")).text == ("2" if delay_s == 0 else "0")
    await trio.sleep(delay_s + 0.01)
    query = "$expand=EntryPoints,ApiDefinitions&$filter=Name eq 'F'&$inlinecount=allpages"
    page = (await client.get(f"ServiceEndpoints?{query}")).json()["d"]
    assert page["__count"] == "2"
    shown = [
        (row["Id"], row["Protocol"], row["EntryPoints"]["results"][0]["Url"], len(row["ApiDefinitions"]["results"]))
        for row in page["results"]
    ]
    assert shown == [
        ("F$endpointAddress=qa/in", "REST", "https://runtime-tenant.example/http/qa/in", 0),
        ("F$endpointAddress=soap", "SOAP", "https://runtime-tenant.example/cxf/soap", 1),
    ]
    assert (await client.get(page["results"][0]["__metadata"]["uri"])).json()["d"]["Name"] == "F"
    atom = await client.get(f"ServiceEndpoints?{query}", headers={"Accept": "application/xml"})
    assert b"https://runtime-tenant.example/http/qa/in" in atom.content
    assert (await client.get("ServiceEndpoints/$count?$filter=Protocol eq 'SOAP'")).text == "1"
    assert (await client.get("ServiceEndpoints?$expand=Nope")).status_code == 400
    assert (await client.get("ServiceEndpoints('x')")).status_code == 404
    await client.delete(RUNTIME_F)
    assert (await client.get("ServiceEndpoints")).json() == {"d": {"results": []}}
