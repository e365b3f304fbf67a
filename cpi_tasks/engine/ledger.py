"""Collects outcomes while a run goes on, so that whatever happens every planned step ends with exactly one."""

from __future__ import annotations

from dataclasses import dataclass, field

from cpi_tasks.model.naming import ArtifactRef, PackageId
from cpi_tasks.model.plan import ArtifactPlan, PackageAction, PackagePlan, Plan
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Status, StepOutcome

_NOT_BEGUN = StepOutcome(
    status=Status.ABANDONED, summary="not begun", reason="the run was interrupted", advice="run again"
)
_SHOWN = 10


@dataclass(slots=True)
class Ledger:
    """The outcomes of one plan so far."""

    packages: dict[PackageId, StepOutcome] = field(default_factory=dict)
    updates: dict[ArtifactRef, StepOutcome] = field(default_factory=dict)
    deploys: dict[ArtifactRef, StepOutcome] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    in_flight: dict[ArtifactRef, str] = field(default_factory=dict)
    """Artifacts with a write or a deployment under way, and what to say of them if the run is cut off now."""
    packages_in_flight: dict[PackageId, str] = field(default_factory=dict)
    """The same for packages whose metadata is being sent; it stays when that has ended."""
    update_s: float | None = None
    deploy_s: float | None = None
    _moved: dict[ArtifactRef, tuple[str, str]] = field(default_factory=dict)

    def note_moved(self, ref: ArtifactRef, known: str, shown: str) -> None:
        """Keep that design time shows another version before a deployment than was known of it."""
        first, _ = self._moved.get(ref, (known, known))
        self._moved[ref] = (first, shown)

    def settle_deployment(self, ref: ArtifactRef, outcome: StepOutcome) -> None:
        """Keep how a deployment ended; it is not under way any more."""
        self.deploys[ref] = outcome
        self.in_flight.pop(ref, None)

    def settle_update(self, ref: ArtifactRef, outcome: StepOutcome) -> None:
        """Keep how an update ended; it is not under way any more."""
        self.updates[ref] = outcome
        self.in_flight.pop(ref, None)

    def fold(self, plan: Plan) -> PartReport:
        """Give one outcome for each planned step, in the order of the plan; what has none yet was cut off."""
        return PartReport(
            source=plan.source,
            packages=tuple(self._package(plan, package) for package in plan.packages),
            update_s=self.update_s,
            deploy_s=self.deploy_s,
            warnings=(*plan.warnings, *self.warnings, *self._moved_warning()),
        )

    def _moved_warning(self) -> tuple[str, ...]:
        """Return one line for all versions that changed on the tenant before they were deployed."""
        if not self._moved:
            return ()
        moved = [f"{ref} from {known} to {shown}" for ref, (known, shown) in sorted(self._moved.items())]
        more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
        text = (
            "versions changed on the tenant before their deployment, which took the new ones: "
            f"{', '.join(moved[:_SHOWN])}{more}"
        )
        return (text,)

    def _package(self, plan: Plan, package: PackagePlan) -> PackageOutcome:
        update = self.packages.get(package.id)
        if update is None and plan.updates and package.action is not PackageAction.KEEP:
            under_way = self.packages_in_flight.get(package.id)
            update = _NOT_BEGUN if under_way is None else _abandoned(under_way)
        return PackageOutcome(
            id=package.id, update=update, artifacts=tuple(self._artifact(artifact) for artifact in package.artifacts)
        )

    def _artifact(self, artifact: ArtifactPlan) -> ArtifactOutcome:
        update = deploy = skipped = None
        if artifact.update is not None:
            update = self.updates.get(artifact.ref) or self._cut_off(artifact.ref, "update")
        if artifact.deploy is not None:
            deploy = self.deploys.get(artifact.ref) or self._cut_off(artifact.ref, "deployment")
        if update is None and deploy is None:
            skipped = StepOutcome(status=Status.SKIPPED, summary="skipped", reason=artifact.skip_reason)
        return ArtifactOutcome(
            ref=artifact.ref,
            kind=artifact.kind,
            update=update,
            deploy=deploy,
            skipped=skipped,
            warnings=artifact.warnings,
        )

    def _cut_off(self, ref: ArtifactRef, what: str) -> StepOutcome:
        under_way = self.in_flight.get(ref)
        if under_way is None or not under_way.startswith(what):
            return _NOT_BEGUN
        return _abandoned(under_way)


def _abandoned(under_way: str) -> StepOutcome:
    return StepOutcome(
        status=Status.ABANDONED,
        summary="cut off",
        reason=f"the run was interrupted; {under_way}",
        advice="run again: it goes on from what the tenant has then",
    )
