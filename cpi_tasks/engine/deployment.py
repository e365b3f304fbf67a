"""One deployment: trigger, watch to the end, and read why it failed where it did."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import trio

from cpi_tasks.engine.build_task import BuildTask
from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.current import CurrentDesigns
from cpi_tasks.engine.evidence import (
    Evidence,
    changes_after_trigger,
    changes_when_joined,
    count_under_way,
    stamp_of,
)
from cpi_tasks.engine.failed import last_question, never_appeared, read_error_text, tell_failure, wait_for_error
from cpi_tasks.engine.judge import (
    Expectation,
    Look,
    Verdict,
    can_ripen,
    has_failed,
    is_end,
    is_error,
    is_fresh,
    is_other_version,
    judge,
)
from cpi_tasks.engine.polling import Polling
from cpi_tasks.engine.proof import Proofs
from cpi_tasks.engine.watch import News, RuntimeWatcher
from cpi_tasks.errors import TenantError, TenantUnavailable
from cpi_tasks.events import DeploymentTriggered, RuntimeStatusSeen
from cpi_tasks.model.naming import ArtifactRef, PollingPolicy, TaskId
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, DeployStep
from cpi_tasks.model.records import NOT_KNOWN, ArtifactRecord
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import RuntimeArtifact

_LOST_ANSWER_S = 20.0


class ChargedTime:
    """The time since a deployment's trigger, without what the tenant made us wait."""

    def __init__(self, watcher: RuntimeWatcher, task: BuildTask) -> None:
        """Begin now."""
        self._watcher = watcher
        self._task = task
        self.started = trio.current_time()
        self._stalled_s = watcher.stalled_s

    @property
    def all_s(self) -> float:
        """The time since the trigger in seconds, whatever it was spent with."""
        return trio.current_time() - self.started

    @property
    def charged_s(self) -> float:
        """The time that counts, in seconds."""
        return self.all_s - (self._watcher.stalled_s - self._stalled_s) - self._task.stalled_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """A deployment whose time ran out; it gets one last look before it is called failed."""

    artifact: ArtifactPlan
    evidence: Evidence = field(repr=False)
    task: BuildTask = field(repr=False)
    time: ChargedTime = field(repr=False)
    last_status: str
    waited_s: float


