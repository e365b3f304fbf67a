"""Ctrl-C and SIGTERM around a task: kept until a run heeds them, dropped once they come too late to change its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_HEEDED = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """A handler of signals that ends nothing by itself."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._early: list[signal.Signals] = []
        self._is_taken = False
        self._before = {number: signal.getsignal(number) for number in _HEEDED}

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Keep the first signal for the run that begins; one that comes after ``take`` finds everything decided.

        A second one before that goes where it would have gone: libraries that never finish loading can be ended. Where
        it would have been ignored (a shell's background job ignores Ctrl-C) it waits for the run like the first.
        """
        if self._is_taken:
            return
        if self._early and self._before[signal.Signals(number)] is not signal.SIG_IGN:
            self.give_back()
            signal.raise_signal(number)
        self._early.append(signal.Signals(number))

    def take(self) -> list[signal.Signals]:
        """Give what came so far, once; from now on whoever takes receives signals himself, and the rest is dropped."""
        self._is_taken = True
        early, self._early = self._early, []
        return early

    def give_back(self) -> None:
        """Have signals handled as they were before."""
        for number, handler in self._before.items():
            # None: a handler that was not set by Python, and cannot be.
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def held_signals() -> Iterator[None]:
    """Hold signals in the block; outside the main thread, where none can be received, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = HeldSignals()
    for number in _HEEDED:
        signal.signal(number, held)
    try:
        yield
    finally:
        held.give_back()


def early_signals() -> list[signal.Signals]:
    """Give the signals that are held for whoever is about to receive them."""
    held = signal.getsignal(signal.SIGTERM)
    return held.take() if isinstance(held, HeldSignals) else []
