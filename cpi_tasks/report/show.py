"""Showing a run: the choice of the view, and the task that feeds it without ever disturbing the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TextIO

import trio

from cpi_tasks.events import Event
from cpi_tasks.report.plain import PlainView
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.wording import Outlet

_NO_TERMINALS = frozenset({"dumb", "unknown"})
_UNSET = frozenset({"", "0", "false", "no", "off"})
_NARROWEST = 20
_USUAL_WIDTH = 80


class View(Protocol):
    """Something that shows a run. ``now`` is the run's clock in seconds; methods may raise whatever goes wrong."""

    failure: Exception | None
    """Why the view stopped showing anything; set by ``show``."""

    @property
    def interval_s(self) -> float:
        """How often ``tick`` is wanted, in seconds."""

    def handle(self, event: Event, now: float) -> None:
        """Show one event."""

    def tick(self, now: float) -> None:
        """Show that time has passed."""

    def close(self) -> None:
        """Leave the terminal as it was; may be called more than once."""


class QuietView:
    """Shows nothing: standard output is for a machine."""

    interval_s = 60.0

    def __init__(self) -> None:
        """Begin without a failure, and never have one."""
        self.failure: Exception | None = None

    def handle(self, event: Event, now: float) -> None:
        """Show nothing."""

    def tick(self, now: float) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing."""


def wants_live(stdout: TextIO, variables: Mapping[str, str]) -> bool:
    """Whether ``stdout`` is a terminal with a person before it: not dumb, and not a CI job's (``CI`` set)."""
    if variables.get("CI", "").strip().lower() not in _UNSET:
        return False
    if variables.get("TERM", "").strip().lower() in _NO_TERMINALS:
        return False
    return not stdout.closed and stdout.isatty()


def open_view(*, stdout: TextIO, is_live: bool, debug: bool, redactor: Redactor) -> View:
    """Open the live or the plain view on ``stdout``; ``show`` closes it.

    A stream that cannot encode the signs of the live display gets the plain view whatever is asked for.
    """
    if not is_live or not Outlet(stdout, redactor).takes_signs:
        return PlainView(stdout=stdout, debug=debug, redactor=redactor)
    # Imported here: a CI job that needs no terminal does not wait for rich.
    from rich.console import Console  # noqa: PLC0415 (see above)

    from cpi_tasks.report.live import LiveView  # noqa: PLC0415 (see above)

    console = Console(file=stdout, force_terminal=True, highlight=False, markup=False, emoji=False)
    if console.width < _NARROWEST:
        # COLUMNS=0, for instance, loses every word.
        console.width = _USUAL_WIDTH
    return LiveView(console=console, debug=debug, redactor=redactor)


async def show_events(events: trio.MemoryReceiveChannel[Event], view: View) -> None:
    """Feed ``view`` until the sending side closes, with a tick every ``interval_s``; then close the view.

    The view works in a thread, so that a terminal that takes nothing (a pager, a stopped screen) does not hold up the
    run. Whatever the view raises is kept as ``view.failure``; from then on events are only drained. Nothing is raised.
    """
    due = trio.current_time() + view.interval_s
    try:
        async with events:
            is_open = True
            while is_open:
                batch, is_open = await _next_batch(events, due)
                now = trio.current_time()
                is_due = now >= due
                if is_due:
                    due = now + view.interval_s
                if view.failure is None:
                    view.failure = await trio.to_thread.run_sync(_feed, view, batch, now, is_due)
    finally:
        _close(view)


async def _next_batch(events: trio.MemoryReceiveChannel[Event], due: float) -> tuple[list[Event], bool]:
    """Wait for events until ``due``; give those there are, and whether more may come."""
    batch: list[Event] = []
    try:
        with trio.move_on_at(due):
            batch.append(await events.receive())
        while True:
            batch.append(events.receive_nowait())
    except trio.WouldBlock:
        return batch, True
    except trio.EndOfChannel:
        return batch, False


def _feed(view: View, batch: list[Event], now: float, is_due: bool) -> Exception | None:
    try:
        for event in batch:
            view.handle(event, now)
        if is_due:
            view.tick(now)
    except Exception as failure:  # noqa: BLE001 (a broken display must never stop a deployment)
        return failure
    return None


def _close(view: View) -> None:
    try:
        view.close()
    except Exception as failure:  # noqa: BLE001 (as above)
        view.failure = view.failure or failure
