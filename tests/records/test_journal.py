"""The journal of a run: which events are in it, when it is on disk, and what no tenant's text can bring into it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import trio

from cpi_tasks.errors import StateFolderError
from cpi_tasks.events import (
    ArtifactDeployed,
    ArtifactUpdated,
    ArtifactUpdateStarted,
    ConfirmationNeeded,
    DeploymentTriggered,
    Event,
    InterruptionBegan,
    PackageUpdated,
    PartStarted,
    Phase,
    PhaseFinished,
    PhaseStarted,
    RequestFinished,
    RequestsSlowed,
    RunFinished,
    RunStarted,
    RuntimeStatusSeen,
    TenantAnswersAgain,
    TenantWentAway,
    WarningRaised,
    WriteBegins,
)
from cpi_tasks.model.naming import ArtifactKind
from cpi_tasks.model.plan import UpdateAction
from cpi_tasks.model.report import Report
from cpi_tasks.records import RunJournal, StateFolder
from tests.records.builders import journal_of, outcome, planned, ref

FLOW = ref("P", "A")
OTHER = ref("Q", "B")
KIND = ArtifactKind.INTEGRATION_FLOW
NOT_IN_IT = {"InventoryProgress", "ConfirmationNeeded", "DiffMade", "PlanFinished", "DriftFound"}
"""What says nothing of what a run did."""


def entries(journal: RunJournal) -> list[dict[str, object]]:
    return [json.loads(line) for line in journal.file.read_text(encoding="utf-8").splitlines()]


def finished() -> RunFinished:
    return RunFinished(report=Report(environment="x", tenant="https://t1", parts=(), duration_s=1.0))


EVENTS: list[tuple[Event, str]] = [
    (RunStarted(environment="x", environment_origin="--env", tenant="https://t1", login="Basic"), "run started"),
    (PartStarted(source="deploy.yml", number=1, total=2), "part started"),
    (planned(FLOW), "plan"),
    (PhaseStarted(phase=Phase.UPDATE, total=2, pending=1), "phase started"),
    (PackageUpdated(package=FLOW.package, outcome=outcome()), "package updated"),
    (ArtifactUpdateStarted(ref=FLOW, kind=KIND, action=UpdateAction.CONFIGURE), "update begins"),
    (ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome()), "updated"),
    (DeploymentTriggered(ref=FLOW, kind=KIND), "deployment accepted"),
    (RuntimeStatusSeen(ref=FLOW, status="STARTING"), "seen"),
    (ArtifactDeployed(ref=FLOW, kind=KIND, outcome=outcome()), "deployed"),
    (PhaseFinished(phase=Phase.DEPLOY, duration_s=1.0), "phase finished"),
    (WarningRaised(text="look"), "warning"),
    (InterruptionBegan(signal="SIGTERM", waits_s=5.0), "interrupted"),
    (RequestsSlowed(family="designtime", status=429, pause_s=1.0, rate=4.0), "slowed down"),
    (TenantWentAway(cause="503", since_s=3.0, gives_up_in_s=300.0), "tenant went away"),
    (TenantAnswersAgain(after_s=9.0), "tenant answers again"),
    (WriteBegins(method="PUT", target="/api/v1/X"), "write begins"),
    (RequestFinished(method="PUT", target="/api/v1/X", result="200", duration_s=0.1), "write ended"),
    (finished(), "run finished"),
]


@pytest.mark.parametrize(("event", "name"), EVENTS, ids=[name for _, name in EVENTS])
def test_what_a_run_did_is_in_it(tmp_path: Path, event: Event, name: str) -> None:
    """Each event is one line with its name and its time."""
    journal = journal_of(tmp_path)
    journal.note(event)

    (entry,) = entries(journal)
    assert entry["event"] == name
    assert str(entry["at"]).endswith("+00:00")


def test_no_event_is_forgotten() -> None:
    """An event that is new is either in the journal, with a test, or says nothing of what a run did."""
    assert {kind.__name__ for kind in get_args(Event)} - {type(event).__name__ for event, _ in EVENTS} == NOT_IN_IT


def test_what_says_nothing_makes_no_file(tmp_path: Path) -> None:
    """Reading requests and questions leave nothing behind."""
    journal = journal_of(tmp_path)
    journal.note(RequestFinished(method="GET", target="/api/v1/X", result="200", duration_s=0.1))
    journal.note(ConfirmationNeeded(environment="x"))
    journal.note_end(5)

    assert not (tmp_path / ".cpi").exists()


def test_ends_are_on_disk_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ends of phases and runs and an interruption are on disk when the call returns, the rest need not be."""
    synced: list[str] = []
    journal = journal_of(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(str(entries(journal)[-1]["event"])))
    for event, _ in EVENTS:
        journal.note(event)
    journal.note_end(3)

    assert synced == ["phase finished", "interrupted", "run finished", "run finished"]


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


