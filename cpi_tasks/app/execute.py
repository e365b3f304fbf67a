"""Runs, plans and drift checks for other programs: nothing is printed, the result is a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from cpi_tasks import planning, report
from cpi_tasks.app.plans import read_saved
from cpi_tasks.app.preview import find_drift, preview
from cpi_tasks.app.run import Terms, confirmed, ignore, run
from cpi_tasks.cwd import current_folder
from cpi_tasks.errors import CpiTasksError
from cpi_tasks.events import Emit
from cpi_tasks.model.config import Selection
from cpi_tasks.model.drift import DriftReport
from cpi_tasks.model.preview import Preview
from cpi_tasks.model.report import Report


def execute(
    selection: Selection, *, root: Path, emit: Emit | None = None, is_confirmed: bool = False, plan: str | None = None
) -> Report:
    """Run what ``selection`` asks for without printing and give the report; ``emit`` is called with every event.

    ``plan`` is the file of a saved plan that is carried out exactly. Raises ``CpiTasksError`` where nothing could be
    begun: ``InputError`` for bad input, ``AuthenticationError`` and ``TenantUnavailable`` for a tenant that cannot be
    used, ``Refused`` for a protected environment that nobody confirmed, drift, a downgrade or a stale plan. What failed
    afterwards is in the report.
    """
    saved = None if plan is None else read_saved(Path(plan))
    chosen = selection if saved is None else saved.restore(selection, root=root, cwd=current_folder())
    redactor = report.Redactor()
    with _masked_errors(redactor):
        return trio.run(run, chosen, root, _terms(emit, redactor, is_confirmed=is_confirmed, saved=saved))


def execute_plan(selection: Selection, *, root: Path, emit: Emit | None = None, wants_diff: bool = False) -> Preview:
    """Give what a run would do; nothing is written to the tenant. Raises as ``execute`` for bad input and tenants."""
    redactor = report.Redactor()

    async def look() -> Preview:
        return await preview(selection, root, _terms(emit, redactor), wants_diff=wants_diff)

    with _masked_errors(redactor):
        return trio.run(look)


def execute_drift(selection: Selection, *, root: Path, emit: Emit | None = None) -> DriftReport:
    """Give in what a tenant differs from the files, and who made it so; raises as ``execute_plan``."""
    redactor = report.Redactor()
    with _masked_errors(redactor):
        return trio.run(find_drift, selection, root, _terms(emit, redactor))


@contextmanager
def _masked_errors(redactor: report.Redactor) -> Iterator[None]:
    """Mask secrets in what is raised: nothing else stands between its text and the caller's terminal."""
    try:
        yield
    except CpiTasksError as error:
        error.args = (redactor.mask(str(error)),)
        raise


def _terms(
    emit: Emit | None, redactor: report.Redactor, *, is_confirmed: bool = False, saved: planning.SavedPlan | None = None
) -> Terms:
    confirm = confirmed if is_confirmed else None
    return Terms(emit=emit or ignore, note_secret=redactor.add, confirm=confirm, saved=saved)
