"""What the last run left on record beside the two sides of a plan; a digest of a value is ``key=value`` here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cpi_tasks.content import comparable_metadata, given_metadata
from cpi_tasks.model.config import DeployConfig, PackageSpec, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.drift import DriftEntry
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.records import ArtifactRecord, Baseline
from cpi_tasks.model.tenant import RuntimeArtifact
from cpi_tasks.planning import find_drift
from tests.planning.builders import RECORD, SAME, design, digest, download, inventory, package, runtime

ANN = "ann@example.com"
Told = list[tuple[str, str, str]]


def left(
    entries: Mapping[str, str] = SAME, *, version: str | None = "1.0.0", parameters: Mapping[str, str] | None = None
) -> Baseline:
    """Give how the last run left an artifact."""
    return Baseline(content=digest(entries).fingerprint, version=version, parameters=digests(parameters or {}))


def digests(values: Mapping[str, str]) -> Mapping[str, str]:
    return {key: f"{key}={value}" for key, value in values.items()}


def remembering(
    tenant: Inventory,
    baseline: Baseline | None,
    files: Iterable[ArtifactContent] = (),
    *,
    packages: Iterable[PackageSpec] = (),
    package_left: Mapping[str, str] | None = None,
) -> Inventory:
    """Give a tenant with the baseline of its one flow, and all digests that tell who moved since."""
    return replace(
        tenant,
        fingerprints={id_: one.digest.fingerprint for id_, one in tenant.downloads.items()},
        baselines={} if baseline is None else {ArtifactId("Flow"): baseline},
        value_digests={flow: digests(tenant.values(flow)) for flow in tenant.artifacts},
        wanted_digests={one.spec.id: digests(one.parameters) for one in files},
        package_baselines={} if package_left is None else {PackageId("Pack"): digests(package_left)},
        package_digests={id_: digests(comparable_metadata(one.metadata)) for id_, one in tenant.packages.items()},
        package_wanted_digests={one.id: digests(comparable_metadata(given_metadata(one))) for one in packages},
    )


def visited(
    entries: Mapping[str, str] = SAME,
    *,
    version: str = "1.0.0",
    running: RuntimeArtifact | None = None,
    record: ArtifactRecord = RECORD,
    parameters: Mapping[str, str] | None = None,
    modified_at: int | None = 1_000,
) -> Inventory:
    """Give a tenant with one flow in some state, which runs and was changed by ann last."""
    return inventory(
        design(version=version, modified_at=modified_at, modified_by=ANN),
        downloads={"Flow": download(entries)},
        parameters={} if parameters is None else {"Flow": parameters},
        running=[running or runtime()],
        records={"Flow": record},
        digests={"Flow": "digest of parameters"},
    )


def drift(
    of: ArtifactContent, tenant: Inventory, settings: Settings | None = None, *, in_package: PackageSpec | None = None
) -> list[DriftEntry]:
    """Look for drift in a package that holds one artifact."""
    config = DeployConfig(source="deploy.yml", prefix="", packages=(in_package or package(of.spec),), renames={})
    return list(find_drift(config, {of.spec.ref: of}, tenant, settings or Settings()))


def told(entries: Iterable[DriftEntry]) -> Told:
    return [(entry.aspect.value, entry.origin.value, entry.detail) for entry in entries]
