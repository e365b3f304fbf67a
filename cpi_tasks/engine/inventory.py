"""Read what the plan needs from the tenant, with as few requests as it takes."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

import trio

from cpi_tasks.content import comparable_metadata, differing_metadata, given_metadata, needs_elsewhere
from cpi_tasks.engine.context import Memory
from cpi_tasks.engine.details import Details, Needs
from cpi_tasks.engine.reading import Reading
from cpi_tasks.errors import RequestFailed, UnreadableAnswer
from cpi_tasks.events import Emit, InventoryProgress
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.records import Records
from cpi_tasks.model.tenant import DesigntimeArtifact, DesigntimeLock, IntegrationPackage, Tenant

_T = TypeVar("_T")
_DETAILS_AT_ONCE = 8
_SHARED_FIRST = (
    ArtifactKind.SCRIPT_COLLECTION,
    ArtifactKind.MESSAGE_MAPPING,
    ArtifactKind.INTEGRATION_FLOW,
    ArtifactKind.VALUE_MAPPING,
)
# From so many packages on, the list of all the tenant's packages costs less than asking for each.
_LISTED_FROM = 4


async def read_inventory(
    tenant: Tenant,
    config: DeployConfig,
    contents: Mapping[ArtifactRef, ArtifactContent],
    *,
    settings: Settings,
    memory: Memory,
    emit: Emit,
) -> Inventory:
    """Read packages, artifact lists and what runs; then the contents and parameters that must be compared.

    What the cache knows in exactly the state that is listed, and what equals the files there, is not read again. What
    the tenant refuses for one package or artifact is kept as unreadable; raises ``AuthenticationError`` and
    ``TenantUnavailable``.
    """
    reading = Reading(read_at=trio.current_time())
    async with trio.open_nursery() as nursery:
        if settings.mode.deploys:
            nursery.start_soon(_read_runtime, tenant, config, reading)
        listed = await _list_packages(tenant, config, settings)
        for package in config.packages:
            nursery.start_soon(_read_package, tenant, package, settings, listed.get(package.id), reading)
    await _read_details(tenant, config, contents, settings=settings, memory=memory, emit=emit, reading=reading)
    if settings.mode.deploys:
        await _look_elsewhere(tenant, config, contents, reading)
    memory.cache.save()
    return _inventory(config, contents, reading, memory.records)


async def read_locks(tenant: Tenant) -> Mapping[ArtifactId, DesigntimeLock]:
    """Read who has what open in the editor, by artifact; empty where the login may not see it."""
    try:
        return {lock.artifact: lock for lock in await tenant.list_locks()}
    except RequestFailed:
        return {}


async def _read_runtime(tenant: Tenant, config: DeployConfig, reading: Reading) -> None:
    try:
        reading.runtime = await tenant.list_runtime_artifacts()
    except UnreadableAnswer:
        # Whose row cannot be read is not known, so each is asked for by itself.
        reading.runtime = await _read_each(
            [spec.id for package in config.packages for spec in package.artifacts if spec.deploy],
            tenant.read_runtime_artifact,
            reading,
        )


async def _read_each(
    artifacts: Iterable[ArtifactId], read: Callable[[ArtifactId], Awaitable[_T | None]], reading: Reading
) -> dict[ArtifactId, _T]:
    """Read artifacts one by one; one whose answer cannot be read is noted as unreadable, and no other."""
    found: dict[ArtifactId, _T] = {}
    rest = iter(artifacts)

    async def work() -> None:
        for artifact in rest:
            try:
                one = await read(artifact)
            except RequestFailed as error:
                reading.unreadable_artifacts[artifact] = str(error)
            else:
                found.update({} if one is None else {artifact: one})

    async with trio.open_nursery() as nursery:
        for _ in range(_DETAILS_AT_ONCE):
            nursery.start_soon(work)
    return found


async def _look_elsewhere(
    tenant: Tenant, config: DeployConfig, contents: Mapping[ArtifactRef, ArtifactContent], reading: Reading
) -> None:
    """Look for what is used and neither in the configuration nor running; a refusal says nothing of it."""
    needed = frozenset[ArtifactId]().union(*needs_elsewhere(config, contents).values())

    async def look(artifact: ArtifactId) -> None:
        with suppress(RequestFailed):
            reading.elsewhere[artifact] = await _exists(tenant, artifact)

    async with trio.open_nursery() as nursery:
        for artifact in sorted(needed - reading.runtime.keys()):
            nursery.start_soon(look, artifact)


async def _exists(tenant: Tenant, artifact: ArtifactId) -> bool:
    for kind in _SHARED_FIRST:
        if await tenant.read_artifact(artifact, kind) is not None:
            return True
    return False


async def _list_packages(
    tenant: Tenant, config: DeployConfig, settings: Settings
) -> Mapping[PackageId, IntegrationPackage]:
    """List the tenant's packages where that saves requests; a refusal is left for the single package to explain."""
    if sum(settings.mode.updates and spec.sync for spec in config.packages) < _LISTED_FROM:
        return {}
    try:
        return {package.id: package for package in await tenant.list_packages()}
    except RequestFailed:
        return {}


