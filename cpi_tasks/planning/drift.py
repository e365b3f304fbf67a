"""In what a tenant differs from the files, each difference with the one who made it; nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cpi_tasks.content import changed_paths, differing_metadata
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.drift import Aspect, DriftEntry
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactRef, VersionPolicy
from cpi_tasks.model.plan import Origin
from cpi_tasks.model.records import Baseline
from cpi_tasks.model.tenant import DesigntimeArtifact, RuntimeArtifact
from cpi_tasks.model.version import is_same
from cpi_tasks.planning.authors import blamed, is_unrecorded_deployment
from cpi_tasks.planning.deployments import is_behind
from cpi_tasks.planning.origins import (
    content_origin,
    draft_origin,
    field_origin,
    is_own_upload,
    missing_origin,
    parameter_origin,
)
from cpi_tasks.planning.parameters import ParameterPlan, plan_parameters
from cpi_tasks.planning.words import listed

_ABSENT = {
    Origin.TENANT: "deleted on the tenant",
    Origin.FILES: "not on the tenant yet",
    Origin.UNKNOWN: "not on the tenant",
}
# Where somebody changed one of these, it follows that something older runs.
_MOVING = frozenset({Aspect.CONTENT, Aspect.VERSION})


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
        origin = missing_origin(inventory, was_there=spec.id in inventory.package_baselines)
        detail = f"the package {'was' if origin is Origin.TENANT else 'is'} {_ABSENT[origin]}"
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
        found: list[DriftEntry] = []
        if content is not None:
            found += _designtime(spec, content, design, inventory, settings)
            found += _parameters(spec, content, design, inventory, settings)
        yield from found
        if spec.deploy:
            yield from _runtime(spec, design, inventory, found)
    lock = inventory.locks.get(spec.id)
    if lock is not None:
        who = f" by {lock.created_by}" if lock.created_by else ""
        yield _entry(spec, Aspect.LOCK, Origin.TENANT, f"open in an editor{who}", at=lock.created_at)


def _missing(spec: ArtifactSpec, inventory: Inventory) -> Iterator[DriftEntry]:
    # What takes no part in a run was not looked for either.
    if spec.sync or spec.deploy:
        origin = missing_origin(inventory, was_there=spec.id in inventory.baselines)
        also = ", or moved to another package" if origin is Origin.TENANT else ""
        yield _entry(spec, Aspect.MISSING, origin, f"{_ABSENT[origin]}{also}")


def _designtime(
    spec: ArtifactSpec,
    content: ArtifactContent,
    design: DesigntimeArtifact,
    inventory: Inventory,
    settings: Settings,
) -> Iterator[DriftEntry]:
    """Give what differs of content and version; a version that moved with somebody's content is no second difference.

    A draft is one entry, with its content.
    """
    downloaded = inventory.downloads.get(spec.id)
    paths = () if downloaded is None else changed_paths(content.digest, downloaded.digest)
    if design.is_draft:
        same = "" if downloaded is None else " with the content of the files"
        detail = f"an unsaved draft that differs in {listed(paths)}" if paths else f"an unsaved draft{same}"
        yield _changed(spec, design, Aspect.DRAFT, draft_origin(spec.id, content, inventory), detail)
        return
    origin = content_origin(spec.id, content, inventory)
    if paths:
        yield _changed(spec, design, Aspect.CONTENT, origin, f"content differs in {listed(paths)}")
    if not (paths and origin.is_drift):
        yield from _version(spec, content, design, inventory, is_exact=_is_exact(spec, inventory, settings, paths))


def _is_exact(spec: ArtifactSpec, inventory: Inventory, settings: Settings, paths: tuple[str, ...]) -> bool:
    """Tell whether a run would change the version alone: not with the content, and not in a read-only package."""
    package = inventory.packages.get(spec.ref.package)
    is_read_only = package is not None and package.is_read_only
    return settings.versioning is VersionPolicy.EXACT and not paths and not is_read_only


def _version(
    spec: ArtifactSpec, content: ArtifactContent, design: DesigntimeArtifact, inventory: Inventory, *, is_exact: bool
) -> Iterator[DriftEntry]:
    baseline = inventory.baselines.get(spec.id)
    left = None if baseline is None or is_own_upload(spec.id, inventory) else baseline.version
    if left is not None and not is_same(left, design.version):
        detail = f"saved as version {design.version}, the last run left {left}"
        yield _changed(spec, design, Aspect.VERSION, blamed(Origin.TENANT, spec.id, inventory), detail)
    elif is_exact and not is_same(content.version, design.version):
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
    baseline = inventory.baselines.get(spec.id, Baseline())
    if spec.id in inventory.parameters and inventory.parameters[spec.id] is None:
        # Nobody can say that these differ, nor that nobody changed them.
        if planned.enforced or baseline.parameters:
            yield _entry(spec, Aspect.UNREADABLE, Origin.UNKNOWN, "the tenant does not show the flow's parameters")
        return
    for change in planned.changes:
        detail = f"parameter '{change.key}' is not as the files say"
        yield _changed(spec, design, Aspect.PARAMETER, change.origin, detail)
    # What differs from the files since before the last run is how somebody configured it, and stays so.
    kept = {change.key: change.origin for change in planned.kept}
    if spec.id in inventory.proved_parameters:
        kept = {key: parameter_origin(spec.id, key, inventory) for key in _unread(spec, content, planned, inventory)}
    for key, origin in kept.items():
        if origin.is_drift:
            yield _changed(spec, design, Aspect.PARAMETER, origin, f"parameter '{key}' was changed; a run keeps it")


def _unread(
    spec: ArtifactSpec, content: ArtifactContent, planned: ParameterPlan, inventory: Inventory
) -> Iterator[str]:
    """Give the keys that nobody enforces and that differ according to the cache, where values were not read again."""
    now, wanted = inventory.value_digests.get(spec.id, {}), inventory.wanted_digests.get(spec.id, {})
    for key in content.parameters:
        if key not in planned.enforced and key in now and now[key] != wanted.get(key):
            yield key


def _runtime(
    spec: ArtifactSpec, design: DesigntimeArtifact, inventory: Inventory, found: Sequence[DriftEntry]
) -> Iterator[DriftEntry]:
    """Say that what design time holds does not run, unless that follows from a difference told already (``found``)."""
    running = inventory.runtime.get(spec.id)
    others = [entry.aspect for entry in found if entry.origin is not Origin.FILES]
    if running is None:
        detail = "not deployed"
    elif running.status not in {"STARTED", "STARTING"}:
        detail = f"is {running.status} on the tenant"
    elif not design.is_draft and running.version != design.version and not _MOVING.intersection(others):
        detail = f"runs version {running.version}, design time has {design.version}"
    elif running.status == "STARTED" and not others and is_behind(design, running, inventory):
        detail = f"was changed{f' by {design.modified_by}' if design.modified_by else ''} after its last deployment"
    elif running.status == "STARTED" and not found and inventory.record(spec.id).is_pending:
        detail = "an earlier run wrote a change that was never seen running"
    else:
        return
    by, at = ("", None) if running is None else (running.deployed_by, running.deployed_on)
    yield _entry(spec, Aspect.RUNTIME, _runtime_origin(spec, running, inventory), detail, by=by, at=at)


def _runtime_origin(spec: ArtifactSpec, running: RuntimeArtifact | None, inventory: Inventory) -> Origin:
    record = inventory.record(spec.id)
    if record.is_pending:
        return Origin.FILES
    # Our own deployment may have failed since for many reasons; nobody is known to have touched it.
    is_ours = running is not None and running.status == "ERROR" and running.deployed_on == record.deployed_on
    if record.deployed_on is None or is_ours or is_unrecorded_deployment(spec.id, inventory):
        return Origin.UNKNOWN
    return blamed(Origin.TENANT, spec.id, inventory)


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
