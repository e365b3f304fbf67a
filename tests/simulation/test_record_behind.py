"""Records that are older than the tenant: what our own login did is nobody's edit, and every mix converges.

Jobs that fail keep no caches by default (``actions/cache``, GitLab), so the next job restores what an older one left.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from cpi_tasks.model.config import Selection
from cpi_tasks.model.drift import DriftReport
from cpi_tasks.model.plan import Plan
from tests.simulation.edits import apply, configure, edit_files
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, World

KEPT = ("cache", "records", "key")
FAMILIES = frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"})
BEHIND = "the record in .cpi/ is behind"
PERSON = "person@example.com"


def keep(world: World, name: str) -> Path:
    """Keep the parts of ``.cpi/`` that a pipeline caches."""
    kept = world.project.root.parent / name
    for part in KEPT:
        source = world.project.root / ".cpi" / part
        if source.is_dir():
            shutil.copytree(source, kept / part)
        elif source.is_file():
            kept.mkdir(exist_ok=True)
            shutil.copy2(source, kept / part)
    return kept


def restore(world: World, mix: Mapping[str, Path | None]) -> None:
    """Begin a job whose checkout has each part from where the mix says, or not at all."""
    world.forget()
    folder = world.project.root / ".cpi"
    folder.mkdir()
    for part, kept in mix.items():
        source = None if kept is None else kept / part
        if source is not None and source.is_dir():
            shutil.copytree(source, folder / part)
        elif source is not None and source.is_file():
            shutil.copy2(source, folder / part)


Change = Callable[[World, str], None]


def content_of_all(world: World, word: str) -> None:
    """Commit new content of every artifact, and one that fails among them."""
    for artifact in ("Orders", "Scripts", "OrderToInvoice", "Countries", "Counting"):
        edit_files(world, artifact, word)


def only_a_flow(world: World, word: str) -> None:
    """Commit new content of the flow that fails."""
    edit_files(world, "Orders", word)


def parameters(world: World, word: str) -> None:
    """Commit another value of an enforced parameter, which the next deployment fails with."""
    world.project.override("Orders", {"Host": f"{word}.example"})


def metadata_and_version(world: World, word: str) -> None:
    """Commit another description and version besides content."""
    world.project.packages["Sales"].update(short_text=word)
    edit_files(world, "Orders", word)
    world.project.raise_version("Sales", "Orders", {"bad": "1.1.0", "fixed": "1.2.0"}[word])


CHANGES: Mapping[str, Change] = {
    "content of all": content_of_all,
    "one flow": only_a_flow,
    "a parameter": parameters,
    "metadata and version": metadata_and_version,
}
FAILING = frozenset({"Orders"})


def said_of_nobody(plan: Plan) -> None:
    said = [*plan.warnings, *(text for artifact in plan.artifacts() for text in artifact.warnings)]
    assert not [text for text in said if "somebody" in text]


def blames_nobody(report: DriftReport) -> None:
    assert not [entry for entry in report.entries if entry.origin.is_drift]


@dataclass(frozen=True, slots=True)
class Past:
    """What is kept of two runs: a good one, and one with a failing flow."""

    old: Path
    new: Path


async def fail_once(world: World, change: Change) -> Past:
    """Have a good run, then one of a commit with a flow that fails, and keep what each leaves."""
    world.project.keys |= {"protected": True, "valueMappings": "replace"}
    configure(world)
    assert (await world.run()).exit_code == 0
    old = keep(world, "old")
    await trio.sleep(3600)
    change(world, "bad")
    world.behave(failing=FAILING)
    assert (await world.run()).exit_code == 1
    new = keep(world, "new")
    await trio.sleep(3600)
    world.behave(failing=frozenset())
    return Past(old, new)


async def converges(world: World) -> None:
    """Look, plan and run, without a word against anybody; what was looked at twice needs nothing more."""
    blames_nobody(await world.drift())
    await trio.sleep(5)
    plan = await world.plan()
    assert plan.refusals == ()
    said_of_nobody(plan.plans[0])
    await trio.sleep(5)
    ran = await world.run()
    assert ran.exit_code == 0, ran.statuses()
    await trio.sleep(3600)
    second = await world.run()
    assert second.exit_code == 0
    await trio.sleep(3600)
    third = await world.run()
    assert (third.exit_code, third.writes) == (0, ())
    assert (await world.drift()).entries == ()


@pytest.mark.parametrize("login", ["basic", "oauth"])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_record_that_is_behind_accuses_nobody(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, login: str, change: str
) -> None:
    """A failed job's record is lost; the fix goes through a protected environment, and the reason is stated once."""
    world = make(login=login)
    past = await fail_once(world, CHANGES[change])
    restore(world, dict.fromkeys(KEPT, past.old))
    CHANGES[change](world, "fixed")
    report = await world.drift()
    await trio.sleep(5)
    (plan,) = (await world.plan()).plans
    await trio.sleep(5)

    blames_nobody(report)
    assert "'Orders'" in report.unrecorded
    assert len([text for text in plan.warnings if BEHIND in text]) == 1
    assert not [text for artifact in plan.artifacts() for text in artifact.warnings if BEHIND in text]
    await converges(world)


