"""The deploy phase: everything that must run is triggered in parallel and watched until it does.

Each package has a nursery with a ``trio.CapacityLimiter(parallelDeployments)``, the run has one of
``maxParallelDeployments``. A deployment borrows both on behalf of its artifact before its trigger and returns them at
its end, polling included; ``scheduling`` decides whose turn it is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import trio

from cpi_tasks.engine.context import Context
from cpi_tasks.engine.current import CurrentDesigns
from cpi_tasks.engine.deployment import Deployment, TimedOut
from cpi_tasks.engine.failures import explain
from cpi_tasks.engine.last_look import give_last_look
from cpi_tasks.engine.order import Order
from cpi_tasks.engine.proof import Proofs
from cpi_tasks.engine.scheduling import Schedule
from cpi_tasks.engine.urgency import urgencies
from cpi_tasks.engine.watch import RuntimeWatcher
from cpi_tasks.errors import TenantError
from cpi_tasks.events import ArtifactDeployed, Phase, PhaseFinished, PhaseStarted
from cpi_tasks.model.naming import ArtifactRef, PackageId, PollingPolicy
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, DeployStep, Plan
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import LANE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One artifact that takes part in the phase; ``place`` is where it is in the files."""

    artifact: ArtifactPlan
    step: DeployStep
    place: int


@dataclass(slots=True, kw_only=True)
class _Package:
    """A package's nursery and limiter, and what of the package is not settled yet."""

    nursery: trio.Nursery
    limiter: trio.CapacityLimiter
    unsettled: int
    is_settled: trio.Event = field(default_factory=trio.Event)


@dataclass(slots=True, kw_only=True)
class _Phase:
    """What the tasks of one deploy phase share."""

    context: Context
    jobs: Mapping[ArtifactRef, _Job]
    watcher: RuntimeWatcher
    proofs: Proofs
    designs: CurrentDesigns
    schedule: Schedule
    at_once: Mapping[ArtifactRef, StepOutcome]
    """The outcomes of what is not deployed, whatever becomes of the others."""
    order: Order
    urgencies: Mapping[ArtifactRef, float]
    packages: dict[PackageId, _Package] = field(default_factory=dict)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    timed_out: dict[ArtifactRef, TimedOut] = field(default_factory=dict)


async def run_deploy_phase(plan: Plan, context: Context) -> None:
    """Carry out every deployment of the plan; outcomes go to the ledger, nothing the tenant refuses is raised."""
    phase = _prepare(plan, context)
    settings = context.settings
    pending = sum(job.step.action in {DeployAction.DEPLOY, DeployAction.WATCH} for job in phase.jobs.values())
    context.emit(
        PhaseStarted(
            phase=Phase.DEPLOY,
            total=len(phase.jobs),
            pending=pending,
            parallel_per_package=settings.parallel_deployments,
            parallel_overall=settings.max_parallel_deployments,
        )
    )
    started = trio.current_time()
    try:
        async with trio.open_nursery() as watching:
            watching.start_soon(phase.watcher.run)
            watching.start_soon(phase.schedule.run)
            watching.start_soon(phase.proofs.read_ahead, _by_urgency(phase))
            async with trio.open_nursery() as nursery:
                phase.scope = nursery.cancel_scope
                for package, unsettled in Counter(ref.package for ref in phase.jobs).items():
                    await nursery.start(_deploy_package, package, unsettled, phase)
                for ref, outcome in phase.at_once.items():
                    _settle(phase.jobs[ref].artifact, outcome, phase)
                _take_up(phase.order.ready(), phase)
            watching.cancel_scope.cancel()
        await give_last_look(phase.timed_out, context)
    finally:
        context.ledger.deploy_s = trio.current_time() - started
    context.emit(PhaseFinished(phase=Phase.DEPLOY, duration_s=context.ledger.deploy_s))


def _prepare(plan: Plan, context: Context) -> _Phase:
    jobs = {
        artifact.ref: _Job(artifact=artifact, step=artifact.deploy, place=place)
        for place, artifact in enumerate(plan.artifacts())
        if artifact.deploy is not None
    }
    outcomes = {ref: _without_deploying(job, context) for ref, job in jobs.items()}
    at_once = {ref: outcome for ref, outcome in outcomes.items() if outcome is not None}
    settings = context.settings
    return _Phase(
        context=context,
        jobs=jobs,
        at_once=at_once,
        watcher=RuntimeWatcher(context.tenant, is_fixed=settings.polling is PollingPolicy.FIXED),
        proofs=Proofs(context),
        designs=CurrentDesigns(context, (job.artifact for job in jobs.values())),
        schedule=Schedule(trio.CapacityLimiter(settings.max_parallel_deployments)),
        order=Order(
            {ref: job.step.depends_on | job.step.goes_after for ref, job in jobs.items() if ref not in at_once}
        ),
        urgencies=urgencies(plan),
    )


