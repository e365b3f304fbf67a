"""What is reported is what is there: no false green, no false red, and an interrupted run is repaired by the next."""

from __future__ import annotations

import pytest
import trio

from cpi_tasks.events import ArtifactUpdated, DeploymentTriggered, Event
from cpi_tasks.model.config import Selection
from cpi_tasks.model.plan import DeployAction
from cpi_tasks.model.report import Status
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, World

ENDPOINT = "The endpoint address is already in use"


async def test_what_was_in_error_before_is_repaired(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A flow that the tenant shows in ERROR is deployed again and green, though its files did not change."""
    world.project.every_kind()
    await world.run()
    world.simulator.set_runtime("Orders", "ERROR", error="out of memory")
    ran = await world.run()

    assert ran.writes == ("POST DeployIntegrationDesigntimeArtifact?Id='Orders'&Version='active'",)
    assert ran.deploy("Orders").status is Status.DONE
    assert ran.deploy("Orders").reason == "is ERROR on the tenant"
    assert ran.exit_code == 0


async def test_an_old_error_is_waited_through(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """While a new deployment builds, the ERROR of the one before is not taken for its own."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.simulator.set_runtime("Orders", "ERROR", error="out of memory")
    world.behave(deploy_s=90)
    ran = await world.run()

    assert ran.deploy("Orders").status is Status.DONE
    assert ran.took_s > 90


@pytest.mark.parametrize("has_tasks", [True, False])
async def test_a_task_in_success_is_no_success(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, has_tasks: bool
) -> None:
    """A redeployment under one version whose task says SUCCESS long before the runtime says ERROR is red."""
    world = make(gives_task_id_for_all=has_tasks)
    world.project.every_kind()
    await world.run()
    late = frozenset({"Orders", "Scripts", "Countries"})
    world.behave(late_failing=late, deploy_s=60)
    ran = await world.run(Selection(force=True))

    assert ran.exit_code == 1
    assert {artifact for artifact in late if ENDPOINT in ran.deploy(artifact).reason} == {"Scripts", "Countries"}
    assert ran.deploy("Orders").status is Status.ABORTED
    assert ran.deploy("Orders").reason == "it needs 'Scripts', which failed"
    assert ran.deploy("Counting").status is Status.DONE


async def test_two_minutes_are_not_too_long(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """A deployment of 120 s is green under default settings, and seen at most one look after it runs."""
    world = make(deploy_s=120)
    world.project.flow("Sales", "Orders")
    ran = await world.run()

    assert ran.deploy("Orders").status is Status.DONE
    assert 120 <= ran.deploy("Orders").duration_s <= 135


@pytest.mark.parametrize("is_override", [True, False])
async def test_a_run_killed_between_write_and_deployment_is_repaired(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, is_override: bool
) -> None:
    """Without records and without times of change the next run deploys what the killed one wrote."""
    world = make(modified_at_families=frozenset())
    world.project.every_kind()
    await world.run()
    if is_override:
        world.project.override("Counting", {"Receiver Host": "d.example"})
    else:
        world.project.edit("Stock", "Counting", SCRIPT, b"// changed")
    await world.run_until(lambda event: _is_updated(event, "Counting"))
    assert not world.simulator.is_running_design_time("Counting")
    world.forget()
    ran = await world.run()

    assert ran.exit_code == 0
    assert "Counting" in ran.deployed
    assert ran.deploy("Counting").reason.startswith("not provable")


@pytest.mark.parametrize("moves", [True, False])
async def test_with_records_only_what_was_written_is_deployed_after_a_kill(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, moves: bool
) -> None:
    """The record of the write alone brings the deployment about, also where the tenant's times do not tell."""
    world = make(parameter_write_moves_modified_at=moves)
    world.project.every_kind()
    await world.run()
    world.project.override("Counting", {"Receiver Host": "d.example"})
    await world.run_until(lambda event: _is_updated(event, "Counting"))
    ran = await world.run()

    assert ran.deployed == ("Counting",)
    assert ran.deploy("Counting").reason == "an earlier run wrote a change that was never seen running"


async def test_a_deployment_under_way_is_watched_and_not_triggered_again(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """A run cut off after its trigger leaves a deployment STARTING; the next run watches it to its end."""
    world = make(deploy_s=60)
    world.project.flow("Sales", "Orders")
    await world.run_until(lambda event: isinstance(event, DeploymentTriggered))
    await trio.sleep(30)
    assert world.simulator.runtime("Orders") is not None
    ran = await world.run()

    assert ran.writes == ()
    assert ran.plan("Orders").deploy is not None
    assert getattr(ran.plan("Orders").deploy, "action", None) is DeployAction.WATCH
    assert ran.deploy("Orders").status is Status.DONE


async def test_a_deployment_under_way_that_fails_is_red(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """What is only watched is judged like what was triggered."""
    world = make(deploy_s=60, late_failing=frozenset({"Orders"}))
    world.project.flow("Sales", "Orders")
    await world.run_until(lambda event: isinstance(event, DeploymentTriggered))
    await trio.sleep(30)
    ran = await world.run()

    assert ran.exit_code == 1
    assert ENDPOINT in ran.deploy("Orders").reason


async def test_a_write_after_the_trigger_is_not_lost_in_the_deployment_under_way(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """Content that changed while an older state was still starting is deployed, not taken for the older state."""
    world = make(deploy_s=60)
    world.project.flow("Sales", "Orders")
    await world.run_until(lambda event: isinstance(event, DeploymentTriggered))
    await trio.sleep(30)
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.deployed == ("Orders",)
    assert world.simulator.is_running_design_time("Orders")


async def test_what_hangs_is_red_and_the_others_go_on(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """Artifacts that never appear or stay in STARTING cost only their own time and are named with what was seen."""
    world = make(never_appearing=frozenset({"Lost"}), stuck_starting=frozenset({"Stuck"}))
    world.project.keys |= {"deployTimeoutSeconds": 300, "parallelDeployments": 1}
    for package, artifact in (("Sales", "Lost"), ("Sales", "Orders"), ("Stock", "Stuck"), ("Stock", "Counting")):
        world.project.flow(package, artifact)
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.deploy("Lost").reason == "not seen running after 300 s; last seen: not deployed yet"
    assert ran.deploy("Stuck").reason == "not seen running after 300 s; last seen: STARTING 1.0.0"
    assert "deployTimeoutSeconds" in ran.deploy("Stuck").advice
    assert [ran.deploy(artifact).status for artifact in ("Orders", "Counting")] == [Status.DONE, Status.DONE]
    assert ran.took_s < 320


async def test_a_task_that_hangs_is_no_failure(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """An artifact that runs is green, though its build task says DEPLOYING for ever."""
    world = make(stuck_tasks=frozenset({"Orders"}), deploy_s=10)
    world.project.flow("Sales", "Orders")
    first = await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    second = await world.run()

    assert [first.exit_code, second.exit_code] == [0, 0]
    assert second.took_s < 60


@pytest.mark.parametrize("accept", ["any", "not-json"])
@pytest.mark.parametrize("deploy_s", [1, 40])
async def test_a_failing_build_shows_the_tenants_text(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, accept: str, deploy_s: float
) -> None:
    """The reason is what the tenant says is wrong, though that text appears only some seconds later."""
    world = make(error_information_accept=accept, error_information_delay_s=12.0, deploy_s=deploy_s)
    world.project.flow("Sales", "Orders")
    (world.project.folder("Sales", "Orders") / SCRIPT).unlink()
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.update("Orders").status is Status.DONE
    assert "Script file 'Main.groovy' not found" in ran.deploy("Orders").reason
    assert ran.deploy("Orders").reason.startswith("the build failed: ")


async def test_a_failed_build_does_not_show_the_text_of_an_older_failure(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Where the task fails before the runtime shows it, the text of the ERROR from before is not taken for the new."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.simulator.set_runtime("Orders", "ERROR", error="out of memory")
    world.behave(failing=frozenset({"Orders"}), deploy_s=30)
    ran = await world.run()

    assert "The artifact is not valid" in ran.deploy("Orders").reason
    assert "out of memory" not in ran.deploy("Orders").reason


async def test_what_failed_is_green_once_it_is_mended(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A failed redeployment is due again in the next run, without anything else having changed."""
    world.project.flow("Sales", "Orders")
    world.behave(failing=frozenset({"Orders"}))
    failed = await world.run()
    world.behave(failing=frozenset())
    ran = await world.run()

    assert [failed.exit_code, ran.exit_code] == [1, 0]
    assert ran.writes == ("POST DeployIntegrationDesigntimeArtifact?Id='Orders'&Version='active'",)


def _is_updated(event: Event, artifact: str) -> bool:
    return isinstance(event, ArtifactUpdated) and event.ref.artifact == artifact
