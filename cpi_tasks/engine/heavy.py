"""Work that would hold up the event loop goes to a thread; small work is done at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

T = TypeVar("T")

# Below this size the work takes a few milliseconds, less than handing it to a thread and back is worth.
_SMALL_BYTES = 256 * 1024


async def run_heavy(size: int, work: Callable[[], T]) -> T:
    """Run ``work`` on about ``size`` bytes of content and give its result, without blocking other tasks for long."""
    if size <= _SMALL_BYTES:
        return work()
    return await trio.to_thread.run_sync(work)
