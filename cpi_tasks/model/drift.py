"""How a tenant differs from the files, and who made it so: what the last run left on record tells the two apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cpi_tasks.errors import DriftDetected
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import Origin


class Aspect(Enum):
    """What of a package or an artifact differs. LOCK is only told: an open editor is no difference yet."""

    METADATA = "metadata"
    CONTENT = "content"
    PARAMETER = "parameter"
    VERSION = "version"
    DRAFT = "draft"
    LOCK = "lock"
    MISSING = "missing"
    RUNTIME = "runtime"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftEntry:
    """One difference. ``ref`` and ``kind`` are ``None`` for a package's own metadata.

    ``detail`` says it in words, without parameter values; ``by`` and ``at`` (epoch milliseconds) name the tenant's last
    change where it gives them.
    """

    package: PackageId
    ref: ArtifactRef | None = None
    kind: ArtifactKind | None = None
    aspect: Aspect
    origin: Origin
    detail: str
    by: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Everything in which a tenant differs from the files, in the order of the files."""

    environment: str
    tenant: str
    artifacts_total: int
    entries: tuple[DriftEntry, ...]
    unrecorded: tuple[str, ...] = ()
    """What our own login changed or deployed and no run recorded: then the record is behind."""

    @property
    def has_differences(self) -> bool:
        """Whether anything differs; a lock alone is no difference."""
        return any(entry.aspect is not Aspect.LOCK for entry in self.entries)

    def raise_for_differences(self) -> None:
        """Raise ``DriftDetected`` (exit code 2) where anything differs, naming each difference."""
        found = [entry for entry in self.entries if entry.aspect is not Aspect.LOCK]
        if found:
            named = (f"{entry.ref or f'package {entry.package}'}: {entry.detail}" for entry in found)
            raise DriftDetected(named)
