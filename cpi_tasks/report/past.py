"""Earlier runs in words and for machines: which there were, how they ended, and what one of them had done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Protocol

from cpi_tasks.hints import command
from cpi_tasks.report.redactor import Redactor, dumped
from cpi_tasks.report.wording import BLANK, Line, Tone, number, rendered

FORMAT_VERSION = 1
_ENDINGS = {
    0: "everything asked for was done",
    1: "something failed",
    3: "the tenant was unreachable or refused the login",
    4: "invalid input",
    5: "refused",
    130: "interrupted",
}


class PastArtifact(Protocol):
    """What a journal says of one artifact."""

    planned: str
    update: str
    deploy: str
    under_way: str


class PastRun(Protocol):
    """What a journal says of one run."""

    id: str
    started_at: str
    last_at: str
    environment: str
    tenant: str
    exit_code: int | None
    is_interrupted: bool
    writes: int
    packages: dict[str, str]
    warnings: list[str]

    @property
    def artifacts(self) -> Mapping[str, PastArtifact]:
        """What was planned and done, by ``package/artifact``."""

    @property
    def unanswered_writes(self) -> Sequence[str]:
        """The writes of which nobody knows whether they happened."""


def render_runs(runs: Sequence[PastRun], redactor: Redactor, *, stdout: IO[str] | None = None) -> str:
    """List runs, the newest last, with how each ended."""
    if not runs:
        return rendered([Line("There is no record of an earlier run here.")], redactor, stdout)
    lines = [
        Line(
            f"{run.id}  {run.environment or '?'}  {_ending(run)}; {number(run.writes, 'write')} to {run.tenant or '?'}"
        )
        for run in runs
    ]
    lines += [BLANK, Line(f"{command('runs')} --run ID shows what one of them did.", Tone.FAINT)]
    return rendered(lines, redactor, stdout)


def render_run(run: PastRun, redactor: Redactor, *, stdout: IO[str] | None = None) -> str:
    """Tell what one run had done, artifact by artifact, and what of it is not certain."""
    lines = [
        Line(f"Run {run.id} | Environment: {run.environment or '?'} | Tenant: {run.tenant or '?'}", Tone.HEADING),
        Line(f"Began {run.started_at}, last entry {run.last_at}: {_ending(run)}."),
        *(Line(f"📦 {package}: {_once(outcome)}") for package, outcome in run.packages.items()),
    ]
    for name, artifact in run.artifacts.items():
        said = [
            *([f"update {_once(artifact.update)}"] if artifact.update else []),
            *([f"deploy {_once(artifact.deploy)}"] if artifact.deploy else []),
            *([artifact.under_way] if artifact.under_way else []),
        ]
        lines.append(Line(f"  {name}: {'; '.join(said) or f'not begun (planned: {artifact.planned})'}"))
    lines += [Line(f"⚠ Warning: {text}", Tone.WARNING) for text in run.warnings]
    lines += [
        Line(f"⚠ Sent without an answer on record: {write}; the next run looks whether it happened.", Tone.WARNING)
        for write in run.unanswered_writes
    ]
    return rendered(lines, redactor, stdout)


def _once(outcome: str) -> str:
    """Return ``status: summary`` without saying the same word twice."""
    status, _, summary = outcome.partition(": ")
    return summary if status in {summary, "unchanged"} else outcome


def runs_json(runs: Iterable[PastRun], redactor: Redactor) -> str:
    """Give runs as JSON; keys are only ever added, ``formatVersion`` changes with anything else."""
    document = {"formatVersion": FORMAT_VERSION, "runs": [_run(run, redactor) for run in runs]}
    return dumped(document)


def _run(run: PastRun, redactor: Redactor) -> Mapping[str, object]:
    return {
        "id": run.id,
        "startedAt": run.started_at,
        "lastAt": run.last_at,
        "environment": redactor.mask(run.environment),
        "tenant": redactor.mask(run.tenant),
        "exitCode": run.exit_code,
        "isInterrupted": run.is_interrupted,
        "writes": run.writes,
        "unansweredWrites": [redactor.mask(write) for write in run.unanswered_writes],
        "packages": {package: redactor.mask(outcome) for package, outcome in run.packages.items()},
        "artifacts": {
            name: {
                "planned": artifact.planned,
                "update": redactor.mask(artifact.update) or None,
                "deploy": redactor.mask(artifact.deploy) or None,
                "underWay": redactor.mask(artifact.under_way) or None,
            }
            for name, artifact in run.artifacts.items()
        },
        "warnings": [redactor.mask(text) for text in run.warnings],
    }


def _ending(run: PastRun) -> str:
    if run.exit_code is None:
        return "no end on record: it was killed, or is at work still"
    return f"ended with {run.exit_code} ({_ENDINGS.get(run.exit_code, 'unknown')})"
