"""Who changed what: a person's edits on the tenant, changes of the files and both together are told apart."""

from __future__ import annotations

import pytest
import trio

from cpi_tasks.model.drift import DriftEntry
from cpi_tasks.model.plan import ArtifactPlan
from tests.simulation.edits import apply, configure, edit_tenant
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, World

EVERY_FAMILY = frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"})
FLOWS = ("Content", "Enforced", "Kept", "Draft", "Locked", "Bumped", "Quiet")
PERSON = "person@example.com"


def told(*entries: DriftEntry) -> dict[str, tuple[str, str, str]]:
    """Give what is said of each artifact or package, which must be one thing only."""
    names = [entry.ref.artifact if entry.ref else entry.package for entry in entries]
    assert len(set(names)) == len(names)
    said = [(entry.aspect.value, entry.origin.value, entry.detail) for entry in entries]
    return dict(zip(names, said, strict=True))


async def planned(world: World) -> dict[str, ArtifactPlan]:
    (plan,) = (await world.plan()).plans
    return {artifact.ref.artifact: artifact for artifact in plan.artifacts()}


async def settle(world: World) -> None:
    """Bring everything up, and let an hour pass."""
    ran = await world.run()
    assert ran.exit_code == 0
    assert not (await world.drift()).entries
    await trio.sleep(3600)


def configure_flows(world: World) -> None:
    for flow in FLOWS:
        world.project.flow("Sales", flow, parameters={"Host": "a.example", "Free": "file"})
        world.project.override(flow, {"Host": "b.example"})


def visit(world: World) -> None:
    """Do everything that a person may do in the Web UI, each to a flow of its own."""
    world.simulator.edit_content("Content", {SCRIPT: b"// somebody's\n"})
    world.simulator.set_parameter("Enforced", "Host", "x.example")
    world.simulator.set_parameter("Kept", "Free", "somebody's")
    world.simulator.edit_as_draft("Draft", {SCRIPT: b"// somebody's\n"})
    world.simulator.lock("Locked")
    world.simulator.save_version("Bumped", "1.2.0")


