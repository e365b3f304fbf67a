"""One deployment: trigger, watch to the end, and read why it failed where it did."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import trio

from cpi_tasks.engine.build_task import BuildTask
from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.judge import Expectation, Look, Verdict, is_candidate, is_fresh, judge
from cpi_tasks.engine.watch import Polling, RuntimeWatcher
from cpi_tasks.errors import TenantError, TenantUnavailable
from cpi_tasks.events import DeploymentTriggered, RuntimeStatusSeen
from cpi_tasks.model.naming import ArtifactRef, PollingPolicy, TaskId
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, DeployStep
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import RuntimeArtifact

NO_ERROR_TEXT = "the tenant gives no error text; look at the artifact under Monitor, Manage Integration Content"
_ERROR_TEXT_S = 15.0
_ERROR_STATUS_S = 30.0
_LOST_ANSWER_S = 20.0
# Where a tenant gives neither a time nor a task, the old state cannot be told from the new one before this long.
_AMPLE_TIME_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """A deployment whose time ran out; it gets one last look before it is called failed.

    ``may_be_present``: mere presence may count, where the tenant gives no sign of freshness.
    """

    artifact: ArtifactPlan
    expected: Expectation
    task: BuildTask = field(repr=False)
    has_changed: bool
    may_be_present: bool
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
        self._polling = Polling(
            longest_s=context.settings.deploy_delay_s,
            expected_s=watcher.usual_s if step.expected_s is None else step.expected_s,
            is_fixed=context.settings.polling is PollingPolicy.FIXED,
        )
        self._status = ""
        self._has_changed = False
        self._unanswered: TenantUnavailable | None = None
        self.is_triggered = False
        """Whether the tenant accepted the deployment, or may have."""

    async def run(self) -> StepOutcome | TimedOut:
        """Trigger (or join) the deployment and watch it; raises what the tenant refuses."""
        ref, ledger = self._artifact.ref, self._context.ledger
        before = self._step.before
        task: TaskId | None = None
        is_joined = self._step.action is DeployAction.WATCH
        if not is_joined:
            ledger.in_flight[ref] = "deployment was about to be triggered"
            before = await self._read_before()
            ledger.in_flight[ref] = "deployment was being triggered; whether it goes on on the tenant is not known"
            task = await self._trigger()
            if self._unanswered is not None and not await self._has_begun(before):
                task = await self._trigger()
        self.is_triggered = True
        if self._unanswered is None:
            ledger.in_flight[ref] = "deployment was triggered and goes on on the tenant"
            self._context.emit(DeploymentTriggered(ref=ref, kind=self._artifact.kind))
        expected = Expectation(version=self._design.version, before=before, is_joined=is_joined)
        longest_s = self._context.settings.deploy_delay_s
        return await self._watch(expected, BuildTask(self._context.tenant, task, longest_s=longest_s))

    async def _read_before(self) -> RuntimeArtifact | None:
        """Read what runs right before the trigger: whatever somebody else deployed since planning is not ours."""
        seen = await self._watcher.recent(self._artifact.ref.artifact)
        if seen is None or seen.status != "STOPPING":
            return seen
        # Somebody else's undeployment: a tenant refuses deployments meanwhile.
        with trio.move_on_after(self._context.settings.deploy_timeout_s):
            for pause in self._polling.pauses():
                seen = await self._watcher.look(self._artifact.ref.artifact, pause_s=pause)
                if seen is None or seen.status != "STOPPING":
                    break
        return seen

    async def _trigger(self) -> TaskId | None:
        """Trigger; a request without an answer (a gateway's time-out) may have been accepted, so it is watched too."""
        ref = self._artifact.ref
        try:
            task = await self._context.tenant.trigger_deployment(ref.artifact, self._artifact.kind)
        except TenantUnavailable as error:
            self._unanswered = error
            return None
        self._note_accepted()
        return task

    def _note_accepted(self) -> None:
        self._unanswered = None
        self._context.records.note_trigger(
            self._artifact.ref.artifact,
            content=self._design.fingerprint,
            parameters=self._context.parameter_digest(self._design),
        )

    async def _has_begun(self, before: RuntimeArtifact | None) -> bool:
        """Look for a while whether the trigger whose answer was lost has done something.

        A second one at once could start the flow twice, and its Run-Once timer with it.
        """
        expected = Expectation(version=self._design.version, before=before)
        with trio.move_on_after(min(_LOST_ANSWER_S, self._context.settings.deploy_timeout_s / 4)):
            for pause in self._polling.pauses():
                seen = await self._watcher.look(self._artifact.ref.artifact, pause_s=pause)
                self._show(seen)
                self._has_changed = self._has_changed or _is_other(seen, before)
                if self._has_sign(expected, Look(seen=seen, has_changed=self._has_changed)):
                    self._note_accepted()
                    return True
        return False

    async def _watch(self, expected: Expectation, task: BuildTask) -> StepOutcome | TimedOut:
        started, stalled = trio.current_time(), self._watcher.stalled_s
        timeout_s = self._context.settings.deploy_timeout_s
        was_candidate = False
        for pause in self._polling.pauses():
            left_s = timeout_s - self._charged_s(started, stalled, task)
            if left_s <= 0:
                break
            seen = await self._watcher.look(self._artifact.ref.artifact, pause_s=min(pause, left_s))
            self._show(seen)
            self._has_changed = self._has_changed or _is_other(seen, expected.before)
            try:
                status = await task.after(expected, Look(seen=seen, has_changed=self._has_changed))
            except TenantUnavailable:
                continue
            is_late = self._charged_s(started, stalled, task) >= min(_AMPLE_TIME_S, timeout_s / 2)
            look = Look(
                seen=seen,
                task=status,
                has_changed=self._has_changed,
                is_late=is_late and self._unanswered is None,
            )
            verdict = judge(expected, look, was_candidate=was_candidate)
            was_candidate = is_candidate(expected, look)
            if verdict is Verdict.SUCCEEDED and seen is not None:
                return self._succeed(seen, trio.current_time() - started)
            if verdict is Verdict.FAILED:
                return await self._fail(expected, look, trio.current_time() - started)
            if self._unanswered is not None and is_late and not self._has_sign(expected, look):
                raise self._unanswered
        return TimedOut(
            artifact=self._artifact,
            expected=expected,
            task=task,
            has_changed=self._has_changed,
            may_be_present=self._unanswered is None,
            last_status=self._status,
            waited_s=trio.current_time() - started,
        )

    def _charged_s(self, started: float, stalled: float, task: BuildTask) -> float:
        """Give the time since the trigger, without what the tenant made us wait."""
        return trio.current_time() - started - (self._watcher.stalled_s - stalled) - task.stalled_s

    def _has_sign(self, expected: Expectation, look: Look) -> bool:
        """Tell whether anything shows that a deployment is under way."""
        return self._has_changed or is_fresh(expected, look) is True

    def _show(self, seen: RuntimeArtifact | None) -> None:
        status = "not deployed yet" if seen is None else f"{seen.status} {seen.version}"
        if status != self._status:
            self._status = status
            self._context.emit(RuntimeStatusSeen(ref=self._artifact.ref, status=status))

    def _succeed(self, seen: RuntimeArtifact, duration_s: float) -> StepOutcome:
        is_joined = self._step.action is DeployAction.WATCH
        if not is_joined:
            self._watcher.note_took(duration_s)
        note_success(
            self._artifact.ref, seen, self._context, is_joined=is_joined, took_s=None if is_joined else duration_s
        )
        return StepOutcome(
            status=Status.DONE,
            summary=f"deployed {seen.version}",
            reason=self._step.reason,
            duration_s=duration_s,
        )

    async def _fail(self, expected: Expectation, look: Look, duration_s: float) -> StepOutcome:
        seen = await self._wait_for_error(expected, look)
        is_old = seen is not None and is_fresh(expected, Look(seen=seen)) is False
        text = NO_ERROR_TEXT if is_old and seen is not None and seen.status == "ERROR" else await self._error_text()
        still_runs = is_old and seen is not None and seen.status == "STARTED"
        note = f"; version {seen.version} from before still runs" if still_runs and seen is not None else ""
        what = "the build failed" if look.task is not None and look.task.startswith("FAIL") else "ended in ERROR"
        licence = " (a higher licence is needed)" if look.task == "FAIL_ON_LICENSE_ERROR" else ""
        return StepOutcome(
            status=Status.FAILED,
            summary="deployment failed",
            reason=f"{what}{licence}{note}: {text}",
            advice="mend what the tenant names and run again",
            duration_s=duration_s,
        )

    async def _wait_for_error(self, expected: Expectation, look: Look) -> RuntimeArtifact | None:
        """Wait until the runtime shows a failure that the task told first; until then its text is an older one's."""
        seen = look.seen
        with trio.move_on_after(_ERROR_STATUS_S), suppress(TenantError):
            for pause in self._polling.pauses():
                if seen is not None and seen.status == "ERROR" and is_fresh(expected, Look(seen=seen)) is not False:
                    break
                seen = await self._watcher.look(self._artifact.ref.artifact, pause_s=pause)
                self._show(seen)
        return seen

    async def _error_text(self) -> str:
        """Read the error information, which appears some time after the status does."""
        started = trio.current_time()
        for pause in self._polling.pauses():
            try:
                text = await self._context.tenant.read_error_information(self._artifact.ref.artifact)
            except TenantError as error:
                return f"{NO_ERROR_TEXT} ({error})"
            if text is not None:
                return text
            if trio.current_time() - started >= _ERROR_TEXT_S:
                break
            await trio.sleep(pause)
        return NO_ERROR_TEXT


def _is_other(seen: RuntimeArtifact | None, before: RuntimeArtifact | None) -> bool:
    if seen is None or before is None:
        return seen is not before
    return (seen.status, seen.version) != (before.status, before.version)


def note_success(
    ref: ArtifactRef, seen: RuntimeArtifact, context: Context, *, is_joined: bool, took_s: float | None
) -> None:
    """Put on record what was seen running, with the digests of what design time held at the trigger.

    For a deployment that was only joined these are on record if an earlier run triggered it, else they are not known.
    """
    design = context.designs.get(ref.artifact, DesignState())
    state: tuple[str | None, str | None] = (design.fingerprint, context.parameter_digest(design))
    if is_joined:
        record = context.records.get(ref.artifact)
        state = (record.content, record.parameters) if record.is_triggered else (None, None)
    context.records.note_running(
        ref.artifact, content=state[0], parameters=state[1], deployed_on=seen.deployed_on, took_s=took_s
    )
