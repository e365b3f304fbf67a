"""The tenant's clock: epoch milliseconds that follow trio's time, so that a virtual clock moves the tenant too."""

from __future__ import annotations

import time

import trio


class Clock:
    """Wall clock at construction plus the trio time elapsed since; never goes backwards.

    Every ``trio.run`` has a time scale of its own, so each new run is anchored anew, at the wall clock or the latest
    moment seen, whichever is later. Outside trio (another thread, a plain test) the wall clock is used.
    """

    def __init__(self) -> None:
        """Anchor at the wall clock."""
        self._latest_ms = time.time() * 1000
        self._run: trio.lowlevel.TrioToken | None = None
        self._offset_ms = 0.0

    def now_ms(self) -> float:
        """Milliseconds since 1970, UTC."""
        try:
            token = trio.lowlevel.current_trio_token()
        except RuntimeError:
            if self._run is None:
                self._latest_ms = max(self._latest_ms, time.time() * 1000)
            return self._latest_ms
        elapsed_ms = trio.current_time() * 1000
        if token is not self._run:
            first = self._run is None
            start_ms = self._latest_ms if first else max(self._latest_ms, time.time() * 1000)
            self._run, self._offset_ms = token, start_ms - elapsed_ms
        self._latest_ms = max(self._latest_ms, self._offset_ms + elapsed_ms)
        return self._latest_ms
