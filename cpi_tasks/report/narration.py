"""Events in words: which lines an event adds to what a person has read so far."""

from __future__ import annotations

from collections import Counter

from cpi_tasks.events import (
    ArtifactDeployed,
    ArtifactUpdated,
    ArtifactUpdateStarted,
    ConfirmationNeeded,
    DeploymentTriggered,
    DiffMade,
    DriftFound,
    Event,
    InterruptionBegan,
    PackageUpdated,
    PartStarted,
    Phase,
    PhaseFinished,
    PhaseStarted,
    PlanFinished,
    PlanMade,
    RequestFinished,
    RequestsSlowed,
    RunFinished,
    RunStarted,
    RuntimeStatusSeen,
    TenantAnswersAgain,
    TenantWentAway,
    WarningRaised,
)
from cpi_tasks.model.naming import ArtifactRef, PackageId
from cpi_tasks.model.plan import Plan, UpdateAction, UpdateStep
from cpi_tasks.model.report import Report, Status
from cpi_tasks.report.differences import diff_lines
from cpi_tasks.report.drift import drift_lines
from cpi_tasks.report.planned import ending_lines, plan_lines
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.waits import wait_lines
from cpi_tasks.report.wording import BLANK, Line, Tone, heading, number, seconds, settled

DOING = {
    UpdateAction.CREATE: "creating",
    UpdateAction.UPDATE: "updating",
    UpdateAction.CONFIGURE: "configuring",
    UpdateAction.REPLACE: "replacing",
    UpdateAction.SAVE_VERSION: "saving version",
    UpdateAction.UNCHANGED: "checking",
    UpdateAction.KEEP: "checking",
    UpdateAction.REFUSE: "refusing",
}


