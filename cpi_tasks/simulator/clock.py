"""The tenant's clock: epoch milliseconds that follow trio's time, so that a virtual clock moves the tenant too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import trio

_STANDS_FROM_S = 60.0


class Clock:
    """Wall clock at construction plus the trio time elapsed since; never goes backwards.

    Every ``trio.run`` has a time scale of its own, so each new run is anchored anew, at the wall clock or the latest
    moment seen, whichever is later. Outside trio (another thread, a plain test) the wall clock goes on, but the time of
    a virtual clock stands still.
    """

    def __init__(self) -> None:
        """Anchor at the wall clock."""
        self._latest_ms = time.time() * 1000
        self._run: trio.lowlevel.TrioToken | None = None
        self._offset_ms = 0.0
        self._is_virtual = False
        self._standing_ms: float | None = None

    @contextmanager
    def standing_at(self, moment_ms: float) -> Iterator[None]:
        """Stand at a moment in the past, to make up for what should have been done then."""
        self._standing_ms = moment_ms
        try:
            yield
        finally:
            self._standing_ms = None

    def now_ms(self) -> float:
        """Give milliseconds since 1970, UTC."""
        if self._standing_ms is not None:
            return self._standing_ms
        wall_ms = time.time() * 1000
        try:
            token = trio.lowlevel.current_trio_token()
        except RuntimeError:
            if not self._is_virtual:
                self._latest_ms = max(self._latest_ms, wall_ms)
            return self._latest_ms
        elapsed_ms = trio.current_time() * 1000
        if token is not self._run:
            start_ms = self._latest_ms if self._run is None else max(self._latest_ms, wall_ms)
            self._run, self._offset_ms = token, start_ms - elapsed_ms
            self._is_virtual = stands_still(trio.lowlevel.current_clock())
        self._latest_ms = max(self._latest_ms, self._offset_ms + elapsed_ms)
        return self._latest_ms


def stands_still(clock: trio.abc.Clock) -> bool:
    """Whether a clock goes only where it is moved, as those of tests do: a second of it would then never end."""
    return clock.deadline_to_sleep_time(clock.current_time() + 1) > _STANDS_FROM_S
