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
    """Of a plan's parameters only keys are written, and a secret is masked wherever it stands."""
    journal = journal_of(tmp_path, lambda text: text.replace("hunter2", "***"))
    journal.note(planned(FLOW, value="7"))
    journal.note(WarningRaised(text="look at hunter2"))

    text = journal.file.read_text(encoding="utf-8")
    plan, warning = entries(journal)
    assert plan["artifacts"] == [
        {
            "package": "P",
            "artifact": "A",
            "kind": "IntegrationFlow",
            "update": "configure",
            "version": "",
            "parameters": ["Host"],
            "deploy": None,
        }
    ]
    assert warning["text"] == "look at ***"
    assert "old.example" not in text
    assert stat.S_IMODE(journal.file.stat().st_mode) == 0o600


TEXTS: list[tuple[Event, set[str]]] = [
    (PackageUpdated(package=FLOW.package, outcome=outcome("no: V")), {"package", "status", "summary", "seconds"}),
    (
        ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome("no: V")),
        {"package", "artifact", "status", "summary", "seconds"},
    ),
    (
        ArtifactDeployed(ref=FLOW, kind=KIND, outcome=outcome("no: V")),
        {"package", "artifact", "status", "summary", "seconds"},
    ),
    (TenantWentAway(cause="illegal line: V", since_s=3.0, gives_up_in_s=300.0), {"seconds"}),
]


@pytest.mark.parametrize(("event", "keys"), TEXTS, ids=[type(event).__name__ for event, _ in TEXTS])
def test_no_text_of_a_tenant_is_in_it(tmp_path: Path, event: Event, keys: set[str]) -> None:
    """Any text may repeat a parameter's value, also a short one, and one that the run does not know: none is kept."""
    journal = journal_of(tmp_path)
    journal.note(event)

    (entry,) = entries(journal)
    assert set(entry) == {"at", "event", *keys}
    assert "V" not in journal.file.read_text(encoding="utf-8")


def test_a_line_that_a_full_disk_cut_short_swallows_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is space again the journal goes on with a line of its own."""
    journal = journal_of(tmp_path)
    journal.note(PartStarted(source="deploy.yml", number=1, total=2))
    write, room = os.write, [20]

    def fill(descriptor: int, data: bytes) -> int:
        if not room:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[: room.pop()])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fill)
        with pytest.raises(StateFolderError, match="No space left on device"):
            journal.note(WriteBegins(method="PUT", target="/api/v1/X"))
    journal.note(finished())

    first, torn, last = journal.file.read_text(encoding="utf-8").splitlines()
    assert json.loads(first)["event"] == "part started"
    assert len(torn) == 20
    assert json.loads(last)["event"] == "run finished"


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
