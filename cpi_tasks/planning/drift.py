"""In what a tenant differs from the files, each difference with the one who made it; nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cpi_tasks.content import changed_paths, differing_metadata
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.drift import Aspect, DriftEntry
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactRef, VersionPolicy
from cpi_tasks.model.plan import Origin
from cpi_tasks.model.tenant import DesigntimeArtifact
from cpi_tasks.model.version import is_same
from cpi_tasks.planning.origins import content_origin, field_origin
from cpi_tasks.planning.parameters import plan_parameters
from cpi_tasks.planning.words import listed


def find_drift(
    config: DeployConfig, contents: Mapping[ArtifactRef, ArtifactContent], inventory: Inventory, settings: Settings
) -> Iterator[DriftEntry]:
    """Give every difference between one configuration and the tenant, in the order of the files."""
    for package in config.packages:
        yield from _package(package, inventory)
        if package.id in inventory.unreadable_packages:
            continue
        for spec in package.artifacts:
            content = contents.get(spec.ref) if spec.sync else None
            yield from _artifact(spec, content, inventory, settings)


def _package(spec: PackageSpec, inventory: Inventory) -> Iterator[DriftEntry]:
    if spec.id in inventory.unreadable_packages:
        detail = inventory.unreadable_packages[spec.id]
        yield DriftEntry(package=spec.id, aspect=Aspect.UNREADABLE, origin=Origin.UNKNOWN, detail=detail)
        return
    if not spec.sync:
        return
    found = inventory.packages.get(spec.id)
    if found is None:
        is_gone = spec.id in inventory.package_baselines
        origin = Origin.TENANT if is_gone else Origin.FILES
        detail = "the package was deleted on the tenant" if is_gone else "the package is not on the tenant yet"
        yield DriftEntry(package=spec.id, aspect=Aspect.MISSING, origin=origin, detail=detail)
    elif not found.is_read_only:
        for name in differing_metadata(spec, found.metadata):
            origin = field_origin(spec.id, name, inventory)
            yield DriftEntry(
                package=spec.id, aspect=Aspect.METADATA, origin=origin, detail=f"the package's {name} differs"
            )


def _artifact(
    spec: ArtifactSpec, content: ArtifactContent | None, inventory: Inventory, settings: Settings
) -> Iterator[DriftEntry]:
    design = inventory.artifacts.get(spec.id)
    if spec.id in inventory.unreadable_artifacts:
        reason = inventory.unreadable_artifacts[spec.id]
        yield _entry(spec, Aspect.UNREADABLE, Origin.UNKNOWN, reason)
    elif design is None:
        yield from _missing(spec, inventory)
    else:
        found = list(_designtime(spec, content, design, inventory, settings))
        yield from found
        if content is not None:
            yield from _parameters(spec, content, design, inventory, settings)
        if spec.deploy and not found:
            yield from _runtime(spec, design, inventory)
    lock = inventory.locks.get(spec.id)
    if lock is not None:
        who = f" by {lock.created_by}" if lock.created_by else ""
        yield _entry(spec, Aspect.LOCK, Origin.TENANT, f"open in an editor{who}", at=lock.created_at)


def _missing(spec: ArtifactSpec, inventory: Inventory) -> Iterator[DriftEntry]:
    if spec.id in inventory.baselines:
        yield _entry(spec, Aspect.MISSING, Origin.TENANT, "deleted on the tenant, or moved to another package")
    elif spec.sync or spec.deploy:
        yield _entry(spec, Aspect.MISSING, Origin.FILES, "not on the tenant yet")


def _designtime(
    spec: ArtifactSpec,
    content: ArtifactContent | None,
    design: DesigntimeArtifact,
    inventory: Inventory,
    settings: Settings,
) -> Iterator[DriftEntry]:
    """Give the entry about content, draft or version: a version that moved with the content is no second one."""
    downloaded = inventory.downloads.get(spec.id)
    paths = () if content is None or downloaded is None else changed_paths(content.digest, downloaded.digest)
    baseline = inventory.baselines.get(spec.id)
    left = None if baseline is None or design.is_draft else baseline.version
    is_other_version = left is not None and not is_same(left, design.version)
    if content is not None and paths:
        origin = content_origin(spec.id, content, inventory)
        what = "an unsaved draft that differs" if design.is_draft else "content differs"
        aspect = Aspect.DRAFT if design.is_draft else Aspect.CONTENT
        yield _changed(spec, design, aspect, origin, f"{what} in {listed(paths)}")
        if origin is not Origin.FILES or not is_other_version:
            return
    if design.is_draft:
        origin = Origin.UNKNOWN if baseline is None else Origin.TENANT
        if baseline is not None and baseline.version is None:
            origin = Origin.FILES
        what = "with the content of the files" if content is not None and downloaded is not None else ""
        yield _changed(spec, design, Aspect.DRAFT, origin, f"an unsaved draft {what}".strip())
    elif is_other_version:
        detail = f"saved as version {design.version}, the last run left {left}"
        yield _changed(spec, design, Aspect.VERSION, Origin.TENANT, detail)
    elif (
        content is not None
        and settings.versioning is VersionPolicy.EXACT
        and not is_same(content.version, design.version)
    ):
        origin = Origin.UNKNOWN if baseline is None else Origin.FILES
        detail = f"the files say version {content.version}, the tenant has {design.version} (versioning: exact)"
        yield _changed(spec, design, Aspect.VERSION, origin, detail)


def _parameters(
    spec: ArtifactSpec,
    content: ArtifactContent,
    design: DesigntimeArtifact,
    inventory: Inventory,
    settings: Settings,
) -> Iterator[DriftEntry]:
    """Give parameters that a run would set, and those that somebody changed and a run would keep so."""
    planned = plan_parameters(spec, content, inventory, settings.parameter_policy)
    for change in planned.changes:
        detail = f"parameter '{change.key}' is not as the files say"
        yield _changed(spec, design, Aspect.PARAMETER, change.origin, detail)
    for change in planned.kept:
        # What differs from the files since before the last run is how somebody configured it, and stays so.
        if change.origin.is_drift:
            detail = f"parameter '{change.key}' was changed; a run keeps it"
            yield _changed(spec, design, Aspect.PARAMETER, change.origin, detail)


def _runtime(spec: ArtifactSpec, design: DesigntimeArtifact, inventory: Inventory) -> Iterator[DriftEntry]:
    """Say that what design time holds does not run; whose doing that is, the record of the last deployment tells."""
    running, record = inventory.runtime.get(spec.id), inventory.record(spec.id)
    if running is None:
        detail = "not deployed"
    elif running.status not in {"STARTED", "STARTING"}:
        detail = f"is {running.status} on the tenant"
    elif not design.is_draft and running.version != design.version:
        detail = f"runs version {running.version}, design time has {design.version}"
    else:
        return
    origin = Origin.UNKNOWN if record.deployed_on is None else Origin.TENANT
    if record.is_pending:
        origin = Origin.FILES
    by = "" if running is None else running.deployed_by
    yield _entry(spec, Aspect.RUNTIME, origin, detail, by=by, at=None if running is None else running.deployed_on)


def _changed(spec: ArtifactSpec, design: DesigntimeArtifact, aspect: Aspect, origin: Origin, detail: str) -> DriftEntry:
    """Make an entry that names the tenant's last change, unless it is known to be our own."""
    if origin is Origin.FILES:
        return _entry(spec, aspect, origin, detail)
    return _entry(spec, aspect, origin, detail, by=design.modified_by, at=design.modified_at)


def _entry(
    spec: ArtifactSpec, aspect: Aspect, origin: Origin, detail: str, *, by: str = "", at: int | None = None
) -> DriftEntry:
    return DriftEntry(
        package=spec.ref.package,
        ref=spec.ref,
        kind=spec.kind,
        aspect=aspect,
        origin=origin,
        detail=detail,
        by=by,
        at=at,
    )
