"""Slots of the deploy phase: how many deployments may be under way, in one package and in the whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import trio

from cpi_tasks.model.naming import PackageId


@dataclass(slots=True, order=True)
class _Waiter:
    urgency: float
    number: int
    granted: trio.Event = field(default_factory=trio.Event, compare=False)


class Slots:
    """Grants a package's and the run's slot together, so that what waits for one of them does not hold the other.

    Of those who may go the most urgent goes first, in whatever package it is; of equally urgent ones that of the
    package with the fewest under way, then the one that asked first. ``run`` must be started in a nursery: it decides a
    moment after somebody asked, when all who are ready have asked too.
    """

    def __init__(self, *, per_package: int, overall: int) -> None:
        """Take both limits."""
        self._per_package = per_package
        self._overall = overall
        self._waiting: dict[PackageId, list[_Waiter]] = {}
        self._held: Counter[PackageId] = Counter()
        self._asked = 0
        self._changed = trio.Event()

    @asynccontextmanager
    async def hold(self, package: PackageId, *, urgency: float) -> AsyncIterator[None]:
        """Hold a slot for the block; a cancelled waiter takes none."""
        self._asked += 1
        waiter = _Waiter(-urgency, self._asked)
        heappush(self._waiting.setdefault(package, []), waiter)
        self._changed.set()
        try:
            await waiter.granted.wait()
        except BaseException:
            if waiter.granted.is_set():
                self._release(package)
            else:
                self._forget(package, waiter)
            raise
        try:
            yield
        finally:
            self._release(package)

    async def run(self) -> None:
        """Grant slots for ever."""
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            # Everybody who became ready in the same moment asks before it is decided.
            await trio.lowlevel.checkpoint()
            self._grant()

    def _grant(self) -> None:
        while self._held.total() < self._overall:
            ready = [package for package in self._waiting if self._held[package] < self._per_package]
            if not ready:
                return
            chosen = min(ready, key=self._rank)
            waiters = self._waiting[chosen]
            waiter = heappop(waiters)
            if not waiters:
                del self._waiting[chosen]
            self._held[chosen] += 1
            waiter.granted.set()

    def _rank(self, package: PackageId) -> tuple[float, int, int]:
        first = self._waiting[package][0]
        return first.urgency, self._held[package], first.number

    def _release(self, package: PackageId) -> None:
        self._held[package] -= 1
        self._changed.set()

    def _forget(self, package: PackageId, waiter: _Waiter) -> None:
        waiters = self._waiting[package]
        waiters.remove(waiter)
        heapify(waiters)
        if not waiters:
            del self._waiting[package]
