"""What a tenant holds, and the protocol through which the engine talks to one without knowing HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId, TaskId

LANE: ContextVar[str] = ContextVar("LANE", default="")
"""Whose requests a task sends (a package): a client shares its request rate fairly between lanes."""

ENDS_WHAT_BEGAN: ContextVar[bool] = ContextVar("ENDS_WHAT_BEGAN", default=False)
"""Whether a task sends what must follow a write already sent, so that the tenant is not left without either state."""

DRAFT_VERSIONS = frozenset({"active", "draft"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationPackage:
    """A package as the tenant has it; ``metadata`` holds every writable field under its API name, as read.

    ``modified_at`` is in epoch milliseconds, ``None`` where not given.
    """

    id: PackageId
    name: str
    short_text: str
    description: str
    is_read_only: bool
    metadata: Mapping[str, str]
    modified_at: int | None = field(default=None, compare=False)
    modified_by: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesigntimeArtifact:
    """A design-time artifact as listed or read; ``modified_at`` in epoch milliseconds, ``None`` where not given."""

    id: ArtifactId
    kind: ArtifactKind
    package: PackageId
    version: str
    name: str
    modified_at: int | None = None
    modified_by: str = ""

    @property
    def is_draft(self) -> bool:
        """Whether the tenant holds unsaved changes ("Active") or never saved a version ("Draft")."""
        return self.version.lower() in DRAFT_VERSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationParameter:
    """One externalised parameter of a flow, as configured on the tenant."""

    key: str
    value: str = field(repr=False)
    data_type: str = "xsd:string"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeArtifact:
    """A runtime artifact; ``deployed_on`` in epoch milliseconds, ``None`` where the tenant does not give it.

    ``status`` is the tenant's word in upper case: STARTING, STARTED, ERROR, STOPPING or one not known yet.
    """

    id: ArtifactId
    version: str
    status: str
    deployed_on: int | None = None
    deployed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesigntimeLock:
    """An artifact somebody has open in the editor."""

    artifact: ArtifactId
    created_by: str
    created_at: int | None = None


class Tenant(Protocol):
    """The calls of SAP's public API that a deployment needs. Every method may raise ``TenantError``.

    "Absent" is an answer, not an error, wherever a method can return ``None``; everything else the tenant refuses is a
    ``RequestRejected``. An answer with a row that cannot be read is an ``UnreadableAnswer``: it fails what was asked
    for, never the run.
    """

    async def list_packages(self) -> tuple[IntegrationPackage, ...]:
        """List all integration packages, in one request where they fit a page."""

    async def read_package(self, package: PackageId) -> IntegrationPackage | None:
        """Read one integration package; ``None`` where it does not exist."""

    async def create_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Create an integration package; ``metadata`` has ``Name`` and ``ShortText`` and may have more API fields."""

    async def update_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Replace a package's metadata: fields left out become empty on the tenant."""

    async def list_artifacts(self, package: PackageId, kind: ArtifactKind) -> tuple[DesigntimeArtifact, ...]:
        """List one family of a package's design-time artifacts."""

    async def read_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> DesigntimeArtifact | None:
        """Read the active version of one artifact, wherever it is; ``None`` where it does not exist."""

    async def download_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> bytes:
        """Download the active version's archive."""

    async def create_artifact(
        self, artifact: ArtifactId, kind: ArtifactKind, *, package: PackageId, name: str, archive: bytes
    ) -> DesigntimeArtifact:
        """Create an artifact from an archive and return it as the tenant describes it."""

    async def update_artifact(self, artifact: ArtifactId, kind: ArtifactKind, *, archive: bytes) -> None:
        """Replace an artifact's content; its name comes from the archive's manifest. Not for value mappings."""

    async def delete_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> None:
        """Delete a design-time artifact; what runs is not touched."""

    async def save_version(self, artifact: ArtifactId, kind: ArtifactKind, version: str) -> None:
        """Save the active state as a version."""

    async def read_parameters(self, flow: ArtifactId) -> tuple[ConfigurationParameter, ...] | None:
        """Read a flow's parameters; ``None`` where the tenant does not show any (404, as for some drafts)."""

    async def write_parameter(self, flow: ArtifactId, key: str, value: str) -> None:
        """Set one parameter of a flow."""

    async def list_locks(self) -> tuple[DesigntimeLock, ...]:
        """List design-time locks; empty where the role for it is missing."""

    async def trigger_deployment(self, artifact: ArtifactId, kind: ArtifactKind) -> TaskId | None:
        """Ask for a deployment; the build task's id where the tenant gives one."""

    async def read_build_status(self, task: TaskId) -> str | None:
        """Read a build task's status in upper case; ``None`` where the task is not known (any more)."""

    async def list_runtime_artifacts(self) -> Mapping[ArtifactId, RuntimeArtifact]:
        """List everything that is deployed, by its id, in one request where it fits a page."""

    async def read_runtime_artifact(self, artifact: ArtifactId) -> RuntimeArtifact | None:
        """Read one runtime artifact; ``None`` while it is not deployed."""

    async def read_error_information(self, artifact: ArtifactId) -> str | None:
        """Read why a runtime artifact is in ERROR, as one text; ``None`` while the tenant has none (yet)."""
