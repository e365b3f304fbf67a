"""A secret the run knows never gets out, wherever a plan, a diff or a drift report has it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpi_tasks.events import DiffMade, DriftFound, Event, PlanFinished, PlanMade
from cpi_tasks.model.content import DiffStatus, FileDiff
from cpi_tasks.model.drift import Aspect, DriftEntry, DriftReport
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
from cpi_tasks.model.tenant import IntegrationPackage
from cpi_tasks.report import Redactor, drift_json, plan_json, render_drift
from tests.report.plans import shown

SECRET = 'hun"ter\\2!\x1b[2Jé'
REF = ArtifactRef(package=PackageId(f"P{SECRET}"), artifact=ArtifactId(f"A{SECRET}"))
CHANGE = ParameterChange(key=f"k{SECRET}", old=f"{'x' * 55}{SECRET}", new=SECRET, origin=Origin.TENANT)
DIFF = FileDiff(path=f"{SECRET}.prop", status=DiffStatus.CHANGED, lines=(f"-{'x' * 395}{SECRET}", f"+{SECRET}"))


def planned(update: UpdateAction, deploy: DeployAction, package: PackageAction) -> Plan:
    """Give a plan that has the secret in every text."""
    step = UpdateStep(
        action=update,
        reason=f"reason {SECRET}",
        advice=f"advice {SECRET}",
        base_version=f"1{SECRET}",
        version=f"2{SECRET}",
        changes=(CHANGE,),
        kept=(CHANGE,),
        paths=(f"src/{SECRET}",),
        only_on_tenant=(SECRET,),
        origin=Origin.BOTH,
    )
    deployment = DeployStep(action=deploy, reason=SECRET, advice=SECRET, version=SECRET, depends_on=frozenset({REF}))
    artifact = ArtifactPlan(
        ref=REF, kind=ArtifactKind.INTEGRATION_FLOW, update=step, deploy=deployment, warnings=(f"warning {SECRET}",)
    )
    skipped = ArtifactPlan(ref=REF, kind=ArtifactKind.VALUE_MAPPING, skip_reason=SECRET)
    before = IntegrationPackage(
        id=REF.package, name="", short_text="", description="", is_read_only=False, metadata={SECRET: SECRET}
    )
    one = PackagePlan(
        id=REF.package,
        action=package,
        reason=SECRET,
        changed_fields=(SECRET, "Name"),
        drifted_fields=(SECRET,),
        metadata={SECRET: f"{'x' * 55}{SECRET}", "Name": SECRET},
        artifacts=(artifact, skipped),
        before=before,
    )
    return Plan(source=SECRET, packages=(one,), updates=True, deploys=True, warnings=(SECRET,))


def drift() -> DriftReport:
    entries = tuple(
        DriftEntry(
            package=REF.package,
            ref=REF,
            kind=ArtifactKind.INTEGRATION_FLOW,
            aspect=aspect,
            origin=Origin.TENANT,
            detail=f"one\n{SECRET}",
            by=SECRET,
        )
        for aspect in Aspect
    )
    return DriftReport(environment=SECRET, tenant=SECRET, artifacts_total=1, entries=entries)


@pytest.mark.parametrize("update", UpdateAction)
@pytest.mark.parametrize("package", PackageAction)
def test_no_plan_shows_it(update: UpdateAction, package: PackageAction) -> None:
    """In the words, with diffs and at the end, whatever is planned; not even the half of it before a cut."""
    for deploy in DeployAction:
        one = planned(update, deploy, package)
        events: list[Event] = [PlanMade(plan=one), DiffMade(ref=REF, diffs=(DIFF,)), PlanFinished(plans=(one,))]
        text = "\n".join(shown(events, Redactor([SECRET])))
        assert "***" in text
        assert "hun" not in text
        assert "\x1b" not in text


def _plan_document(redactor: Redactor) -> str:
    plans = [planned(UpdateAction.UPDATE, DeployAction.DEPLOY, PackageAction.UPDATE)]
    return plan_json(plans, redactor, environment=SECRET, tenant=SECRET, diffs={REF: (DIFF,)})


@pytest.mark.parametrize(
    "render",
    [
        _plan_document,
        lambda redactor: drift_json(drift(), redactor),
        lambda redactor: render_drift(drift(), redactor),
        lambda redactor: "\n".join(shown([DriftFound(report=drift())], redactor)),
    ],
)
def test_no_document_shows_it(render: Callable[[Redactor], str]) -> None:
    """Not in the spelling of JSON either; without a known secret the same texts do have it."""
    text = render(Redactor([SECRET]))
    assert "***" in text
    assert "hun" not in text
    assert "hun" in render(Redactor())
