"""One deployment: trigger, watch to the end, and read why it failed where it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.judge import Expectation, Look, Verdict, is_candidate, is_fresh, judge
from cpi_tasks.engine.watch import RuntimeWatcher, pauses
from cpi_tasks.errors import TenantError
from cpi_tasks.events import ArtifactDeployed, DeploymentTriggered, RuntimeStatusSeen
from cpi_tasks.model.naming import ArtifactRef, TaskId
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, DeployStep
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import RuntimeArtifact

_ERROR_TEXT_LOOKS = 6
# Where a tenant gives neither a time nor a task, the old state cannot be told from the new one before this long.
_AMPLE_TIME_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """A deployment whose time ran out; it gets one last look before it is called failed."""

    artifact: ArtifactPlan
    expected: Expectation
    has_changed: bool
    last_status: str
    waited_s: float


class Deployment:
    """The way of one artifact through the deploy phase, while it holds its slots."""

    def __init__(self, artifact: ArtifactPlan, step: DeployStep, context: Context, watcher: RuntimeWatcher) -> None:
        """Prepare; nothing is sent before ``run``."""
        self._artifact = artifact
        self._step = step
        self._context = context
        self._watcher = watcher
        self._design = context.designs.get(artifact.ref.artifact, DesignState())
        self._status = ""
        self._has_changed = False

    async def run(self) -> StepOutcome | TimedOut:
        """Trigger (or join) the deployment and watch it; raises what the tenant refuses."""
        ref, kind = self._artifact.ref, self._artifact.kind
        before = self._step.before
        self._context.ledger.in_flight[ref] = "deployment about to be triggered"
        task: TaskId | None = None
        is_joined = self._step.action is DeployAction.WATCH
        if not is_joined:
            if before is not None and before.status == "STOPPING":
                before = await self._wait_until_stopped(before)
            else:
                before = await self._watcher.recent(ref.artifact)
            task = await self._context.tenant.trigger_deployment(ref.artifact, kind)
            self._context.records.note_trigger(ref.artifact)
        self._context.ledger.in_flight[ref] = "deployment was triggered and goes on on the tenant"
        self._context.emit(DeploymentTriggered(ref=ref, kind=kind))
        expected = Expectation(version=self._design.version, before=before, is_joined=is_joined)
        return await self._watch(expected, task)

    async def _wait_until_stopped(self, before: RuntimeArtifact) -> RuntimeArtifact | None:
        """Wait for an undeployment somebody else began: a tenant refuses deployments meanwhile."""
        seen: RuntimeArtifact | None = before
        with trio.move_on_after(self._context.settings.deploy_timeout_s):
            for pause in pauses(self._context.settings.deploy_delay_s):
                seen = await self._watcher.look(self._artifact.ref.artifact, pause_s=pause)
                if seen is None or seen.status != "STOPPING":
                    break
        return seen

    async def _watch(self, expected: Expectation, task: TaskId | None) -> StepOutcome | TimedOut:
        started, stalled = trio.current_time(), self._watcher.stalled_s
        was_candidate = False
        for pause in pauses(self._context.settings.deploy_delay_s):
            lost_s = self._watcher.stalled_s - stalled
            left_s = started + self._context.settings.deploy_timeout_s + lost_s - trio.current_time()
            if left_s <= 0:
                break
            seen = await self._watcher.look(self._artifact.ref.artifact, pause_s=min(pause, left_s))
            self._show(seen)
            self._has_changed = self._has_changed or _is_other(seen, expected.before)
            look = Look(
                seen=seen,
                task=await self._task_status(expected, seen, task),
                has_changed=self._has_changed,
                is_late=trio.current_time() - started
                >= min(_AMPLE_TIME_S, self._context.settings.deploy_timeout_s / 2),
            )
            verdict = judge(expected, look, was_candidate=was_candidate)
            was_candidate = is_candidate(expected, look)
            if verdict is Verdict.SUCCEEDED and seen is not None:
                return self._succeed(seen, trio.current_time() - started)
            if verdict is Verdict.FAILED:
                return await self._fail(expected, look, trio.current_time() - started)
        return TimedOut(
            artifact=self._artifact,
            expected=expected,
            has_changed=self._has_changed,
            last_status=self._status,
            waited_s=trio.current_time() - started,
        )

    async def _task_status(
        self, expected: Expectation, seen: RuntimeArtifact | None, task: TaskId | None
    ) -> str | None:
        """Ask for the build task, unless the runtime itself shows that the new deployment is still starting."""
        is_starting = seen is not None and seen.status == "STARTING" and is_fresh(expected, Look(seen=seen)) is True
        if task is None or is_starting:
            return None
        return await self._context.tenant.read_build_status(task)

    def _show(self, seen: RuntimeArtifact | None) -> None:
        status = "not deployed yet" if seen is None else f"{seen.status} {seen.version}"
        if status != self._status:
            self._status = status
            self._context.emit(RuntimeStatusSeen(ref=self._artifact.ref, status=status))

    def _succeed(self, seen: RuntimeArtifact, duration_s: float) -> StepOutcome:
        note_success(self._artifact.ref, seen, self._context)
        return StepOutcome(
            status=Status.DONE,
            summary=f"deployed {seen.version}",
            reason=self._step.reason,
            duration_s=duration_s,
        )

    async def _fail(self, expected: Expectation, look: Look, duration_s: float) -> StepOutcome:
        text = await self._error_text(look)
        still_runs = look.seen is not None and look.seen.status == "STARTED" and is_fresh(expected, look) is False
        note = f"; version {look.seen.version} from before still runs" if still_runs and look.seen is not None else ""
        what = "the build failed" if look.task is not None and look.task.startswith("FAIL") else "ended in ERROR"
        licence = " (a higher licence is needed)" if look.task == "FAIL_ON_LICENSE_ERROR" else ""
        return StepOutcome(
            status=Status.FAILED,
            summary="deployment failed",
            reason=f"{what}{licence}{note}: {text}",
            advice="mend what the tenant names and run again",
            duration_s=duration_s,
        )

    async def _error_text(self, look: Look) -> str:
        """Read the error information, which appears some time after the status does."""
        fallback = "the tenant gives no error text; look at the artifact under Monitor, Manage Integration Content"
        for looks, pause in enumerate(pauses(self._context.settings.deploy_delay_s), start=1):
            try:
                text = await self._context.tenant.read_error_information(self._artifact.ref.artifact)
            except TenantError as error:
                return f"{fallback} ({error})"
            if text is not None:
                return text
            if looks == _ERROR_TEXT_LOOKS or look.seen is None:
                break
            await trio.sleep(pause)
        return fallback


def _is_other(seen: RuntimeArtifact | None, before: RuntimeArtifact | None) -> bool:
    if seen is None or before is None:
        return seen is not before
    return (seen.status, seen.version) != (before.status, before.version)


def note_success(ref: ArtifactRef, seen: RuntimeArtifact, context: Context) -> None:
    """Put on record what was seen running, with the digests of what design time holds."""
    design = context.designs.get(ref.artifact, DesignState())
    context.records.note_running(
        ref.artifact,
        content=design.fingerprint,
        parameters=context.records.digest(design.parameters),
        deployed_on=seen.deployed_on,
    )


async def give_last_look(timed_out: Mapping[ArtifactRef, TimedOut], context: Context) -> None:
    """Settle what ran out of time: a tenant that was only slow must not lead to a false failure."""
    if not timed_out:
        return
    try:
        runtime = {artifact.id: artifact for artifact in await context.tenant.list_runtime_artifacts()}
    except TenantError:
        runtime = {}
    for ref, late in timed_out.items():
        seen = runtime.get(ref.artifact)
        look = Look(seen=seen, has_changed=late.has_changed, is_late=True)
        is_running = judge(late.expected, look, was_candidate=True) is Verdict.SUCCEEDED
        if is_running and seen is not None:
            note_success(ref, seen, context)
            outcome = StepOutcome(
                status=Status.DONE, summary=f"deployed {seen.version}", reason="seen late", duration_s=late.waited_s
            )
        else:
            outcome = _too_late(late, seen)
        context.ledger.deploys[ref] = outcome
        context.emit(ArtifactDeployed(ref=ref, kind=late.artifact.kind, outcome=outcome))


def _too_late(late: TimedOut, seen: RuntimeArtifact | None) -> StepOutcome:
    status = late.last_status if seen is None else f"{seen.status} {seen.version}"
    is_old = seen is not None and seen.status == "STARTED" and is_fresh(late.expected, Look(seen=seen)) is False
    note = " (the deployment from before; the new one did not appear)" if is_old else ""
    return StepOutcome(
        status=Status.FAILED,
        summary="not running in time",
        reason=f"not seen running after {late.waited_s:.0f} s; last seen: {status}{note}",
        advice="the tenant may still be working: run again later, or raise deployTimeoutSeconds",
        duration_s=late.waited_s,
    )