async def test_who_came_later_is_not_let_go_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is noted while the disk is waited for needs a wait of its own."""
    reached, go_on, waits = trio.Event(), trio.Event(), list[int]()

    async def slowly(work: Callable[[], None]) -> None:
        waits.append(len(entries(journal)))
        work()
        reached.set()
        await go_on.wait()

    monkeypatch.setattr(os, "fsync", lambda _: None)
    journal = RunJournal(StateFolder(tmp_path, run="r1"), str, slowly)
    journal.note(WriteBegins(method="PUT", target="/api/v1/X"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.sync)
        await reached.wait()
        journal.note(WriteBegins(method="PUT", target="/api/v1/Y"))
        nursery.start_soon(journal.sync)
        await trio.testing.wait_all_tasks_blocked()
        go_on.set()

    assert waits == [1, 2]


async def test_a_disk_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a write, a journal that cannot be brought to disk is an error in a sentence that names the folder."""
    journal = journal_of(tmp_path)
    journal.note(WriteBegins(method="PUT", target="/api/v1/X"))

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StateFolderError, match=r"No space left on device; \S+journal\.jsonl is where a run keeps"):
        await journal.sync()


def test_secrets_and_parameter_values_are_not_in_it(tmp_path: Path) -> None:
    """Neither a loaded secret nor a parameter's value is written, also where the tenant's text repeats it."""
    journal = journal_of(tmp_path, lambda text: text.replace("hunter2", "***"))
    journal.note(planned(FLOW))
    journal.note(ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome("'new.example' is refused for hunter2")))

    text = journal.file.read_text(encoding="utf-8")
    assert "Host" in text
    assert not [value for value in ("old.example", "new.example", "hunter2") if value in text]
    assert stat.S_IMODE(journal.file.stat().st_mode) == 0o600


def test_values_of_earlier_plans_stay_hidden(tmp_path: Path) -> None:
    """Where several configurations are planned before the first is carried out, the values of all are known."""
    journal = journal_of(tmp_path)
    journal.note(planned(FLOW, value="first.example"))
    journal.note(planned(OTHER, value="second.example"))
    journal.note(ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome("first.example is refused")))
    journal.note(ArtifactDeployed(ref=OTHER, kind=KIND, outcome=outcome("no host second.example")))

    assert [entry["reason"] for entry in entries(journal)[2:]] == ["*** is refused", "no host ***"]


@pytest.mark.parametrize(
    "said", ['say "hi" & go', 'say \\"hi\\" & go', "say &quot;hi&quot; &amp; go", "say%20%22hi%22%20%26%20go"]
)
def test_values_are_hidden_however_they_are_spelt(tmp_path: Path, said: str) -> None:
    """Tenants repeat values in JSON, in XML and in addresses."""
    journal = journal_of(tmp_path)
    journal.note(planned(FLOW, value='say "hi" & go'))
    journal.note(ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome(f"<{said}> is refused")))

    assert entries(journal)[1]["reason"] == "<***> is refused"


def test_a_secret_spelt_like_a_key_breaks_no_line(tmp_path: Path) -> None:
    """Texts are masked, also deep inside; the form of a line stays."""
    journal = journal_of(tmp_path, lambda text: text.replace("artifact", "***"))
    journal.note(planned(ref("P", "my artifact")))

    (entry,) = entries(journal)
    assert entry["artifacts"] == [
        {
            "package": "P",
            "artifact": "my ***",
            "kind": "IntegrationFlow",
            "update": "configure",
            "version": "",
            "parameters": ["Host"],
            "deploy": None,
        }
    ]
