"""Runs, plans and drift checks for a person: shown on standard output, ended by an exit code."""

from __future__ import annotations

import math
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO, TypeVar

import trio

from cpi_tasks import environment, report, streams
from cpi_tasks.app.plans import read_saved
from cpi_tasks.app.preview import find_drift, preview
from cpi_tasks.app.run import Confirm, Terms, confirmed, run
from cpi_tasks.cwd import current_folder
from cpi_tasks.errors import CpiTasksError, InputError, Problem, Refused
from cpi_tasks.events import Event
from cpi_tasks.hints import command
from cpi_tasks.model.config import Selection
from cpi_tasks.model.drift import DriftReport
from cpi_tasks.model.preview import Preview

T = TypeVar("T")
_CHANGES = 2
_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How a run is shown and confirmed: ``yes`` answers for protection, ``plan`` is the file of a saved plan.

    ``lock_wait`` is how many seconds another run on the same tenant is waited for, as typed.
    """

    debug: bool = False
    yes: bool = False
    plan: str | None = None
    lock_wait: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How a plan or a drift check is shown.

    ``plan`` is the file of a saved plan that is looked at again, ``out`` the file a plan is saved to.
    """

    debug: bool = False
    diff: bool = False
    format: str | None = None
    plan: str | None = None
    out: str | None = None
    detailed_exitcode: bool = False


def show_run(selection: Selection, *, root: Path, orders: Orders) -> int:
    """Run what the flags ask for, show it, and give the exit code."""
    screen = _Screen(sys.stdout, debug=orders.debug)

    def work() -> int:
        saved = None if orders.plan is None else read_saved(Path(orders.plan))
        chosen = selection if saved is None else saved.restore(selection, root=root, cwd=current_folder())
        terms = Terms(
            confirm=_confirm(yes=orders.yes),
            saved=saved,
            is_attended=screen.is_live and sys.stdin.isatty(),
            lock_wait_s=_seconds(orders.lock_wait, "--lock-wait"),
        )
        ended = screen.show(lambda terms: run(chosen, root, terms), terms)
        if screen.has_failed:
            screen.write(report.render_report(ended, screen.redactor, stdout=sys.stdout))
        return ended.exit_code

    return screen.guard(work)


def show_plan(selection: Selection, *, root: Path, looks: Looks) -> int:
    """Show what a run would do, save it where that is asked for, and return the exit code.

    A plan whose run would be refused is not saved and ends with 5.
    """
    is_json = looks.format == "json"
    screen = _Screen(sys.stderr if is_json else sys.stdout, debug=looks.debug, is_quiet=is_json)

    def work() -> int:
        _check_looks(looks)
        saved = None if looks.plan is None else read_saved(Path(looks.plan))
        chosen = selection if saved is None else saved.restore(selection, root=root, cwd=current_folder())
        terms = Terms(saved=saved)
        seen: Preview = screen.show(lambda terms: preview(chosen, root, terms, wants_diff=looks.diff), terms)
        if is_json:
            diffs = seen.diffs if looks.diff else None
            streams.write(
                sys.stdout,
                report.plan_json(
                    seen.plans,
                    screen.redactor,
                    environment=seen.environment,
                    tenant=seen.tenant,
                    refusals=seen.refusals,
                    diffs=diffs,
                ),
            )
        if seen.refusals:
            if looks.out is not None:
                screen.write(_not_saved(Path(looks.out)))
            return Refused.exit_code
        if looks.out is not None:
            _save(Path(looks.out), seen.saved)
            screen.write(f"Saved; exactly this is carried out by: {command('orchestrate')} --plan {looks.out}\n")
        return _CHANGES if looks.detailed_exitcode and seen.has_changes else 0

    return screen.guard(work)


def show_drift(selection: Selection, *, root: Path, looks: Looks) -> int:
    """Show in what a tenant differs from the files, and give the exit code."""
    is_json = looks.format == "json"
    screen = _Screen(sys.stderr if is_json else sys.stdout, debug=looks.debug, is_quiet=is_json)

    def work() -> int:
        _check_looks(looks)
        found: DriftReport = screen.show(lambda terms: find_drift(selection, root, terms), Terms())
        if is_json:
            streams.write(sys.stdout, report.drift_json(found, screen.redactor))
        return _CHANGES if looks.detailed_exitcode and found.has_differences else 0

    return screen.guard(work)


