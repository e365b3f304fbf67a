"""What a run may overwrite: drift and drafts, as the settings say; the plan says it beforehand."""

from __future__ import annotations

import pytest
import trio

from cpi_tasks.model.config import Selection
from cpi_tasks.model.plan import UpdateStep
from tests.simulation.edits import apply, configure
from tests.support.project import SCRIPT
from tests.support.world import World

PERSON = "person@example.com"
OVERWRITTEN = {
    "tenant: content": f"content that differs in {SCRIPT}",
    "tenant: enforced": "parameter 'Host'",
    "tenant: draft": f"an unsaved draft that differs in {SCRIPT}",
}


async def settle(world: World) -> None:
    """Bring everything up, and let an hour pass."""
    configure(world)
    world.project.keys["onDraft"] = "overwrite"
    await world.run()
    await trio.sleep(3600)


async def step_of(world: World, selection: Selection | None = None) -> tuple[UpdateStep, tuple[str, ...]]:
    """Give what is planned for the content of Orders, and the warnings about it."""
    (plan,) = (await world.plan(selection)).plans
    (found,) = (artifact for artifact in plan.artifacts() if artifact.ref.artifact == "Orders")
    assert found.update is not None
    return found.update, found.warnings


@pytest.mark.parametrize("edit", OVERWRITTEN)
async def test_drift_is_overwritten_with_a_warning_that_names_it(
    world: World, autojump_clock: trio.testing.MockClock, edit: str
) -> None:
    """``onDrift: warn``, the default: each overwritten change is listed, with its author, in plan and report."""
    await settle(world)
    apply(world, edit, "Orders")
    _, planned = await step_of(world)
    ran = await world.run()

    (warning,) = [text for text in planned if text.startswith("somebody changed this on the tenant since the last run")]
    assert f"(last changed by {PERSON} at " in warning
    assert f"): {OVERWRITTEN[edit]}, is overwritten; what was there is kept in the run's backup" in warning
    assert ran.outcome("Orders").warnings == planned
    assert ran.exit_code == 0
    assert world.simulator.artifact("Orders").parameters["Host"] == "b.example"
    assert (await world.drift()).entries == ()


@pytest.mark.parametrize("edit", [*OVERWRITTEN, "tenant: description"])
async def test_drift_may_be_overwritten_without_a_word(
    world: World, autojump_clock: trio.testing.MockClock, edit: str
) -> None:
    """``onDrift: overwrite`` does the same and lists nothing."""
    await settle(world)
    world.project.keys["onDrift"] = "overwrite"
    apply(world, edit, "Orders")
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.uploads != ()
    said = [text for outcome in ran.report.artifacts() for text in outcome.warnings]
    said += [text for part in ran.report.parts for text in part.warnings]
    assert not [text for text in said if "somebody" in text]
    assert (await world.drift()).entries == ()


@pytest.mark.parametrize("keys", [{"onDrift": "fail"}, {"protected": True}])
@pytest.mark.parametrize("edit", OVERWRITTEN)
async def test_drift_stops_a_run_before_its_first_write(
    world: World, autojump_clock: trio.testing.MockClock, edit: str, keys: dict[str, object]
) -> None:
    """``onDrift: fail``, the default of a protected environment, refuses with what would be lost, and exit code 5."""
    await settle(world)
    world.project.keys |= keys
    apply(world, edit, "Orders")
    apply(world, "files: content", "Counting")
    plan = await world.plan()
    said = await world.refuse()

    (refusal,) = plan.refusals
    assert plan.has_changes
    assert said == f"nothing was sent that changes the tenant:\n{refusal}"
    assert f"'Sales/Orders': {OVERWRITTEN[edit]} (last changed by {PERSON} at " in refusal
    assert "Counting" not in refusal


async def test_a_packages_metadata_is_drift_too(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Somebody's text of a package is warned of, or stops the run, as content does."""
    await settle(world)
    apply(world, "tenant: description", "Orders")
    (plan,) = (await world.plan()).plans
    world.project.keys["onDrift"] = "fail"
    said = await world.refuse()

    (warning,) = plan.warnings
    assert warning == (
        "package 'Sales': somebody changed its metadata on the tenant since the last run: ShortText is overwritten; "
        "what was there is kept in the run's backup"
    )
    assert said.endswith("(they are kept in the run's backup): package 'Sales': ShortText")


@pytest.mark.parametrize(
    "edit",
    [
        "files: content",
        "files: override",
        "tenant: not enforced",
        "tenant: version up",
        "tenant: undeployed",
        "tenant: deleted",
    ],
)
async def test_what_overwrites_nobodys_change_is_not_refused(
    world: World, autojump_clock: trio.testing.MockClock, edit: str
) -> None:
    """Under ``onDrift: fail`` our own changes go through, and so does what keeps or restores."""
    await settle(world)
    world.project.keys["onDrift"] = "fail"
    apply(world, edit, "Orders")

    assert (await world.plan()).refusals == ()
    assert (await world.run()).exit_code == 0


async def test_without_a_record_nothing_is_known_to_be_drift(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Under ``onDrift: fail`` a job without ``.cpi/`` is not refused, and neither is one that only deploys."""
    await settle(world)
    world.project.keys["onDrift"] = "fail"
    apply(world, "tenant: content", "Orders")
    assert (await world.run(Selection(mode_flags=(("--deploy-only", "deploy-only"),)))).exit_code == 0
    world.forget()

    assert (await world.plan()).refusals == ()
    assert (await world.run()).exit_code == 0


@pytest.mark.parametrize(
    ("policy", "action", "exit_code"), [("fail", "refuse", 1), ("skip", "keep", 0), ("overwrite", "update", 0)]
)
async def test_a_persons_draft_is_planned_as_its_policy_says(
    world: World, autojump_clock: trio.testing.MockClock, policy: str, action: str, exit_code: int
) -> None:
    """The plan shows the draft refused, kept or overwritten; what is not overwritten is the same byte for byte."""
    await settle(world)
    world.project.keys["onDraft"] = policy
    apply(world, "tenant: draft", "Orders")
    before = world.simulator.artifact("Orders").archive
    step, _ = await step_of(world)
    ran = await world.run()

    assert step.action.value == action
    assert ran.exit_code == exit_code
    is_kept = action != "update"
    assert (world.simulator.artifact("Orders").archive == before) is is_kept
    assert world.simulator.artifact("Orders").is_draft is is_kept


async def test_a_draft_with_the_content_of_the_files_is_saved(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A draft that is what the files say is nobody's loss under any policy: it becomes a version."""
    await settle(world)
    world.project.keys["onDraft"] = "fail"
    apply(world, "tenant: draft", "Orders")
    apply(world, "files: as the tenant's", "Orders")
    step, _ = await step_of(world)
    ran = await world.run()

    assert (step.action.value, step.version) == ("save version", "1.0.1")
    assert ran.uploads == ("POST IntegrationDesigntimeArtifactSaveAsVersion?Id='Orders'&SaveAsVersion='1.0.1'",)
    assert not (await world.plan()).has_changes
