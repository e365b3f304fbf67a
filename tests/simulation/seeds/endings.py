"""How runs of a seed end before their time, and how all that is left to chance is taken from the seed."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import trio
from trio._core import _run as trio_core

from cpi_tasks.events import Event, RunFinished


class Killed(BaseException):
    """The process is gone: raised by everything it still tries to say."""


@dataclass(slots=True)
class End:
    """Ends a run at its so-many-th event, as a kill, a cancellation or a signal does."""

    how: str
    left: int
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    signals: int = 0

    def note(self, event: Event) -> None:
        """Take notice of an event, and end the run where it is time."""
        self.left -= 1
        if self.left > 0 or not self.how or isinstance(event, RunFinished):
            return
        if self.how == "kill":
            raise Killed
        if self.how == "cancel":
            self.scope.cancel()
        elif self.signals < (2 if self.how == "SIGINT twice" else 1):
            self.signals += 1
            self.left = 5
            signal.raise_signal(signal.SIGTERM if self.how == "SIGTERM" else signal.SIGINT)


@contextmanager
def exactly(seed: int) -> Iterator[None]:
    """Take every lot of this process from the seed: the library's, trio's order of tasks, and the wall clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trio_core, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
        patch.setattr("cpi_tasks.simulator.clock.time", SimpleNamespace(time=lambda: 1_767_600_000.0 + seed % 7 / 7))
        random.seed(seed)
        trio_core._r.seed(seed)
        # A signal that comes when the run has just ended must not end the tests.
        before = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore(_number: int, _frame: object) -> None:
    """Take a signal and do nothing."""
