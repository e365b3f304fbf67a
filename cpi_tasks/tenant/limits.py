"""Request rates: SAP limits each family of its API by requests a second and user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from cpi_tasks.tenant.odata import API_ROOT

MAX_IN_FLIGHT = 10
"""Requests under way at once over both families; one connection each, kept open."""

_RUNTIME_PATHS = tuple(
    API_ROOT + name for name in ("IntegrationRuntimeArtifacts", "BuildAndDeployStatus", "ServiceEndpoints")
)
_MARGIN_S = 1e-6
"""Added to each gap so that rounding of clock readings never squeezes one request more into a second."""


class Pace:
    """Lets requests leave one by one, first come, first served, never closer together than ``1 / rate`` seconds.

    There is no burst: a limit over a sliding second leaves no room for one. A request also needs one of the
    shared ``places`` to leave, so that requests held up by a slow tenant do not pile up and then leave at once.
    """

    def __init__(self, rate: float, places: trio.Semaphore) -> None:
        """Take the rate in requests a second and the places shared with the other families."""
        self._gap_s = 1.0 / rate + _MARGIN_S
        self._places = places
        self._queue = trio.Lock()
        self._next = -float("inf")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold a place for the length of the block; a cancelled waiter uses up neither."""
        async with self._queue:
            await self._places.acquire()
            try:
                await trio.sleep_until(max(self._next, trio.current_time()))
            except BaseException:
                self._places.release()
                raise
            self._next = trio.current_time() + self._gap_s
        try:
            yield
        finally:
            self._places.release()


class Paces:
    """The paces of one tenant, by API family."""

    def __init__(self, *, designtime_rate: float, runtime_rate: float) -> None:
        """Take both rates in requests a second."""
        places = trio.Semaphore(MAX_IN_FLIGHT)
        self._designtime = Pace(designtime_rate, places)
        self._runtime = Pace(runtime_rate, places)

    def of(self, path: str) -> Pace:
        """Give the pace of a path's family; whatever is not surely runtime counts as design time, the scarcer one."""
        return self._runtime if path.startswith(_RUNTIME_PATHS) else self._designtime
