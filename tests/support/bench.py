"""A bench for the engine: a fake tenant, records, small artifact folders, and plans made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

from cpi_tasks.content import build_archive, load_content
from cpi_tasks.engine import Brake, Ledger, carry_out, read_inventory
from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.events import Event
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Position, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
    PackageAction,
    PackagePlan,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.report import ArtifactOutcome, PartReport, StepOutcome
from cpi_tasks.planning import make_plan
from cpi_tasks.planning.versions import with_version
from tests.support.fake_records import FakeBackups, FakeCache, FakeMemory, FakeRecords
from tests.support.fake_tenant import FakeTenant

FLOW, SCRIPTS, VALUES = ArtifactKind.INTEGRATION_FLOW, ArtifactKind.SCRIPT_COLLECTION, ArtifactKind.VALUE_MAPPING
_MODEL = "src/main/resources/scenarioflows/integrationflow/flow.iflw"
_SCRIPT = "src/main/resources/script/a.groovy"
_PROP = "src/main/resources/parameters.prop"


def ref(artifact: str, package: str = "P") -> ArtifactRef:
    return ArtifactRef(package=PackageId(package), artifact=ArtifactId(artifact))


def unavailable() -> TenantUnavailable:
    return TenantUnavailable("no usable answer came from the tenant")


def rejected(detail: str = "Bad thing", *, status: int = 400) -> RequestRejected:
    return RequestRejected(action="do what was asked", status=status, code="Bad Request", detail=detail)


def deploy(action: DeployAction = DeployAction.DEPLOY, *needed: str, package: str = "P") -> DeployStep:
    return DeployStep(action=action, reason="asked for", depends_on=frozenset(ref(n, package) for n in needed))


def plan_of(*artifacts: ArtifactPlan, action: PackageAction = PackageAction.KEEP, updates: bool = True) -> Plan:
    """Put artifacts into packages by their references; every package gets the same action."""
    by_package: dict[PackageId, list[ArtifactPlan]] = {}
    for artifact in artifacts:
        by_package.setdefault(artifact.ref.package, []).append(artifact)
    metadata = {"Name": "Orders", "ShortText": "Orders"}
    packages = tuple(
        PackagePlan(id=id_, action=action, reason="asked for", metadata=metadata, artifacts=tuple(found))
        for id_, found in by_package.items()
    )
    return Plan(source="deploy.yml", packages=packages, updates=updates, deploys=True)


def deployment(artifact: str, *needed: str, package: str = "P", step: DeployStep | None = None) -> ArtifactPlan:
    """Plan the deployment of an artifact that is on the tenant already."""
    return ArtifactPlan(
        ref=ref(artifact, package), kind=FLOW, deploy=step or deploy(DeployAction.DEPLOY, *needed, package=package)
    )


def package_of(id_: str, *artifacts: ArtifactSpec, name: str | None = None) -> PackageSpec:
    """Describe a package as the configuration would; without ``name`` its metadata is left alone."""
    return PackageSpec(
        id=PackageId(id_),
        source_id=id_,
        folder=Path(),
        name=name,
        creation_name=name or id_,
        description=None,
        short_text=None,
        sync=True,
        deploy=True,
        artifacts=artifacts,
        position=Position(file="deploy.yml", line=1, column=1),
    )


@dataclass(slots=True)
class Bench:
    """Everything one test needs."""

    folder: Path
    tenant: FakeTenant = field(default_factory=FakeTenant)
    settings: Settings = field(default_factory=Settings)
    events: list[Event] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    brake: Brake | None = None
    fakes: FakeMemory = field(init=False)

    def __post_init__(self) -> None:
        """Join what is kept to the tenant's list of calls."""
        self.fakes = FakeMemory.of(self.tenant)

    @property
    def records(self) -> FakeRecords:
        """The deployment records."""
        return self.fakes.records

    @property
    def cache(self) -> FakeCache:
        """What is known of the tenant."""
        return self.fakes.cache

    @property
    def backups(self) -> FakeBackups:
        """What is kept of what is overwritten."""
        return self.fakes.backups

    def content(
        self,
        artifact: str,
        *,
        kind: ArtifactKind = FLOW,
        version: str = "1.0.1",
        package: str = "P",
        parameters: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
        uses: str = "",
        values: str = "DE",
        text: str = "new",
        description: str | None = None,
    ) -> ArtifactContent:
        """Write a small artifact folder and load it."""
        manifest = (
            f"Manifest-Version: 1.0\nBundle-SymbolicName: {artifact}\nBundle-Name: {artifact}\n"
            f"Bundle-Version: {version}\nSAP-BundleType: {kind.value}\n"
        )
        if uses:
            manifest += f'Require-Capability: scriptcollection.{uses};bundleType:String="ScriptCollection"\n'
        manifest += "\n"
        files = {"META-INF/MANIFEST.MF": manifest}
        if kind is VALUES:
            files["value_mapping.xml"] = _mapping(values)
        elif kind is SCRIPTS:
            files[_SCRIPT] = f"// {text}"
        else:
            files |= {_MODEL: f"<definitions>{text}</definitions>", _SCRIPT: f"// {text}"}
        if parameters:
            files[_PROP] = "".join(f"{key}={value}\n" for key, value in parameters.items())
            files[_PROP + "def"] = "<parameters></parameters>"
        if description is not None:
            files["metainfo.prop"] = f"#today\ndescription={description}\n"
        folder = self.folder / package / f"{artifact}-{version}-{text}-{values}-{description}"
        for path, data in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(data)
        spec = self.spec(artifact, kind=kind, package=package, folder=folder)
        return load_content(replace(spec, overrides=overrides or {}), {})

    def spec(
        self, artifact: str, *, kind: ArtifactKind = FLOW, package: str = "P", folder: Path | None = None
    ) -> ArtifactSpec:
        """Describe an artifact as the configuration would."""
        return ArtifactSpec(
            ref=ref(artifact, package),
            source_id=artifact,
            kind=kind,
            folder=folder or self.folder / "none",
            display_name=None,
            sync=True,
            deploy=True,
            overrides={},
            position=Position(file="deploy.yml", line=1, column=1),
            override_positions={},
        )

    def have(self, content: ArtifactContent, *, modified_at: int | None = None) -> None:
        """Put an artifact on the tenant as the files have it; a tenant with a clock of its own gives the time."""
        spec, tenant = content.spec, self.tenant
        tenant.have(spec.id, package=spec.ref.package, kind=spec.kind, version=content.version)
        if modified_at is not None:
            tenant.artifacts[spec.id] = replace(tenant.artifacts[spec.id], modified_at=modified_at)
        tenant.archives[spec.id] = build_archive(content).data
        tenant.parameters[spec.id] = dict(content.parameters)

    def update(
        self, content: ArtifactContent, action: UpdateAction, *, step: UpdateStep | None = None, deployed: bool = True
    ) -> ArtifactPlan:
        """Plan an update and the deployment after it; ``step`` gives more than the action."""
        before = self.tenant.artifacts.get(content.spec.id)
        step = step or UpdateStep(action=action, reason="asked for")
        base = "" if before is None else before.version
        step = with_version(replace(step, content=content, before=before, base_version=base), self.settings.versioning)
        return ArtifactPlan(
            ref=content.spec.ref, kind=content.spec.kind, update=step, deploy=deploy() if deployed else None
        )

    def inventory(self) -> Inventory:
        """Give the tenant's state as planning would have read it, content compared."""
        return Inventory(
            read_at=trio.current_time(),
            fingerprints={artifact.id: f"content of {artifact.id}" for artifact in self.tenant.artifacts.values()},
            artifacts={artifact.id: artifact for artifact in self.tenant.artifacts.values()},
            runtime={artifact.id: artifact for artifact in self.tenant.running.values()},
        )

    async def read(self, *packages: PackageSpec, contents: tuple[ArtifactContent, ...] = ()) -> Inventory:
        """Read the tenant for packages of a configuration; ``contents`` are the folders that take part."""
        return await read_inventory(
            self.tenant,
            DeployConfig(source="deploy.yml", prefix="", packages=packages, renames={}),
            {content.spec.ref: content for content in contents},
            settings=self.settings,
            memory=self.fakes.memory,
            emit=self.events.append,
        )

    async def run(self, *contents: ArtifactContent) -> PartReport:
        """Read the tenant, decide and carry out, for one package; ``tenant.calls`` are those of carrying out."""
        package = package_of("P", *(content.spec for content in contents))
        config = DeployConfig(source="deploy.yml", prefix="", packages=(package,), renames={})
        inventory = await self.read(package, contents=contents)
        plan = make_plan(config, {content.spec.ref: content for content in contents}, inventory, self.settings)
        self.tenant.calls.clear()
        self.ledger = Ledger()
        return await self.carry_out(plan, inventory)

    async def carry_out(self, plan: Plan, inventory: Inventory | None = None) -> PartReport:
        """Carry out a plan and fold its report; ``inventory`` where the tenant changed after planning."""
        await carry_out(
            plan,
            inventory or self.inventory(),
            tenant=self.tenant,
            memory=self.fakes.memory,
            settings=self.settings,
            emit=self.events.append,
            ledger=self.ledger,
            brake=self.brake or Brake(settings=self.settings, total=sum(1 for _ in plan.artifacts())),
        )
        return self.ledger.fold(plan)

    async def deployed(self, artifact: str = "A") -> StepOutcome:
        """Deploy one artifact that is on the tenant and give the outcome."""
        planned = deployment(artifact)
        report = await self.carry_out(plan_of(planned, updates=False))
        return outcome_of(report, artifact).deploy or _missing(artifact)

    async def updated(self, *artifacts: ArtifactPlan) -> tuple[StepOutcome, ...]:
        """Carry out updates (and what is planned after them) and give the outcomes of the updates, in order."""
        report = await self.carry_out(plan_of(*artifacts))
        return tuple(found.update or _missing(found.ref.artifact) for found in report.artifacts())


def outcome_of(report: PartReport, artifact: str) -> ArtifactOutcome:
    return next(found for found in report.artifacts() if found.ref.artifact == artifact)


def deploys_of(report: PartReport) -> dict[str, str]:
    """Give the status of every deployment by artifact id."""
    return {a.ref.artifact: a.deploy.status.value for a in report.artifacts() if a.deploy is not None}


async def took(plan: Plan, bench: Bench) -> tuple[PartReport, float]:
    """Carry out a plan; gives the report and how long it took on trio's clock."""
    started = trio.current_time()
    report = await bench.carry_out(plan)
    return report, trio.current_time() - started


def _mapping(values: str) -> str:
    groups = "".join(
        f"<group id='{n}'><entry><agency>ERP</agency><schema>Country</schema><value>{value}</value></entry>"
        f"<entry><agency>CRM</agency><schema>Code</schema><value>{value}1</value></entry></group>"
        for n, value in enumerate(values.split())
    )
    return f'<vm version="2.0">{groups}</vm>'


def _missing(artifact: str) -> StepOutcome:
    raise AssertionError(f"{artifact} has no such step")
