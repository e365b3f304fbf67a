"""Slots of the deploy phase: how many deployments may be under way, in one package and in the whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

import trio

from cpi_tasks.model.naming import PackageId


@dataclass(slots=True, order=True)
class _Waiter:
    rank: float
    place: int
    number: int
    begin: Callable[[], None] = field(compare=False)


class _Offer(NamedTuple):
    """A package that may take a slot for the first of its waiters; what comes first sorts first."""

    rank: float
    held: int
    place: int
    number: int
    package: PackageId


class Slots:
    """Grants a package's and the run's slot together, so that what waits for one of them does not hold the other.

    Of those who may go the most urgent goes first, in whatever package it is; of equally urgent ones that of the
    package with the fewest under way, then the one with the lowest place, then the one that asked first. ``run`` must
    be started in a nursery: it decides a moment after somebody asked, when all who are ready have asked too. Whoever
    waits is no task meanwhile: ``begin`` starts one.
    """

    def __init__(self, *, per_package: int, overall: int) -> None:
        """Take both limits."""
        self._per_package = per_package
        self._free = overall
        self._waiting: dict[PackageId, list[_Waiter]] = {}
        self._held: Counter[PackageId] = Counter()
        self._offers: list[_Offer] = []
        self._asked = 0
        self._changed = trio.Event()

    def ask(self, package: PackageId, begin: Callable[[], None], *, urgency: float, place: int = 0) -> None:
        """Have ``begin`` called once there is a slot; whatever it starts must give it back with ``release``."""
        self._asked += 1
        heappush(self._waiting.setdefault(package, []), _Waiter(-urgency, place, self._asked, begin))
        self._note_change(package)

    def release(self, package: PackageId) -> None:
        """Give a slot back."""
        self._free += 1
        self._held[package] -= 1
        self._note_change(package)

    async def run(self) -> None:
        """Grant slots for ever."""
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            # Everybody who became ready in the same moment asks before it is decided.
            await trio.lowlevel.checkpoint()
            self._grant()

    def _grant(self) -> None:
        while self._free and self._offers:
            offer = heappop(self._offers)
            # Offers are not withdrawn: one that does not hold any more was followed by one that does.
            if offer == self._best(offer.package):
                self._free -= 1
                self._held[offer.package] += 1
                heappop(self._waiting[offer.package]).begin()
                self._note_change(offer.package)

    def _best(self, package: PackageId) -> _Offer | None:
        """Give what a package may take a slot for now."""
        waiters, held = self._waiting.get(package), self._held[package]
        if not waiters or held >= self._per_package:
            return None
        first = waiters[0]
        return _Offer(first.rank, held, first.place, first.number, package)

    def _note_change(self, package: PackageId) -> None:
        """Have it decided anew who goes next; every change to a package comes here."""
        offer = self._best(package)
        if offer is not None:
            heappush(self._offers, offer)
        self._changed.set()
