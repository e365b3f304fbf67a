"""The journal of a run: one line of JSON for each event, so that what it had done is known however it ended."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import trio

from cpi_tasks.events import (
    ArtifactDeployed,
    ArtifactUpdated,
    ArtifactUpdateStarted,
    DeploymentTriggered,
    Event,
    InterruptionBegan,
    PackageUpdated,
    PartStarted,
    PhaseFinished,
    PhaseStarted,
    PlanMade,
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
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.report import Report, StepOutcome
from cpi_tasks.records.files import RUN_NEED, told
from cpi_tasks.records.folder import StateFolder

FILE = "journal.jsonl"
# What is on disk when ``note`` returns; before writes to the tenant ``sync`` is awaited.
_SYNCED = (PhaseFinished, InterruptionBegan, RunFinished)

Entry = Mapping[str, object]
InBackground = Callable[[Callable[[], None]], Awaitable[None]]


class RunJournal:
    """Appends the events of one run to ``journal.jsonl`` in its folder; raises ``StateFolderError``.

    ``mask`` removes secrets. Values of configuration parameters cannot be in it: nothing is written of what a tenant
    or a file says, only ids, keys, versions, counts, states and sentences of this program that name no values.
    ``in_background`` waits for a piece of blocking work, which ``sync`` is.
    """

    def __init__(self, folder: StateFolder, mask: Callable[[str], str], in_background: InBackground) -> None:
        """Remember the folder; the file appears with the first event."""
        self._in_background = in_background
        self._syncing = trio.Lock()
        self._noted = self._synced = 0
        self._folder = folder
        self._mask = mask
        self._descriptor: int | None = None
        self._is_torn = False

    @property
    def file(self) -> Path:
        """The file, which may not be there yet."""
        return self._folder.run_folder / FILE

    def note(self, event: Event) -> None:
        """Append an event; at the end of a phase and of the run it is on disk when this returns."""
        entry = _of_settled(event) or _of_run(event) or _of_step(event) or _of_tenant(event)
        if entry is not None:
            self._append(entry, is_synced=isinstance(event, _SYNCED))

    def note_end(self, exit_code: int) -> None:
        """Append how a run ended that has no report, where anything of it is in the journal already."""
        if self.file.exists():
            self._append({"event": "run finished", "exitCode": exit_code}, is_synced=True)

    def _append(self, entry: Entry, *, is_synced: bool) -> None:
        stamped = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **_masked(entry, self._mask)}
        line = json.dumps(stamped, separators=(",", ":")) + "\n"
        with told(self.file, RUN_NEED):
            descriptor = self._open()
            # A line that a full disk cut short must not swallow the next one.
            begin, self._is_torn = "\n" if self._is_torn else "", True
            _write(descriptor, (begin + line).encode())
            self._is_torn = False
            self._noted += 1
            if is_synced:
                os.fsync(descriptor)

    async def sync(self) -> None:
        """Wait until everything noted so far is on disk; many who wait at once cost one wait for the disk."""
        wanted = self._noted
        async with self._syncing:
            descriptor = self._descriptor
            if self._synced >= wanted or descriptor is None:
                return
            noted = self._noted
            with told(self.file, RUN_NEED):
                await self._in_background(lambda: os.fsync(descriptor))
            self._synced = noted

    def close(self) -> None:
        """Close the file; may be called more than once."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            self._folder.ensure_run()
            self._descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return self._descriptor


def _of_settled(event: Event) -> Entry | None:
    entry: Entry | None = None
    match event:
        case PackageUpdated():
            entry = {"event": "package updated", "package": event.package, **_outcome(event.outcome)}
        case ArtifactUpdated():
            entry = {"event": "updated", **_ref(event.ref), **_outcome(event.outcome)}
        case ArtifactDeployed():
            entry = {"event": "deployed", **_ref(event.ref), **_outcome(event.outcome)}
        case _:
            pass
    return entry


