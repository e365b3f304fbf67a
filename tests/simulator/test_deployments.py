"""From the deploy call to the runtime, under a virtual clock."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
Step = Callable[..., str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
RUNTIME_F = "IntegrationRuntimeArtifacts('F')"
DEPLOY_F = "DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'"


class Watcher:
    """Looks at one flow and its build task."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Remember whom to ask."""
        self.client = client
        self.task = ""

    async def deploy(self) -> None:
        """Trigger a deployment and keep its task id."""
        answer = await self.client.post(DEPLOY_F)
        assert answer.status_code == 202
        self.task = answer.text

    async def look(self) -> tuple[str, str, str]:
        """Give runtime status (or HTTP status), version and task status."""
        answer = await self.client.get(RUNTIME_F)
        task = (await self.client.get(f"BuildAndDeployStatus(TaskId='{self.task}')")).json()["d"]["Status"]
        if answer.status_code != 200:
            return str(answer.status_code), "", task
        return answer.json()["d"]["Status"], answer.json()["d"]["Version"], task

    async def deployed_on(self) -> str:
        """Give ``DeployedOn`` as sent."""
        return str((await self.client.get(RUNTIME_F)).json()["d"]["DeployedOn"])


def _with_flow(simulator: Simulator, content: bytes) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", content)


