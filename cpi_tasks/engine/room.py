"""Room for archives in memory: small ones side by side, a huge one alone."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

_BYTES = 16 * 2**20
_AT_ONCE = 8


class NotBegun(Exception):
    """The run was told to begin nothing new while an upload waited for room; nothing of it was sent."""


@dataclass(slots=True, eq=False)
class _Waiter:
    size: int
    granted: trio.Event = field(default_factory=trio.Event)


class UploadRoom:
    """Bounds what uploads hold in memory: 8 at once, with 16 MiB of content in all. First come, first served.

    An archive larger than that waits for the others to end and goes alone. An upload holds about four times its
    content: packed, encoded, and in the request.
    """

    def __init__(
        self, *, size: int = _BYTES, at_once: int = _AT_ONCE, is_closed: Callable[[], bool] = lambda: False
    ) -> None:
        """Begin empty. ``is_closed`` tells whether nothing new may begin any more."""
        self._is_closed = is_closed
        self._free = self._size = size
        self._places = at_once
        self._waiting: deque[_Waiter] = deque()

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Hold room for an archive of ``size`` bytes of content; a cancelled waiter takes none.

        Raises ``NotBegun`` where nothing new may begin when there is room at last.
        """
        waiter = _Waiter(min(size, self._size))
        self._waiting.append(waiter)
        self._grant()
        try:
            await waiter.granted.wait()
        except BaseException:
            if waiter.granted.is_set():
                self._give_back(waiter)
            else:
                self._waiting.remove(waiter)
                self._grant()
            raise
        try:
            if self._is_closed():
                raise NotBegun
            yield
        finally:
            self._give_back(waiter)

    def _grant(self) -> None:
        while self._waiting and self._places and self._waiting[0].size <= self._free:
            waiter = self._waiting.popleft()
            self._free -= waiter.size
            self._places -= 1
            waiter.granted.set()

    def _give_back(self, waiter: _Waiter) -> None:
        self._free += waiter.size
        self._places += 1
        self._grant()
