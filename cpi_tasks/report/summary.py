"""The numbers at the end of a run: for each part, and for all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cpi_tasks.model.report import ArtifactOutcome, PartReport, Report, Status, count
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.wording import RULE_WIDTH, Line, Tone, heading, names, number, seconds

_LABEL_WIDTH = 25
_LEAST_SHOWN_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number or duration of a summary; ``tone`` says whether it is good or bad news."""

    label: str
    value: str
    tone: Tone = Tone.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one table shows: groups of rows, then lines about what was skipped."""

    title: str
    groups: tuple[tuple[Row, ...], ...]
    notes: tuple[Line, ...] = ()


def summaries(report: Report, redactor: Redactor) -> list[Summary]:
    """Give one summary for each part and, for several parts, a total; none for a run that never came to a part."""
    title = "📊 DEPLOYMENT SUMMARY"
    many = len(report.parts) > 1
    found = []
    for position, part in enumerate(report.parts, start=1):
        named = f"{title} ({position} of {len(report.parts)}: {part.source})" if many else title
        took = [_took("Update phase", part.update_s), _took("Deploy phase", part.deploy_s)]
        if not many:
            took = [*_before(report), *took, *_after(report), _took("Total time", report.duration_s)]
        notes = tuple(_skipped(part, redactor))
        found.append(Summary(title=named, groups=(*_counted((part,)), tuple(took)), notes=notes))
    if many:
        took = [
            *_before(report),
            _took("Update phases", _total([part.update_s for part in report.parts])),
            _took("Deploy phases", _total([part.deploy_s for part in report.parts])),
            *_after(report),
            _took("Total time", report.duration_s),
        ]
        groups = (*_counted(report.parts), tuple(took))
        found.append(Summary(title=f"{title} (total of {len(report.parts)} configurations)", groups=groups))
    return found


def summary_lines(summary: Summary) -> list[Line]:
    """Give one summary as plain lines between rules."""
    lines = heading(summary.title)
    for position, group in enumerate(summary.groups):
        if position:
            lines.append(Line("─" * RULE_WIDTH, Tone.THIN_RULE))
        lines += [Line(f"{row.label + ':':<{_LABEL_WIDTH}}{row.value}", row.tone) for row in group]
    if summary.notes:
        lines += [Line("─" * RULE_WIDTH, Tone.THIN_RULE), *summary.notes]
    return [*lines, Line("═" * RULE_WIDTH, Tone.RULE)]


def _took(label: str, duration_s: float | None) -> Row:
    return Row(label=label, value="did not run" if duration_s is None else seconds(duration_s))


def _before(report: Report) -> list[Row]:
    """Return what took time before the first phase."""
    rows = [] if report.reading_s is None else [_took("Reading and planning", report.reading_s)]
    return [*rows, *([_took("Confirmation", report.confirmation_s)] if report.confirmation_s >= _LEAST_SHOWN_S else [])]


def _after(report: Report) -> list[Row]:
    """Return the rest of the total time, where it is known and would be missing from the sum."""
    if report.reading_s is None:
        return []
    phases = sum(duration or 0.0 for part in report.parts for duration in (part.update_s, part.deploy_s))
    rest = report.duration_s - report.reading_s - report.confirmation_s - phases
    return [_took("Other", rest)] if rest >= _LEAST_SHOWN_S else []


def _total(durations: list[float | None]) -> float | None:
    ran = [duration for duration in durations if duration is not None]
    return sum(ran) if ran else None


def _counted(parts: tuple[PartReport, ...]) -> tuple[tuple[Row, ...], ...]:
    counts = count(parts)
    return (
        (
            _row("Packages Updated", counts.packages_updated, Tone.GOOD),
            *_some(("  created", counts.packages_created)),
            _row("Packages Deployed", counts.packages_deployed, Tone.GOOD),
            _row("Packages Unchanged", counts.packages_unchanged),
            _row("Packages Failed", counts.packages_failed, Tone.BAD),
            *_some(("Packages Not Finished", counts.packages_unfinished), tone=Tone.BAD),
        ),
        (
            _row("Artifacts Total", counts.artifacts_total),
            _row("Artifacts Updated", counts.artifacts_updated, Tone.GOOD),
            *_some(
                ("  created", counts.artifacts_created),
                ("  reconfigured", counts.artifacts_reconfigured),
                ("  replaced", counts.artifacts_replaced),
                ("  saved as a version", counts.artifacts_version_saved),
            ),
            _row("Artifacts Deployed OK", counts.artifacts_deployed, Tone.GOOD),
            _row("Artifacts Deployed Fail", counts.artifacts_deploy_failed, Tone.BAD),
            _row("Artifacts Changed", counts.artifacts_changed, Tone.GOOD),
            _row("Artifacts Unchanged", counts.artifacts_unchanged),
            _row("Artifacts Skipped", counts.artifacts_skipped, Tone.WARNING),
            _row("Artifacts Failed", counts.artifacts_failed, Tone.BAD),
            *_some(("Artifacts Not Finished", counts.artifacts_unfinished), tone=Tone.BAD),
        ),
    )


def _row(label: str, amount: int, tone: Tone = Tone.NORMAL) -> Row:
    return Row(label=label, value=f"{amount:,}", tone=tone if amount else Tone.NORMAL)


def _some(*amounts: tuple[str, int], tone: Tone = Tone.NORMAL) -> list[Row]:
    """Return rows for the amounts that are not zero."""
    return [_row(label, amount, tone) for label, amount in amounts if amount]


def _skipped(part: PartReport, redactor: Redactor) -> Iterator[Line]:
    grouped: dict[str, list[str]] = {}
    for artifact in part.artifacts():
        if artifact.is_skipped:
            grouped.setdefault(_why_skipped(artifact, redactor), []).append(artifact.ref.artifact)
    if grouped:
        yield Line(f"Skipped: {number(sum(map(len, grouped.values())), 'artifact')}")
    for why, artifacts in grouped.items():
        yield Line(f"  - {names(artifacts)}: {why}", Tone.FAINT)


def _why_skipped(artifact: ArtifactOutcome, redactor: Redactor) -> str:
    step = next(step for step in artifact.steps if step.status is Status.SKIPPED)
    reason = " ".join(redactor.clean_lines(step.reason))
    return reason or step.summary or "skipped"
