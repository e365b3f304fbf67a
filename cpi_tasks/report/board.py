"""What is going on right now: the phase, what is in flight and since when, how much is settled. No output."""

from __future__ import annotations

from dataclasses import dataclass

from cpi_tasks.events import (
    ArtifactDeployed,
    ArtifactUpdated,
    ArtifactUpdateStarted,
    DeploymentTriggered,
    DriftFound,
    Event,
    InventoryProgress,
    PartStarted,
    Phase,
    PhaseFinished,
    PhaseStarted,
    PlanFinished,
    PlanMade,
    RunFinished,
    RunStarted,
    RuntimeStatusSeen,
)
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import DeployAction, Plan, UpdateAction
from cpi_tasks.model.report import Status
from cpi_tasks.report.narration import DOING

_READING = "Reading the tenant"
_QUIET = frozenset({Status.UNCHANGED, Status.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One artifact being worked on: its last known status, and when work on it began (seconds of the run's clock)."""

    status: str
    since: float


class Board:
    """The state of a run, folded from its events; times come from the caller's clock, in seconds."""

    def __init__(self) -> None:
        """Begin before the first event."""
        self.activity = ""
        """What the run is busy with in words; empty before it begins, between phases and after the end."""
        self.since = 0.0
        self.pending = 0
        """How many artifacts of the phase need work, or are to be read before; else 0."""
        self.failed = 0
        """How many steps failed so far, in all phases and parts."""
        self.in_flight: dict[ArtifactRef, Flight] = {}
        self._settled = 0
        self._refused: dict[Phase, frozenset[ArtifactRef]] = {}
        self._phase: Phase | None = None

    @property
    def settled(self) -> int:
        """How many of the pending artifacts are settled; none that is in flight is counted."""
        return max(0, min(self._settled, self.pending - len(self.in_flight)))

    @property
    def is_in_phase(self) -> bool:
        """Whether artifacts are being written or deployed, not just read."""
        return self._phase is not None

    @property
    def waiting(self) -> int:
        """How many artifacts of the phase have not begun; outside a phase nothing waits."""
        return 0 if self._phase is None else max(0, self.pending - self.settled - len(self.in_flight))

    def note(self, event: Event, now: float) -> None:
        """Take one event into account."""
        match event:
            case RunStarted() | PartStarted():
                self._turn_to("Reading files and tenant", now)
            case InventoryProgress():
                self._read(event, now)
            case PhaseStarted():
                name = "Phase 1: updating" if event.phase is Phase.UPDATE else "Phase 2: deploying"
                self._turn_to(name, now, pending=event.pending)
                self._phase = event.phase
            case PlanMade():
                self._refused = _refused(event.plan)
                self._turn_to("", now)
            case PhaseFinished() | RunFinished() | PlanFinished() | DriftFound():
                self._turn_to("", now)
            case ArtifactUpdateStarted():
                self._fly(event.ref, DOING[event.action], now)
            case DeploymentTriggered():
                self._fly(event.ref, "deploying", now)
            case RuntimeStatusSeen():
                self._fly(event.ref, event.status, now)
            case ArtifactUpdated() | ArtifactDeployed():
                self._settle(event.ref, event.outcome.status)
            case _:
                pass

    def _turn_to(self, activity: str, now: float, *, pending: int = 0) -> None:
        self.activity = activity
        self.since = now
        self.pending = pending
        self._phase = None
        self._settled = 0
        self.in_flight.clear()

    def _read(self, event: InventoryProgress, now: float) -> None:
        if self.activity != _READING:
            self._turn_to(_READING, self.since if self.activity else now)
        self.pending, self._settled = event.total, event.read

    def _fly(self, ref: ArtifactRef, status: str, now: float) -> None:
        known = self.in_flight.get(ref)
        self.in_flight[ref] = Flight(status=status, since=known.since if known else now)

    def _settle(self, ref: ArtifactRef, status: Status) -> None:
        was_in_flight = self.in_flight.pop(ref, None) is not None
        self.failed += status is Status.FAILED
        # What was refused in planning fails without ever having been pending.
        is_refused = self._phase is not None and ref in self._refused.get(self._phase, ())
        if was_in_flight or (status not in _QUIET and not is_refused):
            self._settled += 1


def _refused(plan: Plan) -> dict[Phase, frozenset[ArtifactRef]]:
    artifacts = list(plan.artifacts())
    return {
        Phase.UPDATE: frozenset(a.ref for a in artifacts if a.update and a.update.action is UpdateAction.REFUSE),
        Phase.DEPLOY: frozenset(a.ref for a in artifacts if a.deploy and a.deploy.action is DeployAction.REFUSE),
    }
