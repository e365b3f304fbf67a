"""The end of the output, where a person looks first: what failed, what to do about it, and how it all ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cpi_tasks.model.report import ArtifactOutcome, Counts, Report, Status, StepOutcome, count
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.wording import BLANK, Line, Tone, heading, names, number, seconds, warned

_SECTIONS = {
    Status.FAILED: "WHAT FAILED AND WHAT TO DO ABOUT IT",
    Status.ABANDONED: "NOT FINISHED: THE RUN WAS INTERRUPTED",
    Status.ABORTED: "NOT BEGUN BECAUSE OF ANOTHER FAILURE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bad:
    """One package or artifact that is not as asked for: how it is named alone and among others, and why."""

    status: Status
    name: str
    title: str
    why: tuple[Line, ...]


_UNREACHABLE = 3


def failure_lines(report: Report, redactor: Redactor) -> list[Line]:
    """Give everything that is not as asked for, causes first: place, phase, the tenant's whole text, what to do.

    What ended badly in the same way (all that an interruption kept from beginning) is said once, with all names.
    """
    bad = list(_all_bad(report, redactor))
    lines: list[Line] = []
    for status, title in _SECTIONS.items():
        alike: dict[tuple[Line, ...], list[_Bad]] = {}
        for one in bad:
            if one.status is status:
                alike.setdefault(one.why, []).append(one)
        if alike:
            lines += heading(title)
        # Single ones first: of an interruption those are what was in flight.
        for position, (why, same) in enumerate(sorted(alike.items(), key=lambda item: len(item[1]) > 1)):
            named = same[0].title if len(same) == 1 else f"{len(same):,}: {names([one.name for one in same])}"
            lines += [BLANK] if position else []
            lines += [Line(f"✗ {named}", Tone.BAD), *why]
    return lines


def closing_lines(report: Report, *, warning_count: int) -> list[Line]:
    """Give the last words: nothing needed doing, all done, how much failed, or interrupted.

    They agree with ``report.exit_code``, which is named unless it is 0.
    """
    counts = count(report.parts)
    lines = [BLANK]
    if report.kept_folder:
        lines.append(Line(f"The uploaded content was kept in {report.kept_folder}"))
    code = report.exit_code
    if code == 0:
        return [*lines, _good_end(report, counts, warning_count)]
    if report.is_interrupted:
        text = f"✗ Interrupted after {seconds(report.duration_s)} (exit code {code}): {_interrupted(report, counts)}."
        lines.append(Line(f"{text} Running the same command again picks up from here.", Tone.BAD))
    else:
        why = " because the tenant was not to be reached" if code == _UNREACHABLE else ""
        lines.append(Line(f"✗ {_failed(report, counts)}{why} (exit code {code}).", Tone.BAD))
    return lines


def _all_bad(report: Report, redactor: Redactor) -> Iterator[_Bad]:
    for part in report.parts:
        origin = f", configuration {part.source}" if len(report.parts) > 1 else ""
        for package in part.packages:
            if package.update is not None and package.update.status.is_bad:
                name, why = f"Package {package.id}", _step("update phase", package.update, redactor)
                yield _Bad(status=package.update.status, name=name, title=f"{name}{origin}", why=tuple(why))
            for artifact in package.artifacts:
                status = artifact.worst
                if status is not None:
                    name, kind = artifact.ref.artifact, artifact.kind.label
                    title = f"{name} ({kind}, package {package.id}{origin})"
                    yield _Bad(status=status, name=name, title=title, why=tuple(_why(artifact, redactor)))


def _why(artifact: ArtifactOutcome, redactor: Redactor) -> list[Line]:
    update, deploy = artifact.update, artifact.deploy
    if update is not None and deploy is not None and update == deploy:
        return _step("update and deploy phase", update, redactor)
    lines: list[Line] = []
    for phase, step in (("update phase", update), ("deploy phase", deploy), ("", artifact.skipped)):
        if step is not None and step.status.is_bad:
            # What follows from the artifact's own failure needs no advice of its own.
            follows = bool(lines) and step.status is Status.ABORTED
            lines += _step(phase, replace(step, advice="") if follows else step, redactor)
    return lines


def _step(phase: str, step: StepOutcome, redactor: Redactor) -> list[Line]:
    spent = f" ({seconds(step.duration_s)})" if step.duration_s else ""
    text = f"{step.summary or step.status.value}{spent}"
    reason = redactor.clean_lines(step.reason)
    if len(reason) == 1:
        text, reason = f"{text}: {reason[0]}", []
    lines = [Line(f"    {phase}: {text}" if phase else f"    {text}")]
    lines += [Line(f"        {line}") for line in reason]
    advice = redactor.clean_lines(step.advice)
    lines += [Line(f"    what to do: {advice[0]}", Tone.WARNING)] if advice else []
    return lines + [Line(f"        {line}", Tone.WARNING) for line in advice[1:]]


def _good_end(report: Report, counts: Counts, warning_count: int) -> Line:
    notice = warned(warning_count)
    left = [f"{number(counts.artifacts_unchanged, 'artifact')} unchanged"] if counts.artifacts_unchanged else []
    left += [f"{counts.artifacts_skipped:,} skipped"] if counts.artifacts_skipped else []
    if counts.packages_updated or counts.artifacts_updated or counts.artifacts_deployed:
        updated = number(counts.artifacts_updated, "artifact")
        if not counts.artifacts_updated:
            updated = f"{number(counts.packages_updated, 'package')} and {updated}"
        words = ", ".join([_done(report, counts, updated, number(counts.artifacts_deployed, "artifact")), *left])
        return Line(f"✓ All operations completed successfully: {words}.{notice}", Tone.GOOD)
    if counts.artifacts_total == 0:
        return Line(f"⚠ Nothing was done: the run had no artifacts to work on.{notice}", Tone.WARNING)
    if not counts.artifacts_unchanged:
        text = f"⚠ Nothing was done: {number(counts.artifacts_total, 'artifact')} skipped, none updated or deployed."
        return Line(f"{text}{notice}", Tone.WARNING)
    text = f"✓ Nothing needed doing: {', '.join(left)}; nothing was written, nothing was deployed."
    return Line(f"{text}{notice}", Tone.GOOD)


def _done(report: Report, counts: Counts, updated: str, deployed: str) -> str:
    """Say what was updated and deployed, as far as the run had a phase for it."""
    has_update = any(part.update_s is not None for part in report.parts)
    has_deploy = any(part.deploy_s is not None for part in report.parts)
    has_update |= any(artifact.update is not None for artifact in report.artifacts())
    has_deploy |= any(artifact.deploy is not None for artifact in report.artifacts())
    if has_deploy and not has_update:
        return f"{deployed} deployed (deploy only)"
    created = counts.artifacts_created or (0 if counts.artifacts_updated else counts.packages_created)
    notes = [*([] if has_deploy else ["update only"]), *([f"{created:,} created"] if created else [])]
    done = f"{updated} updated ({'; '.join(notes)})" if notes else f"{updated} updated"
    return f"{done}, {counts.artifacts_deployed:,} deployed" if has_deploy else done


def _failed(report: Report, counts: Counts) -> str:
    packages = sum(package.update is not None and package.update.status.is_bad for package in report.packages())
    words = [f"{number(packages, 'package')} failed"] if packages else []
    if counts.artifacts_failed:
        total = number(counts.artifacts_total, "artifact")
        words.append(f"{counts.artifacts_failed:,} of {total} failed{_because(report)}")
    if counts.artifacts_unfinished:
        words.append(f"{counts.artifacts_unfinished:,} of {number(counts.artifacts_total, 'artifact')} not finished")
    return f"{' and '.join(words)}; {_done_besides(report, counts)}"


def _interrupted(report: Report, counts: Counts) -> str:
    words = [
        f"{counts.artifacts_unfinished:,} of {number(counts.artifacts_total, 'artifact')} not finished",
        f"{counts.artifacts_failed:,} failed{_because(report)}",
        _done_besides(report, counts),
    ]
    return ", ".join(words)


def _done_besides(report: Report, counts: Counts) -> str:
    return _done(report, counts, f"{counts.artifacts_updated:,}", f"{counts.artifacts_deployed:,}")


def _because(report: Report) -> str:
    waiting = sum(artifact.worst is Status.ABORTED for artifact in report.artifacts())
    return f" ({waiting:,} of them not started because of another failure)" if waiting else ""
