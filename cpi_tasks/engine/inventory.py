"""Read what the plan needs from the tenant, with as few requests as it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import trio

from cpi_tasks.content import read_archive
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Settings
from cpi_tasks.model.content import ArtifactContent, DownloadedContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.records import Records
from cpi_tasks.model.tenant import (
    ConfigurationParameter,
    DesigntimeArtifact,
    IntegrationPackage,
    RuntimeArtifact,
    Tenant,
)

_DETAILS_AT_ONCE = 8


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What has been read so far."""

    packages: dict[PackageId, IntegrationPackage] = field(default_factory=dict)
    artifacts: dict[ArtifactId, DesigntimeArtifact] = field(default_factory=dict)
    downloads: dict[ArtifactId, DownloadedContent] = field(default_factory=dict)
    parameters: dict[ArtifactId, tuple[ConfigurationParameter, ...] | None] = field(default_factory=dict)
    runtime: dict[ArtifactId, RuntimeArtifact] = field(default_factory=dict)
    unreadable_packages: dict[PackageId, str] = field(default_factory=dict)
    unreadable_artifacts: dict[ArtifactId, str] = field(default_factory=dict)


async def read_inventory(
    tenant: Tenant,
    config: DeployConfig,
    contents: Mapping[ArtifactRef, ArtifactContent],
    settings: Settings,
    records: Records,
) -> Inventory:
    """Read packages, artifact lists and what runs; then the contents and parameters that must be compared.

    What the tenant refuses for one package or artifact is kept as unreadable; raises ``AuthenticationError`` and
    ``TenantUnavailable``.
    """
    reading = _Reading()
    async with trio.open_nursery() as nursery:
        if settings.mode.deploys:
            nursery.start_soon(_read_runtime, tenant, reading)
        for package in config.packages:
            nursery.start_soon(_read_package, tenant, package, settings, reading)
    limiter = trio.CapacityLimiter(_DETAILS_AT_ONCE)
    async with trio.open_nursery() as nursery:
        for package in config.packages:
            for spec in package.artifacts:
                if spec.id in reading.artifacts:
                    needs = _needs(spec, contents.get(spec.ref), settings, reading, records)
                    nursery.start_soon(_read_details, tenant, spec, needs, reading, limiter)
    return Inventory(
        packages=reading.packages,
        artifacts=reading.artifacts,
        downloads=reading.downloads,
        parameters=reading.parameters,
        parameter_digests=_digests(reading, records),
        runtime=reading.runtime,
        records={spec.id: records.get(spec.id) for package in config.packages for spec in package.artifacts},
        unreadable_packages=reading.unreadable_packages,
        unreadable_artifacts=reading.unreadable_artifacts,
    )


async def _read_runtime(tenant: Tenant, reading: _Reading) -> None:
    for artifact in await tenant.list_runtime_artifacts():
        reading.runtime[artifact.id] = artifact


async def _read_package(tenant: Tenant, spec: PackageSpec, settings: Settings, reading: _Reading) -> None:
    try:
        if settings.mode.updates and spec.sync:
            package = await tenant.read_package(spec.id)
            if package is None:
                return
            reading.packages[spec.id] = package
        wanted = [artifact for artifact in spec.artifacts if _takes_part(artifact, settings)]
        for kind in dict.fromkeys(artifact.kind for artifact in wanted):
            # Only what the configuration has in this very package: ids are unique on a tenant, and one that another
            # package holds must not be taken for this one's.
            ids = {artifact.id for artifact in wanted if artifact.kind is kind}
            for found in await tenant.list_artifacts(spec.id, kind):
                if found.id in ids:
                    reading.artifacts[found.id] = found
    except RequestRejected as error:
        reading.unreadable_packages[spec.id] = str(error)


def _takes_part(spec: ArtifactSpec, settings: Settings) -> bool:
    return (settings.mode.updates and spec.sync) or (settings.mode.deploys and spec.deploy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needs:
    """Which details of an artifact must be read; ``is_proof``: only to spare a deployment, a refusal does no harm."""

    content: bool
    parameters: bool
    is_proof: bool = False


def _needs(
    spec: ArtifactSpec, content: ArtifactContent | None, settings: Settings, reading: _Reading, records: Records
) -> _Needs:
    is_flow = spec.kind is ArtifactKind.INTEGRATION_FLOW
    if settings.mode.updates and spec.sync and content is not None:
        package = reading.packages.get(spec.ref.package)
        is_read_only = package is not None and package.is_read_only
        has_parameters = is_flow and bool(content.known_keys or spec.overrides)
        return _Needs(content=not is_read_only, parameters=has_parameters)
    is_proof = settings.mode.deploys and spec.deploy and _is_record_needed(spec.id, reading, records)
    return _Needs(content=is_proof, parameters=is_proof and is_flow, is_proof=is_proof)


def _is_record_needed(artifact: ArtifactId, reading: _Reading, records: Records) -> bool:
    """Tell whether reading the content could spare a deployment that timestamps alone do not spare.

    Where the tenant gives no time of change, that is the next run's: only what was read can be put on record.
    """
    runtime, design, record = reading.runtime.get(artifact), reading.artifacts[artifact], records.get(artifact)
    if runtime is not None and runtime.deployed_on is None:
        return False
    if design.modified_at is None:
        return True
    if runtime is None or runtime.deployed_on is None or record.is_pending or record.content is None:
        return False
    return runtime.deployed_on <= design.modified_at and runtime.deployed_on == record.deployed_on


async def _read_details(
    tenant: Tenant, spec: ArtifactSpec, needs: _Needs, reading: _Reading, limiter: trio.CapacityLimiter
) -> None:
    trouble = ""
    async with limiter:
        try:
            if needs.content:
                archive = await tenant.download_artifact(spec.id, spec.kind)
                trouble = await _open(spec, archive, reading)
            if needs.parameters and not trouble:
                reading.parameters[spec.id] = await tenant.read_parameters(spec.id)
        except RequestRejected as error:
            trouble = str(error)
    if trouble:
        # Half a proof is none; without one an artifact is deployed, also from a package whose content is not shown.
        reading.downloads.pop(spec.id, None)
        if not needs.is_proof:
            reading.unreadable_artifacts[spec.id] = trouble


async def _open(spec: ArtifactSpec, archive: bytes, reading: _Reading) -> str:
    """Read a downloaded archive; gives why that is not possible, which concerns its artifact alone."""
    try:
        reading.downloads[spec.id] = await run_heavy(
            len(archive), lambda: read_archive(archive, artifact=spec.id, kind=spec.kind)
        )
    except TenantUnavailable as error:
        return str(error)
    return ""


def _digests(reading: _Reading, records: Records) -> dict[ArtifactId, str]:
    return {
        artifact: records.digest({p.key: p.value for p in reading.parameters.get(artifact) or ()})
        for artifact in reading.artifacts
    }
