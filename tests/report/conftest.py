"""Scripted runs: the events that an engine would emit, and ways to show them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest

from cpi_tasks.events import (
    ArtifactDeployed,
    ArtifactUpdated,
    ArtifactUpdateStarted,
    DeploymentTriggered,
    Event,
    PackageUpdated,
    PartStarted,
    Phase,
    PhaseFinished,
    PhaseStarted,
    PlanMade,
    RunFinished,
    RunStarted,
    RuntimeStatusSeen,
)
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Report, Status, StepOutcome
from cpi_tasks.report import Redactor, open_view

PACKAGE = PackageId("Customers")
FLOW = ArtifactKind.INTEGRATION_FLOW
SYNC = ArtifactRef(package=PACKAGE, artifact=ArtifactId("CustomerSync"))
SCRIPTS = ArtifactRef(package=PACKAGE, artifact=ArtifactId("CustomerScripts"))
SYNC_PLAN = ArtifactPlan(
    ref=SYNC,
    kind=FLOW,
    update=UpdateStep(
        action=UpdateAction.UPDATE,
        reason="content differs",
        paths=("src/a.groovy",),
        changes=(ParameterChange(key="host", old="a.example.com", new="b.example.com"),),
        kept=(ParameterChange(key="timeout", old="30", new="60"), ParameterChange(key="dbPassword", old="x", new="y")),
    ),
    deploy=DeployStep(action=DeployAction.DEPLOY, reason="content changes"),
)
SCRIPTS_PLAN = ArtifactPlan(
    ref=SCRIPTS,
    kind=ArtifactKind.SCRIPT_COLLECTION,
    update=UpdateStep(action=UpdateAction.UNCHANGED, reason="equal"),
    deploy=DeployStep(action=DeployAction.RUNNING, reason="runs in 1.0.0"),
)
UNCHANGED = StepOutcome(status=Status.UNCHANGED, summary="unchanged")
UPDATED = StepOutcome(status=Status.DONE, summary="updated 1.0.1", duration_s=0.4)
DEPLOYED = StepOutcome(status=Status.DONE, summary="deployed 1.0.1", duration_s=12.34)
BEGIN = (
    RunStarted(environment="prod", environment_origin="--env", tenant="https://t1.example.com", login="Basic"),
    PartStarted(source="configs/prod.yml", number=1, total=1),
)
ScriptedRun = list[Event]
Play = Callable[[Sequence[Event]], str]


def _scripts_outcome() -> ArtifactOutcome:
    return ArtifactOutcome(ref=SCRIPTS, kind=ArtifactKind.SCRIPT_COLLECTION, update=UNCHANGED, deploy=UNCHANGED)


def _report(sync: ArtifactOutcome, *, deploy_s: float | None = 12.5, is_interrupted: bool = False) -> Report:
    package = PackageOutcome(id=PACKAGE, update=UNCHANGED, artifacts=(sync, _scripts_outcome()))
    part = PartReport(source="configs/prod.yml", packages=(package,), update_s=0.5, deploy_s=deploy_s)
    return Report(
        environment="prod",
        tenant="https://t1.example.com",
        parts=(part,),
        duration_s=14.0,
        is_interrupted=is_interrupted,
    )


def _plan(action: PackageAction = PackageAction.UNCHANGED) -> PlanMade:
    package = PackagePlan(
        id=PACKAGE, action=action, reason="metadata differs", changed_fields=("Description",),
        artifacts=(SYNC_PLAN, SCRIPTS_PLAN),
    )  # fmt: skip
    return PlanMade(plan=Plan(source="configs/prod.yml", packages=(package,), updates=True, deploys=True))


def _update_phase(outcome: StepOutcome) -> ScriptedRun:
    return [
        PhaseStarted(phase=Phase.UPDATE, total=2, pending=1),
        PackageUpdated(package=PACKAGE, outcome=UNCHANGED),
        ArtifactUpdated(ref=SCRIPTS, kind=ArtifactKind.SCRIPT_COLLECTION, outcome=UNCHANGED),
        ArtifactUpdateStarted(ref=SYNC, kind=FLOW, action=UpdateAction.UPDATE),
        ArtifactUpdated(ref=SYNC, kind=FLOW, outcome=outcome),
        PhaseFinished(phase=Phase.UPDATE, duration_s=0.5),
        PhaseStarted(phase=Phase.DEPLOY, total=2, pending=1, parallel_per_package=3, parallel_overall=9),
        ArtifactDeployed(ref=SCRIPTS, kind=ArtifactKind.SCRIPT_COLLECTION, outcome=UNCHANGED),
    ]


def _deployment(outcome: StepOutcome) -> ScriptedRun:
    return [
        DeploymentTriggered(ref=SYNC, kind=FLOW),
        RuntimeStatusSeen(ref=SYNC, status="STARTING 1.0.1"),
        ArtifactDeployed(ref=SYNC, kind=FLOW, outcome=outcome),
        PhaseFinished(phase=Phase.DEPLOY, duration_s=12.5),
    ]


@pytest.fixture
def successful_run() -> ScriptedRun:
    """One flow is updated and deployed, one script collection stays as it is."""
    report = _report(ArtifactOutcome(ref=SYNC, kind=FLOW, update=UPDATED, deploy=DEPLOYED))
    return [*BEGIN, _plan(), *_update_phase(UPDATED), *_deployment(DEPLOYED), RunFinished(report=report)]


@pytest.fixture
def unchanged_run() -> ScriptedRun:
    """Nothing needs doing."""
    package = PackagePlan(id=PACKAGE, action=PackageAction.UNCHANGED, reason="", artifacts=(SCRIPTS_PLAN,))
    outcome = PackageOutcome(id=PACKAGE, update=UNCHANGED, artifacts=(_scripts_outcome(),))
    part = PartReport(source="configs/prod.yml", packages=(outcome,), update_s=0.0, deploy_s=0.0)
    return [
        *BEGIN,
        PlanMade(plan=Plan(source="configs/prod.yml", packages=(package,), updates=True, deploys=True)),
        PhaseStarted(phase=Phase.UPDATE, total=1, pending=0),
        PackageUpdated(package=PACKAGE, outcome=UNCHANGED),
        ArtifactUpdated(ref=SCRIPTS, kind=ArtifactKind.SCRIPT_COLLECTION, outcome=UNCHANGED),
        PhaseFinished(phase=Phase.UPDATE, duration_s=0.0),
        PhaseStarted(phase=Phase.DEPLOY, total=1, pending=0, parallel_per_package=3, parallel_overall=9),
        ArtifactDeployed(ref=SCRIPTS, kind=ArtifactKind.SCRIPT_COLLECTION, outcome=UNCHANGED),
        PhaseFinished(phase=Phase.DEPLOY, duration_s=0.0),
        RunFinished(report=Report(environment="prod", tenant="t1", parts=(part,), duration_s=1.2)),
    ]


@pytest.fixture
def failed_run() -> ScriptedRun:
    """One deployment ends in ERROR with a text of several lines."""
    failure = StepOutcome(
        status=Status.FAILED,
        summary="not deployed",
        reason="ended in ERROR:\njava.lang.RuntimeException: no credential [red]hunter2![/red]\n  at a.B\x1b[2J",
        advice="create the credential and run again",
        duration_s=9.0,
    )
    report = _report(ArtifactOutcome(ref=SYNC, kind=FLOW, update=UPDATED, deploy=failure))
    return [*BEGIN, _plan(), *_update_phase(UPDATED), *_deployment(failure), RunFinished(report=report)]


@pytest.fixture
def interrupted_run() -> ScriptedRun:
    """Ctrl-C while the flow is starting."""
    cut_off = StepOutcome(
        status=Status.ABANDONED,
        summary="cut off",
        reason="the run was interrupted; deployment goes on on the tenant",
        advice="run again",
    )
    report = _report(ArtifactOutcome(ref=SYNC, kind=FLOW, update=UPDATED, deploy=cut_off), is_interrupted=True)
    return [*BEGIN, _plan(), *_update_phase(UPDATED), *_deployment(cut_off)[:2], RunFinished(report=report)]


@pytest.fixture
def redactor() -> Redactor:
    """Know one secret."""
    return Redactor(["hunter2!"])


@pytest.fixture
def play(redactor: Redactor) -> Play:
    """Show events in the plain view and give the text."""

    def show_all(events: Sequence[Event]) -> str:
        stream = io.StringIO()
        view = open_view(stdout=stream, is_live=False, debug=False, redactor=redactor)
        for event in events:
            view.handle(event, 0.0)
        view.close()
        return stream.getvalue()

    return show_all
