"""Small builders for plans and for what is said of them."""

from __future__ import annotations

import io
from collections.abc import Iterable

from cpi_tasks.events import Event, PlanMade
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
    Origin,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.report import Redactor, open_view

FLOW = ArtifactKind.INTEGRATION_FLOW
SAME = UpdateStep(action=UpdateAction.UNCHANGED, reason="content and parameters as wanted")
RUNNING = DeployStep(action=DeployAction.RUNNING, reason="runs 1.0.0, exactly as this tool deployed it")
DEPLOY = DeployStep(action=DeployAction.DEPLOY, reason="content is updated")
CREATE = UpdateStep(action=UpdateAction.CREATE, reason="does not exist on the tenant", version="1.0.0")
UPDATE = UpdateStep(action=UpdateAction.UPDATE, reason="content differs in a.iflw", paths=("a.iflw",))
REFUSE = UpdateStep(action=UpdateAction.REFUSE, reason="a draft is open", advice="save the draft")


def ref(name: str, package: str = "P") -> ArtifactRef:
    return ArtifactRef(package=PackageId(package), artifact=ArtifactId(name))


def artifact(
    name: str,
    update: UpdateStep | None = None,
    deploy: DeployStep | None = None,
    *,
    package: str = "P",
    skip_reason: str = "",
    warnings: tuple[str, ...] = (),
) -> ArtifactPlan:
    return ArtifactPlan(
        ref=ref(name, package), kind=FLOW, update=update, deploy=deploy, skip_reason=skip_reason, warnings=warnings
    )


def package(
    *artifacts: ArtifactPlan, name: str = "P", action: PackageAction = PackageAction.UNCHANGED, reason: str = ""
) -> PackagePlan:
    return PackagePlan(id=PackageId(name), action=action, reason=reason, artifacts=artifacts)


def plan(*packages: PackagePlan, updates: bool = True, deploys: bool = True) -> Plan:
    return Plan(source="c.yml", packages=packages, updates=updates, deploys=deploys)


def change(key: str, old: str | None, new: str, origin: Origin = Origin.FILES) -> ParameterChange:
    return ParameterChange(key=key, old=old, new=new, origin=origin)


def shown(events: Iterable[Event], redactor: Redactor | None = None) -> list[str]:
    """Give the plain view's lines."""
    stream = io.StringIO()
    view = open_view(stdout=stream, is_live=False, debug=False, redactor=redactor or Redactor())
    for event in events:
        view.handle(event, 0.0)
    return stream.getvalue().splitlines()


def told(*artifacts: ArtifactPlan) -> list[str]:
    """Give what a plan says below its one package, without the counts."""
    lines = shown([PlanMade(plan=plan(package(*artifacts)))])
    assert lines[2] == "📦 P"
    return lines[3:-1]
