"""A run on a terminal: settled lines scroll by, a compact board at the bottom shows what is going on."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cpi_tasks.events import Event, RunFinished
from cpi_tasks.model.report import Report
from cpi_tasks.report.board import Board
from cpi_tasks.report.failures import closing_lines, failure_lines
from cpi_tasks.report.narration import Narrator
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.summary import Summary, summaries
from cpi_tasks.report.wording import RULE_WIDTH, Line, Outlet, Tone, seconds

_MOST_ROWS = 12
_LINES_AROUND_ROWS = 6
_STYLES = {
    Tone.NORMAL: "",
    Tone.HEADING: "bold",
    Tone.RULE: "dim",
    Tone.THIN_RULE: "dim",
    Tone.GOOD: "green",
    Tone.BAD: "red",
    Tone.WARNING: "yellow",
    Tone.FAINT: "dim",
    Tone.PROGRESS: "dim",
    Tone.ADDITION: "green",
    Tone.CHANGE: "cyan",
    Tone.DIFF_HEADER: "bold",
    Tone.DIFF_HUNK: "cyan",
    Tone.DIFF_ADDED: "green",
    Tone.DIFF_REMOVED: "red",
    Tone.DIFF_CONTEXT: "",
}
_ONLY_SIGNED = frozenset({Tone.ADDITION, Tone.CHANGE})
_VERBATIM = frozenset({Tone.DIFF_HEADER, Tone.DIFF_HUNK, Tone.DIFF_ADDED, Tone.DIFF_REMOVED, Tone.DIFF_CONTEXT})


class LiveView:
    """Draws on a rich console; nothing but ``tick`` and ``handle`` ever draws, there is no thread behind it."""

    interval_s = 0.25

    def __init__(self, *, console: Console, debug: bool, redactor: Redactor) -> None:
        """Draw on ``console``; with ``debug`` also a line for every HTTP request."""
        self.failure: Exception | None = None
        self._console = console
        self._redactor = redactor
        self._outlet = Outlet(console.file, redactor)
        self._narrator = Narrator(redactor, debug=debug)
        self._board = Board()
        self._live: Live | None = None

    def handle(self, event: Event, now: float) -> None:
        """Print what the event adds above the board; after the last one the summary and what failed."""
        self._board.note(event, now)
        if not self._board.activity:
            self.close()
        for line in self._narrator.tell(event):
            if line.tone is not Tone.PROGRESS:
                self._print(line)
        if isinstance(event, RunFinished):
            self._finish(event.report)

    def tick(self, now: float) -> None:
        """Draw the board with the time that has passed."""
        if not self._board.activity:
            return
        if self._live is None:
            # Refreshed by ``tick`` alone; nothing else that is written is ours to move around.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(self._drawn(now), refresh=True)

    def close(self) -> None:
        """Take the board away and give the cursor back."""
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def _finish(self, report: Report) -> None:
        for summary in summaries(report, self._redactor):
            self._console.print()
            self._console.print(self._table(summary))
            for note in summary.notes:
                self._print(note)
        lines = failure_lines(report, self._redactor)
        lines += closing_lines(report, warning_count=self._narrator.warning_count)
        for line in lines:
            self._print(line)

    def _text(self, text: str, style: str = "", *, overflow: bool = True) -> Text:
        return Text(self._outlet.fit(text), style=style, overflow="fold" if overflow else "ellipsis")

    def _print(self, line: Line) -> None:
        if line.tone in {Tone.RULE, Tone.THIN_RULE}:
            rule = line.text[: min(RULE_WIDTH, self._console.width)]
            self._console.print(self._text(rule, _STYLES[line.tone]))
            return
        if line.tone in _VERBATIM:
            self._console.print(self._text(line.text, _STYLES[line.tone]))
            return
        text, style = line.text.lstrip(" "), _STYLES[line.tone]
        indent = min(len(line.text) - len(text), self._console.width // 2)
        drawn: RenderableType = self._text(text, style)
        mark, _, rest = text.partition(" ")
        if len(mark) == 1 and rest:
            # Wrapped lines stay right of their mark.
            drawn = Table.grid(padding=(0, 1, 0, 0))
            drawn.add_row(self._text(mark, style), self._text(rest, "" if line.tone in _ONLY_SIGNED else style))
        self._console.print(Padding(drawn, (0, 0, 0, indent), expand=False) if indent else drawn)

    def _table(self, summary: Summary) -> RenderableType:
        table = Table(title=self._text(summary.title, "bold"), title_justify="left", show_header=False)
        table.add_column("what", no_wrap=True)
        table.add_column("number", justify="right", no_wrap=True)
        for group in summary.groups:
            for row in group:
                style = _STYLES[row.tone]
                table.add_row(self._text(row.label, style), self._text(row.value, style))
            table.add_section()
        return table

    def _drawn(self, now: float) -> RenderableType:
        board = self._board
        rows = min(_MOST_ROWS, max(1, self._console.height - _LINES_AROUND_ROWS))
        flights = sorted(board.in_flight.items(), key=lambda item: item[1].since)
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, justify="right")
        for ref, flight in flights[:rows]:
            name = self._text(f"  {ref.artifact}", overflow=False)
            grid.add_row(name, self._text(flight.status, "cyan"), seconds(now - flight.since))
        lines: list[RenderableType] = [self._bar(now)]
        lines += [grid] if flights else []
        below = [f"… and {len(flights) - rows:,} more in progress"] if len(flights) > rows else []
        below += [f"{board.waiting:,} waiting"] if board.waiting else []
        lines += [self._text(f"  {', '.join(below)}", "dim")] if below else []
        return Group(*lines)

    def _bar(self, now: float) -> RenderableType:
        board = self._board
        grid = Table.grid(expand=True, padding=(0, 1))
        cells: list[RenderableType] = [self._text(board.activity, "bold")]
        grid.add_column(no_wrap=True)
        if board.pending:
            grid.add_column(ratio=1)
            grid.add_column(no_wrap=True, justify="right")
            cells.append(ProgressBar(total=board.pending, completed=board.settled))
            cells.append(self._text(f"{board.settled:,}/{board.pending:,}"))
        if board.failed:
            grid.add_column(no_wrap=True)
            cells.append(self._text(f"✗ {board.failed:,} failed", "bold red"))
        grid.add_column(no_wrap=True, justify="right")
        cells.append(self._text(seconds(now - board.since)))
        grid.add_row(*cells)
        return grid