def _outcome(outcome: StepOutcome) -> Entry:
    # Reasons and advice stay out: a reason may be a tenant's text, and that may repeat any value.
    return {"status": outcome.status.value, "summary": outcome.summary, "seconds": round(outcome.duration_s, 1)}


def _of_run(event: Event) -> Entry | None:
    entry: Entry | None = None
    match event:
        case RunStarted():
            entry = {"event": "run started", "environment": event.environment, "tenant": event.tenant}
        case PartStarted():
            entry = {"event": "part started", "source": event.source, "number": event.number, "total": event.total}
        case PlanMade():
            entry = {"event": "plan", **_plan(event.plan)}
        case PhaseStarted():
            entry = {"event": "phase started", "phase": event.phase.value, "pending": event.pending}
        case PhaseFinished():
            entry = {"event": "phase finished", "phase": event.phase.value, "seconds": round(event.duration_s, 1)}
        case InterruptionBegan():
            entry = {"event": "interrupted", "signal": event.signal}
        case RunFinished():
            entry = {"event": "run finished", **_ending(event.report)}
        case _:
            pass
    return entry


def _of_step(event: Event) -> Entry | None:
    entry: Entry | None = None
    match event:
        case ArtifactUpdateStarted():
            entry = {"event": "update begins", **_ref(event.ref), "action": event.action.value}
        case DeploymentTriggered():
            entry = {"event": "deployment accepted", **_ref(event.ref)}
        case RuntimeStatusSeen():
            entry = {"event": "seen", **_ref(event.ref), "status": event.status}
        case WarningRaised():
            entry = {"event": "warning", "text": event.text}
        case _:
            pass
    return entry


def _of_tenant(event: Event) -> Entry | None:
    entry: Entry | None = None
    match event:
        case WriteBegins():
            entry = {"event": "write begins", "method": event.method, "target": event.target}
        case RequestFinished() if event.method != "GET":
            entry = {"event": "write ended", "method": event.method, "target": event.target, "result": event.result}
        case RequestsSlowed():
            entry = {"event": "slowed down", "family": event.family, "status": event.status}
        case TenantWentAway():
            entry = {"event": "tenant went away", "seconds": round(event.since_s, 1)}
        case TenantAnswersAgain():
            entry = {"event": "tenant answers again", "seconds": round(event.after_s, 1)}
        case _:
            pass
    return entry


def _plan(plan: Plan) -> Entry:
    return {
        "source": plan.source,
        "packages": [{"package": package.id, "action": package.action.value} for package in plan.packages],
        "artifacts": [
            {
                **_ref(artifact.ref),
                "kind": artifact.kind.value,
                "update": None if artifact.update is None else artifact.update.action.value,
                "version": None if artifact.update is None else artifact.update.version,
                "parameters": [] if artifact.update is None else [change.key for change in artifact.update.changes],
                "deploy": None if artifact.deploy is None else artifact.deploy.action.value,
            }
            for artifact in plan.artifacts()
        ],
    }


def _ref(ref: ArtifactRef) -> Entry:
    return {"package": ref.package, "artifact": ref.artifact}


def _ending(report: Report) -> Entry:
    return {"exitCode": report.exit_code, "seconds": round(report.duration_s, 1), "interrupted": report.is_interrupted}


def _masked(entry: Entry, mask: Callable[[str], str]) -> dict[str, object]:
    """Mask the texts and leave the form alone: a secret that is spelt like a key would break the line."""
    return {key: _masked_value(value, mask) for key, value in entry.items()}


def _masked_value(value: object, mask: Callable[[str], str]) -> object:
    match value:
        case str():
            return mask(value)
        case list():
            return [_masked_value(item, mask) for item in value]
        case dict():
            return _masked(value, mask)
    return value


def _write(descriptor: int, data: bytes) -> None:
    while data:
        # A disk that is almost full takes a part; the next call then tells that it is full.
        data = data[os.write(descriptor, data) :]
