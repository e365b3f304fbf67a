"""The update phase: packages side by side, each artifact's content and parameters brought to what the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import trio

from cpi_tasks.content import comparable_metadata
from cpi_tasks.engine.content_writes import create, note_before_write, save_version, upload
from cpi_tasks.engine.context import Context
from cpi_tasks.engine.failures import explain
from cpi_tasks.engine.keeping import keep_state, settle, settle_parameters
from cpi_tasks.engine.parameters import write_changes
from cpi_tasks.engine.replacement import replace_mapping
from cpi_tasks.engine.room import NotBegun, UploadRoom
from cpi_tasks.errors import InputError, TenantError
from cpi_tasks.events import (
    ArtifactUpdated,
    ArtifactUpdateStarted,
    PackageUpdated,
    Phase,
    PhaseFinished,
    PhaseStarted,
)
from cpi_tasks.model.plan import ArtifactPlan, PackageAction, PackagePlan, Plan, UpdateAction, UpdateStep
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import LANE


async def run_update_phase(plan: Plan, context: Context) -> None:
    """Carry out every update of the plan; outcomes go to the ledger, nothing the tenant refuses is raised."""
    steps = [artifact.update for artifact in plan.artifacts() if artifact.update is not None]
    context.emit(PhaseStarted(phase=Phase.UPDATE, total=len(steps), pending=sum(step.writes for step in steps)))
    started = trio.current_time()
    uploads = UploadRoom(is_closed=lambda: context.brake.is_pulled)
    try:
        async with trio.open_nursery() as nursery:
            for package in plan.packages:
                nursery.start_soon(_update_package, package, context, uploads)
    finally:
        context.ledger.update_s = trio.current_time() - started
    context.emit(PhaseFinished(phase=Phase.UPDATE, duration_s=context.ledger.update_s))


async def _update_package(package: PackagePlan, context: Context, uploads: UploadRoom) -> None:
    LANE.set(package.id)
    outcome = await _settle_metadata(package, context)
    if outcome is not None and not outcome.status.is_bad:
        left = package.metadata or (package.before.metadata if package.before else {})
        context.records.note_package(package.id, comparable_metadata(left))
    if outcome is not None:
        context.ledger.packages[package.id] = outcome
        context.brake.note(package.id, outcome)
        context.emit(PackageUpdated(package=package.id, outcome=outcome))
    is_missing = package.action is PackageAction.CREATE and outcome is not None and outcome.status.is_bad
    writes: list[tuple[ArtifactPlan, UpdateStep]] = []
    for artifact in package.artifacts:
        if artifact.update is None:
            continue
        if outcome is not None and is_missing:
            _settle(artifact, _no_package(package, outcome), context)
        elif artifact.update.writes:
            writes.append((artifact, artifact.update))
        else:
            _settle(artifact, _nothing_written(artifact.update), context)
    await _write_all(writes, context, uploads)


async def _write_all(writes: Sequence[tuple[ArtifactPlan, UpdateStep]], context: Context, uploads: UploadRoom) -> None:
    """Write artifacts of one package in their order, some at once; what waits for its turn is no task meanwhile."""
    rest = iter(writes)

    async def work() -> None:
        for artifact, step in rest:
            await _update_artifact(artifact, step, context, uploads)

    async with trio.open_nursery() as nursery:
        for _ in range(min(context.settings.parallel_deployments, len(writes))):
            nursery.start_soon(work)


def _no_package(package: PackagePlan, outcome: StepOutcome) -> StepOutcome:
    if outcome.status is Status.ABORTED:
        return replace(outcome, summary="not updated")
    reason = f"package '{package.id}' could not be created"
    return StepOutcome(status=Status.ABORTED, summary="not updated", reason=reason, advice="see the package's failure")


async def _settle_metadata(package: PackagePlan, context: Context) -> StepOutcome | None:
    if context.brake.is_pulled and package.action in {PackageAction.CREATE, PackageAction.UPDATE}:
        return context.brake.not_begun("metadata not updated")
    started = trio.current_time()
    match package.action:
        case PackageAction.KEEP:
            return None
        case PackageAction.UNCHANGED:
            return StepOutcome(status=Status.UNCHANGED, summary="unchanged", reason=package.reason)
        case PackageAction.REFUSE:
            return StepOutcome(status=Status.FAILED, summary="not updated", reason=package.reason)
        case PackageAction.CREATE:
            summary, call = "created", context.tenant.create_package
        case PackageAction.UPDATE:
            summary, call = "metadata updated", context.tenant.update_package
    context.ledger.packages_in_flight[package.id] = f"metadata was being sent: {package.action.value}"
    if package.before is not None:
        context.memory.backups.keep_package(package.before)
    try:
        await call(package.id, package.metadata)
    except TenantError as error:
        failure = await explain(error, context.tenant)
        return StepOutcome(
            status=Status.FAILED,
            summary=f"not {summary}",
            reason=failure.reason,
            advice=failure.advice,
            is_unreachable=failure.is_unreachable,
            duration_s=trio.current_time() - started,
        )
    return StepOutcome(
        status=Status.DONE,
        summary=summary,
        reason=package.reason,
        duration_s=trio.current_time() - started,
        action=package.action,
    )


async def _update_artifact(artifact: ArtifactPlan, step: UpdateStep, context: Context, uploads: UploadRoom) -> None:
    if context.brake.is_pulled:
        _leave_out(artifact, context)
        return
    context.emit(ArtifactUpdateStarted(ref=artifact.ref, kind=artifact.kind, action=step.action))
    context.ledger.in_flight[artifact.ref] = f"update under way: {step.action.value}"
    started = trio.current_time()
    try:
        summary = await _write(artifact, step, context, uploads)
    except NotBegun:
        _leave_out(artifact, context)
        return
    except (TenantError, InputError) as error:
        context.brake.note_failed(artifact.ref)
        if step.action is UpdateAction.CONFIGURE:
            settle_parameters(artifact.ref, context)
        failure = await explain(error, context.tenant, artifact)
        outcome = StepOutcome(
            status=Status.FAILED,
            summary="not updated",
            reason=failure.reason,
            advice=failure.advice,
            is_unreachable=failure.is_unreachable,
            duration_s=trio.current_time() - started,
        )
    else:
        outcome = StepOutcome(
            status=Status.DONE,
            summary=summary,
            reason=step.reason,
            duration_s=trio.current_time() - started,
            action=step.action,
        )
    _settle(artifact, outcome, context)


def _leave_out(artifact: ArtifactPlan, context: Context) -> None:
    """Settle what is not begun, unless an interruption is why: that is told when the report is made."""
    context.ledger.in_flight.pop(artifact.ref, None)
    outcome = context.brake.not_begun("not updated")
    if outcome is not None:
        _settle(artifact, outcome, context)


async def _write(artifact: ArtifactPlan, step: UpdateStep, context: Context, uploads: UploadRoom) -> str:
    """Do what the step says and give a phrase for it; raises what the tenant refuses."""
    ref = artifact.ref
    if step.action is UpdateAction.CONFIGURE or step.content is None:
        keep_state(ref, step, context)
        note_before_write(ref, None, context)
        return f"configured {await write_changes(ref, step.changes, context)}"
    match step.action:
        case UpdateAction.CREATE:
            return await create(ref, step, step.content, context, uploads)
        case UpdateAction.REPLACE:
            return await replace_mapping(ref, step, step.content, context, uploads)
        case UpdateAction.SAVE_VERSION:
            return await save_version(ref, step, step.content, context, uploads)
        case _:
            return await upload(ref, step, step.content, context, uploads)


def _nothing_written(step: UpdateStep) -> StepOutcome:
    match step.action:
        case UpdateAction.REFUSE:
            return StepOutcome(status=Status.FAILED, summary="not updated", reason=step.reason, advice=step.advice)
        case UpdateAction.KEEP:
            return StepOutcome(status=Status.SKIPPED, summary="left alone", reason=step.reason, advice=step.advice)
        case _:
            return StepOutcome(status=Status.UNCHANGED, summary="unchanged", reason=step.reason)


def _settle(artifact: ArtifactPlan, outcome: StepOutcome, context: Context) -> None:
    if outcome.status in {Status.DONE, Status.UNCHANGED}:
        settle(artifact.ref, context)
    context.ledger.settle_update(artifact.ref, outcome)
    context.brake.note(artifact.ref, outcome)
    context.emit(ArtifactUpdated(ref=artifact.ref, kind=artifact.kind, outcome=outcome))
