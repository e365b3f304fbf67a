"""What somebody saves while our deployment is in progress looks older than what runs, and does not run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import trio

from cpi_tasks.events import DeploymentTriggered, Event
from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode
from cpi_tasks.model.plan import DeployAction
from cpi_tasks.model.report import Status
from cpi_tasks.simulator import DeploymentRule, Duration, Fate, FaultScript
from tests.simulation.edits import configure, edit_tenant
from tests.support.world import MakeWorld, Ran, World

Clock = trio.testing.MockClock
EVERY_FAMILY = frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"})
DEPLOY_ONLY = Selection(mode=Mode.DEPLOY_ONLY)
STAMPS = ("trigger", "starting", "started")
DURING = "changed on the tenant during its last deployment"


@dataclass(slots=True, kw_only=True)
class BusyWorld(World):
    """A world where people change the tenant during runs, so that green is judged by each test itself."""

    def _check(self, ran: Ran, statuses: list[int]) -> None:
        """Leave the judgement to the test."""


def busy(world: World, artifact: str, seconds: float = 60) -> BusyWorld:
    """Have the artifact's deployments take a while."""
    world.simulator.play(FaultScript.of(DeploymentRule(artifact=artifact, fate=Fate(duration=Duration(least=seconds)))))
    configure(world)
    return BusyWorld(project=world.project, simulator=world.simulator)


def after_trigger(
    nursery: trio.Nursery, artifact: str, seconds: float, do: Callable[[], None]
) -> Callable[[Event], None]:
    """Do something some time after an artifact's trigger."""

    async def wait() -> None:
        await trio.sleep(seconds)
        do()

    def watch(event: Event) -> None:
        if isinstance(event, DeploymentTriggered) and event.ref.artifact == artifact:
            nursery.start_soon(wait)

    return watch


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("as_draft", [True, False])
@pytest.mark.parametrize("artifact", ["Orders", "Scripts", "OrderToInvoice", "Countries"])
async def test_it_is_deployed_once_more_and_that_is_all(
    make: MakeWorld, autojump_clock: Clock, artifact: str, as_draft: bool, stamp: str
) -> None:
    """The next run deploys what somebody saved meanwhile, whatever the order of the two times; a third does nothing."""
    world = busy(make(modified_at_families=EVERY_FAMILY, deployed_on_stamp=stamp), artifact)
    async with trio.open_nursery() as nursery:
        save = after_trigger(nursery, artifact, 10, lambda: edit_tenant(world, artifact, "by hand", as_draft=as_draft))
        first = await world.run(watch=save)
    assert first.exit_code == 0
    assert not world.simulator.is_running_design_time(artifact)

    second, third = await world.run(DEPLOY_ONLY), await world.run(DEPLOY_ONLY)

    assert [second.exit_code, second.deployed] == [0, (artifact,)]
    assert world.simulator.is_running_design_time(artifact)
    assert [third.exit_code, third.deployed] == [0, ()]


async def test_the_reason_says_what_happened(make: MakeWorld, autojump_clock: Clock) -> None:
    """The change is called one during the deployment, because its time is before that of what runs."""
    world = busy(make(deployed_on_stamp="started"), "Orders")
    async with trio.open_nursery() as nursery:
        save = after_trigger(nursery, "Orders", 10, lambda: edit_tenant(world, "Orders", "by hand", as_draft=True))
        await world.run(watch=save)

    second = await world.run(DEPLOY_ONLY)

    assert second.deploy("Orders").reason == DURING


@pytest.mark.parametrize("stamp", STAMPS)
async def test_a_killed_runs_deployment_is_not_watched_for_it(
    make: MakeWorld, autojump_clock: Clock, stamp: str
) -> None:
    """What a killed run triggered does not have what was saved after its trigger, so it is deployed again."""
    world = busy(make(deployed_on_stamp=stamp), "Orders")
    await world.run_until(lambda event: isinstance(event, DeploymentTriggered) and event.ref.artifact == "Orders")
    await trio.sleep(25)
    edit_tenant(world, "Orders", "by hand", as_draft=True)
    await trio.sleep(5)
    ran, again = await world.run(DEPLOY_ONLY), await world.run(DEPLOY_ONLY)

    assert "Orders" in ran.deployed
    assert world.simulator.is_running_design_time("Orders")
    assert again.deployed == ()


