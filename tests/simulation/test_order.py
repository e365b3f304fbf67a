"""Whole runs in the order of the content: needs first, wishes if they can be, and nothing idle that could go on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import trio

from cpi_tasks.errors import InputError
from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode
from cpi_tasks.model.report import Status
from tests.support.project import MODEL, SCRIPT, Project
from tests.support.world import MakeWorld, World

LOOKUP = (
    b"import com.sap.it.api.mapping.ValueMappingApi\ndef x = api.getMappedValue('ERP', 'Country', 'DE', 'CRM', 'C')\n"
)
NOWHERE = (
    "integration flow 'Orders' needs 'Scripts', which does not exist on the tenant; nor does this run deploy it first"
)
IDLE = (
    "integration flow 'Orders' needs 'Scripts', which is not deployed on the tenant; nor does this run deploy it first"
)


def direct_flow(project: Project, package: str, artifact: str, *, listens_to: str = "", calls: str = "") -> None:
    """Configure a flow with ProcessDirect channels."""
    channels = "".join(
        f"<bpmn2:messageFlow id='M'><bpmn2:extensionElements>{_settings(direction, address)}</bpmn2:extensionElements>"
        "</bpmn2:messageFlow>"
        for direction, address in (("Sender", listens_to), ("Receiver", calls))
        if address
    )
    spaces = 'xmlns:bpmn2="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:ifl="http:///com.sap.ifl.model/Ifl.xsd"'
    model = f"<bpmn2:definitions {spaces}>{channels}</bpmn2:definitions>"
    project.flow(package, artifact, files={MODEL: model.encode()})


def _settings(direction: str, address: str) -> str:
    settings = {"ComponentType": "ProcessDirect", "direction": direction, "address": address}
    return "".join(f"<ifl:property><key>{k}</key><value>{v}</value></ifl:property>" for k, v in settings.items())


def triggers(world: World) -> Mapping[str, float]:
    """Give when each artifact's last deployment was triggered, in the order of the triggers."""
    found = [request for request in world.simulator.requests if request.path.startswith("/api/v1/Deploy")]
    return {request.query.partition("Id='")[2].partition("'")[0]: request.time for request in found}


def is_after(world: World, artifact: str, other: str) -> bool:
    """Whether an artifact was triggered when the other one ran, and no later than that was sure to be seen."""
    began, took_s = triggers(world), world.simulator.settings.deploy_seconds_by_id[other]
    return began[other] + took_s <= began[artifact] <= began[other] + 1.3 * took_s + 1.5


