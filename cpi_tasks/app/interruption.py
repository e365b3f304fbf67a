"""Ctrl-C and SIGTERM: nothing new is begun, what is under way may end, and the report is on disk before the wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Protocol

import trio

from cpi_tasks.events import Emit, InterruptionBegan
from cpi_tasks.signals import early_signals

Heed = Callable[[signal.Signals], None]


class _Progress(Protocol):
    """What of a run's progress an interruption needs."""

    is_interrupted: bool

    def stop_beginning(self) -> float | None:
        """Begin nothing new; gives the seconds that what is under way may go on, ``None`` if nothing is."""


class Interruption:
    """What signals do to one run.

    While nothing is under way the run is cancelled at once. Later the first signal lets what is under way go on:
    without limit at Ctrl-C where a person is there, else for the settings' grace; the second ends the wait.
    """

    def __init__(self, progress: _Progress, *, is_attended: bool) -> None:
        """Make the scope that the run's work is to be done in; until ``use`` nobody is told and nothing is written."""
        self.scope = trio.CancelScope()
        self._progress = progress
        self._is_attended = is_attended
        self._emit: Emit | None = None
        self._save: Callable[[], None] | None = None
        self._is_over = False
        self.late: signal.Signals | None = None
        """The last signal that came when there was nothing left to interrupt."""

    def use(self, emit: Emit, save: Callable[[], None]) -> None:
        """Tell ``emit`` of an interruption from now on, and have ``save`` write the report before the wait."""
        self._emit, self._save = emit, save

    def end(self) -> None:
        """Heed nothing any more: the report is made now, and what it says must stay the last word."""
        self._is_over = True

    def begin(self, number: signal.Signals) -> None:
        """Heed one signal."""
        if self._is_over:
            self.late = number
            return
        is_first, self._progress.is_interrupted = not self._progress.is_interrupted, True
        grace_s = self._progress.stop_beginning()
        if not is_first or grace_s is None:
            self.scope.cancel()
            return
        waits_s = None if self._is_attended and number is signal.SIGINT else grace_s
        if waits_s is not None:
            self.scope.deadline = trio.current_time() + waits_s
        if self._emit is not None and self._save is not None:
            self._emit(InterruptionBegan(signal=number.name, waits_s=waits_s))
            self._save()


async def watch_signals(nursery: trio.Nursery, heed: Heed) -> None:
    """Call ``heed`` for SIGINT and SIGTERM as long as ``nursery`` lives; only where this is the main thread."""
    if threading.current_thread() is threading.main_thread():
        await nursery.start(_watch, heed)


async def _watch(heed: Heed, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    earlier = early_signals()
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        for early in earlier:
            heed(early)
        async for number in signals:
            heed(signal.Signals(number))
