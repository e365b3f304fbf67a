"""Small builders for the two sides of a plan: what the files say, and what the tenant shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Position, Settings
from cpi_tasks.model.content import ArtifactContent, ContentDigest, DownloadedContent, MappedGroups, MappedValue
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, Mode, PackageId
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, DeployStep, Plan, UpdateStep
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.model.tenant import ConfigurationParameter, DesigntimeArtifact, IntegrationPackage, RuntimeArtifact
from cpi_tasks.planning import make_plan

FLOW = ArtifactKind.INTEGRATION_FLOW
SCRIPTS = ArtifactKind.SCRIPT_COLLECTION
MAPPING = ArtifactKind.MESSAGE_MAPPING
VALUES = ArtifactKind.VALUE_MAPPING
SAME = {"script/a.groovy": "one"}
OTHER = {"script/a.groovy": "two"}
SETTINGS = Settings()
DEPLOY_ONLY = Settings(mode=Mode.DEPLOY_ONLY)


def ref(artifact: str = "Flow", package: str = "Pack") -> ArtifactRef:
    return ArtifactRef(package=PackageId(package), artifact=ArtifactId(artifact))


def spec(
    artifact: str = "Flow",
    kind: ArtifactKind = FLOW,
    *,
    package: str = "Pack",
    sync: bool = True,
    deploy: bool = True,
    overrides: Mapping[str, str] | None = None,
) -> ArtifactSpec:
    lines = {key: 20 + number for number, key in enumerate(overrides or {})}
    return ArtifactSpec(
        ref=ref(artifact, package),
        source_id=artifact,
        kind=kind,
        folder=Path("packages", package, artifact),
        display_name=None,
        sync=sync,
        deploy=deploy,
        overrides=overrides or {},
        position=Position(file="deploy.yml", line=12, column=7, path="packages.0.artifacts.0"),
        override_positions={
            key: Position(file="deploy.yml", line=line, column=11, path=f"configOverrides.{key}")
            for key, line in lines.items()
        },
    )


def digest(entries: Mapping[str, str], description: str | None = None) -> ContentDigest:
    hashed = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in entries.items()}
    return ContentDigest(entries=hashed, description=description)


FINGERPRINT = digest(SAME).fingerprint
RECORD = ArtifactRecord(content=FINGERPRINT, parameters="digest of parameters", deployed_on=2_000)
TRIGGERED = ArtifactRecord(is_pending=True, is_triggered=True)


def content(
    of: ArtifactSpec,
    entries: Mapping[str, str] | None = None,
    *,
    version: str = "1.0.0",
    parameters: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    known: Iterable[str] = (),
    references: Iterable[str] = (),
    addresses: tuple[str, ...] = (),
    timers: tuple[str, ...] = (),
    description: str | None = None,
    values: MappedGroups | None = None,
) -> ArtifactContent:
    return ArtifactContent(
        spec=of,
        renames={},
        version=version,
        name=str(of.id),
        digest=digest(SAME if entries is None else entries, description),
        parameters=parameters or {},
        parameter_types=types or {},
        known_keys=frozenset(parameters or {}) | frozenset(known),
        references=frozenset(references),
        fixed_addresses=addresses,
        timers=timers,
        values=values,
    )


def download(
    entries: Mapping[str, str] | None = None, *, version: str = "1.0.0", values: MappedGroups | None = None
) -> DownloadedContent:
    return DownloadedContent(
        digest=digest(SAME if entries is None else entries), version=version, parameters={}, values=values
    )


def design(
    artifact: str = "Flow",
    kind: ArtifactKind = FLOW,
    *,
    version: str = "1.0.0",
    modified_at: int | None = 1_000,
    modified_by: str = "",
) -> DesigntimeArtifact:
    return DesigntimeArtifact(
        id=ArtifactId(artifact),
        kind=kind,
        package=PackageId("Pack"),
        version=version,
        name=artifact,
        modified_at=modified_at,
        modified_by=modified_by,
    )


def runtime(
    artifact: str = "Flow", *, version: str = "1.0.0", status: str = "STARTED", deployed_on: int | None = 2_000
) -> RuntimeArtifact:
    return RuntimeArtifact(id=ArtifactId(artifact), version=version, status=status, deployed_on=deployed_on)


def tenant_package(
    package: str = "Pack", *, metadata: Mapping[str, str] | None = None, is_read_only: bool = False
) -> IntegrationPackage:
    return IntegrationPackage(
        id=PackageId(package),
        name=package,
        short_text=package,
        description="",
        is_read_only=is_read_only,
        metadata={"Name": package, "ShortText": package} if metadata is None else metadata,
    )


def inventory(
    *designs: DesigntimeArtifact,
    package: IntegrationPackage | None = None,
    downloads: Mapping[str, DownloadedContent] | None = None,
    parameters: Mapping[str, Mapping[str, str] | None] | None = None,
    schedules: Iterable[str] = (),
    running: Iterable[RuntimeArtifact] = (),
    records: Mapping[str, ArtifactRecord] | None = None,
    digests: Mapping[str, str] | None = None,
    unreadable_packages: Mapping[PackageId, str] | None = None,
    unreadable_artifacts: Mapping[ArtifactId, str] | None = None,
) -> Inventory:
    """Give a tenant with these artifacts, all of content ``SAME`` where ``downloads`` says nothing else."""
    shown = {
        ArtifactId(artifact): None if values is None else tuple(_parameter(k, v, schedules) for k, v in values.items())
        for artifact, values in (parameters or {}).items()
    }
    held = package or tenant_package()
    return Inventory(
        packages={held.id: held},
        artifacts={one.id: one for one in designs},
        downloads={one.id: (downloads or {}).get(one.id, download()) for one in designs},
        parameters=shown,
        parameter_digests={one.id: (digests or {}).get(one.id, "no parameters") for one in designs},
        runtime={one.id: one for one in running},
        records={ArtifactId(artifact): record for artifact, record in (records or {}).items()},
        unreadable_packages=unreadable_packages or {},
        unreadable_artifacts=unreadable_artifacts or {},
    )


def _parameter(key: str, value: str, schedules: Iterable[str]) -> ConfigurationParameter:
    if key in schedules:
        return ConfigurationParameter(key=key, value=value, data_type="custom:schedule")
    return ConfigurationParameter(key=key, value=value)


def package(
    *artifacts: ArtifactSpec,
    called: str = "Pack",
    name: str | None = None,
    description: str | None = None,
    short_text: str | None = None,
    prefix: str = "",
    sync: bool = True,
) -> PackageSpec:
    written = f"{prefix} - {name}" if prefix and name else name
    return PackageSpec(
        id=PackageId(prefix + called),
        source_id=called,
        folder=Path("packages", called),
        name=written,
        creation_name=written or (f"{prefix} - {called}" if prefix else called),
        description=description,
        short_text=short_text,
        sync=sync,
        deploy=True,
        artifacts=artifacts,
        position=Position(file="deploy.yml", line=3, column=5, path="packages.0.integrationSuiteId"),
    )


def plan(
    packages: Iterable[PackageSpec],
    contents: Iterable[ArtifactContent],
    tenant: Inventory,
    settings: Settings = SETTINGS,
    *,
    prefix: str = "",
) -> Plan:
    config = DeployConfig(source="deploy.yml", prefix=prefix, packages=tuple(packages), renames={})
    return make_plan(config, {one.spec.ref: one for one in contents}, tenant, settings)


def plan_one(of: ArtifactContent, tenant: Inventory, settings: Settings = SETTINGS) -> ArtifactPlan:
    """Plan a package that holds one artifact."""
    (planned,) = plan([package(of.spec, called=of.spec.ref.package)], [of], tenant, settings).artifacts()
    return planned


def update_of(of: ArtifactContent, tenant: Inventory, settings: Settings = SETTINGS) -> UpdateStep:
    step = plan_one(of, tenant, settings).update
    assert step is not None
    return step


def deploy_of(of: ArtifactContent, tenant: Inventory, settings: Settings = SETTINGS) -> DeployStep:
    step = plan_one(of, tenant, settings).deploy
    assert step is not None
    return step


def group(**values: str) -> frozenset[MappedValue]:
    """Give one group of a value mapping: agency -> value."""
    return frozenset(MappedValue(agency=agency, schema="Country", value=value) for agency, value in values.items())


def depends_on(planned: Plan) -> dict[str, set[str]]:
    """Give what every planned deployment waits for, by artifact id."""
    return {
        artifact.ref.artifact: {needed.artifact for needed in artifact.deploy.depends_on}
        for artifact in planned.artifacts()
        if artifact.deploy is not None
    }


def plan_with_library(
    library: ArtifactContent, tenant: Inventory, settings: Settings | None = None, kind: ArtifactKind = SCRIPTS
) -> Plan:
    """Plan a flow that uses ``library``, which is in another package."""
    flow = content(spec("Flow"), OTHER, references=[library.spec.id])
    packages = [package(flow.spec), package(library.spec, called="Libs")]
    return plan(packages, [flow, library], tenant, settings or Settings())


def one_flow(
    designed: DesigntimeArtifact | None = None,
    running: RuntimeArtifact | None = None,
    record: ArtifactRecord | None = None,
) -> Inventory:
    """Give a tenant that has at most one flow, which has content ``SAME`` and parameters as ``RECORD`` names them."""
    return inventory(
        *(() if designed is None else (designed,)),
        running=() if running is None else (running,),
        records={} if record is None else {"Flow": record},
        digests={"Flow": "digest of parameters"},
    )


def decided(tenant: Inventory, settings: Settings = DEPLOY_ONLY) -> tuple[DeployAction, str]:
    """Give action and reason for the flow of content ``SAME``."""
    step = deploy_of(content(spec()), tenant, settings)
    return step.action, step.reason