class _Screen:
    """One stream that shows one run; ``is_quiet`` shows errors only."""

    def __init__(self, stream: TextIO, *, debug: bool, is_quiet: bool = False) -> None:
        self.redactor = report.Redactor()
        self._stream = stream
        variables = environment.process_variables()
        self._mask = report.register_masks(variables, stream, is_output=stream is sys.stdout)
        self.is_live = not is_quiet and report.wants_live(stream, variables)
        self._view = (
            report.QuietView()
            if is_quiet
            else report.open_view(stdout=stream, is_live=self.is_live, debug=debug, redactor=self.redactor)
        )

    @property
    def has_failed(self) -> bool:
        """Whether the view stopped showing anything on the way."""
        return self._view.failure is not None

    def write(self, text: str) -> None:
        """Write a text where the view could not; a stream that takes nothing is no reason to fail."""
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def show(self, work: Callable[[Terms], Awaitable[T]], terms: Terms) -> T:
        """Do ``work`` under ``trio.run`` and show its events; gives its result or raises its ``CpiTasksError``."""
        return trio.run(self._show, work, terms)

    async def _show(self, work: Callable[[Terms], Awaitable[T]], terms: Terms) -> T:
        send, receive = trio.open_memory_channel[Event](math.inf)
        shown = replace(terms, emit=send.send_nowait, note_secret=self._note_secret)
        result: list[T] = []
        failure: CpiTasksError | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(report.show_events, receive, self._view)
            with send:
                try:
                    result.append(await work(shown))
                except CpiTasksError as error:
                    failure = error
        if failure is not None:
            raise failure
        return result[0]

    def _note_secret(self, secret: str) -> None:
        self.redactor.add(secret)
        self._mask(secret)

    def guard(self, work: Callable[[], int]) -> int:
        """Give the exit code of ``work``; what could not be begun is told."""
        try:
            return work()
        except InputError as error:
            self.write(report.render_problems(error.problems, self.redactor, stdout=self._stream))
            return error.exit_code
        except CpiTasksError as error:
            self.write(report.render_error(error, self.redactor, stdout=self._stream))
            return error.exit_code
        finally:
            # What is still in a buffer would be lost with a signal that comes once nobody holds them back.
            with suppress(OSError, ValueError):
                sys.stdout.flush()


def _check_looks(looks: Looks) -> None:
    problems = []
    if looks.format is not None and looks.format not in _FORMATS:
        message = f"'{looks.format}' is not one of {', '.join(_FORMATS)}"
        problems.append(Problem(file="command line", path="--format", message=message))
    if looks.out is not None and not looks.out.strip():
        problems.append(Problem(file="command line", path="--out", message="must not be empty"))
    if problems:
        raise InputError(problems)


def _seconds(text: str | None, flag: str) -> float:
    """Read a number of seconds as typed; not given is none."""
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        message = f"must be a number of seconds of at least 0, not '{text}'"
        raise InputError([Problem(file="command line", path=flag, message=message)])
    return seconds


def _not_saved(file: Path) -> str:
    """Say that a refused plan was not saved, and that a file from before is not this plan."""
    older = f" {file} still holds an earlier plan; do not use it." if file.exists() else ""
    return (
        f"The plan was not saved to {file}, because a run would be refused. Clear what is named above, then make the "
        f"plan again.{older}\n"
    )


def _save(file: Path, text: str) -> None:
    """Write a plan for its owner alone: it names what is configured, though no values."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"the plan could not be saved: {error.strerror}"
        raise InputError([Problem(file=str(file), path="--out", message=message)]) from error


def _confirm(*, yes: bool) -> Confirm | None:
    """Choose who confirms a run against a protected environment: ``--yes``, a person at a terminal, or nobody."""
    if yes:
        return confirmed
    return _ask if sys.stdin.isatty() and sys.stdout.isatty() else None


async def _ask(name: str) -> bool:
    typed: str = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    return typed.strip() == name
