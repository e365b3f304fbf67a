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


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is deployed: taken from design time when the deployment is triggered."""

    name: str
    version: str
    runtime_type: str
    digest: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeArtifact:
    """What a look at the runtime shows; ``deployed_on`` in epoch milliseconds, ``error`` the text of an ERROR."""

    id: str
    status: str
    deployed_by: str
    deployed_on: int
    snapshot: Snapshot
    error: str = ""

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

    @property
    def built_ms(self) -> float:
        """When the build has ended: a third of the whole time."""
        return self.triggered_ms + self.duration_ms / 3

    @property
    def final_ms(self) -> float:
        """When nothing changes any more."""
        return self.triggered_ms + self.duration_ms

    def task_status(self, now_ms: float) -> str:
        """Tell what ``BuildAndDeployStatus`` says."""
        if now_ms < self.built_ms or self.task_hangs or self.fate is Fate.NEVER_APPEARS:
            return "DEPLOYING"
        return "FAIL" if self.fate is Fate.FAILS_BUILD else "SUCCESS"

    def applied_to(self, before: RuntimeArtifact | None, now_ms: float) -> RuntimeArtifact | None:
        """Tell what the runtime shows, given what it showed without this deployment."""
        if now_ms < self.built_ms or self.fate is Fate.NEVER_APPEARS:
            return before
        fails = self.fate in {Fate.FAILS_BUILD, Fate.FAILS_LATE}
        if now_ms >= self.final_ms and fails:
            return self._shown("ERROR")
        if self.fate is Fate.FAILS_BUILD or (self.fate is Fate.FAILS_LATE and before is not None):
            return before
        if now_ms >= self.final_ms and self.fate is Fate.STARTS:
            return self._shown("STARTED")
        return self._shown("STARTING")

    def _shown(self, status: str) -> RuntimeArtifact:
        return RuntimeArtifact(
            id=self.artifact_id,
            status=status,
            deployed_by=self.deployed_by,
            deployed_on=self.deployed_on,
            snapshot=self.snapshot,
            error=self.error if status == "ERROR" else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeployment:
    """One undeploy call: STOPPING for a while, then gone."""

    triggered_ms: float
    duration_ms: float

    @property
    def final_ms(self) -> float:
        """When nothing changes any more."""
        return self.triggered_ms + self.duration_ms

    def applied_to(self, before: RuntimeArtifact | None, now_ms: float) -> RuntimeArtifact | None:
        """Tell what the runtime shows, given what it showed without the call."""
        if before is None or now_ms >= self.final_ms:
            return None
        return RuntimeArtifact(
            id=before.id,
            status="STOPPING",
            deployed_by=before.deployed_by,
            deployed_on=before.deployed_on,
            snapshot=before.snapshot,
        )


@dataclass(slots=True, kw_only=True)
class RuntimeRecord:
    """One artifact's runtime history: a settled state and the calls since, oldest first."""

    settled: RuntimeArtifact | None = None
    calls: list[Deployment | Undeployment] = field(default_factory=list)
    last_deployed_on: int = 0
    error_looks: dict[int, int] = field(default_factory=dict)
    """How often the error information of an ERROR was asked for, by its ``deployed_on``."""

    def look(self, now_ms: float) -> RuntimeArtifact | None:
        """Tell what the runtime shows at a moment; ``None`` while or when it shows nothing."""
        shown = self.settled
        for call in self.calls:
            shown = call.applied_to(shown, now_ms)
        return shown

    def add(self, call: Deployment | Undeployment) -> None:
        """Append a call; what has come to its end before is settled first."""
        while self.calls and self.calls[0].final_ms <= call.triggered_ms:
            self.settled = self.calls.pop(0).applied_to(self.settled, call.triggered_ms)
        self.calls.append(call)
        if isinstance(call, Deployment):
            self.last_deployed_on = call.deployed_on

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
