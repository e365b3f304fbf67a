"""What happens during a run, as records in the past tense: the engine emits them, whoever shows a run reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from cpi_tasks.model.content import FileDiff
from cpi_tasks.model.drift import DriftReport
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import Plan, UpdateAction
from cpi_tasks.model.report import Report, StepOutcome


class Phase(Enum):
    """The two phases."""

    UPDATE = "update"
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The first event: which environment, where its name came from, which tenant, how we log in."""

    environment: str
    environment_origin: str
    tenant: str
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStarted:
    """Work on one deploy configuration began (``number`` of ``total``, from 1)."""

    source: str
    number: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryProgress:
    """More of the tenant was read: ``read`` of ``total`` artifacts are settled, by reading or by what is known."""

    read: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade:
    """The tenant was read and it is decided what to do."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationNeeded:
    """The environment is protected: the run waits until its name is typed, unless ``--yes`` confirmed it."""

    environment: str
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffMade:
    """How the files of one artifact differ, after the plan it belongs to; ``diffs`` is empty where no file does."""

    ref: ArtifactRef
    diffs: tuple[FileDiff, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFinished:
    """The last event where plans are only shown: nothing was written."""

    plans: tuple[Plan, ...]
    is_refused: bool = False
    """Whether a run of these plans would be refused as a whole; a warning has said why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFound:
    """The last event of a drift check."""

    report: DriftReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted:
    """A phase began; ``total`` artifacts take part, of which ``pending`` need work (a write, a deployment)."""

    phase: Phase
    total: int
    pending: int
    parallel_per_package: int = 0
    parallel_overall: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageUpdated:
    """A package's metadata is settled, one way or another."""

    package: PackageId
    outcome: StepOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactUpdateStarted:
    """Writing one artifact began."""

    ref: ArtifactRef
    kind: ArtifactKind
    action: UpdateAction


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactUpdated:
    """An artifact's update is settled, one way or another."""

    ref: ArtifactRef
    kind: ArtifactKind
    outcome: StepOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentTriggered:
    """The tenant accepted a deployment (or one already under way is watched)."""

    ref: ArtifactRef
    kind: ArtifactKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeStatusSeen:
    """A look showed another runtime status than the look before ("not deployed yet", "STARTING", ...)."""

    ref: ArtifactRef
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactDeployed:
    """An artifact's deployment is settled, one way or another."""

    ref: ArtifactRef
    kind: ArtifactKind
    outcome: StepOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFinished:
    """A phase ended after ``duration_s`` seconds."""

    phase: Phase
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRaised:
    """Something the user should know that does not stop the run."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsSlowed:
    """The tenant wants fewer requests: a family pauses for ``pause_s`` and goes on with ``rate`` a second."""

    family: str
    status: int
    pause_s: float
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantWentAway:
    """Nothing but trouble has come from the tenant for ``since_s`` seconds; all requests wait for it."""

    cause: str
    since_s: float
    gives_up_in_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantAnswersAgain:
    """The tenant is back after ``after_s`` seconds, and the run goes on where it was."""

    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptionBegan:
    """A signal came: nothing new is begun. ``waits_s`` is how long what is under way may go on, without end if None."""

    signal: str
    waits_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBegins:
    """A request that changes the tenant is about to be sent; ``target`` is path and query."""

    method: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFinished:
    """One HTTP request ended (shown by ``--debug``); ``target`` is path and query, ``result`` a status or an error."""

    method: str
    target: str
    result: str
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event."""

    report: Report


Event = (
    RunStarted
    | PartStarted
    | InventoryProgress
    | PlanMade
    | ConfirmationNeeded
    | DiffMade
    | PlanFinished
    | DriftFound
    | PhaseStarted
    | PackageUpdated
    | ArtifactUpdateStarted
    | ArtifactUpdated
    | DeploymentTriggered
    | RuntimeStatusSeen
    | ArtifactDeployed
    | PhaseFinished
    | WarningRaised
    | InterruptionBegan
    | RequestsSlowed
    | TenantWentAway
    | TenantAnswersAgain
    | WriteBegins
    | RequestFinished
    | RunFinished
)
Emit = Callable[[Event], None]