class Deployment:
    """The way of one artifact through the deploy phase, while it holds its slots."""

    def __init__(
        self,
        artifact: ArtifactPlan,
        step: DeployStep,
        context: Context,
        *,
        watcher: RuntimeWatcher,
        proofs: Proofs,
        designs: CurrentDesigns,
    ) -> None:
        """Prepare; nothing is sent before ``run``."""
        self._artifact = artifact
        self._step = step
        self._context = context
        self._watcher = watcher
        self._proofs = proofs
        self._designs = designs
        self._design = context.designs.get(artifact.ref.artifact, DesignState())
        self._polling = Polling(
            longest_s=context.settings.deploy_delay_s,
            expected_s=watcher.usual_s if step.expected_s is None else step.expected_s,
            is_fixed=context.settings.polling is PollingPolicy.FIXED,
        )
        self._status = ""
        self._asked_versions: set[str] = set()
        self._is_joined = step.action is DeployAction.WATCH
        self._evidence = self._evidence_from(step.before)
        self._under_way = 0
        self._unanswered: TenantUnavailable | None = None
        self.is_triggered = False
        """Whether the tenant accepted the deployment, or may have."""

    async def run(self) -> StepOutcome | TimedOut:
        """Trigger (or join) the deployment and watch it; raises what the tenant refuses."""
        ref, ledger = self._artifact.ref, self._context.ledger
        task: TaskId | None = None
        if self._is_joined:
            record = self._context.records.get(ref.artifact)
            self._expect(changes_due=changes_when_joined(record, self._step.before))
        else:
            ledger.in_flight[ref] = "deployment was about to be triggered"
            await self._designs.refresh(self._artifact)
            before = await self._read_before()
            await self._proofs.ensure_read(self._artifact, before)
            ledger.in_flight[ref] = "deployment was being triggered; whether it goes on on the tenant is not known"
            task = await self._begin(before)
        self.is_triggered = True
        if self._unanswered is None:
            ledger.in_flight[ref] = "deployment was triggered and goes on on the tenant"
            self._context.emit(DeploymentTriggered(ref=ref, kind=self._artifact.kind))
        longest_s = self._context.settings.deploy_delay_s
        return await self._watch(BuildTask(self._context.tenant, task, longest_s=longest_s))

    async def _begin(self, before: RuntimeArtifact | None) -> TaskId | None:
        """Trigger, twice where the first answer is lost and nothing shows that the call was taken."""
        self._evidence = self._evidence_from(before)
        self._under_way = count_under_way(self._context.records.get(self._artifact.ref.artifact), before)
        task = await self._trigger(self._under_way)
        if self._unanswered is not None and not await self._has_begun():
            # The first may be under way all the same, and end before the second does.
            task = await self._trigger(self._under_way + 1)
        return task

    def _evidence_from(self, before: RuntimeArtifact | None) -> Evidence:
        expected = Expectation(version=self._design.version, before=before, is_joined=self._is_joined)
        return Evidence(expected, timeout_s=self._context.settings.deploy_timeout_s)

    def _expect(self, *, changes_due: int) -> None:
        self._evidence.expected = replace(self._evidence.expected, changes_due=changes_due)

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

    async def _trigger(self, under_way: int) -> TaskId | None:
        """Trigger; a request without an answer (a gateway's time-out) may have been accepted, so it is watched too."""
        ref, records = self._artifact.ref, self._context.records
        ran_before = stamp_of(self._evidence.expected.before)
        self._expect(changes_due=changes_after_trigger(under_way))
        # A run that is cut off before the answer leaves this behind: the next one knows that there may be another.
        records.note_unseen(ref.artifact, unseen=under_way + 1, ran_before=ran_before)
        try:
            task = await self._context.tenant.trigger_deployment(ref.artifact, self._artifact.kind)
        except TenantUnavailable as error:
            self._unanswered = error
            # Whatever becomes of the call that repeats it, this one may have been taken.
            self.is_triggered = True
            return None
        except TenantError:
            records.note_unseen(ref.artifact, unseen=under_way, ran_before=ran_before)
            raise
        self._note_accepted(under_way)
        return task

    def _note_accepted(self, under_way: int) -> None:
        self._unanswered = None
        self._context.records.note_trigger(
            self._artifact.ref.artifact,
            content=self._design.fingerprint,
            parameters=self._context.parameter_digest(self._design),
            modified_at=self._design.modified_at,
            under_way=under_way,
            ran_before=stamp_of(self._evidence.expected.before),
        )

    async def _has_begun(self) -> bool:
        """Look for a while whether the trigger whose answer was lost has done something.

        A second one at once could start the flow twice, and its Run-Once timer with it.
        """
        with trio.move_on_after(min(_LOST_ANSWER_S, self._context.settings.deploy_timeout_s / 4)):
            for pause in self._polling.pauses():
                if self._has_sign(self._evidence.note(await self._look(pause))):
                    self._note_accepted(self._under_way)
                    return True
        return False

    def _has_sign(self, look: Look) -> bool:
        """Tell whether anything shows that a deployment of ours is under way, and not only one from before."""
        if self._under_way:
            return look.changes > self._under_way
        return look.has_changed or is_fresh(self._evidence.expected, look) is True

    async def _watch(self, task: BuildTask) -> StepOutcome | TimedOut:
        evidence, time = self._evidence, ChargedTime(self._watcher, task)
        evidence.expected = replace(evidence.expected, is_accepted=self._unanswered is None)
        last: Look | None = None
        while (left_s := self._context.settings.deploy_timeout_s - time.charged_s) > 0:
            look = last = evidence.note(await self._next_look(last, task, time, left_s))
            try:
                # Nothing is called failed by what its task said before that was seen.
                is_asked = is_error(evidence.expected, look)
                status = await (task.read() if is_asked else task.after(evidence.expected, look))
            except TenantUnavailable:
                continue
            look = evidence.complete(look, status, elapsed_s=time.charged_s)
            if self._unanswered is not None and look.is_late and not self._has_sign(look):
                raise self._unanswered
            verdict = judge(evidence.expected, look)
            if is_other_version(evidence.expected, look) and await self._has_moved_on(look):
                verdict = judge(evidence.expected, look)
            if verdict is Verdict.SUCCEEDED and look.seen is not None:
                return self._succeed(look.seen, time.all_s)
            if verdict is Verdict.FAILED:
                return await self._fail(look, time)
            if evidence.is_absent_for_good:
                return self._never_appeared(look, time)
        return TimedOut(
            artifact=self._artifact,
            evidence=evidence,
            task=task,
            time=time,
            last_status=self._status,
            waited_s=time.all_s,
        )

    async def _has_moved_on(self, look: Look) -> bool:
        """Return whether design time has the version that runs, though another was expected; asked once for each."""
        seen = look.seen
        if seen is None or seen.version in self._asked_versions:
            return False
        self._asked_versions.add(seen.version)
        with suppress(TenantError):
            await self._designs.refresh(self._artifact, within_s=0.0)
        self._evidence.expected = replace(self._evidence.expected, version=self._design.version)
        return self._design.version in {None, seen.version}

    async def _next_look(
        self, last: Look | None, task: BuildTask, time: ChargedTime, left_s: float
    ) -> RuntimeArtifact | None:
        """Wait for the next look that there is something to judge by: any, or one with news where only these count."""
        expected = self._evidence.expected
        pause_s = self._polling.pause_s(time.all_s, usual_s=self._watcher.usual_s)
        if last is None or self._unanswered is not None or can_ripen(expected, last):
            is_held = last is not None and is_end(expected, last)
            return await self._look(min(self._polling.when_held_s(pause_s) if is_held else pause_s, left_s))
        until = trio.current_time() + left_s
        news = News(
            known=last.seen,
            tell_from=min(until, task.next_question(expected, last)),
            until=until,
            polling=self._polling,
            since=time.started,
        )
        seen = await self._watcher.look_for(news, self._artifact.ref.artifact)
        self._show(seen)
        return seen

    async def _look(self, pause_s: float) -> RuntimeArtifact | None:
        """Look after a pause, and show what is new."""
        seen = await self._watcher.look(self._artifact.ref.artifact, pause_s=pause_s)
        self._show(seen)
        return seen

    def _show(self, seen: RuntimeArtifact | None) -> None:
        status = "not deployed yet" if seen is None else f"{seen.status} {seen.version}"
        if status != self._status:
            self._status = status
            self._context.emit(RuntimeStatusSeen(ref=self._artifact.ref, status=status))

    def _succeed(self, seen: RuntimeArtifact, duration_s: float) -> StepOutcome:
        is_joined = self._is_joined
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

    def _never_appeared(self, look: Look, time: ChargedTime) -> StepOutcome:
        left = max(0, self._evidence.expected.changes_due - look.changes - 1)
        self._context.records.note_failed(self._artifact.ref.artifact, under_way=left, ran_before=stamp_of(look.seen))
        return never_appeared(time.all_s)

    async def _fail(self, look: Look, time: ChargedTime) -> StepOutcome:
        expected, artifact, duration_s = self._evidence.expected, self._artifact.ref.artifact, time.all_s
        until = last_question(self._context.settings.deploy_timeout_s - time.charged_s)
        seen = await wait_for_error(expected, look, polling=self._polling, next_look=self._look, until=until)
        # An ERROR may be that of one triggered earlier; a task in FAIL is certainly ours.
        left = max(0, expected.changes_due - look.changes - has_failed(look.task))
        self._context.records.note_failed(artifact, under_way=left, ran_before=stamp_of(seen))
        read_text = partial(read_error_text, self._context.tenant, artifact, polling=self._polling, until=until)
        return await tell_failure(expected, look, seen, read_text=read_text, duration_s=duration_s)


def note_success(
    ref: ArtifactRef, seen: RuntimeArtifact, context: Context, *, is_joined: bool, took_s: float | None
) -> None:
    """Put on record what was seen running, with the digests of what design time held at the trigger.

    For a deployment that was only joined these are on record if an earlier run triggered it, else they are not known.
    """
    design = context.designs.get(ref.artifact, DesignState())
    content, parameters, modified_at = design.fingerprint, context.parameter_digest(design), design.modified_at
    if is_joined:
        record = context.records.get(ref.artifact)
        known = record if record.is_triggered else ArtifactRecord(modified_at=NOT_KNOWN)
        content, parameters, modified_at = known.content, known.parameters, known.modified_at
    else:
        context.records.note_author(seen.deployed_by, is_certain=False)
    context.records.note_running(
        ref.artifact,
        content=content,
        parameters=parameters,
        deployed_on=seen.deployed_on,
        modified_at=modified_at,
        took_s=took_s,
    )