@pytest.mark.parametrize("stamp", STAMPS)
async def test_somebody_elses_deployment_that_was_joined_proves_nothing(
    make: MakeWorld, autojump_clock: Clock, stamp: str
) -> None:
    """Nobody knows what it was built from: the next run deploys once more, and the one after it does nothing."""
    world = busy(make(deployed_on_stamp=stamp), "Orders")
    await world.run()
    await trio.sleep(5)
    world.simulator.deploy("Orders")
    await trio.sleep(22)
    async with trio.open_nursery() as nursery:

        async def save() -> None:
            await trio.sleep(5)
            edit_tenant(world, "Orders", "by hand", as_draft=True)

        nursery.start_soon(save)
        joined = await world.run(DEPLOY_ONLY)
    second, third = await world.run(DEPLOY_ONLY), await world.run(DEPLOY_ONLY)

    assert getattr(joined.plan("Orders").deploy, "action", None) is DeployAction.WATCH
    assert [second.deployed, third.deployed] == [("Orders",), ()]
    assert world.simulator.is_running_design_time("Orders")


async def test_somebody_elses_deployment_of_what_was_not_changed_is_left_alone(
    make: MakeWorld, autojump_clock: Clock
) -> None:
    """Nothing was changed since our own deployment: whoever deployed it again deployed the same."""
    world = busy(make(modified_at_families=EVERY_FAMILY), "Orders")
    await world.run()
    world.simulator.deploy("Orders")
    await trio.sleep(100)
    ran = await world.run()

    assert [ran.exit_code, ran.writes] == [0, ()]


@pytest.mark.parametrize("later_s", [30, 300])
async def test_somebody_elses_change_and_deployment(make: MakeWorld, autojump_clock: Clock, later_s: int) -> None:
    """What was deployed long after the change has it; what was deployed soon after may not, and is deployed again."""
    world = busy(make(modified_at_families=EVERY_FAMILY), "Orders")
    await world.run()
    edit_tenant(world, "Orders", "by hand")
    await trio.sleep(later_s)
    world.simulator.deploy("Orders")
    await trio.sleep(100)
    ran, again = await world.run(DEPLOY_ONLY), await world.run(DEPLOY_ONLY)

    assert ran.deployed == (() if later_s == 300 else ("Orders",))
    assert again.deployed == ()


@pytest.mark.parametrize("by", ["upload", "save"])
async def test_values_that_a_draft_hides_are_read_once_it_is_saved(
    make: MakeWorld, autojump_clock: Clock, by: str
) -> None:
    """What a record names was read, and is no guess from the files: the run after the repaired one does nothing."""
    world = make(version_mode="draft", configurations_of_draft="not-found", modified_at_families=frozenset())
    configure(world)
    world.project.override("Orders", {})
    await world.run()
    world.simulator.set_parameter("Orders", "Host", "x.example")
    edit_tenant(world, "Orders", "by hand" if by == "upload" else "files", as_draft=True)
    if by == "save":
        world.project.edit("Sales", "Orders", "src/main/resources/script/Main.groovy", b"// files\n")
    world.project.keys["onDraft"] = "overwrite"
    repaired, idle = await world.run(), await world.run()

    assert [repaired.exit_code, repaired.deployed] == [0, ("Orders",)]
    assert [idle.exit_code, idle.writes] == [0, ()]
    assert world.simulator.artifact("Orders").parameters["Host"] == "x.example"


@pytest.mark.parametrize("is_strict", [True, False])
async def test_what_needs_a_draft_that_is_left_alone_is_deployed_with_a_warning(
    make: MakeWorld, autojump_clock: Clock, is_strict: bool
) -> None:
    """Tenants differ in whether they start it, so it is tried; the plan warns, and the tenant says what failed."""
    world = make(requires_started_references=is_strict)
    configure(world)
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    edit_tenant(world, "OrderToInvoice", "by hand", as_draft=True)
    world.project.keys["onDraft"] = "skip"
    ran = await world.run()

    (warning,) = (text for part in ran.report.parts for text in part.warnings)
    assert "needs 'OrderToInvoice', which is left alone as somebody's draft" in warning
    assert ran.deploy("Orders").status is (Status.FAILED if is_strict else Status.DONE)
    assert not is_strict or "'OrderToInvoice' is not deployed" in ran.deploy("Orders").reason