async def test_a_collection_goes_before_its_flow_across_packages(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """A tenant that wants what a flow names STARTED first is served, and what is independent does not wait."""
    world = make(deploy_seconds_by_id={"Scripts": 40.0}, requires_started_references=True)
    world.project.flow("Sales", "Orders", scripts_of="Scripts")
    world.project.flow("Stock", "Counting")
    world.project.collection("Base", "Scripts")
    ran = await world.run()

    assert ran.exit_code == 0
    assert is_after(world, "Orders", "Scripts")
    assert triggers(world)["Counting"] < triggers(world)["Scripts"] + 2


async def test_depends_on_is_a_chain_across_packages(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """``dependsOn`` holds between any artifacts, under a prefix too, each starting as soon as the one before runs."""
    world = make(deploy_seconds_by_id={"T_Second": 20.0, "T_First": 30.0})
    world.project.keys["deploymentPrefix"] = "T"
    world.project.flow("Sales", "Last", dependsOn=["Second"])
    world.project.flow("Stock", "Second", dependsOn=["First"])
    world.project.values("Base", "First")
    ran = await world.run()

    assert ran.exit_code == 0
    assert is_after(world, "T_Second", "T_First")
    assert is_after(world, "T_Last", "T_Second")


@pytest.mark.parametrize("mode", [Mode.DEPLOY_ONLY, Mode.UPDATE_AND_DEPLOY])
async def test_the_order_holds_for_every_run(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, mode: Mode
) -> None:
    """Deployments alone follow the same order as deployments after updates."""
    world = make(deploy_seconds_by_id={"First": 30.0, "Scripts": 20.0})
    world.project.flow("Sales", "Named", dependsOn=["First"])
    world.project.flow("Sales", "Uses", scripts_of="Scripts")
    world.project.flow("Stock", "First")
    world.project.collection("Stock", "Scripts")
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    ran = await world.run(Selection(mode=mode))

    assert ran.exit_code == 0
    assert is_after(world, "Named", "First")
    assert is_after(world, "Uses", "Scripts")


async def test_the_order_holds_for_what_is_only_deployed(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """A flow with ``sync: false`` waits for what it uses as well: a tenant would not build it before."""
    world = make(deploy_seconds_by_id={"Scripts": 20.0}, requires_started_references=True)
    world.project.flow("Sales", "Orders", scripts_of="Scripts")
    world.project.collection("Base", "Scripts")
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    world.project.artifacts["Orders"]["sync"] = False
    ran = await world.run()

    assert ran.exit_code == 0
    assert is_after(world, "Orders", "Scripts")


async def test_a_failure_keeps_out_what_depends_on_it(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """All down the chain nothing is triggered and each says why; the next run does exactly what is missing."""
    world = make(failing=frozenset({"First"}))
    world.project.flow("Sales", "Last", dependsOn=["Second"])
    world.project.flow("Stock", "Second", dependsOn=["First"])
    world.project.flow("Base", "First")
    world.project.flow("Base", "Free")
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.deployed == ("First", "Free")
    assert ran.deploy("Second").reason == "it needs 'First', which failed"
    assert ran.deploy("Last").reason == "it needs 'Second', which was not deployed"
    assert {ran.deploy(artifact).status for artifact in ("Second", "Last")} == {Status.ABORTED}

    world.behave(failing=frozenset())
    again = await world.run()
    assert (again.exit_code, again.deployed) == (0, ("First", "Last", "Second"))


async def test_a_circle_of_depends_on_stops_everything(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A circle is invalid input (exit code 4): nothing at all is asked of the tenant."""
    world.project.flow("Sales", "Orders", dependsOn=["Counting"])
    world.project.flow("Stock", "Counting", dependsOn=["Orders"])
    with pytest.raises(InputError, match="dependsOn goes round in a circle") as caught:
        await world.run()

    assert caught.value.exit_code == 4
    assert world.simulator.requests == []


async def test_callers_go_after_listeners(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """A flow with a ProcessDirect receiver starts after the flow that listens there, in whatever package."""
    world = make(deploy_seconds_by_id={"Listener": 30.0})
    direct_flow(world.project, "Sales", "Caller", calls="/in")
    direct_flow(world.project, "Stock", "Listener", listens_to="in/")
    ran = await world.run()

    assert ran.exit_code == 0
    assert is_after(world, "Caller", "Listener")


async def test_a_listener_that_fails_keeps_nobody_out(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """ProcessDirect is an order and no need: the caller is deployed all the same."""
    world = make(failing=frozenset({"Listener"}))
    direct_flow(world.project, "Sales", "Caller", calls="/in")
    direct_flow(world.project, "Stock", "Listener", listens_to="/in")
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.deploy("Caller").status is Status.DONE


async def test_a_circle_of_calls_is_cut_silently(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Flows that call each other are all deployed, and nobody is bothered with it."""
    direct_flow(world.project, "Sales", "One", listens_to="/1", calls="/2")
    direct_flow(world.project, "Sales", "Two", listens_to="/2", calls="/3")
    direct_flow(world.project, "Stock", "Three", listens_to="/3", calls="/1")
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.report.parts[0].warnings == ()
    assert list(triggers(world)) == ["Three", "Two", "One"]


async def test_value_mappings_go_before_lookups(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """A flow whose script looks values up starts after the value mappings of the run, one that does not, at once."""
    world = make(deploy_seconds_by_id={"Countries": 30.0})
    world.project.flow("Sales", "Asks", files={SCRIPT: LOOKUP})
    world.project.flow("Sales", "Other")
    world.project.values("Base", "Countries")
    ran = await world.run()

    assert ran.exit_code == 0
    assert is_after(world, "Asks", "Countries")
    assert triggers(world)["Other"] < 5


async def test_what_waits_holds_no_slot(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """Six flows that wait for a slow collection leave both slots of the run to those that can go."""
    world = make(deploy_seconds_by_id={"Scripts": 60.0})
    world.project.keys |= {"parallelDeployments": 2, "maxParallelDeployments": 2}
    for number in range(6):
        world.project.flow("Sales", f"Waits{number}", scripts_of="Scripts")
    world.project.collection("Base", "Scripts")
    for number in range(5):
        world.project.flow("Stock", f"Ready{number}")
    ran = await world.run()

    began = triggers(world)
    assert ran.exit_code == 0
    assert max(began[f"Ready{number}"] for number in range(5)) < began["Scripts"] + 20
    assert min(began[f"Waits{number}"] for number in range(6)) >= began["Scripts"] + 60
    assert world.simulator.peak_deployments == 2


async def test_what_took_long_the_last_time_goes_first(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """The first run follows the files; the next one knows which deployments are long and begins with these."""
    world = make(deploy_seconds_by_id={"A": 2.0, "B": 30.0, "C": 10.0, "D": 60.0})
    world.project.keys["parallelDeployments"] = 1
    for artifact in "ABCD":
        world.project.flow("Sales", artifact)
    await world.run()
    assert list(triggers(world)) == ["A", "B", "C", "D"]

    before = len(world.simulator.requests)
    await world.run(Selection(force=True))
    later = [r.query[4] for r in world.simulator.requests[before:] if r.path.startswith("/api/v1/Deploy")]
    assert later == ["D", "B", "C", "A"]


@pytest.mark.parametrize(("is_there", "expected"), [(False, NOWHERE), (True, IDLE)])
async def test_an_absent_reference_is_a_warning(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, *, is_there: bool, expected: str
) -> None:
    """What a flow uses and neither this run nor the tenant has running draws a warning, and the run goes on."""
    world = make(requires_running_references=False)
    world.project.flow("Sales", "Orders", scripts_of="Scripts")
    if is_there:
        world.project.collection("Base", "Scripts")
        await world.run(Selection(package_filter="Base", mode=Mode.UPDATE_ONLY))
    ran = await world.run(Selection(package_filter="Sales"))

    assert ran.exit_code == 0
    assert ran.report.parts[0].warnings == (expected,)


async def test_strict_stops_before_anything_is_touched(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """With ``--strict`` the same is invalid input, and the tenant is only read."""
    world.project.flow("Sales", "Orders", scripts_of="Scripts")
    with pytest.raises(InputError) as caught:
        await world.run(Selection(strict=True))

    assert caught.value.exit_code == 4
    assert [problem.message for problem in caught.value.problems] == [NOWHERE]
    assert {request.method for request in world.simulator.requests} == {"GET"}


async def test_strict_is_content_with_what_runs_on_the_tenant(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """What a filter leaves out and the tenant runs is no absent reference, nor is anything asked about it."""
    world.project.flow("Sales", "Orders", scripts_of="Scripts", dependsOn=["Other"])
    world.project.collection("Base", "Scripts")
    world.project.flow("Base", "Other")
    await world.run(Selection(package_filter="Base"))
    before = len(world.simulator.requests)
    ran = await world.run(Selection(package_filter="Sales", strict=True))

    assert (ran.exit_code, ran.report.parts[0].warnings) == (0, ())
    assert not [r for r in world.simulator.requests[before:] if "Scripts" in r.target or "Other" in r.target]


async def test_a_later_configuration_may_need_an_earlier_one(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Of unmerged files the second may use and name what the first deploys, also for the first time and strictly."""
    world.project.flow("Sales", "Orders", scripts_of="Scripts", dependsOn=["Other"])
    world.project.collection("Base", "Scripts")
    world.project.flow("Base", "Other")
    world.project.configs = {"1": ["Base"], "2": ["Sales"]}
    ran = await world.run(Selection(strict=True))

    assert ran.exit_code == 0
    assert [part.warnings for part in ran.report.parts] == [(), ()]
    assert list(triggers(world))[-1] == "Orders"


async def test_a_run_stops_at_its_first_failure(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """With ``--on-failure stop`` nothing is begun after a failure, in later configurations either; it says so."""
    world = make(failing=frozenset({"Bad"}))
    world.project.keys["parallelDeployments"] = 1
    for package, artifact in (("Base", "Bad"), ("Base", "Next"), ("Sales", "Later")):
        world.project.flow(package, artifact)
    world.project.configs = {"1": ["Base"], "2": ["Sales"]}
    ran = await world.run(Selection(on_failure="stop"))

    assert (ran.exit_code, ran.deployed) == (1, ("Bad",))
    reasons = {ran.deploy("Next").reason, ran.update("Later").reason}
    assert reasons == {"not begun: 1 failed, and onFailure is stop"}
    assert ran.deploy("Later").reason == "it was not updated"
    assert (await world.run(Selection(on_failure="stop", artifact_filter="Next,Later"))).exit_code == 0
