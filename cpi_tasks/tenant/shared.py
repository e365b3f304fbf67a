"""One value that many tasks use and that one of them at a time fetches again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from cpi_tasks.errors import AuthenticationError, TenantUnavailable

T = TypeVar("T")


class Shared(Generic[T]):
    """Single-flight holder of a token or a session.

    Values are compared by identity: whoever reports the current one as stale causes one fetch, whoever reports an
    older one gets the current one. A fetch that failed while others waited for it has failed for them too; otherwise
    a wrong password would be sent once for every waiting request.
    """

    def __init__(self, obtain: Callable[[], Awaitable[T]]) -> None:
        """Take the call that fetches a value; nothing is fetched before somebody asks."""
        self._obtain = obtain
        self._lock = trio.Lock()
        self._failure: AuthenticationError | TenantUnavailable | None = None
        self._failures = 0
        self.current: T | None = None

    async def replace(self, stale: T | None) -> T:
        """Give a value other than ``stale`` (``None``: any), fetching one only if nobody else did so meanwhile."""
        failures = self._failures
        async with self._lock:
            if self.current is not None and self.current is not stale:
                return self.current
            if self._failure is not None and self._failures != failures:
                raise type(self._failure)(str(self._failure)) from self._failure
            try:
                self.current = await self._obtain()
            except (AuthenticationError, TenantUnavailable) as failure:
                self._failure = failure
                self._failures += 1
                raise
            return self.current
