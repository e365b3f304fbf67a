"""What the page shows of a tenant: everything a person wants to see at a glance, nothing secret."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import StoredArtifact
from cpi_tasks.simulator.tenant import Simulator

NOT_DEPLOYED = "not deployed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactView:
    """One artifact; times in epoch milliseconds, 0 where there is none. Without design time ``version`` is empty."""

    id: str
    name: str
    kind: str
    version: str = ""
    is_draft: bool = False
    locked_by: str = ""
    parameters: int = 0
    """How many it has; never their values, which may be secrets."""
    modified_ms: int = 0
    modified_by: str = ""
    status: str = NOT_DEPLOYED
    deployed_version: str = ""
    deployed_ms: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageView:
    """One package with its artifacts, in order of creation."""

    id: str
    name: str
    is_read_only: bool
    artifacts: tuple[ArtifactView, ...]

    @property
    def statuses(self) -> Counter[str]:
        """How many artifacts are in each state of the runtime."""
        return Counter(item.status for item in self.artifacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The whole tenant; ``orphans`` run although design time has them no more."""

    packages: tuple[PackageView, ...]
    orphans: tuple[ArtifactView, ...]
    peak_deployments: int

    @property
    def artifacts(self) -> tuple[ArtifactView, ...]:
        """All design-time artifacts."""
        return tuple(item for package in self.packages for item in package.artifacts)


def look(simulator: Simulator) -> Overview:
    """Take in the tenant as it is now."""
    stored, locks, deployed = simulator.artifacts, simulator.locks, simulator.deployed
    views: dict[str, list[ArtifactView]] = {}
    for item in stored.values():
        lock, runtime = locks.get(item.id), deployed.get(item.id)
        view = ArtifactView(
            id=item.id,
            name=item.name,
            kind=_kind_name(item.kind),
            version=item.version,
            is_draft=item.is_draft,
            locked_by=lock.user if lock else "",
            parameters=_count_parameters(item),
            modified_ms=item.modified_ms,
            modified_by=item.modified_by,
            status=runtime.status if runtime else NOT_DEPLOYED,
            deployed_version=runtime.version if runtime else "",
            deployed_ms=runtime.deployed_on if runtime else 0,
            error=runtime.error if runtime else "",
        )
        views.setdefault(item.package_id, []).append(view)
    orphans = tuple(
        ArtifactView(
            id=item.id,
            name=item.snapshot.name,
            kind=item.snapshot.runtime_type.replace("_", " ").lower(),
            status=item.status,
            deployed_version=item.version,
            deployed_ms=item.deployed_on,
            error=item.error,
        )
        for item in deployed.values()
        if item.id not in stored
    )
    packages = tuple(
        PackageView(
            id=package.id,
            name=package.name,
            is_read_only=package.is_read_only,
            artifacts=tuple(views.get(package.id, ())),
        )
        for package in simulator.packages.values()
    )
    return Overview(packages=packages, orphans=orphans, peak_deployments=simulator.peak_deployments)


def _kind_name(kind: Kind) -> str:
    return kind.runtime_type.replace("_", " ").lower()


def _count_parameters(item: StoredArtifact) -> int:
    return len(item.definitions)
