"""The journal of a run: what is in it, what never is, and what can still be read of one that was cut short."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from cpi_tasks.events import (
    ArtifactUpdated,
    ArtifactUpdateStarted,
    DeploymentTriggered,
    PlanMade,
    RunStarted,
    WriteBegins,
)
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.records import RunJournal, StateFolder, read_run, read_runs

FLOW = ArtifactRef(package=PackageId("P"), artifact=ArtifactId("A"))
KIND = ArtifactKind.INTEGRATION_FLOW


async def at_once(work: Callable[[], None]) -> None:
    work()
    await trio.lowlevel.checkpoint()


def journal_of(root: Path, run: str = "r1") -> RunJournal:
    return RunJournal(StateFolder(root, run=run), lambda text: text.replace("hunter2", "***"), at_once)


def plan(*changes: ParameterChange) -> PlanMade:
    update = UpdateStep(action=UpdateAction.CONFIGURE, reason="parameters differ", changes=changes)
    artifact = ArtifactPlan(ref=FLOW, kind=KIND, update=update)
    package = PackagePlan(id=FLOW.package, action=PackageAction.KEEP, reason="", artifacts=(artifact,))
    return PlanMade(plan=Plan(source="deploy.yml", packages=(package,), updates=True, deploys=True))


def outcome(reason: str = "") -> StepOutcome:
    return StepOutcome(status=Status.FAILED if reason else Status.DONE, summary="configured", reason=reason)


def test_secrets_and_parameter_values_are_not_in_it(tmp_path: Path) -> None:
    """Neither a loaded secret nor a parameter's value is written, also where the tenant's text repeats it."""
    journal = journal_of(tmp_path)
    journal.note(plan(ParameterChange(key="Host", old="old.example", new="new.example")))
    journal.note(ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome("'new.example' is refused for hunter2")))

    text = journal.file.read_text(encoding="utf-8")
    assert "Host" in text
    assert not [value for value in ("old.example", "new.example", "hunter2") if value in text]
    assert stat.S_IMODE(journal.file.stat().st_mode) == 0o600


async def test_what_was_noted_is_on_disk_after_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who wait at once cost one wait for the disk, and nobody goes on before it."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    journal = journal_of(tmp_path)
    journal.note(WriteBegins(method="PUT", target="/api/v1/X"))
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(journal.sync)
    await journal.sync()
    assert len(synced) == 1


def test_a_killed_run_is_told_as_far_as_it_got(tmp_path: Path) -> None:
    """A journal that just ends, in the middle of a line, tells what was done, under way, and not certain."""
    journal = journal_of(tmp_path)
    journal.note(RunStarted(environment="prod", environment_origin="--env", tenant="https://t1", login="Basic"))
    journal.note(plan())
    journal.note(ArtifactUpdateStarted(ref=FLOW, kind=KIND, action=UpdateAction.CONFIGURE))
    journal.note(WriteBegins(method="PUT", target="/api/v1/Flow"))
    journal.close()
    with journal.file.open("ab") as file:
        file.write(b'{"at":"2026-01-05T08:00:00","event":"updat')

    past = read_run(tmp_path / ".cpi" / "runs", "r1")
    assert past is not None
    assert (past.environment, past.tenant, past.exit_code) == ("prod", "https://t1", None)
    assert past.unanswered_writes == ("PUT /api/v1/Flow",)
    assert past.artifacts["P/A"].under_way == "configure was under way"


def test_what_is_done_is_not_under_way(tmp_path: Path) -> None:
    """Each artifact has its last state."""
    journal = journal_of(tmp_path)
    journal.note(plan())
    journal.note(ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome()))
    journal.note(DeploymentTriggered(ref=FLOW, kind=KIND))
    journal.close()

    (past,) = read_runs(tmp_path / ".cpi" / "runs")
    assert past.artifacts["P/A"].update == "done: configured"
    assert past.artifacts["P/A"].under_way == "its deployment was accepted"


def test_there_may_be_no_runs(tmp_path: Path) -> None:
    """Without a folder there is nothing to tell, and that is no error."""
    assert read_runs(tmp_path / ".cpi" / "runs") == ()
    assert read_run(tmp_path / ".cpi" / "runs", "r1") is None
