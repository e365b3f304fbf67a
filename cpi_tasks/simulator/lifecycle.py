"""From the deploy call to STARTED: the timeline of one artifact on the runtime, computed when somebody looks."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Fate(Enum):
    """How a deployment goes on."""

    STARTS = "starts"
    FAILS_BUILD = "fails build"
    FAILS_LATE = "fails late"
    NEVER_APPEARS = "never appears"
    STAYS_STARTING = "stays starting"
    GOES_ELSEWHERE = "goes elsewhere"
    """To another runtime: the task succeeds, this one never shows it."""
    LACKS_LICENSE = "lacks license"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is deployed: taken from design time when the deployment is triggered."""

    name: str
    version: str
    runtime_type: str
    digest: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Addresses it listens at, with the protocol of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeArtifact:
    """What a look at the runtime shows; ``deployed_on`` in epoch milliseconds, ``error`` the text of an ERROR."""

    id: str
    status: str
    deployed_by: str
    deployed_on: int
    snapshot: Snapshot
    error: str = ""
    since_ms: float = 0.0
    """Since when it has been STARTED or in ERROR, in epoch milliseconds; 0 where that is long ago."""

    @property
    def version(self) -> str:
        """The version on the runtime."""
        return self.snapshot.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deploy call and what follows; times in epoch milliseconds."""

    task_id: str
    artifact_id: str
    deployed_by: str
    triggered_ms: float
    duration_ms: float
    deployed_on: int
    snapshot: Snapshot
    fate: Fate = Fate.STARTS
    task_hangs: bool = False
    error: str = ""
    lingers_ms: float | None = None
    """How long the runtime goes on showing what was there; a third of the duration where nothing is said."""
    error_looks: int | None = None
    error_delay_ms: float | None = None
    """How many looks, and how long after the ERROR, its text is not to be had; by the settings where not said."""
    starting_on: int | None = None
    """What STARTING shows as ``DeployedOn`` where it is taken only at the end."""

    @property
    def built_ms(self) -> float:
        """When the build has ended: a third of the whole time."""
        return self.triggered_ms + self.duration_ms / 3

    @property
    def appears_ms(self) -> float:
        """When the runtime may begin to show this deployment."""
        return self.built_ms if self.lingers_ms is None else self.triggered_ms + self.lingers_ms

    @property
    def final_ms(self) -> float:
        """When nothing changes any more."""
        return max(self.triggered_ms + self.duration_ms, self.appears_ms)

    def task_status(self, now_ms: float) -> str:
        """Tell what ``BuildAndDeployStatus`` says."""
        if now_ms < self.built_ms or self.task_hangs or self.fate is Fate.NEVER_APPEARS:
            return "DEPLOYING"
        if self.fate is Fate.LACKS_LICENSE:
            return "FAIL_ON_LICENSE_ERROR"
        return "FAIL" if self.fate is Fate.FAILS_BUILD else "SUCCESS"

    def applied_to(self, before: RuntimeArtifact | None, now_ms: float) -> RuntimeArtifact | None:
        """Tell what the runtime shows, given what it showed without this deployment."""
        if now_ms < self.appears_ms or self.fate in {Fate.NEVER_APPEARS, Fate.GOES_ELSEWHERE}:
            return before
        fails = self.fate in {Fate.FAILS_BUILD, Fate.FAILS_LATE, Fate.LACKS_LICENSE}
        if now_ms >= self.final_ms and fails:
            return self._shown("ERROR")
        if self.fate in {Fate.FAILS_BUILD, Fate.LACKS_LICENSE} or (self.fate is Fate.FAILS_LATE and before is not None):
            return before
        if now_ms >= self.final_ms and self.fate is Fate.STARTS:
            return self._shown("STARTED")
        return self._shown("STARTING")

    def _shown(self, status: str) -> RuntimeArtifact:
        is_stamped = status != "STARTING" or self.starting_on is None
        return RuntimeArtifact(
            id=self.artifact_id,
            status=status,
            deployed_by=self.deployed_by,
            deployed_on=self.deployed_on if is_stamped else self.starting_on or 0,
            snapshot=self.snapshot,
            error=self.error if status == "ERROR" else "",
            since_ms=0.0 if status == "STARTING" else self.final_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeployment:
    """One undeploy call: STOPPING for a while, where so set after the old state, then gone."""

    triggered_ms: float
    duration_ms: float
    lingers_ms: float = 0.0
    """For how much of that time the old state is shown."""

    @property
    def final_ms(self) -> float:
        """When nothing changes any more."""
        return self.triggered_ms + self.duration_ms

    def applied_to(self, before: RuntimeArtifact | None, now_ms: float) -> RuntimeArtifact | None:
        """Tell what the runtime shows, given what it showed without the call."""
        if before is None or now_ms >= self.final_ms:
            return None
        if now_ms < self.triggered_ms + self.lingers_ms:
            return before
        return RuntimeArtifact(
            id=before.id,
            status="STOPPING",
            deployed_by=before.deployed_by,
            deployed_on=before.deployed_on,
            snapshot=before.snapshot,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A state that was simply there, or put there by a test, from a moment on."""

    triggered_ms: float
    shown: RuntimeArtifact | None

    @property
    def final_ms(self) -> float:
        """When nothing changes any more."""
        return self.triggered_ms

    def applied_to(self, _before: RuntimeArtifact | None, _now_ms: float) -> RuntimeArtifact | None:
        """Tell what the runtime shows: the same, whatever was there."""
        return self.shown


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a record shows from a moment on, for good as long as it has these calls."""

    settled: RuntimeArtifact | None
    calls: tuple[Deployment | Undeployment, ...]
    from_ms: float
    shown: RuntimeArtifact | None

    def holds(self, record: RuntimeRecord, now_ms: float) -> bool:
        # By identity: these are values, and comparing all of their fields would cost what is to be spared.
        return (
            now_ms >= self.from_ms
            and record.settled is self.settled
            and len(record.calls) == len(self.calls)
            and all(one is other for one, other in zip(record.calls, self.calls, strict=True))
        )


@dataclass(slots=True, kw_only=True)
class RuntimeRecord:
    """One artifact's runtime history: a settled state and the calls since, oldest first."""

    settled: RuntimeArtifact | None = None
    calls: list[Deployment | Undeployment] = field(default_factory=list)
    last_deployed_on: int = 0
    error_looks: dict[int, int] = field(default_factory=dict)
    """How often the error information of an ERROR was asked for, by its ``deployed_on``."""
    log: list[Deployment | Undeployment | Placement] = field(default_factory=list)
    """Every call since this program began, oldest first; what was there before is the first entry."""
    _ended: _Ended | None = field(default=None, repr=False, compare=False)

    def look(self, now_ms: float) -> RuntimeArtifact | None:
        """Tell what the runtime shows at a moment; ``None`` while or when it shows nothing.

        As long as nothing changes any more, every look gives the same object.
        """
        if not self.calls:
            return self.settled
        if self._ended is not None and self._ended.holds(self, now_ms):
            return self._ended.shown
        shown = self.settled
        for call in self.calls:
            shown = call.applied_to(shown, now_ms)
        last_ms = max(call.final_ms for call in self.calls)
        if now_ms >= last_ms:
            self._ended = _Ended(self.settled, tuple(self.calls), last_ms, shown)
        return shown

    def add(self, call: Deployment | Undeployment) -> None:
        """Append a call; what has come to its end before is settled first."""
        if not self.log:
            self.log.append(Placement(triggered_ms=call.triggered_ms, shown=self.look(call.triggered_ms)))
        self.log.append(call)
        while self.calls and self.calls[0].final_ms <= call.triggered_ms:
            self.settled = self.calls.pop(0).applied_to(self.settled, call.triggered_ms)
        self.calls.append(call)
        if isinstance(call, Deployment):
            self.last_deployed_on = call.deployed_on

    def is_stopping(self, now_ms: float) -> bool:
        """Whether the artifact is being undeployed, whatever the runtime shows meanwhile."""
        shown = self.look(now_ms)
        if shown is None:
            return False
        last = self.calls[-1] if self.calls else None
        return shown.status == "STOPPING" or (isinstance(last, Undeployment) and now_ms < last.final_ms)

    def has_error_information(self, item: RuntimeArtifact, now_ms: float, usual_delay_ms: float) -> bool:
        """Count a status check of an ERROR's text and return whether it is available yet.

        By the tenant's settings it comes after a time; a script can name a number of checks as well.
        """
        looks = self.error_looks[item.deployed_on] = self.error_looks.get(item.deployed_on, 0) + 1
        causes = [call for call in self.log if isinstance(call, Deployment) and call.deployed_on == item.deployed_on]
        for cause in causes:
            if cause.error_delay_ms is not None and now_ms < cause.final_ms + cause.error_delay_ms:
                return False
            if cause.error_looks is not None:
                return looks > cause.error_looks
            if cause.error_delay_ms is not None:
                return True
        return now_ms >= item.since_ms + usual_delay_ms

    def next_deployed_on(self, at_ms: float) -> int:
        """Give a ``DeployedOn`` for a deployment that arrives then: never one that was there before."""
        return max(int(at_ms), self.last_deployed_on + 1)


class DeploymentCounter:
    """How many deployments are between trigger and end at the same time, per package and overall, and the peaks."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ends: dict[str, list[float]] = defaultdict(list)
        self.peaks: dict[str, int] = {}
        self.peak = 0

    def add(self, package_id: str, now_ms: float, end_ms: float) -> None:
        """Count a deployment that begins now."""
        for ends in (self._ends[""], self._ends[f"/{package_id}"]):
            while ends and ends[0] <= now_ms:
                heapq.heappop(ends)
            heapq.heappush(ends, end_ms)
        self.peak = max(self.peak, len(self._ends[""]))
        self.peaks[package_id] = max(self.peaks.get(package_id, 0), len(self._ends[f"/{package_id}"]))