async def test_what_a_person_does_is_told_apart_by_a_drift_check(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A content edit, two parameter edits, a draft, a lock and a new version: each is one entry of its own."""
    configure_flows(world)
    await settle(world)
    visit(world)
    report = await world.drift()

    assert told(*report.entries) == {
        "Content": ("content", "someone's edit", f"content differs in {SCRIPT}"),
        "Enforced": ("parameter", "someone's edit", "parameter 'Host' is not as the files say"),
        "Kept": ("parameter", "someone's edit", "parameter 'Free' was changed; a run keeps it"),
        "Draft": ("draft", "someone's edit", f"an unsaved draft that differs in {SCRIPT}"),
        "Locked": ("lock", "someone's edit", f"open in an editor by {PERSON}"),
        "Bumped": ("version", "someone's edit", "saved as version 1.2.0, the last run left 1.0.0"),
    }
    assert {entry.by for entry in report.entries if entry.aspect.value != "lock"} == {PERSON}
    modified = {entry.at for entry in report.entries}
    assert modified == {world.simulator.artifact("Content").modified_ms}


async def test_what_a_person_does_is_told_apart_by_a_plan(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """The same six edits lead to six different steps, each with the one who made the difference."""
    configure_flows(world)
    await settle(world)
    visit(world)
    plans = await planned(world)
    updates = {flow: plan.update for flow, plan in plans.items() if plan.update is not None}

    assert {flow: (update.action.value, update.reason) for flow, update in updates.items()} == {
        "Content": ("update", f"content differs in {SCRIPT}"),
        "Enforced": ("configure", "parameter 'Host' differs"),
        "Kept": ("unchanged", "content and parameters as wanted"),
        "Draft": ("refuse", f"the tenant has an unsaved draft by {PERSON} that differs from the files in {SCRIPT}"),
        "Locked": ("unchanged", "content and parameters as wanted"),
        "Bumped": ("unchanged", "content and parameters as wanted"),
        "Quiet": ("unchanged", "content and parameters as wanted"),
    }
    assert {flow for flow, update in updates.items() if update.origin is not None} == {"Content", "Draft"}
    assert updates["Content"].origin is not None
    assert updates["Content"].origin.value == "someone's edit"
    keys = [(c.key, c.old, c.new, c.origin.value) for c in (*updates["Enforced"].changes, *updates["Kept"].kept)]
    assert keys == [
        ("Host", "x.example", "b.example", "someone's edit"),
        ("Free", "somebody's", "file", "someone's edit"),
    ]
    deploys = {flow: plan.deploy.reason for flow, plan in plans.items() if plan.deploy is not None}
    assert deploys["Bumped"] == "runs 1.0.0, design time has 1.2.0"
    assert deploys["Kept"] == "changed on the tenant after its last deployment"
    assert deploys["Locked"] == deploys["Quiet"] == "runs 1.0.0, deployed after its last change"


async def test_a_lock_alone_is_no_difference_and_is_told_where_it_stands_in_the_way(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """An open editor changes no exit code; a plan that writes the flow warns of it, and the run names the person."""
    configure_flows(world)
    await settle(world)
    world.simulator.lock("Locked")
    idle = await world.plan()
    report = await world.drift()
    assert not idle.has_changes
    assert len(report.entries) == 1
    assert not report.has_differences

    world.project.edit("Sales", "Locked", SCRIPT, b"// ours\n")
    plan = (await planned(world))["Locked"]
    ran = await world.run()
    stamp = plan.warnings[-1].partition(" at ")[2].partition(")")[0]
    warning = f"open in an editor (by {PERSON} at {stamp}): a tenant refuses to change it until it is closed there"
    assert plan.warnings[-1] == warning
    assert ran.update("Locked").status.value == "failed"
    assert PERSON in ran.update("Locked").reason
    assert told(*(await world.drift()).entries[:1]) == {
        "Locked": ("content", "your change", f"content differs in {SCRIPT}")
    }


BOTH = {
    "tenant: content": ("content", "changed on both sides", f"content differs in {SCRIPT}"),
    "tenant: enforced": ("parameter", "changed on both sides", "parameter 'Host' is not as the files say"),
    "tenant: not enforced": ("parameter", "changed on both sides", "parameter 'Free' was changed; a run keeps it"),
    "tenant: draft": ("draft", "changed on both sides", f"an unsaved draft that differs in {SCRIPT}"),
}
OURS = {"tenant: enforced": "files: override", "tenant: not enforced": "files: value"}


@pytest.mark.parametrize("theirs", BOTH)
async def test_an_edit_on_both_sides_is_told_as_such(
    world: World, autojump_clock: trio.testing.MockClock, theirs: str
) -> None:
    """Where files and tenant moved to different states, neither side alone is named."""
    configure(world)
    await settle(world)
    apply(world, theirs, "Orders")
    apply(world, OURS.get(theirs, "files: content"), "Orders")
    entries = [entry for entry in (await world.drift()).entries if "'Empty'" not in entry.detail]
    update = (await planned(world))["Orders"].update

    assert told(*entries) == {"Orders": BOTH[theirs]}
    assert update is not None
    origins = [change.origin for change in (*update.changes, *update.kept) if change.key != "Empty"]
    assert [origin.value for origin in (update.origin, *origins) if origin is not None] == [BOTH[theirs][1]]


async def test_a_persons_version_and_our_content_are_two_differences(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Who saved a version changed no content: our change stays ours, and the version is told beside it."""
    configure(world)
    await settle(world)
    apply(world, "tenant: version up", "Orders")
    apply(world, "files: content", "Orders")
    entries = (await world.drift()).entries
    plan = (await planned(world))["Orders"]

    assert [(entry.aspect.value, entry.origin.value) for entry in entries] == [
        ("content", "your change"),
        ("version", "someone's edit"),
    ]
    assert plan.warnings == (
        (
            "the files say version 1.0.0, the tenant has 1.2.0: the tenant's version stays; to go back, "
            "set Bundle-Version above 1.2.0, or use versioning: exact with --allow-downgrade for 1.0.0"
        ),
    )


@pytest.mark.parametrize(
    ("edit", "said"),
    {
        "files: content": ("content", "your change", f"content differs in {SCRIPT}"),
        "files: description": ("metadata", "your change", "the package's ShortText differs"),
        "tenant: description": ("metadata", "someone's edit", "the package's ShortText differs"),
        "tenant: deleted": ("missing", "someone's edit", "deleted on the tenant, or moved to another package"),
        "tenant: undeployed": ("runtime", "someone's edit", "not deployed"),
    }.items(),
)
async def test_other_changes_of_one_side_are_named_too(
    world: World, autojump_clock: trio.testing.MockClock, edit: str, said: tuple[str, str, str]
) -> None:
    """The files' own change, metadata, a deletion and an undeployment: each is one entry with its side."""
    configure(world)
    await settle(world)
    apply(world, edit, "Orders")
    await trio.sleep(5)
    (found,) = told(*(await world.drift()).entries).values()

    assert found == said


async def test_the_same_edit_on_both_sides_is_no_difference(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A hot fix that was deployed on the tenant and taken over into the files leaves nothing to tell or to do."""
    configure(world)
    await settle(world)
    apply(world, "tenant: content", "Orders")
    await trio.sleep(5)
    apply(world, "tenant: deployed", "Orders")
    await trio.sleep(60)
    apply(world, "files: as the tenant's", "Orders")

    assert (await world.drift()).entries == ()
    assert (await world.run()).writes == ()


LOST = {
    "tenant: content": ("content", "differs, origin unknown", f"content differs in {SCRIPT}"),
    "files: content": ("content", "differs, origin unknown", f"content differs in {SCRIPT}"),
    "tenant: enforced": ("parameter", "differs, origin unknown", "parameter 'Host' is not as the files say"),
    "tenant: draft": ("draft", "differs, origin unknown", f"an unsaved draft that differs in {SCRIPT}"),
    "tenant: deleted": ("missing", "differs, origin unknown", "not on the tenant"),
    "tenant: not enforced": (
        "runtime",
        "differs, origin unknown",
        f"was changed by {PERSON} after its last deployment",
    ),
    "tenant: version up": ("runtime", "differs, origin unknown", "runs version 1.0.0, design time has 1.2.0"),
}


@pytest.mark.parametrize("edit", LOST)
async def test_without_a_record_nobody_is_blamed(
    world: World, autojump_clock: trio.testing.MockClock, edit: str
) -> None:
    """With ``.cpi/`` lost a difference has no known author; what only the last run's state would show is not told."""
    configure(world)
    await settle(world)
    apply(world, edit, "Orders")
    world.forget()
    report = await world.drift()
    plan = await world.plan()

    assert told(*report.entries) == {"Orders": LOST[edit]}
    assert not any(artifact.warnings and "somebody" in artifact.warnings[-1] for artifact in plan.plans[0].artifacts())
    assert plan.refusals == ()


@pytest.mark.parametrize("families", [frozenset[str](), EVERY_FAMILY])
@pytest.mark.parametrize("artifact", ["Orders", "Scripts", "OrderToInvoice", "Countries"])
@pytest.mark.parametrize("prefix", ["", "DEV"])
async def test_a_content_edit_is_found_in_every_family(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, families: frozenset[str], artifact: str, prefix: str
) -> None:
    """Whether the tenant tells times of change or not, and whatever the prefix: the one edited artifact is named."""
    world = make(modified_at_families=families)
    world.project.keys["deploymentPrefix"] = prefix
    configure(world)
    await settle(world)
    edit_tenant(world, artifact, "somebody's")
    (entry,) = (await world.drift()).entries

    assert entry.ref is not None
    assert entry.ref.artifact == (f"DEV_{artifact}" if prefix else artifact)
    assert (entry.aspect.value, entry.origin.value) == ("content", "someone's edit")


async def test_after_a_run_what_was_found_is_gone(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A run overwrites, keeps or deploys what was found; a kept value is no news the next time."""
    world.project.keys["onDraft"] = "overwrite"
    configure_flows(world)
    await settle(world)
    visit(world)
    world.simulator.unlock("Locked")
    ran = await world.run()

    assert ran.exit_code == 0
    assert (await world.drift()).entries == ()
    assert world.simulator.artifact("Kept").parameters["Free"] == "somebody's"
