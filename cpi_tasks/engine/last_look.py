"""The last look at everything that ran out of time: a tenant that was only slow must not lead to a false failure."""

from __future__ import annotations

from collections.abc import Mapping

from cpi_tasks.engine.context import Context
from cpi_tasks.engine.deployment import TimedOut, note_success
from cpi_tasks.engine.judge import Look, Verdict, is_fresh, judge
from cpi_tasks.errors import TenantError
from cpi_tasks.events import ArtifactDeployed
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import RuntimeArtifact


async def give_last_look(timed_out: Mapping[ArtifactRef, TimedOut], context: Context) -> None:
    """Settle what ran out of time, with one list request for all of it."""
    if not timed_out:
        return
    try:
        runtime = {artifact.id: artifact for artifact in await context.tenant.list_runtime_artifacts()}
    except TenantError:
        runtime = {}
    for ref, late in timed_out.items():
        seen = runtime.get(ref.artifact)
        if seen is not None and await _is_running(late, seen):
            note_success(ref, seen, context, is_joined=late.expected.is_joined, took_s=None)
            outcome = StepOutcome(
                status=Status.DONE, summary=f"deployed {seen.version}", reason="seen late", duration_s=late.waited_s
            )
        else:
            outcome = _too_late(late, seen)
        context.ledger.settle_deployment(ref, outcome)
        context.brake.note_last_look(ref, outcome)
        context.emit(ArtifactDeployed(ref=ref, kind=late.artifact.kind, outcome=outcome))


async def _is_running(late: TimedOut, seen: RuntimeArtifact) -> bool:
    look = Look(seen=seen, has_changed=late.has_changed, is_late=late.may_be_present)
    if is_fresh(late.expected, look) is None:
        # Only the build task can tell then; where it does not, the old state must not pass for the new one.
        try:
            task = await late.task.read()
        except TenantError:
            return False
        look = Look(seen=seen, task=task, has_changed=late.has_changed, is_late=late.may_be_present)
    return judge(late.expected, look, was_candidate=True) is Verdict.SUCCEEDED


def _too_late(late: TimedOut, seen: RuntimeArtifact | None) -> StepOutcome:
    status = late.last_status if seen is None else f"{seen.status} {seen.version}"
    is_old = seen is not None and seen.status == "STARTED" and is_fresh(late.expected, Look(seen=seen)) is False
    note = " (the deployment from before; the new one did not appear)" if is_old else ""
    return StepOutcome(
        status=Status.FAILED,
        summary="not running in time",
        reason=f"not seen running after {late.waited_s:.0f} s; last seen: {status}{_wanted(late, seen)}{note}",
        advice="the tenant may still be working: run again later, or raise deployTimeoutSeconds",
        duration_s=late.waited_s,
    )


def _wanted(late: TimedOut, seen: RuntimeArtifact | None) -> str:
    wanted = late.expected.version
    return f", wanted {wanted}" if seen is not None and wanted is not None and seen.version != wanted else ""
