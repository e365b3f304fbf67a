"""The deploy phase: everything that must run is triggered in parallel and watched until it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import trio

from cpi_tasks.engine.context import Context
from cpi_tasks.engine.deployment import Deployment, TimedOut
from cpi_tasks.engine.failures import explain
from cpi_tasks.engine.last_look import give_last_look
from cpi_tasks.engine.slots import Slots
from cpi_tasks.engine.urgency import urgencies
from cpi_tasks.engine.watch import RuntimeWatcher
from cpi_tasks.errors import TenantError
from cpi_tasks.events import ArtifactDeployed, Phase, PhaseFinished, PhaseStarted
from cpi_tasks.model.naming import ArtifactRef, PollingPolicy
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, DeployStep, PackagePlan, Plan
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import LANE


@dataclass(slots=True, kw_only=True)
class _Phase:
    """What the tasks of one deploy phase share."""

    context: Context
    watcher: RuntimeWatcher
    slots: Slots
    urgencies: Mapping[ArtifactRef, float]
    places: Mapping[ArtifactRef, int]
    """Where each artifact is in the files: the order of those that are equally urgent."""
    settled: Mapping[ArtifactRef, trio.Event]
    timed_out: dict[ArtifactRef, TimedOut] = field(default_factory=dict)


async def run_deploy_phase(plan: Plan, context: Context) -> None:
    """Carry out every deployment of the plan; outcomes go to the ledger, nothing the tenant refuses is raised."""
    steps = [artifact.deploy for artifact in plan.artifacts() if artifact.deploy is not None]
    settings = context.settings
    context.emit(
        PhaseStarted(
            phase=Phase.DEPLOY,
            total=len(steps),
            pending=sum(step.action in {DeployAction.DEPLOY, DeployAction.WATCH} for step in steps),
            parallel_per_package=settings.parallel_deployments,
            parallel_overall=settings.max_parallel_deployments,
        )
    )
    started = trio.current_time()
    phase = _Phase(
        context=context,
        watcher=RuntimeWatcher(context.tenant, is_fixed=settings.polling is PollingPolicy.FIXED),
        slots=Slots(per_package=settings.parallel_deployments, overall=settings.max_parallel_deployments),
        urgencies=urgencies(plan),
        places={artifact.ref: place for place, artifact in enumerate(plan.artifacts())},
        settled={artifact.ref: trio.Event() for artifact in plan.artifacts()},
    )
    try:
        async with trio.open_nursery() as watching:
            watching.start_soon(phase.watcher.run)
            watching.start_soon(phase.slots.run)
            async with trio.open_nursery() as nursery:
                for package in plan.packages:
                    nursery.start_soon(_deploy_package, package, phase)
            watching.cancel_scope.cancel(reason="nothing is in flight any more")
        await give_last_look(phase.timed_out, context)
    finally:
        context.ledger.deploy_s = trio.current_time() - started
    context.emit(PhaseFinished(phase=Phase.DEPLOY, duration_s=context.ledger.deploy_s))


async def _deploy_package(package: PackagePlan, phase: _Phase) -> None:
    LANE.set(package.id)
    async with trio.open_nursery() as nursery:
        for artifact in package.artifacts:
            if artifact.deploy is None:
                phase.settled[artifact.ref].set()
            else:
                nursery.start_soon(_deploy_artifact, artifact, artifact.deploy, phase)


async def _deploy_artifact(artifact: ArtifactPlan, step: DeployStep, phase: _Phase) -> None:
    """Settle one artifact; whatever happens, those who wait for it are woken."""
    try:
        outcome = _without_deploying(artifact, step, phase)
        if outcome is None:
            outcome = await _wait_for_needed(step, phase)
        if outcome is None:
            ref = artifact.ref
            async with phase.slots.hold(ref.package, urgency=phase.urgencies[ref], place=phase.places[ref]):
                outcome = await _begin(artifact, step, phase)
        if outcome is not None:
            _settle(artifact, outcome, phase.context)
    finally:
        phase.settled[artifact.ref].set()


def _without_deploying(artifact: ArtifactPlan, step: DeployStep, phase: _Phase) -> StepOutcome | None:
    update = phase.context.ledger.updates.get(artifact.ref)
    if update is not None and update.status.is_bad:
        why = "its update failed" if update.status is Status.FAILED else "it was not updated"
        return StepOutcome(status=Status.ABORTED, summary="not deployed", reason=why, advice="see its update")
    match step.action:
        case DeployAction.RUNNING:
            return StepOutcome(status=Status.UNCHANGED, summary="runs already", reason=step.reason)
        case DeployAction.REFUSE:
            return StepOutcome(status=Status.FAILED, summary="not deployed", reason=step.reason, advice=step.advice)
        case _:
            return None


async def _wait_for_needed(step: DeployStep, phase: _Phase) -> StepOutcome | None:
    """Wait, without holding a slot, for what must run first; gives the outcome where one of these does not."""
    for needed in sorted(step.depends_on):
        await _wait_until_settled(needed, phase)
        why = _why_not_running(needed, phase)
        if why:
            return StepOutcome(
                status=Status.ABORTED,
                summary="not deployed",
                reason=f"it needs '{needed.artifact}', which {why}",
                advice=f"mend '{needed.artifact}' first",
            )
    for ref in step.goes_after:
        await _wait_until_settled(ref, phase)
    return None


async def _wait_until_settled(ref: ArtifactRef, phase: _Phase) -> None:
    # Not a moment longer: whoever is ready asks for a slot before the next ones are granted.
    if not phase.settled[ref].is_set():
        await phase.settled[ref].wait()


def _why_not_running(ref: ArtifactRef, phase: _Phase) -> str:
    """Give why something settled does not run as wanted, as a clause; empty where nothing is known against it."""
    if ref in phase.timed_out:
        return "was not running in time"
    ledger = phase.context.ledger
    ends = {outcome.status for outcome in (ledger.updates.get(ref), ledger.deploys.get(ref)) if outcome is not None}
    if Status.FAILED in ends:
        return "failed"
    return "was not deployed" if any(status.is_bad for status in ends) else ""


async def _begin(artifact: ArtifactPlan, step: DeployStep, phase: _Phase) -> StepOutcome | None:
    """Deploy, unless nothing new is to be begun any more."""
    brake = phase.context.brake
    return brake.not_begun("not deployed") if brake.is_pulled else await _deploy(artifact, step, phase)


async def _deploy(artifact: ArtifactPlan, step: DeployStep, phase: _Phase) -> StepOutcome | None:
    """Trigger and watch; ``None`` where the time ran out, which is settled after everything else."""
    started = trio.current_time()
    deployment = Deployment(artifact, step, phase.context, phase.watcher)
    try:
        ended = await deployment.run()
    except TenantError as error:
        phase.context.brake.note_failed(artifact.ref)
        failure = await explain(error, phase.context.tenant, artifact)
        return StepOutcome(
            status=Status.FAILED,
            summary="not seen running" if deployment.is_triggered else "not deployed",
            reason=failure.reason,
            advice=failure.advice,
            is_unreachable=failure.is_unreachable,
            duration_s=trio.current_time() - started,
        )
    if isinstance(ended, TimedOut):
        phase.timed_out[artifact.ref] = ended
        phase.context.brake.note_late(artifact.ref)
        return None
    return ended


def _settle(artifact: ArtifactPlan, outcome: StepOutcome, context: Context) -> None:
    context.ledger.settle_deployment(artifact.ref, outcome)
    context.brake.note(artifact.ref, outcome)
    context.emit(ArtifactDeployed(ref=artifact.ref, kind=artifact.kind, outcome=outcome))
