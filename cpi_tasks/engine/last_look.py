"""The last look at everything that ran out of time: a tenant that was only slow must not lead to a false failure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from cpi_tasks.engine.context import Context
from cpi_tasks.engine.deployment import TimedOut, note_success
from cpi_tasks.engine.judge import Look, Verdict, is_fresh, judge
from cpi_tasks.errors import TenantError, UnreadableAnswer
from cpi_tasks.events import ArtifactDeployed
from cpi_tasks.model.naming import ArtifactId, ArtifactRef
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import RuntimeArtifact, Tenant


async def give_last_look(timed_out: Mapping[ArtifactRef, TimedOut], context: Context) -> None:
    """Settle what ran out of time, with one list request for all of it."""
    if not timed_out:
        return
    for late in timed_out.values():
        await _ask(late)
    runtime = await _read_runtime(timed_out, context.tenant)
    for ref, late in timed_out.items():
        seen = runtime.get(ref.artifact)
        if seen is not None and await _is_running(late, seen):
            note_success(ref, seen, context, is_joined=late.evidence.expected.is_joined, took_s=None)
            outcome = StepOutcome(
                status=Status.DONE, summary=f"deployed {seen.version}", reason="seen late", duration_s=late.waited_s
            )
        else:
            outcome = _too_late(late, seen)
        context.ledger.settle_deployment(ref, outcome)
        context.brake.note_last_look(ref, outcome)
        context.emit(ArtifactDeployed(ref=ref, kind=late.artifact.kind, outcome=outcome))


async def _read_runtime(timed_out: Iterable[ArtifactRef], tenant: Tenant) -> Mapping[ArtifactId, RuntimeArtifact]:
    try:
        return await tenant.list_runtime_artifacts()
    except UnreadableAnswer:
        # Whose row cannot be read is not known, so each is asked for by itself.
        found: dict[ArtifactId, RuntimeArtifact] = {}
        for ref in timed_out:
            with suppress(TenantError):
                seen = await tenant.read_runtime_artifact(ref.artifact)
                found.update({} if seen is None else {ref.artifact: seen})
        return found
    except TenantError:
        return {}


async def _ask(late: TimedOut) -> None:
    """Ask the build task where a success may be an earlier deployment's: it must have ended before the look."""
    if late.evidence.is_preceded:
        with suppress(TenantError):
            late.evidence.task = await late.task.read()


async def _is_running(late: TimedOut, seen: RuntimeArtifact) -> bool:
    evidence = late.evidence
    look, task = evidence.note(seen), evidence.task if evidence.is_preceded else None
    if is_fresh(evidence.expected, look) is None:
        # Only the build task can tell then; where it does not, the old state must not pass for the new one.
        try:
            task = await late.task.read()
        except TenantError:
            return False
    # There is no look after this one that a success could be held back for.
    look = replace(evidence.complete(look, task, elapsed_s=late.time.charged_s), was_candidate=True)
    return judge(evidence.expected, look) is Verdict.SUCCEEDED


def _too_late(late: TimedOut, seen: RuntimeArtifact | None) -> StepOutcome:
    expected = late.evidence.expected
    status = late.last_status if seen is None else f"{seen.status} {seen.version}"
    note = _wanted(expected.version, seen)
    if seen is not None and seen.status == "STARTED":
        if is_fresh(expected, Look(seen=seen)) is False:
            note += " (the deployment from before; the new one did not appear)"
        elif late.evidence.is_preceded and not note:
            note += " (it may be a deployment triggered earlier; the end of this one was not seen)"
    return StepOutcome(
        status=Status.FAILED,
        summary="not running in time",
        reason=f"not seen running after {late.waited_s:.0f} s; last seen: {status}{note}",
        advice=_advice(expected.version, seen),
        duration_s=late.waited_s,
    )


def _advice(wanted: str | None, seen: RuntimeArtifact | None) -> str:
    if seen is not None and seen.status == "STARTING" and wanted in {None, seen.version}:
        return (
            "run again: the next run goes on watching this deployment and does not trigger another; if it hangs, "
            "--force triggers it anew; deployTimeoutSeconds gives it more time"
        )
    return "the tenant may still be working: run again later, or raise deployTimeoutSeconds"


def _wanted(wanted: str | None, seen: RuntimeArtifact | None) -> str:
    return f", wanted {wanted}" if seen is not None and wanted is not None and seen.version != wanted else ""