def _by_urgency(phase: _Phase) -> list[ArtifactPlan]:
    """Give what will be deployed in about the order in which it will be its turn."""
    jobs = [job for ref, job in phase.jobs.items() if job.step.action is DeployAction.DEPLOY and ref in phase.urgencies]
    jobs.sort(key=lambda job: (-phase.urgencies[job.artifact.ref], job.place))
    return [job.artifact for job in jobs]


async def _deploy_package(
    package: PackageId, unsettled: int, phase: _Phase, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Hold a nursery open for the deployments of one package until all of them are settled."""
    async with trio.open_nursery() as nursery:
        limiter = trio.CapacityLimiter(phase.context.settings.parallel_deployments)
        opened = phase.packages[package] = _Package(nursery=nursery, limiter=limiter, unsettled=unsettled)
        phase.schedule.open(package, limiter)
        task_status.started()
        await opened.is_settled.wait()


def _take_up(ready: Iterable[ArtifactRef], phase: _Phase) -> None:
    """Have what is ready ask for its turn; settle what needs something that does not run, and what waited for it.

    What waits for another artifact, or for its turn, is no task and holds nothing.
    """
    left = deque(ready)
    while left:
        job = phase.jobs[left.popleft()]
        ref = job.artifact.ref
        outcome = _why_needed_is_missing(job, phase)
        if outcome is None:
            phase.schedule.ask(ref, partial(_start, job, phase), urgency=phase.urgencies[ref], place=job.place)
        else:
            left.extend(_settle(job.artifact, outcome, phase))


def _start(job: _Job, phase: _Phase) -> None:
    """Start a deployment whose turn it is, unless an error has ended the package's tasks meanwhile."""
    nursery = phase.packages[job.artifact.ref.package].nursery
    if not (nursery.cancel_scope.cancel_called or phase.scope.cancel_called):
        nursery.start_soon(_deploy_artifact, job, phase)


async def _deploy_artifact(job: _Job, phase: _Phase) -> None:
    """Deploy one artifact for which both limiters are borrowed, unless no new work starts any more."""
    LANE.set(job.artifact.ref.package)
    brake = phase.context.brake
    outcome = brake.not_begun("not deployed") if brake.is_pulled else await _deploy(job.artifact, job.step, phase)
    phase.schedule.give_back(job.artifact.ref)
    _take_up(_settle(job.artifact, outcome, phase), phase)


def _settle(artifact: ArtifactPlan, outcome: StepOutcome | None, phase: _Phase) -> list[ArtifactRef]:
    """Put an outcome on the books, unless it is told after the phase (``None``); gives who had waited for it."""
    ref, context = artifact.ref, phase.context
    if outcome is not None:
        context.ledger.settle_deployment(ref, outcome)
        context.brake.note(ref, outcome)
        context.emit(ArtifactDeployed(ref=ref, kind=artifact.kind, outcome=outcome))
    package = phase.packages[ref.package]
    package.unsettled -= 1
    if not package.unsettled:
        package.is_settled.set()
    return phase.order.settle(ref)


def _without_deploying(job: _Job, context: Context) -> StepOutcome | None:
    update = context.ledger.updates.get(job.artifact.ref)
    if update is not None and update.status.is_bad:
        why = "its update failed" if update.status is Status.FAILED else "it was not updated"
        return StepOutcome(status=Status.ABORTED, summary="not deployed", reason=why, advice="see its update")
    step = job.step
    match step.action:
        case DeployAction.RUNNING:
            return StepOutcome(status=Status.UNCHANGED, summary="runs already", reason=step.reason)
        case DeployAction.REFUSE:
            return StepOutcome(status=Status.FAILED, summary="not deployed", reason=step.reason, advice=step.advice)
        case _:
            return None


def _why_needed_is_missing(job: _Job, phase: _Phase) -> StepOutcome | None:
    """Give the outcome where something that must run first does not run; all of it is settled."""
    for needed in sorted(job.step.depends_on):
        why = _why_not_running(needed, phase)
        if why:
            return StepOutcome(
                status=Status.ABORTED,
                summary="not deployed",
                reason=f"it needs '{needed.artifact}', which {why}",
                advice=f"mend '{needed.artifact}' first",
            )
    return None


def _why_not_running(ref: ArtifactRef, phase: _Phase) -> str:
    """Give why something settled does not run as wanted, as a clause; empty where nothing is known against it."""
    if ref in phase.timed_out:
        return "was not running in time"
    ledger = phase.context.ledger
    ends = {outcome.status for outcome in (ledger.updates.get(ref), ledger.deploys.get(ref)) if outcome is not None}
    if Status.FAILED in ends:
        return "failed"
    return "was not deployed" if any(status.is_bad for status in ends) else ""


async def _deploy(artifact: ArtifactPlan, step: DeployStep, phase: _Phase) -> StepOutcome | None:
    """Trigger and watch; ``None`` where the time ran out, which is settled after everything else."""
    started = trio.current_time()
    deployment = Deployment(
        artifact, step, phase.context, watcher=phase.watcher, proofs=phase.proofs, designs=phase.designs
    )
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
