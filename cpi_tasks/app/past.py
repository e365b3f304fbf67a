"""Looking at earlier runs: no tenant, no configuration, only what their journals say."""

from __future__ import annotations

import sys
from pathlib import Path

from cpi_tasks import records, report, streams
from cpi_tasks.cwd import current_folder
from cpi_tasks.errors import CpiTasksError, InputError, Problem
from cpi_tasks.hints import command


def show_runs(root: Path, *, run: str | None, run_dir: str | None, form: str | None) -> int:
    """List the runs below a project root (or ``run_dir``), or tell what one of them did; gives the exit code."""
    redactor = report.Redactor()
    try:
        runs = current_folder() / run_dir if run_dir else root / ".cpi" / "runs"
        streams.write(sys.stdout, _text(runs, run, form, redactor))
    except InputError as error:
        streams.write(sys.stdout, report.render_problems(error.problems, redactor, stdout=sys.stdout))
        return error.exit_code
    except CpiTasksError as error:
        streams.write(sys.stdout, report.render_error(error, redactor, stdout=sys.stdout))
        return error.exit_code
    return 0


def _text(runs: Path, run: str | None, form: str | None, redactor: report.Redactor) -> str:
    if form not in {None, "text", "json"}:
        raise InputError([Problem(file="command line", path="--format", message=f"must be text or json, not '{form}'")])
    if run is None:
        found = records.read_runs(runs)
        return (
            report.runs_json(found, redactor)
            if form == "json"
            else report.render_runs(found, redactor, stdout=sys.stdout)
        )
    one = records.read_run(runs, run) if Path(run).name == run and run != ".." else None
    if one is None:
        message = f"there is no run '{run}' in {runs}; {command('runs')} lists those there are"
        raise InputError([Problem(file="command line", path="--run", message=message)])
    return report.runs_json([one], redactor) if form == "json" else report.render_run(one, redactor, stdout=sys.stdout)
