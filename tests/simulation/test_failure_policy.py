"""What becomes of the rest of a run when something has failed: ``onFailure`` and ``maxFailures``, and the run after."""

from __future__ import annotations

import pytest
import trio.testing

from cpi_tasks.model.report import Status
from cpi_tasks.records import read_runs
from cpi_tasks.simulator import Fault, FaultKind, FaultRule
from tests.support.world import MakeWorld, Ran, World


def ten_flows(make: MakeWorld, *, failing: int, **keys: object) -> World:
    """Make ten flows in one package, deployed one after another, of which the first few fail."""
    world = make(failing=frozenset(f"Flow{number}" for number in range(failing)))
    world.project.keys |= {"parallelDeployments": 1, **keys}
    for number in range(10):
        world.project.flow("Orders", f"Flow{number}")
    return world


def refuse_creations(world: World) -> None:
    """Have the tenant refuse every new flow."""
    fault = Fault(kind=FaultKind.BUSINESS_ERROR, text="no room for it")
    rule = FaultRule(method="POST", pattern="IntegrationDesigntimeArtifacts$", fault=fault)
    world.simulator.play(world.simulator.script(rule))


async def mended(world: World) -> Ran:
    """Run again on a tenant that refuses nothing any more."""
    world.simulator._front.stage._faults.clear()
    world.simulator.play(world.simulator.script())
    return await world.run()


async def test_the_others_go_on_by_default(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """A failure is listed, and everything else is deployed."""
    ran = await ten_flows(make, failing=2).run()

    assert ran.exit_code == 1
    assert [ran.deploy(f"Flow{number}").status for number in range(10)] == [Status.FAILED] * 2 + [Status.DONE] * 8


async def test_stop_begins_nothing_new(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """After the first failure nothing is triggered any more; each artifact says why, and the next run goes on."""
    world = ten_flows(make, failing=1, onFailure="stop")
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.deployed == ("Flow0",)
    assert ran.deploy("Flow0").status is Status.FAILED
    assert {ran.deploy(f"Flow{number}").reason for number in range(1, 10)} == {
        "not begun: 1 failed, and onFailure is stop"
    }
    world.behave(failing=frozenset())
    again = await world.run()
    assert again.exit_code == 0
    assert len(again.deployed) == 10
    assert again.uploads == ()


@pytest.mark.parametrize(
    ("allowed", "failing", "triggered"),
    [(2, 2, 10), (2, 3, 3), (0, 1, 1), ("20%", 2, 10), ("20%", 3, 3), ("25%", 3, 3), ("0%", 1, 1)],
)
async def test_exactly_so_many_are_still_allowed(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, allowed: object, failing: int, triggered: int
) -> None:
    """``maxFailures`` many may fail; with one more nothing new is begun."""
    ran = await ten_flows(make, failing=failing, maxFailures=allowed).run()

    assert ran.exit_code == 1
    assert len(ran.deployed) == triggered


async def test_a_failed_update_stops_updates_and_deployments(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """What is not begun is named with the reason, in both phases; the code is 1 and the next run does the rest."""
    world.project.keys["onFailure"] = "stop"
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.flow("Stock", "Counting")
    world.project.collection("Zoo", "Scripts")
    world.project.edit("Sales", "Orders", "src/main/resources/script/Main.groovy", b"// changed\n")
    refuse_creations(world)
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.update("Counting").status is Status.FAILED
    assert "no room for it" in ran.update("Counting").reason
    assert ran.deployed == ()
    for name in ("Orders", "Scripts"):
        step = ran.deploy(name)
        assert (step.status, step.reason) == (Status.ABORTED, "not begun: 1 failed, and onFailure is stop")
        assert step.advice == "mend the failures and run again, which goes on from here"
    again = await mended(world)
    assert again.exit_code == 0
    assert again.deployed == ("Counting", "Orders", "Scripts")
    assert (await world.run()).writes == ()


@pytest.mark.parametrize(("allowed", "exceeds"), [(1, True), (2, False), ("50%", False), ("49%", True)])
async def test_failures_of_all_configurations_count_together(
    world: World, autojump_clock: trio.testing.MockClock, allowed: object, *, exceeds: bool
) -> None:
    """Two of four artifacts fail, one in each file: exactly so many are still allowed, for the run as a whole."""
    world.project.keys |= {"maxFailures": allowed, "parallelDeployments": 1}
    for package, bad, good in (("Sales", "Bad1", "Good1"), ("Stock", "Bad2", "Good2")):
        world.project.flow(package, bad)
        world.project.flow(package, good)
    world.project.configs = {"a": ["Sales"], "b": ["Stock"]}
    world.behave(failing=frozenset({"Bad1", "Bad2"}))
    ran = await world.run()

    assert ran.exit_code == 1
    assert [ran.deploy(name).status for name in ("Bad1", "Good1", "Bad2")] == [
        Status.FAILED,
        Status.DONE,
        Status.FAILED,
    ]
    assert ran.deploy("Good2").status is (Status.ABORTED if exceeds else Status.DONE)
    if exceeds:
        assert ran.deploy("Good2").reason == f"not begun: 2 failed, and maxFailures is {allowed}"
    world.behave(failing=frozenset())
    assert (await world.run()).exit_code == 0


async def test_what_is_under_way_goes_on(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """The brake begins nothing new; a deployment that was triggered before is seen to its end."""
    world.project.keys |= {"onFailure": "stop", "parallelDeployments": 2}
    for name in ("Bad", "Slow", "Later"):
        world.project.flow("Sales", name)
    world.behave(failing=frozenset({"Bad"}), deploy_seconds_by_id={"Bad": 5, "Slow": 60, "Later": 5})
    ran = await world.run()

    assert {name: ran.deploy(name).status for name in ("Bad", "Slow", "Later")} == {
        "Bad": Status.FAILED,
        "Slow": Status.DONE,
        "Later": Status.ABORTED,
    }
    (past,) = read_runs(world.project.root / ".cpi" / "runs")
    assert past.exit_code == 1
    assert past.artifacts["Sales/Later"].deploy.startswith("aborted: ")
    assert past.artifacts["Sales/Slow"].deploy.startswith("done: ")