class Narrator:
    """Turns events into lines; remembers which warnings were said and what was only counted."""

    def __init__(self, redactor: Redactor, *, debug: bool) -> None:
        """With ``debug`` every HTTP request gets a line, else none does."""
        self.warning_count = 0
        self._redactor = redactor
        self._debug = debug
        self._said: set[tuple[ArtifactRef | None, str]] = set()
        self._updates: dict[ArtifactRef, UpdateStep | None] = {}
        self._has_diffs = False
        self._unchanged: Counter[PackageId] = Counter()
        self._phase_counts: Counter[Status] = Counter()
        self._created = 0

    def tell(self, event: Event) -> list[Line]:
        """Give the lines for one event, in order; for the last event only warnings not given before."""
        lines: list[Line] = []
        match event:
            case RunStarted():
                origin = f" ({event.environment_origin})" if event.environment_origin else ""
                text = f"Environment: {event.environment}{origin} | Tenant: {event.tenant} | Login: {event.login}"
                lines = [Line(text, Tone.HEADING)]
            case PartStarted() if event.total > 1:
                title = f"CONFIGURATION {event.number} OF {event.total}: {event.source}"
                lines = [BLANK, Line(title, Tone.HEADING)]
            case PlanMade():
                self._updates = {artifact.ref: artifact.update for artifact in event.plan.artifacts()}
                lines = [*plan_lines(event.plan, self._redactor), *self._warnings_of_plan(event.plan)]
            case PhaseStarted():
                lines = self._phase_begin(event)
            case PhaseFinished():
                lines = self._phase_end(event)
            case ConfirmationNeeded():
                text = f"⚠ Environment '{event.environment}' is protected. Type its name to carry this out:"
                if event.is_confirmed:
                    text = f"Environment '{event.environment}' is protected; confirmed by --yes."
                lines = [BLANK, Line(text, Tone.WARNING)]
            case RunFinished():
                lines = self._warnings_of_report(event.report)
            case DiffMade() | PlanFinished() | DriftFound():
                lines = self._shown_only(event)
            case _:
                lines = self._within_a_phase(event)
        return lines

    def _shown_only(self, event: DiffMade | PlanFinished | DriftFound) -> list[Line]:
        if isinstance(event, DriftFound):
            return drift_lines(event.report, self._redactor)
        if isinstance(event, PlanFinished):
            return ending_lines(event, warning_count=self.warning_count, repeats_counts=self._has_diffs)
        lines = diff_lines(event.ref, event.diffs, self._redactor, update=self._updates.get(event.ref))
        self._has_diffs = self._has_diffs or bool(lines)
        return lines

    def _within_a_phase(self, event: Event) -> list[Line]:
        lines: list[Line] = []
        match event:
            case InterruptionBegan():
                lines = [Line(_interrupted(event), Tone.WARNING)]
            case WarningRaised():
                lines = self._warning(None, event.text)
            case RequestFinished() if self._debug:
                text = f"{event.method} {event.target} → {event.result} ({event.duration_s:.2f} s)"
                lines = [Line(text, Tone.FAINT)]
            case PackageUpdated() | ArtifactUpdated() | ArtifactDeployed():
                lines = self._settled(event)
            case ArtifactUpdateStarted():
                text = f"→ {DOING[event.action]} {event.ref.artifact} ({event.kind.label})"
                lines = [Line(text, Tone.PROGRESS)]
            case RequestsSlowed() | TenantWentAway() | TenantAnswersAgain():
                lines = wait_lines(event)
            case DeploymentTriggered():
                lines = [Line(f"→ deploying {event.ref.artifact} ({event.kind.label})", Tone.PROGRESS)]
            case RuntimeStatusSeen():
                lines = [Line(f"→ {event.ref.artifact}: {event.status}", Tone.PROGRESS)]
            case _:
                pass
        return lines

    def _settled(self, event: PackageUpdated | ArtifactUpdated | ArtifactDeployed) -> list[Line]:
        is_unchanged = event.outcome.status is Status.UNCHANGED
        if isinstance(event, PackageUpdated):
            return [] if is_unchanged else [settled(f"📦 {event.package}", event.outcome, self._redactor)]
        self._phase_counts[event.outcome.status] += 1
        self._created += event.outcome.action is UpdateAction.CREATE
        if is_unchanged:
            self._unchanged[event.ref.package] += 1
            return []
        return [settled(event.ref.artifact, event.outcome, self._redactor)]

    def _phase_begin(self, event: PhaseStarted) -> list[Line]:
        self._unchanged.clear()
        self._phase_counts.clear()
        self._created = 0
        if event.phase is Phase.UPDATE:
            title = "PHASE 1: UPDATING ALL PACKAGES AND ARTIFACTS"
            return [*heading(title), Line(f"Total artifacts to update: {event.pending:,} of {event.total:,}")]
        lines = heading("PHASE 2: DEPLOYING ALL ARTIFACTS IN PARALLEL")
        lines.append(Line(f"Total artifacts to deploy: {event.pending:,} of {event.total:,}"))
        if event.parallel_per_package and event.parallel_overall:
            limits = f"{event.parallel_per_package} in one package, {event.parallel_overall} in the whole run"
            lines.append(Line(f"Max concurrent deployments: {limits}"))
        return lines

    def _phase_end(self, event: PhaseFinished) -> list[Line]:
        phase, done, quiet = ("1", "updated", "unchanged")
        if event.phase is Phase.DEPLOY:
            phase, done, quiet = ("2", "deployed", "already running")
        lines = [
            Line(f"= 📦 {package}: {number(amount, 'artifact')} {quiet}") for package, amount in self._unchanged.items()
        ]
        counts = self._phase_counts
        created = f" ({self._created:,} created)" if self._created and event.phase is Phase.UPDATE else ""
        words = [f"{counts[Status.DONE]:,} {done}{created}", f"{counts[Status.FAILED]:,} failed"]
        rest = {
            Status.ABANDONED: "cut off",
            Status.ABORTED: "not begun",
            Status.UNCHANGED: quiet,
            Status.SKIPPED: "skipped",
        }
        words += [f"{counts[status]:,} {word}" for status, word in rest.items() if counts[status]]
        return [*lines, Line(f"Phase {phase} ended after {seconds(event.duration_s)}: {', '.join(words)}.")]

    def _warning(self, ref: ArtifactRef | None, text: str) -> list[Line]:
        if not self._is_news(ref, text):
            return []
        named = f"{ref.artifact}: {text}" if ref is not None and ref.artifact not in text else text
        return [Line(f"⚠ Warning: {named}", Tone.WARNING)]

    def _is_news(self, ref: ArtifactRef | None, text: str) -> bool:
        is_said = (ref, text) in self._said or (None, text) in self._said
        if is_said or (ref is None and any(text == said for _, said in self._said)):
            return False
        self._said.add((ref, text))
        self.warning_count += 1
        return True

    def _warnings_of_plan(self, plan: Plan) -> list[Line]:
        for artifact in plan.artifacts():
            for text in artifact.warnings:
                # The plan shows them where they belong; here they are only counted.
                self._is_news(artifact.ref, text)
        return [line for text in plan.warnings for line in self._warning(None, text)]

    def _warnings_of_report(self, report: Report) -> list[Line]:
        lines = [line for part in report.parts for text in part.warnings for line in self._warning(None, text)]
        for artifact in report.artifacts():
            lines += [line for text in artifact.warnings for line in self._warning(artifact.ref, text)]
        return lines


def _interrupted(event: InterruptionBegan) -> str:
    if event.waits_s is None:
        return "⚠ Interrupted: nothing new is begun; waiting for what is under way (Ctrl-C again stops waiting)."
    return (
        f"⚠ Interrupted by {event.signal}: nothing new is begun; what is under way may go on for {event.waits_s:g} s."
    )
