"""The brake of a run: when it is pulled nothing new is begun, and what is under way goes on to its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from cpi_tasks.model.config import Settings
from cpi_tasks.model.naming import ArtifactRef, FailurePolicy, PackageId
from cpi_tasks.model.report import Status, StepOutcome


@dataclass(slots=True, kw_only=True)
class Brake:
    """Shared by all parts of a run; ``total`` is how many artifacts take part, for limits in per cent.

    Pulled by failures, as ``onFailure`` and ``maxFailures`` say, by an interruption, or where what is done cannot be
    put on record any more.
    """

    settings: Settings
    total: int
    is_interrupted: bool = False
    is_off_record: bool = False
    _failed: set[ArtifactRef | PackageId] = field(default_factory=set)
    _late: set[ArtifactRef] = field(default_factory=set)

    def note(self, what: ArtifactRef | PackageId, outcome: StepOutcome) -> None:
        """Count a failure, each artifact once; what is only held up by one is none."""
        if outcome.status is Status.FAILED:
            self.note_failed(what)

    def note_failed(self, what: ArtifactRef | PackageId) -> None:
        """Count a failure whose outcome is still to be put into words; noting that too counts nothing more."""
        self._failed.add(what)

    def note_late(self, artifact: ArtifactRef) -> None:
        """Count a deployment that was not seen running in time, until ``note_last_look`` tells more."""
        self._late.add(artifact)

    def note_last_look(self, artifact: ArtifactRef, outcome: StepOutcome) -> None:
        """Count what was late as what it was in the end."""
        self._late.discard(artifact)
        self.note(artifact, outcome)

    @property
    def is_pulled(self) -> bool:
        """Whether nothing new may be begun."""
        return self.is_interrupted or self.is_off_record or bool(self.why_stopped)

    @property
    def why_stopped(self) -> str:
        """Why failures have pulled the brake, as a clause; empty where they have not."""
        failed, limit = len(self._failed | self._late), self.settings.max_failures
        what = f"{failed} failed or did not run in time" if self._late else f"{failed} failed"
        if failed and self.settings.on_failure is FailurePolicy.STOP:
            return f"{what}, and onFailure is stop"
        if limit is not None and not limit.allows(failed, total=self.total):
            allowed = f"{limit.amount:g}{'%' if limit.is_share else ''}"
            return f"{what}, and maxFailures is {allowed}"
        return ""

    def not_begun(self, summary: str) -> StepOutcome | None:
        """Give the outcome of a step that is kept from beginning; ``None`` for an interruption.

        What an interruption leaves is settled when the run's report is made.
        """
        if self.is_interrupted or not self.is_pulled:
            return None
        why, advice = self.why_stopped, "mend the failures and run again, which goes on from here"
        if self.is_off_record:
            why = "what a run does could not be put on record any more"
            advice = "see the warning for what to mend; running again goes on from here"
        return StepOutcome(status=Status.ABORTED, summary=summary, reason=f"not begun: {why}", advice=advice)
