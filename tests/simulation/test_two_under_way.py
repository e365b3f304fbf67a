"""Two deployments of one artifact under way: the end of the one triggered earlier is not taken for that of ours."""

from __future__ import annotations

import httpx
import pytest
import trio

from cpi_tasks.events import DeploymentTriggered, Event
from cpi_tasks.model.config import Selection
from cpi_tasks.model.plan import DeployAction
from cpi_tasks.model.report import Status
from cpi_tasks.simulator import (
    DeploymentRule,
    Duration,
    Ending,
    Fate,
    Fault,
    FaultKind,
    FaultRule,
    FaultScript,
    When,
)
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, Ran, World

Clock = trio.testing.MockClock
ENDPOINT = "The endpoint address is already in use"
STAMPS = ("trigger", "starting", "started")


def lasts(seconds: float, ends: Ending = Ending.STARTED, **more: float | bool) -> Fate:
    return Fate(ends=ends, duration=Duration(least=seconds), **more)  # type: ignore[arg-type]


def is_triggered(event: Event) -> bool:
    return isinstance(event, DeploymentTriggered)


def change(world: World, text: str) -> None:
    """Change what the artifact does under the version it has."""
    path = (
        SCRIPT
        if (world.project.folder("Sales", "Orders") / SCRIPT).exists()
        else "src/main/resources/script/Shared.groovy"
    )
    world.project.edit("Sales", "Orders", path, text.encode())


def play(world: World, *fates: Fate, fault: FaultRule | None = None) -> None:
    """Say how the next deployments of the artifact go on."""
    rules = [DeploymentRule(artifact="Orders", fate=fate, nth=nth) for nth, fate in enumerate(fates, start=1)]
    world.simulator.play(FaultScript.of(*rules, *([fault] if fault else [])))


async def killed_after_its_trigger(world: World, text: str) -> None:
    change(world, text)
    await world.run_until(is_triggered)


async def changed(world: World, text: str) -> Ran:
    change(world, text)
    return await world.run()


@pytest.mark.parametrize("keeps_records", [True, False])
@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("lingers_s", [None, 25.0])
async def test_an_error_of_an_earlier_deployment_is_not_ours(
    make: MakeWorld, autojump_clock: Clock, keeps_records: bool, stamp: str, lingers_s: float | None
) -> None:
    """While our own task builds, and as long as its ERROR stays after that, an earlier deployment fails, not ours."""
    world = make(deployed_on_stamp=stamp)
    world.project.flow("Sales", "Orders")
    await world.run()
    ours = Fate(duration=Duration(least=60), old_version_s=lingers_s)
    play(world, lasts(12, Ending.FAILS_LATE), ours)
    await killed_after_its_trigger(world, "// broken")
    if not keeps_records:
        world.forget()
    ran = await changed(world, "// mended")

    assert ran.deployed == ("Orders",)
    assert ran.deploy("Orders").status is Status.DONE
    assert 60 <= ran.deploy("Orders").duration_s <= 75


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("ending", [Ending.FAILS_LATE, Ending.BUILD_FAILS])
@pytest.mark.parametrize("polling", ["adaptive", "fixed"])
async def test_a_success_of_an_earlier_deployment_is_not_ours(
    make: MakeWorld, autojump_clock: Clock, stamp: str, ending: Ending, polling: str
) -> None:
    """What a killed run triggered starts while ours builds: green would be told of what then ends in ERROR."""
    world = make(deployed_on_stamp=stamp)
    world.project.keys["polling"] = polling
    world.project.flow("Sales", "Orders", parameters={"Host": "a"})
    await world.run()
    play(world, lasts(12), lasts(60, ending, error=ENDPOINT))  # type: ignore[arg-type]
    world.project.override("Orders", {"Host": "b"})
    await world.run_until(is_triggered)
    world.project.override("Orders", {"Host": "c"})
    ran = await world.run()

    assert ran.deployed == ("Orders",)
    assert ran.deploy("Orders").status is Status.FAILED
    assert ENDPOINT in ran.deploy("Orders").reason


@pytest.mark.parametrize("stamp", STAMPS)
async def test_without_a_task_the_second_change_is_ours(make: MakeWorld, autojump_clock: Clock, stamp: str) -> None:
    """Of an artifact whose deployment gives no task the first end is not believed, the second is at once."""
    world = make(deployed_on_stamp=stamp)
    world.project.collection("Sales", "Orders")
    await world.run()
    play(world, lasts(12), lasts(40, Ending.FAILS_LATE), lasts(12, Ending.FAILS_LATE), lasts(40))
    await killed_after_its_trigger(world, "// 1")
    failed = await changed(world, "// 2")
    await killed_after_its_trigger(world, "// 3")
    ran = await changed(world, "// 4")

    assert [failed.exit_code, ran.exit_code] == [1, 0]
    assert ENDPOINT in failed.deploy("Orders").reason
    assert 40 <= ran.deploy("Orders").duration_s <= 50


