"""What a run will do, decided before anything is written: every id final, every action with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.tenant import DesigntimeArtifact, IntegrationPackage, RuntimeArtifact


class PackageAction(Enum):
    """What happens to a package's own metadata. KEEP leaves it alone; REFUSE is a failure known beforehand."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    KEEP = "keep"
    REFUSE = "refuse"


class UpdateAction(Enum):
    """What the update phase does to one artifact. REFUSE is a failure known beforehand; KEEP leaves it alone."""

    CREATE = "create"
    UPDATE = "update"
    CONFIGURE = "configure"
    REPLACE = "replace"
    SAVE_VERSION = "save version"
    UNCHANGED = "unchanged"
    KEEP = "keep"
    REFUSE = "refuse"


class DeployAction(Enum):
    """What the deploy phase does to one artifact. RUNNING is proved to run and left alone; WATCH joins a deployment."""

    DEPLOY = "deploy"
    WATCH = "watch"
    RUNNING = "running"
    REFUSE = "refuse"


class Origin(Enum):
    """Who made a difference between files and tenant, told by what the last run left on record."""

    FILES = "your change"
    TENANT = "someone's edit"
    BOTH = "changed on both sides"
    UNKNOWN = "differs, origin unknown"

    @property
    def is_drift(self) -> bool:
        """Whether the tenant is known to have been changed by somebody else."""
        return self in {Origin.TENANT, Origin.BOTH}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterChange:
    """One parameter whose value on the tenant is not the wanted one (``old`` is ``None`` where it has none yet)."""

    key: str
    old: str | None = field(repr=False)
    new: str = field(repr=False)
    origin: Origin = Origin.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStep:
    """The update of one artifact.

    ``enforced`` are the parameter values the files ask for, all of them; ``changes`` those that differ on the tenant
    now; ``kept`` differing values that stay as a person configured them (``new`` is the file's value). ``paths`` names
    the files whose content differs. ``content`` is ``None`` where content is not looked at (read-only packages).
    """

    action: UpdateAction
    reason: str
    advice: str = ""
    content: ArtifactContent | None = None
    before: DesigntimeArtifact | None = None
    base_version: str = ""
    """The last saved version on the tenant; for a draft the version its manifest carries; empty where none is known."""
    enforced: Mapping[str, str] = field(default_factory=dict, repr=False)
    changes: tuple[ParameterChange, ...] = ()
    kept: tuple[ParameterChange, ...] = ()
    paths: tuple[str, ...] = ()
    version: str = ""
    """The version the artifact is to have afterwards; empty where the step leaves it as it is."""
    is_version_binding: bool = False
    """Whether the step has failed where the tenant does not take ``version``; otherwise that draws a warning."""
    only_on_tenant: tuple[str, ...] = ()
    """Keys of parameters that the tenant has and the files do not know; never removed."""
    origin: Origin | None = None
    """Who made the content (``paths``) differ, or the artifact be missing; ``None`` where neither is so."""

    @property
    def writes(self) -> bool:
        """Whether the step sends anything that changes the tenant."""
        return self.action not in {UpdateAction.UNCHANGED, UpdateAction.KEEP, UpdateAction.REFUSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployStep:
    """The deployment of one artifact.

    ``before`` is what ran when the plan was made. ``depends_on`` are artifacts of the same plan that must run first,
    ``goes_after`` those that should be tried first, whatever becomes of them.
    ``version`` is the design-time version seen in planning (``None`` for one that does not exist yet); the engine
    replaces it by what it reads back after writing.
    """

    action: DeployAction
    reason: str
    advice: str = ""
    before: RuntimeArtifact | None = None
    version: str | None = None
    depends_on: frozenset[ArtifactRef] = frozenset()
    goes_after: frozenset[ArtifactRef] = frozenset()
    expected_s: float | None = None
    """How long it took the last time, in seconds; ``None`` where that is not known."""
    fires_timer: bool = False
    """Whether the deployment makes a timer of the flow fire at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactPlan:
    """Everything planned for one artifact. With neither step it is skipped, and ``skip_reason`` says why."""

    ref: ArtifactRef
    kind: ArtifactKind
    update: UpdateStep | None = None
    deploy: DeployStep | None = None
    skip_reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """One package: its own metadata and its artifacts. ``metadata`` is what will be sent, under API field names."""

    id: PackageId
    action: PackageAction
    reason: str
    changed_fields: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[ArtifactPlan, ...] = ()
    before: IntegrationPackage | None = None
    origin: Origin | None = None
    """Who made ``changed_fields`` differ, or the package be missing; ``None`` where neither is so."""
    drifted_fields: tuple[str, ...] = ()
    """Those of ``changed_fields`` that somebody changed on the tenant since the last run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one pair of phases does, in the order of the files; ``updates`` and ``deploys`` say which phases exist."""

    source: str
    packages: tuple[PackagePlan, ...]
    updates: bool
    deploys: bool
    warnings: tuple[str, ...] = ()

    def artifacts(self) -> Iterator[ArtifactPlan]:
        """All artifacts in the order of the files."""
        for package in self.packages:
            yield from package.artifacts

    @property
    def has_changes(self) -> bool:
        """Whether work is pending: something to write or deploy, a deployment to wait for, or something refused."""
        idle = {PackageAction.UNCHANGED, PackageAction.KEEP, UpdateAction.UNCHANGED, UpdateAction.KEEP}
        actions = [
            *(package.action for package in self.packages),
            *(artifact.update.action for artifact in self.artifacts() if artifact.update is not None),
            *(artifact.deploy.action for artifact in self.artifacts() if artifact.deploy is not None),
        ]
        return any(action not in idle and action is not DeployAction.RUNNING for action in actions)