EVERY_MIX = tuple(itertools.product(("old", "new", "missing"), repeat=3))
SOME_MIXES = (("old", "old", "old"), ("new", "old", "old"), ("old", "missing", "new"), ("missing", "old", "missing"))
DIFFERENT: Mapping[str, Mapping[str, object]] = {
    "all dated": {"modified_at_families": FAMILIES},
    "none dated": {"modified_at_families": frozenset[str]()},
    "silent parameters": {"parameter_write_moves_modified_at": False},
    "silent and undated": {"parameter_write_moves_modified_at": False, "modified_at_families": frozenset[str]()},
}


async def mix(world: World, change: Change, ages: tuple[str, ...]) -> None:
    """Fail once, restore each of cache, records and key from another time, and see that the fix goes through."""
    past = await fail_once(world, change)
    places = {"old": past.old, "new": past.new, "missing": None}
    restore(world, {part: places[age] for part, age in zip(KEPT, ages, strict=True)})
    change(world, "fixed")
    await converges(world)


@pytest.mark.parametrize("ages", EVERY_MIX, ids="-".join)
async def test_every_mix_of_old_and_new_converges(
    world: World, autojump_clock: trio.testing.MockClock, ages: tuple[str, ...]
) -> None:
    """Whatever is restored of cache, records and key: the fix is deployed, nobody is accused, a third run is idle."""

    def change(of: World, word: str) -> None:
        for one in CHANGES.values():
            one(of, word)

    await mix(world, change, ages)


@pytest.mark.parametrize("switches", DIFFERENT)
@pytest.mark.parametrize("ages", SOME_MIXES, ids="-".join)
@pytest.mark.parametrize("change", CHANGES)
async def test_mixes_converge_on_other_tenants(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, switches: str, ages: tuple[str, ...], change: str
) -> None:
    """The same where the tenant gives fewer times, or none for a parameter."""
    await mix(make(**DIFFERENT[switches]), CHANGES[change], ages)


async def test_a_persons_edit_still_stops_a_run_whose_record_is_behind(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """The tenant names the person: that edit is refused with exit code 5, what our login changed is not in the list."""
    past = await fail_once(world, content_of_all)
    restore(world, dict.fromkeys(KEPT, past.old))
    world.simulator.edit_content("Counting", {SCRIPT: b"// a person's\n"})
    content_of_all(world, "fixed")
    said = await world.refuse()

    assert f"'Stock/Counting': content that differs in {SCRIPT} (last changed by {PERSON}" in said
    assert "Orders" not in said
    assert "--on-drift warn (--force does not permit it)" in said
    await trio.sleep(60)
    assert (await world.run(Selection(on_drift="warn"))).exit_code == 0


async def test_a_draft_of_our_own_login_is_saved_and_a_persons_is_not(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A run whose record is lost may leave a draft: the tenant names our login."""
    configure(world)
    assert (await world.run()).exit_code == 0
    await trio.sleep(3600)
    apply(world, "tenant: draft", "Orders")
    world.simulator._state.touch(world.simulator.artifact("Orders"), "demo-user")
    only_a_flow(world, "fixed")
    (plan,) = (await world.plan()).plans
    assert "'Orders'" in "".join(plan.warnings)
    await trio.sleep(60)
    ran = await world.run()
    assert (ran.exit_code, ran.update("Orders").status.value) == (0, "done")
    await trio.sleep(60)
    apply(world, "tenant: draft", "Orders")
    only_a_flow(world, "newer")
    ran = await world.run()
    assert ran.exit_code == 1
    assert "unsaved draft by person@example.com" in ran.update("Orders").reason


@pytest.mark.parametrize("verify", ["full", "parameters", "cached"])
@pytest.mark.parametrize("fault", ["late_failing", "never_appearing", "stuck_starting"])
@pytest.mark.parametrize("change", ["content of all", "a parameter"])
async def test_other_failures_and_ways_of_reading_converge_too(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, verify: str, fault: str, change: str
) -> None:
    """However the deployment failed, and however much is read again: an old record and cache do no harm."""
    world = make()
    world.project.keys |= {"verify": verify, "protected": True, "valueMappings": "replace"}
    configure(world)
    assert (await world.run()).exit_code == 0
    old = keep(world, "old")
    await trio.sleep(3600)
    CHANGES[change](world, "bad")
    world.behave(**{fault: FAILING})
    assert (await world.run()).exit_code == 1
    world.behave(**{fault: frozenset()})
    await trio.sleep(3600)
    restore(world, dict.fromkeys(KEPT, old))
    CHANGES[change](world, "fixed")
    await converges(world)
