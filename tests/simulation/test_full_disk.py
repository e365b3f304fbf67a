"""A disk that takes no more in the middle of a run: nothing new is begun, what is under way ends, all of it is told."""

from __future__ import annotations

import errno
import itertools
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio.testing

from cpi_tasks.errors import StateFolderError
from cpi_tasks.events import ArtifactUpdateStarted, DeploymentTriggered, Event, RequestFinished, WarningRaised
from cpi_tasks.model.report import Status
from cpi_tasks.records import read_runs
from cpi_tasks.report import Redactor, render_report
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, Ran, World

LOST = "what this run does cannot be put on record any more, so nothing new is begun: could not use "
GERMANY = {"ERP/Country": "DE", "CRM/Country": "Germany"}
FRANCE = {"ERP/Country": "FR", "CRM/Country": "France"}


@dataclass(slots=True)
class Disk:
    """A file system that takes nothing more for some paths."""

    refuses: Callable[[Path], bool] = lambda _: False
    left: int | None = None
    """How many writes it still takes before it refuses; ``None``: it refuses from the first on."""
    refused: list[Path] = field(default_factory=list)

    def check(self, path: Path) -> None:
        """Raise what the system would for a write to ``path``."""
        if ".cpi" not in path.parts or not self.refuses(path):
            return
        if self.left:
            self.left -= 1
            return
        self.refused.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Put a file system that can be full under the run."""
    disk = Disk()
    write, mkstemp = os.write, tempfile.mkstemp

    def checked_write(descriptor: int, data: bytes) -> int:
        disk.check(Path(f"/proc/self/fd/{descriptor}").readlink())
        return write(descriptor, data)

    def checked_mkstemp(*arguments: Any, **named: Any) -> tuple[int, str]:  # noqa: ANN401 - as the library's
        disk.check(Path(named["dir"]) / "file")
        return mkstemp(*arguments, **named)

    monkeypatch.setattr(os, "write", checked_write)
    monkeypatch.setattr(tempfile, "mkstemp", checked_mkstemp)
    return disk


def everything(_: Path) -> bool:
    return True


def runs(world: World) -> Path:
    return world.project.root / ".cpi/runs"


def older(make: MakeWorld) -> World:
    """Make a project of which nothing is on the tenant as wanted."""
    world = make(deploy_s=3)
    world.project.keys |= {"parallelDeployments": 1}
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    world.project.values("Sales", "Countries", GERMANY)
    return world


def edit(world: World) -> None:
    """Change the content of the flow, its parameter, and the value mapping; add a collection."""
    project = world.project
    project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    project.override("Orders", {"Host": "b.example"})
    project.values("Sales", "Countries", GERMANY, FRANCE)
    project.packages["Sales"]["artifacts"] = list(project.artifacts.values())
    project.collection("Shared", "Scripts")


def announced(world: World) -> int:
    """Count the writes that the journal of the last run tells of."""
    journal = max(runs(world).glob("*/journal.jsonl"))
    return journal.read_text(encoding="utf-8").count('"event":"write begins"')


def warnings(ran: Ran) -> list[str]:
    return [event.text for event in ran.events if isinstance(event, WarningRaised)]


async def run_or_end(world: World) -> Ran | None:
    """Run; ``None`` where the disk ends the run before it begins, with a sentence."""
    try:
        return await world.run()
    except StateFolderError:
        return None


async def test_wherever_it_gets_full_the_run_ends_in_good_order(
    make: MakeWorld, disk: Disk, autojump_clock: trio.testing.MockClock
) -> None:
    """No write is sent that is not on record, each artifact is accounted for, and running again converges."""
    codes: list[int] = []
    for number in itertools.count():
        world = older(make)
        assert (await world.run()).exit_code == 0
        edit(world)
        disk.refuses, disk.left = everything, number
        disk.refused.clear()
        before = len(world.simulator.requests)
        ran = await run_or_end(world)
        if ran is None:
            assert all(request.method == "GET" for request in world.simulator.requests[before:])
        else:
            codes.append(ran.exit_code)
            mapping = len([write for write in ran.writes if write.startswith("POST ValueMapping")])
            assert len(ran.writes) - mapping <= announced(world) <= len(ran.writes) + 4
            bad = [step for one in ran.report.artifacts() for step in one.steps if step.status.is_bad]
            assert ran.exit_code == (1 if bad else 0)
            assert all(step.reason and step.advice for step in bad)
            assert sorted(world.simulator.artifacts) in (["Countries", "Orders"], ["Countries", "Orders", "Scripts"])
            if not disk.refused:
                break
            # A cache that cannot be written is no loss.
            is_lost = any("cache" not in path.parts for path in disk.refused)
            assert len([text for text in warnings(ran) if text.startswith(LOST)]) == is_lost
            assert sum(text.startswith(LOST) for part in ran.report.parts for text in part.warnings) == is_lost
        disk.refuses = lambda _: False
        await trio.sleep(5)
        assert (await world.run()).exit_code == 0
        assert (await world.run()).writes == ()
        world.project.root.rename(world.project.root.with_name(f"full-{number}"))
    assert len(codes) > 50
    assert codes.index(0) > 40, "only at the very end nothing is missing"


async def test_what_is_under_way_ends_and_the_rest_is_told(
    make: MakeWorld, disk: Disk, autojump_clock: trio.testing.MockClock
) -> None:
    """The deployment that runs is watched to its end, the next one is not begun, and the terminal says why: code 1."""
    world = make(deploy_s=20)
    world.project.keys |= {"parallelDeployments": 1}
    world.project.collection("Shared", "One")
    world.project.collection("Shared", "Two")

    def fill(event: Event) -> None:
        if isinstance(event, DeploymentTriggered):
            disk.refuses = everything

    ran = await world.run(watch=fill)

    assert ran.exit_code == 1
    assert (ran.deploy("One").status, ran.deploy("One").summary) == (Status.DONE, "deployed 1.0.0")
    assert (ran.deploy("Two").status, ran.deploy("Two").summary) == (Status.ABORTED, "not deployed")
    assert ran.deploy("Two").reason == "not begun: what a run does could not be put on record any more"
    assert ran.deployed == ("One",)
    (warning,) = warnings(ran)
    assert warning.startswith(LOST)
    assert warning.endswith(": make it writable, free some space, or name another folder with --run-dir")
    said = render_report(ran.report, Redactor())
    assert "see the warning for what to mend; running again goes on from here" in said
    assert "✗ 1 of 2 artifacts failed (1 of them not started because of another failure)" in said
    assert "(exit code 1)" in said


async def test_a_write_that_cannot_be_announced_is_not_sent(
    make: MakeWorld, disk: Disk, autojump_clock: trio.testing.MockClock
) -> None:
    """It fails with the reason, and is on record as one that never reached the tenant where it is on record at all."""
    world = make()
    world.project.flow("Sales", "Orders")

    def fill(event: Event) -> None:
        if isinstance(event, ArtifactUpdateStarted):
            disk.refuses = lambda path: path.name == "journal.jsonl"

    ran = await world.run(watch=fill)

    assert ran.exit_code == 1
    assert ran.writes == ("POST IntegrationPackages",)
    assert ran.update("Orders").reason.startswith("nothing was sent, because it could not be put on record before: ")
    assert ran.update("Orders").advice == "rerun once it can be written; completed work is skipped"
    results = [event.result for event in ran.events if isinstance(event, RequestFinished) and event.method == "POST"]
    assert results == ["201", "not sent"]


@pytest.mark.parametrize("lost", ["records", "backup"])
async def test_what_cannot_be_repaired_or_restored_is_not_overwritten(
    make: MakeWorld, disk: Disk, autojump_clock: trio.testing.MockClock, lost: str
) -> None:
    """Without its record, or a backup of what is there, nothing is written; journal and report tell of that."""
    world = older(make)
    await world.run()
    edit(world)
    disk.refuses = lambda path: lost in path.parts and ("Orders" in str(path) or lost == "records")
    before = {name: one.archive for name, one in world.simulator.artifacts.items()}
    if lost == "backup":
        disk.refuses = lambda path: lost in path.parts
        disk.left = 2  # what is downloaded for comparing is kept while nothing is begun
    ran = await world.run()

    assert ran.exit_code == 1
    assert [write for write in ran.writes if "Artifacts(" in write or "Deploy" in write] == []
    assert {name: world.simulator.artifact(name).archive for name in before} == before
    assert [text for text in warnings(ran) if text.startswith(LOST)]
    past = read_runs(runs(world))[-1]
    assert (past.exit_code, past.unanswered_writes) == (1, ())
    assert (runs(world) / past.id / "report.json").exists()


async def test_a_deleted_value_mapping_is_created_though_the_disk_is_full(
    make: MakeWorld, disk: Disk, autojump_clock: trio.testing.MockClock
) -> None:
    """Between its deletion and its creation the tenant has neither: the second is sent on record or not."""
    world = older(make)
    await world.run()
    edit(world)

    def fill(event: Event) -> None:
        if isinstance(event, RequestFinished) and event.method == "DELETE":
            disk.refuses = everything

    ran = await world.run(watch=fill)

    assert ran.exit_code == 1
    assert any(write.startswith("POST ValueMappingDesigntimeArtifacts") for write in ran.writes)
    assert "Countries" in world.simulator.artifacts
    assert ran.update("Countries").status is Status.DONE


async def test_only_the_report_is_lost(make: MakeWorld, disk: Disk, autojump_clock: trio.testing.MockClock) -> None:
    """Everything asked for is done, so the code is 0; a warning tells that the report could not be written."""
    world = make()
    world.project.collection("Shared", "One")

    def fill(event: Event) -> None:
        if isinstance(event, DeploymentTriggered):
            disk.refuses = lambda path: path.name == "file" and path.parent.parent.name == "runs"

    ran = await world.run(watch=fill)

    assert ran.exit_code == 0
    assert list(runs(world).glob("*/report.json")) == []
    (warning,) = warnings(ran)
    assert warning.startswith(LOST)
    assert warning in ran.report.parts[0].warnings
