"""Who changed the tenant last: our own login, somebody else, or nobody that the tenant names.

Tenants name the author of the last change of integration flows and packages and of every deployment; for the other
families they name nobody (SAP, Integration Content). What our own login did is never somebody's edit: where the record
does not have it, the record is behind, and the origin of whatever else differs is unknown, unless the tenant names
somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum

from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.plan import Origin
from cpi_tasks.model.version import is_same


class Author(Enum):
    """Who made the last change that no run recorded. UNNAMED: the tenant names nobody, or the change is recorded."""

    OWN = "own login"
    OTHER = "somebody else"
    UNNAMED = "unnamed"


def is_own(name: str, inventory: Inventory) -> bool:
    """Return whether a name that the tenant shows is that of our own login."""
    return name.casefold() in inventory.own_names


def last_author(artifact: ArtifactId, inventory: Inventory, *, of_content: bool) -> Author:
    """Return who changed an artifact after the state that is recorded.

    Without a time of change, the author named is that of the content: some tenants name nobody for a parameter.
    """
    design = inventory.artifacts.get(artifact)
    if design is None or not design.modified_by:
        return Author.UNNAMED
    if design.modified_at is None:
        is_recorded = not of_content
    else:
        recorded = _recorded_until(artifact, inventory)
        is_recorded = recorded is not None and design.modified_at <= recorded
    return Author.UNNAMED if is_recorded else _author(design.modified_by, inventory)


def blamed(origin: Origin, artifact: ArtifactId, inventory: Inventory, *, of_content: bool = True) -> Origin:
    """Return the origin of an artifact's difference, without blaming anybody for what our own login may have done."""
    return _blamed(origin, last_author(artifact, inventory, of_content=of_content), inventory)


def blamed_for_package(origin: Origin, package: PackageId, inventory: Inventory) -> Origin:
    """Return the same for a package's metadata."""
    return _blamed(origin, _package_author(package, inventory), inventory)


def is_unrecorded_deployment(artifact: ArtifactId, inventory: Inventory) -> bool:
    """Return whether our own login deployed an artifact after the last deployment that is recorded."""
    running, record = inventory.runtime.get(artifact), inventory.record(artifact)
    if running is None or running.deployed_on is None or record.deployed_on is None or record.is_pending:
        return False
    return running.deployed_on > record.deployed_on and is_own(running.deployed_by, inventory)


def find_unrecorded(inventory: Inventory) -> tuple[str, ...]:
    """Return what our own login changed or deployed and no run recorded: then the record is behind."""
    packages = (f"package '{package}'" for package in inventory.package_baselines if _is_package(package, inventory))
    artifacts = (f"'{artifact}'" for artifact in inventory.artifacts if _is_artifact(artifact, inventory))
    return (*packages, *artifacts)


def with_unrecorded(inventories: Sequence[Inventory]) -> list[Inventory]:
    """Return the inventories of one tenant, each with what is unrecorded in any of them: they share one record."""
    found = tuple(dict.fromkeys(name for inventory in inventories for name in find_unrecorded(inventory)))
    return [replace(inventory, unrecorded=found) for inventory in inventories]


def _is_artifact(artifact: ArtifactId, inventory: Inventory) -> bool:
    if is_unrecorded_deployment(artifact, inventory):
        return True
    if artifact not in inventory.baselines:
        return False
    is_content = _has_other_content(artifact, inventory)
    if not is_content and not any(_other_differences(artifact, inventory)):
        return False
    return last_author(artifact, inventory, of_content=is_content) is Author.OWN


def _has_other_content(artifact: ArtifactId, inventory: Inventory) -> bool:
    now, left = inventory.fingerprints.get(artifact), inventory.baselines[artifact].content
    return None not in {now, left} and now not in {left, inventory.record(artifact).uploaded}


def _other_differences(artifact: ArtifactId, inventory: Inventory) -> Iterator[bool]:
    """Yield whether version and parameters are others than recorded; what was cut off is not."""
    if inventory.record(artifact).is_pending:
        return
    left, design = inventory.baselines[artifact], inventory.artifacts[artifact]
    yield left.version is not None and not is_same(left.version, design.version)
    now = inventory.value_digests.get(artifact, {})
    yield any(now.get(key, digest) != digest for key, digest in left.parameters.items())


def _is_package(package: PackageId, inventory: Inventory) -> bool:
    left, now = inventory.package_baselines[package], inventory.package_digests.get(package, {})
    is_other = any(now.get(name, digest) != digest for name, digest in left.items())
    return is_other and _package_author(package, inventory) is Author.OWN


def _package_author(package: PackageId, inventory: Inventory) -> Author:
    found = inventory.packages.get(package)
    if found is None or not found.modified_by:
        return Author.UNNAMED
    # Nothing records a package's own time: what any run saw of the tenant later covers it.
    times = [_recorded_until(artifact, inventory) for artifact in inventory.baselines]
    recorded = max((time for time in times if time is not None), default=None)
    is_recorded = recorded is not None and found.modified_at is not None and found.modified_at <= recorded
    return Author.UNNAMED if is_recorded else _author(found.modified_by, inventory)


def _recorded_until(artifact: ArtifactId, inventory: Inventory) -> int | None:
    """Return the last time of change that a run saw of an artifact; records of earlier releases have deployments only.

    ``None`` where nothing is recorded.
    """
    baseline, record = inventory.baselines.get(artifact), inventory.record(artifact)
    times = [record.modified_at, None if baseline is None else baseline.modified_at]
    known = [time for time in times if time is not None]
    return max(known) if known else record.deployed_on


def _author(name: str, inventory: Inventory) -> Author:
    return Author.OWN if is_own(name, inventory) else Author.OTHER


def _blamed(origin: Origin, author: Author, inventory: Inventory) -> Origin:
    if not origin.is_drift or author is Author.OTHER:
        return origin
    is_known = author is Author.UNNAMED and not inventory.unrecorded
    return origin if is_known else Origin.UNKNOWN
