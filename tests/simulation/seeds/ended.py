"""How one run of a seed ended, and what the tenant had before it: all that the invariants judge by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.errors import CpiTasksError
from cpi_tasks.events import ArtifactDeployed, ArtifactUpdated, Event, PlanMade
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan
from cpi_tasks.simulator import RequestRecord, Simulator
from cpi_tasks.simulator.lifecycle import Deployment, RuntimeArtifact, RuntimeRecord
from tests.simulation.seeds.asking import Ask
from tests.support.world import Ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One artifact at design time, as it was at a moment."""

    package: str
    archive: bytes
    version: str
    is_draft: bool
    parameters: Mapping[str, str]
    values: Mapping[str, str]
    """Those of the parameters that were configured, by anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The tenant's design time at a moment, and what is in an editor then."""

    now_ms: float = 0.0
    artifacts: Mapping[str, Stored] = field(default_factory=dict)
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    locks: frozenset[str] = frozenset()


def picture(simulator: Simulator) -> Tenant:
    """Take down what the tenant has now."""
    stored = {
        id_: Stored(
            package=one.package_id,
            archive=one.archive,
            version=one.version,
            is_draft=one.is_draft,
            parameters=dict(one.parameters),
            values=dict(one.values),
        )
        for id_, one in simulator.artifacts.items()
    }
    return Tenant(
        now_ms=simulator._state.clock.now_ms(),
        artifacts=stored,
        packages={id_: dict(one.fields) for id_, one in simulator.packages.items()},
        locks=frozenset(simulator.locks),
    )


@dataclass(slots=True, kw_only=True)
class Ended:
    """How one run ended: with a report, an error, or not at all (killed)."""

    name: str
    first_request: int
    events: list[Event]
    times: list[float] = field(default_factory=list)
    """When each event came, by trio's clock."""
    ask: Ask = field(default_factory=Ask)
    before: Tenant = field(default_factory=Tenant)
    requests: list[RequestRecord] = field(default_factory=list)
    folders: tuple[Path, ...] = ()
    """The run folders that were not there before."""
    ran: Ran | None = None
    error: CpiTasksError | None = None
    is_light: bool = False
    """Whether nothing stood in the way that a run does not get over."""
    is_cut_off: bool = False
    touched: frozenset[str] = frozenset()
    """What people worked on meanwhile."""
    fated: frozenset[str] = frozenset()
    """Whose deployments were to fail: what ran before may go on running, and be the wanted all the same."""
    overlapped: frozenset[str] = frozenset()
    """Whose deployment by an earlier run was still under way at the beginning."""
    unsure: frozenset[str] = frozenset()
    """Of these the ones that no run can tell apart from its own, or that a run joins to see them fail."""
    has_others: bool = False

    @property
    def planned(self) -> Iterator[ArtifactPlan]:
        """What was planned for each artifact, as far as it was told."""
        return (one for event in self.events if isinstance(event, PlanMade) for one in event.plan.artifacts())

    def time_of(self, kind: type[ArtifactUpdated | ArtifactDeployed], ref: ArtifactRef) -> float:
        """Tell when the outcome of an artifact's step was told; without an event it was at the end of the run."""
        told = zip(self.events, self.times, strict=True)
        return next((at for one, at in told if isinstance(one, kind) and one.ref == ref), self.times[-1])


def deployments_since(simulator: Simulator, artifact: str, since_ms: float) -> list[Deployment]:
    """Give the deployments of an artifact that began after a moment, whoever triggered them."""
    record = simulator._state.runtime.get(artifact)
    calls = [] if record is None else record.log
    return [call for call in calls if isinstance(call, Deployment) and call.triggered_ms >= since_ms]


def deployments_alive(simulator: Simulator, artifact: str, since_ms: float) -> list[Deployment]:
    """Give the deployments of an artifact that were under way at a moment or began after it."""
    record = simulator._state.runtime.get(artifact)
    calls = [] if record is None else record.log
    return [call for call in calls if isinstance(call, Deployment) and call.final_ms >= since_ms]


def shown_at(record: RuntimeRecord, moment_ms: float) -> RuntimeArtifact | None:
    """Tell what the runtime showed of an artifact at a moment."""
    shown: RuntimeArtifact | None = None
    for call in record.log:
        if call.triggered_ms <= moment_ms:
            shown = call.applied_to(shown, moment_ms)
    return shown