async def test_of_two_killed_runs_the_second_is_the_one_that_counts(make: MakeWorld, autojump_clock: Clock) -> None:
    """A run that joins the first of two deployments under way is not green before the second has ended."""
    world = make(deploy_s=1)
    world.project.flow("Sales", "Orders")
    await world.run()
    play(world, lasts(30), lasts(60, Ending.FAILS_LATE))
    await killed_after_its_trigger(world, "// 1")
    await killed_after_its_trigger(world, "// 2")
    await trio.sleep(12)
    ran = await world.run()

    assert getattr(ran.plan("Orders").deploy, "action", None) is DeployAction.WATCH
    assert ran.exit_code == 1
    assert ENDPOINT in ran.deploy("Orders").reason


async def test_a_trigger_repeated_because_its_answer_was_lost(make: MakeWorld, autojump_clock: Clock) -> None:
    """Where the first call had been taken after all, its end is not taken for that of the second."""
    world = make()
    world.project.flow("Sales", "Orders")
    await world.run()
    lost = FaultRule(
        method="POST",
        pattern="Deploy",
        when=When(nth=1),
        fault=Fault(kind=FaultKind.RESET_AFTER_HANDLING, error=httpx.ReadError),
    )
    play(world, lasts(30, old_version_s=29.0), lasts(60, Ending.FAILS_LATE), fault=lost)
    ran = await changed(world, "// changed")

    assert ran.exit_code == 1
    assert ENDPOINT in ran.deploy("Orders").reason


@pytest.mark.parametrize("has_tasks", [True, False])
async def test_nothing_is_held_for_long(make: MakeWorld, autojump_clock: Clock, has_tasks: bool) -> None:
    """Where a task hangs or there is none, and the earlier deployment never shows, ours is green after ample time."""
    world = make(gives_task_id_for_all=has_tasks)
    world.project.collection("Sales", "Orders")
    await world.run()
    play(world, lasts(5, Ending.NEVER_APPEARS), lasts(5, task_hangs=True))
    await killed_after_its_trigger(world, "// 1")
    ran = await changed(world, "// 2")

    assert ran.exit_code == 0
    assert 60 <= ran.deploy("Orders").duration_s <= 80


@pytest.mark.parametrize("ending", [Ending.FAILS_LATE, Ending.BUILD_FAILS])
async def test_a_failure_that_was_seen_holds_nothing_back(
    make: MakeWorld, autojump_clock: Clock, ending: Ending
) -> None:
    """After a run that saw its deployment fail none is under way: the next one is green as soon as it runs."""
    world = make(gives_task_id_for_all=True)
    world.project.collection("Sales", "Orders")
    await world.run()
    play(world, lasts(5, ending), lasts(5, task_hangs=True))
    failed = await changed(world, "// 1")
    ran = await changed(world, "// 2")

    assert [failed.exit_code, ran.exit_code] == [1, 0]
    assert ran.deploy("Orders").duration_s < 12


async def test_an_earlier_deployment_that_has_ended_holds_nothing_back(make: MakeWorld, autojump_clock: Clock) -> None:
    """What runs shows that the killed run's deployment ended: the next one is green as soon as it runs."""
    world = make()
    world.project.collection("Sales", "Orders")
    await world.run()
    play(world, lasts(5), lasts(5))
    await killed_after_its_trigger(world, "// 1")
    await trio.sleep(10)
    ran = await changed(world, "// 2")

    assert ran.exit_code == 0
    assert ran.deploy("Orders").duration_s < 12


async def test_a_deployment_that_starts_for_ever_is_forced_anew(make: MakeWorld, autojump_clock: Clock) -> None:
    """What is still STARTING in the end is watched by the next run, as the advice says, and ``--force`` mends it."""
    world = make()
    world.project.keys["deployTimeoutSeconds"] = 100
    world.project.flow("Sales", "Orders")
    play(world, lasts(5, Ending.STAYS_STARTING), lasts(5))
    late = await world.run()
    again = await world.run()
    forced = await world.run(Selection(force=True))

    assert late.deploy("Orders").advice == again.deploy("Orders").advice
    assert "run again: the next run goes on watching" in late.deploy("Orders").advice
    assert "--force triggers it anew" in late.deploy("Orders").advice
    assert [again.deployed, forced.deployed] == [(), ("Orders",)]
    assert forced.exit_code == 0