async def test_a_first_deployment_goes_from_404_over_starting_to_started(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """A third of the time nothing is there and the task says DEPLOYING, then STARTING with SUCCESS, then STARTED."""
    simulator, client = connect(deploy_s=30.0)
    _with_flow(simulator, flow("F"))
    watch = Watcher(client)
    await watch.deploy()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", watch.task)
    seen = []
    for _ in range(4):
        seen.append(await watch.look())
        await trio.sleep(9.99)
        await trio.sleep(0.02)
    assert seen == [
        ("404", "", "DEPLOYING"),
        ("STARTING", "1.0.0", "SUCCESS"),
        ("STARTING", "1.0.0", "SUCCESS"),
        ("STARTED", "1.0.0", "SUCCESS"),
    ]
    row = (await client.get(RUNTIME_F)).json()["d"]
    assert (row["Id"], row["Name"], row["Type"], row["DeployedBy"]) == ("F", "F", "INTEGRATION_FLOW", "demo-user")
    assert re.fullmatch(r"/Date\(\d{13}\)/", row["DeployedOn"])


async def test_a_redeployment_shows_the_old_version_started_first(
    connect: Connect, flow: Build, encode: Encode, autojump_clock: MockClock
) -> None:
    """The redeploy trap: STARTED in the old version, then STARTING and STARTED in the new one, ``DeployedOn`` new."""
    simulator, client = connect(deploy_s=30.0)
    _with_flow(simulator, flow("F"))
    watch = Watcher(client)
    await watch.deploy()
    await trio.sleep(31)
    first = await watch.deployed_on()
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", version="1.0.1"))})
    await watch.deploy()
    assert await watch.look() == ("STARTED", "1.0.0", "DEPLOYING")
    assert await watch.deployed_on() == first
    await trio.sleep(11)
    assert await watch.look() == ("STARTING", "1.0.1", "SUCCESS")
    await trio.sleep(20)
    assert await watch.look() == ("STARTED", "1.0.1", "SUCCESS")
    assert await watch.deployed_on() != first


async def test_every_deployment_has_another_deployed_on_even_without_time(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """Two deployments in the same instant differ."""
    simulator, client = connect(deploy_s=0.0)
    _with_flow(simulator, flow("F"))
    watch = Watcher(client)
    seen = []
    for _ in range(3):
        await watch.deploy()
        assert (await watch.look())[0] == "STARTED"
        seen.append(await watch.deployed_on())
    assert len(set(seen)) == 3


async def test_a_deployment_is_later_than_the_change_it_brings(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """``DeployedOn`` is above ``ModifiedAt`` although no time has passed, and the next change is not below it."""
    simulator, client = connect(deploy_s=0.0)
    _with_flow(simulator, flow("F"))
    for text in (b"1", b"2"):
        simulator.edit_content("F", {"a.txt": text})
    await Watcher(client).deploy()
    shown = simulator.runtime("F")
    assert shown is not None
    assert shown.deployed_on > simulator.artifact("F").modified_ms
    simulator.edit_content("F", {"a.txt": b"3"})
    assert shown.deployed_on <= simulator.artifact("F").modified_ms


async def test_deployments_take_as_long_as_set_for_the_artifact(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """``deploy_seconds_by_id`` wins over ``deploy_s``."""
    simulator, client = connect(deploy_s=1.0, deploy_seconds_by_id={"F": 600.0})
    _with_flow(simulator, flow("F"))
    watch = Watcher(client)
    await watch.deploy()
    await trio.sleep(599)
    assert (await watch.look())[0] == "STARTING"
    await trio.sleep(1.01)
    assert (await watch.look())[0] == "STARTED"


async def test_a_failing_build_ends_in_error_with_information_that_comes_late(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """Task FAIL, then runtime ERROR, then 204 however often it is asked for, then the text in ``parameter[0]``.

    Source: flashpipe's runtime test asks once, 15 seconds after the trigger, and SAP/jenkins-library asks once as well.
    """
    simulator, client = connect(deploy_s=30.0, failing=frozenset({"F"}), error_information_delay_s=10.0)
    _with_flow(simulator, flow("F"))
    watch = Watcher(client)
    await watch.deploy()
    await trio.sleep(11)
    assert await watch.look() == ("404", "", "FAIL")
    await trio.sleep(20)
    assert await watch.look() == ("ERROR", "1.0.0", "FAIL")
    early = [await client.get(f"{RUNTIME_F}/ErrorInformation/$value") for _ in range(3)]
    assert [answer.status_code for answer in early] == [204, 204, 204]
    await trio.sleep(9)
    late = await client.get(f"{RUNTIME_F}/ErrorInformation/$value")
    assert late.status_code == 200
    assert late.json()["message"]["messageText"] == ""
    assert "Generation and build failed for F" in late.json()["parameter"][0]


async def test_who_asks_once_and_late_gets_the_error_information(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """The first request 15 seconds after the trigger has the text, with the usual settings (flashpipe)."""
    simulator, client = connect(failing=frozenset({"F"}))
    _with_flow(simulator, flow("F"))
    await Watcher(client).deploy()
    await trio.sleep(15)
    answer = await client.get(f"{RUNTIME_F}/ErrorInformation/$value")
    assert "validation of resource is failed" in answer.json()["parameter"][0]


async def test_an_error_that_was_there_before_has_its_text_at_once(connect: Connect) -> None:
    """The time counts from the ERROR, not from the start of this program."""
    simulator, client = connect(error_information_delay_s=10.0)
    simulator.set_runtime("F", "ERROR", error="broken")
    assert (await client.get(f"{RUNTIME_F}/ErrorInformation/$value")).json()["parameter"] == ["broken"]


async def test_a_late_failure_keeps_the_old_version_started_for_a_while(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """The task says SUCCESS and the old version runs; then ERROR with a new ``DeployedOn``."""
    simulator, client = connect(deploy_s=30.0, late_failing=frozenset({"F"}))
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED", version="0.9.0", deployed_on=1760000000000)
    watch = Watcher(client)
    await watch.deploy()
    await trio.sleep(11)
    assert await watch.look() == ("STARTED", "0.9.0", "SUCCESS")
    assert await watch.deployed_on() == "/Date(1760000000000)/"
    await trio.sleep(20)
    assert await watch.look() == ("ERROR", "1.0.0", "SUCCESS")
    assert await watch.deployed_on() != "/Date(1760000000000)/"


@pytest.mark.parametrize(
    ("setting", "seen"),
    [
        ("never_appearing", ("404", "", "DEPLOYING")),
        ("stuck_starting", ("STARTING", "1.0.0", "SUCCESS")),
        ("stuck_tasks", ("STARTED", "1.0.0", "DEPLOYING")),
    ],
)
async def test_deployments_may_hang(
    connect: Connect, flow: Build, autojump_clock: MockClock, setting: str, seen: tuple[str, str, str]
) -> None:
    """Nothing ever appears, or it stays in STARTING, or only the task hangs."""
    simulator, client = connect(**{setting: frozenset({"F"})})
    _with_flow(simulator, flow("F"))
    watch = Watcher(client)
    await watch.deploy()
    await trio.sleep(10_000)
    assert await watch.look() == seen


async def test_a_missing_reference_fails_the_build_and_is_named(
    connect: Connect, flow: Build, bundle: Build, step: Step, autojump_clock: MockClock
) -> None:
    """Collections, mappings and scripts named in manifest or model must exist; then the build succeeds."""
    simulator, client = connect(deploy_s=3.0, error_information_delay_s=0.0)
    required = 'scriptcollection.S1;resolution:=optional;bundleType:String="ScriptCollection",messagemapping.M1;a:=b'
    steps = (
        step(scriptBundleId="S2", script="shared.groovy")
        + step(messageMappingBundleId="M2")
        + step(script="own.groovy", scriptBundleId="")
    )
    _with_flow(simulator, flow("F", headers={"Require-Capability": required}, steps=steps))
    watch = Watcher(client)
    await watch.deploy()
    await trio.sleep(4)
    assert (await watch.look())[0] == "ERROR"
    text = (await client.get(f"{RUNTIME_F}/ErrorInformation/$value")).json()["parameter"][0]
    assert [line for line in text.splitlines() if "not found" in line] == [
        "Script file 'own.groovy' not found",
        "Message mapping 'M1' not found",
        "Message mapping 'M2' not found",
        "Script collection 'S1' not found",
        "Script collection 'S2' not found",
    ]
    for name, kind in (("S1", "ScriptCollection"), ("M1", "MessageMapping"), ("M2", "MessageMapping")):
        simulator.add_artifact("P", name, kind, bundle(name, kind))
    simulator.set_runtime("S2", "STARTED")
    simulator.edit_content("F", {"src/main/resources/script/own.groovy": b"x"})
    await watch.deploy()
    await trio.sleep(4)
    assert await watch.look() == ("STARTED", "1.0.0", "SUCCESS")


async def test_references_may_have_to_be_started(connect: Connect, flow: Build, bundle: Build, step: Step) -> None:
    """The stricter setting fails a flow that is deployed before what it uses; the laxer one asks for nothing."""
    for strict, any_at_all, status in ((True, True, "ERROR"), (False, True, "STARTED"), (False, False, "STARTED")):
        simulator, client = connect(
            deploy_s=0.0, requires_started_references=strict, requires_running_references=any_at_all
        )
        _with_flow(simulator, flow("F", steps=step(scriptBundleId="S")))
        if any_at_all:
            simulator.add_artifact("P", "S", "ScriptCollection", bundle("S", "ScriptCollection"))
        watch = Watcher(client)
        await watch.deploy()
        assert (await watch.look())[0] == status


async def test_the_snapshot_is_taken_when_the_deployment_is_triggered(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """What is edited meanwhile does not run; deploying again brings it."""
    simulator, client = connect(deploy_s=30.0)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    watch = Watcher(client)
    assert not simulator.is_running_design_time("F")
    await watch.deploy()
    simulator.set_parameter("F", "a", "2")
    await trio.sleep(31)
    assert (await watch.look())[0] == "STARTED"
    assert not simulator.is_running_design_time("F")
    await watch.deploy()
    await trio.sleep(31)
    assert simulator.is_running_design_time("F")
    simulator.edit_content("F", {"src/main/resources/script/a.groovy": b"x"})
    assert not simulator.is_running_design_time("F")


async def test_peaks_count_deployments_under_way(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """Overall and per package, from trigger to the final state."""
    simulator, client = connect(deploy_s=10.0)
    for package, names in (("P", "AB"), ("Q", "C")):
        simulator.add_package(package)
        for name in names:
            simulator.add_artifact(package, name, "Integration", flow(name))

    async def trigger(name: str) -> None:
        await client.post(f"DeployIntegrationDesigntimeArtifact?Id='{name}'&Version='active'")

    await trigger("A")
    await trio.sleep(11)
    await trigger("B")
    assert simulator.peak_deployments == 1
    await trio.sleep(9)
    await trigger("A")
    await trigger("C")
    assert simulator.peak_deployments == 3
    assert simulator.peak_deployments_by_package == {"P": 2, "Q": 1}
