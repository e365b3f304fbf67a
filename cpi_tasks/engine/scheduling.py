"""Whose turn it is in the deploy phase: who waits for both limiters, and who gets them next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

import trio

from cpi_tasks.model.naming import ArtifactRef, PackageId


@dataclass(slots=True, order=True)
class _Waiter:
    rank: float
    place: int
    number: int
    ref: ArtifactRef = field(compare=False)
    start: Callable[[], None] = field(compare=False)


class _Offer(NamedTuple):
    """A package whose first waiter may go; what comes first sorts first."""

    rank: float
    borrowed: int
    place: int
    number: int
    package: PackageId


class Schedule:
    """Borrows the limiters of a package and of the run together, on behalf of an artifact whose turn it is.

    What waits for one of the two does not hold the other. Of those who may go the most urgent goes first, in whatever
    package it is; of equally urgent ones that of the package with the fewest deployments in progress, then the one with
    the lowest place, then the one that asked first. ``run`` must be started in a nursery: it decides a moment after an
    artifact asked, when all that are ready have asked too. What waits is no task: ``start`` starts one.
    """

    def __init__(self, run_limiter: trio.CapacityLimiter) -> None:
        """Take the limiter of the run; ``open`` brings those of the packages."""
        self._run_limiter = run_limiter
        self._limiters: dict[PackageId, trio.CapacityLimiter] = {}
        self._waiting: dict[PackageId, list[_Waiter]] = {}
        self._offers: list[_Offer] = []
        self._asked = 0
        self._changed = trio.Event()

    def open(self, package: PackageId, limiter: trio.CapacityLimiter) -> None:
        """Take the limiter of a package; its artifacts may ask from now on."""
        self._limiters[package] = limiter

    def ask(self, ref: ArtifactRef, start: Callable[[], None], *, urgency: float, place: int = 0) -> None:
        """Have ``start`` called once both limiters are borrowed for ``ref``; what it starts must ``give_back``."""
        self._asked += 1
        heappush(self._waiting.setdefault(ref.package, []), _Waiter(-urgency, place, self._asked, ref, start))
        self._note_change(ref.package)

    def give_back(self, ref: ArtifactRef) -> None:
        """Return what was borrowed on behalf of an artifact."""
        self._limiters[ref.package].release_on_behalf_of(ref)
        self._run_limiter.release_on_behalf_of(ref)
        self._note_change(ref.package)

    async def run(self) -> None:
        """Hand out turns until cancelled."""
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            # All that became ready in the same moment ask before it is decided.
            await trio.lowlevel.checkpoint()
            self._give_turns()

    def _give_turns(self) -> None:
        while self._run_limiter.available_tokens and self._offers:
            offer = heappop(self._offers)
            # Offers are not withdrawn: one that does not hold any more was followed by one that does.
            if offer == self._best(offer.package):
                waiter = heappop(self._waiting[offer.package])
                self._limiters[offer.package].acquire_on_behalf_of_nowait(waiter.ref)
                self._run_limiter.acquire_on_behalf_of_nowait(waiter.ref)
                waiter.start()
                self._note_change(offer.package)

    def _best(self, package: PackageId) -> _Offer | None:
        """Return the offer of a package; ``None`` where nothing waits or its limiter has no token left."""
        waiters, limiter = self._waiting.get(package), self._limiters[package]
        if not waiters or not limiter.available_tokens:
            return None
        first = waiters[0]
        return _Offer(first.rank, limiter.borrowed_tokens, first.place, first.number, package)

    def _note_change(self, package: PackageId) -> None:
        """Have it decided again who goes next; every change to a package comes here."""
        offer = self._best(package)
        if offer is not None:
            heappush(self._offers, offer)
        self._changed.set()
