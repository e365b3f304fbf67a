"""A run as plain lines: one for each change of state, no colours, nothing drawn again. For files, pipes and CI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, TextIO

from cpi_tasks.errors import CpiTasksError, Problem
from cpi_tasks.events import Event, InventoryProgress, RunFinished
from cpi_tasks.model.report import Report
from cpi_tasks.report.board import Board
from cpi_tasks.report.failures import closing_lines, failure_lines
from cpi_tasks.report.narration import Narrator
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.summary import summaries, summary_lines
from cpi_tasks.report.wording import Line, Outlet, number, rendered, seconds

SILENCE_S = 60.0
"""After so long without a line one says what is being waited for: silent CI jobs get killed."""
_PROGRESS_S = 5.0
_MOST_WAITED_FOR = 5


class PlainView:
    """Writes lines to a stream, each flushed at once."""

    interval_s = 5.0

    def __init__(self, *, stdout: TextIO, debug: bool, redactor: Redactor) -> None:
        """Write to ``stdout``; with ``debug`` also a line for every HTTP request."""
        self.failure: Exception | None = None
        self._stdout = stdout
        self._redactor = redactor
        self._outlet = Outlet(stdout, redactor)
        self._narrator = Narrator(redactor, debug=debug)
        self._board = Board()
        self._last_line_at = 0.0

    def handle(self, event: Event, now: float) -> None:
        """Write what the event adds, and after the last one the summary and what failed."""
        self._board.note(event, now)
        lines = self._narrator.tell(event)
        if isinstance(event, InventoryProgress) and now - self._last_line_at >= _PROGRESS_S:
            lines = [Line(f"… reading the tenant: {event.read:,} of {number(event.total, 'artifact')}")]
        elif isinstance(event, RunFinished):
            lines += _report_lines(event.report, self._redactor, warning_count=self._narrator.warning_count)
        self._write(lines, now)

    def tick(self, now: float) -> None:
        """Say what is being waited for where nothing was said for a minute."""
        if self._board.activity and now - self._last_line_at >= SILENCE_S:
            self._write([Line(self._waiting(now))], now)

    def close(self) -> None:
        """Do nothing: every line was flushed."""

    def _write(self, lines: Iterable[Line], now: float) -> None:
        for line in lines:
            self._stdout.write(f"{self._outlet.fit(line.text)}\n")
            self._stdout.flush()
            self._last_line_at = now

    def _waiting(self, now: float) -> str:
        board = self._board
        flights = list(board.in_flight.items())
        named = [f"{ref.artifact} {flight.status} {seconds(now - flight.since)}" for ref, flight in flights]
        listed = ", ".join(named[:_MOST_WAITED_FOR])
        more = f", … and {len(named) - _MOST_WAITED_FOR} more" if len(named) > _MOST_WAITED_FOR else ""
        text = f"… {board.activity}, {seconds(now - board.since)} so far"
        if board.pending:
            text += f": {board.settled:,} of {board.pending:,} settled"
            text += f", {board.waiting:,} waiting" if board.is_in_phase else ""
        return f"{text}; in progress: {listed}{more}" if listed else text


def render_report(report: Report, redactor: Redactor, *, stdout: IO[str] | None = None) -> str:
    """Give summary, failures and closing line of a run as text, fit for ``stdout`` where that is given."""
    return rendered(_report_lines(report, redactor, warning_count=0), redactor, stdout)


def render_problems(problems: Sequence[Problem], redactor: Redactor, *, stdout: IO[str] | None = None) -> str:
    """Give ``file:line:column: path: message`` for each problem, then a line that counts them."""
    lines = [Line(str(problem)) for problem in problems]
    return rendered([*lines, Line(f"{number(len(problems), 'problem')}; nothing was sent.")], redactor, stdout)


def render_error(error: CpiTasksError, redactor: Redactor, *, stdout: IO[str] | None = None) -> str:
    """Give an error that ended a run before there was a report, with the exit code the run ends with."""
    first, *more = redactor.clean_lines(str(error)) or [type(error).__name__]
    lines = [Line(f"✗ {first}"), *(Line(f"    {line}") for line in more), Line(f"(exit code {error.exit_code})")]
    return rendered(lines, redactor, stdout)


def _report_lines(report: Report, redactor: Redactor, *, warning_count: int) -> list[Line]:
    lines = [line for summary in summaries(report, redactor) for line in summary_lines(summary)]
    return [*lines, *failure_lines(report, redactor), *closing_lines(report, warning_count=warning_count)]