async def _read_package(
    tenant: Tenant, spec: PackageSpec, settings: Settings, listed: IntegrationPackage | None, reading: Reading
) -> None:
    try:
        if settings.mode.updates and spec.sync:
            # A list may be abridged: nothing is created or written because of what it does not show.
            is_certain = listed is not None and not differing_metadata(spec, listed.metadata)
            package = listed if is_certain else await tenant.read_package(spec.id)
            if package is None:
                return
            reading.packages[spec.id] = package
        await _list_artifacts(tenant, spec, settings, reading)
    except RequestFailed as error:
        reading.unreadable_packages[spec.id] = str(error)


async def _list_artifacts(tenant: Tenant, spec: PackageSpec, settings: Settings, reading: Reading) -> None:
    wanted = [artifact for artifact in spec.artifacts if _takes_part(artifact, settings)]
    for kind in dict.fromkeys(artifact.kind for artifact in wanted):
        # Only what the configuration has in this very package: ids are unique on a tenant, and one that another
        # package holds must not be taken for this one's.
        ids = {artifact.id for artifact in wanted if artifact.kind is kind}
        for found in await _listed(tenant, spec.id, kind, ids, reading):
            if found.id in ids:
                reading.artifacts[found.id] = found


async def _listed(
    tenant: Tenant, package: PackageId, kind: ArtifactKind, ids: Collection[ArtifactId], reading: Reading
) -> Iterable[DesigntimeArtifact]:
    try:
        return await tenant.list_artifacts(package, kind)
    except UnreadableAnswer:
        found = await _read_each(sorted(ids), lambda artifact: tenant.read_artifact(artifact, kind), reading)
        return [one for one in found.values() if one.package in {package, ""}]


def _takes_part(spec: ArtifactSpec, settings: Settings) -> bool:
    return (settings.mode.updates and spec.sync) or (settings.mode.deploys and spec.deploy)


async def _read_details(
    tenant: Tenant,
    config: DeployConfig,
    contents: Mapping[ArtifactRef, ArtifactContent],
    *,
    settings: Settings,
    memory: Memory,
    emit: Emit,
    reading: Reading,
) -> None:
    details = Details(tenant, settings=settings, memory=memory, reading=reading)
    specs = [
        spec
        for package in config.packages
        for spec in package.artifacts
        if spec.id in reading.artifacts and package.id not in reading.unreadable_packages
    ]
    rest, settled = iter(specs), itertools.count(1)

    async def work() -> None:
        for spec in rest:
            # There may be nothing to read of thousands in a row: signals and the display want their turn as well.
            await trio.lowlevel.checkpoint()
            content = contents.get(spec.ref)
            await details.read(spec, content, _needs(spec, content, settings, reading, memory.records))
            emit(InventoryProgress(read=next(settled), total=len(specs)))

    async with trio.open_nursery() as nursery:
        for _ in range(min(_DETAILS_AT_ONCE, len(specs))):
            nursery.start_soon(work)


