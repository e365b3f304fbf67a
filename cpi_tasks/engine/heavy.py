"""Work that would hold up the event loop goes to a thread; small work is done at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

T = TypeVar("T")

# Below this size the work takes a few milliseconds, less than handing it to a thread and back is worth.
_SMALL_BYTES = 256 * 1024
# One thread packs faster than any tenant takes; each more keeps freed memory of its own (an arena of the C library).
_THREADS = 1
_LIMITER: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("heavy")


async def run_heavy(size: int, work: Callable[[], T]) -> T:
    """Run ``work`` on about ``size`` bytes of content and give its result, without blocking other tasks for long."""
    if size <= _SMALL_BYTES:
        return work()
    return await trio.to_thread.run_sync(work, limiter=_limiter())


def _limiter() -> trio.CapacityLimiter:
    """Give this run's limiter; programs may have several runs, also at the same time."""
    try:
        return _LIMITER.get()
    except LookupError:
        limiter = trio.CapacityLimiter(_THREADS)
        _LIMITER.set(limiter)
        return limiter