def _needs(
    spec: ArtifactSpec, content: ArtifactContent | None, settings: Settings, reading: Reading, records: Records
) -> Needs:
    is_flow = spec.kind is ArtifactKind.INTEGRATION_FLOW
    if settings.mode.updates and spec.sync and content is not None:
        package = reading.packages.get(spec.ref.package)
        is_read_only = package is not None and package.is_read_only
        has_parameters = is_flow and bool(content.known_keys or spec.overrides)
        return Needs(content=not is_read_only, parameters=has_parameters)
    is_proof = settings.mode.deploys and spec.deploy and _is_record_needed(spec.id, reading, records)
    return Needs(content=is_proof, parameters=is_proof and is_flow, is_proof=is_proof)


def _is_record_needed(artifact: ArtifactId, reading: Reading, records: Records) -> bool:
    """Tell whether reading the content could spare a deployment that timestamps alone do not spare.

    Only our record of just this deployment could.
    """
    runtime, design, record = reading.runtime.get(artifact), reading.artifacts[artifact], records.get(artifact)
    if runtime is None or runtime.deployed_on is None or record.is_pending or record.content is None:
        return False
    is_proved = record.has_last_change(deployed_on=runtime.deployed_on, modified_at=design.modified_at)
    return not is_proved and runtime.deployed_on == record.deployed_on


def _inventory(
    config: DeployConfig,
    contents: Mapping[ArtifactRef, ArtifactContent],
    reading: Reading,
    records: Records,
) -> Inventory:
    specs = [spec for package in config.packages for spec in package.artifacts]
    digest_each = records.digest_each
    wanted = {spec.id: contents[spec.ref].parameters for spec in specs if spec.ref in contents}
    baselines = {spec.id: records.baseline(spec.id) for spec in specs}
    packages = {package.id: records.package_baseline(package.id) for package in config.packages}
    return Inventory(
        read_at=reading.read_at,
        packages=reading.packages,
        artifacts=reading.artifacts,
        downloads=reading.downloads,
        parameters=reading.parameters,
        parameter_digests={artifact: _digest(artifact, reading, records) for artifact in reading.artifacts},
        runtime=reading.runtime,
        records={spec.id: records.get(spec.id) for spec in specs},
        fingerprints=reading.fingerprints,
        proved_parameters=frozenset(reading.proved),
        baselines={artifact: baseline for artifact, baseline in baselines.items() if baseline is not None},
        value_digests={artifact: _value_digests(artifact, reading, records) for artifact in reading.artifacts},
        wanted_digests={artifact: digest_each(values) for artifact, values in wanted.items() if values},
        package_baselines={package: digests for package, digests in packages.items() if digests is not None},
        package_digests={id_: digest_each(comparable_metadata(one.metadata)) for id_, one in reading.packages.items()},
        package_wanted_digests={
            package.id: digest_each(comparable_metadata(given_metadata(package))) for package in config.packages
        },
        own_names=records.own_names(),
        elsewhere=reading.elsewhere,
        unreadable_packages=reading.unreadable_packages,
        unreadable_artifacts=reading.unreadable_artifacts,
    )


def _digest(artifact: ArtifactId, reading: Reading, records: Records) -> str:
    known = reading.proved.get(artifact)
    return records.digest(reading.values(artifact)) if known is None else known.parameter_digest or ""


def _value_digests(artifact: ArtifactId, reading: Reading, records: Records) -> Mapping[str, str]:
    known = reading.proved.get(artifact)
    values = partial(records.digest_each, reading.values(artifact))
    return values() if known is None else known.parameters or {}
