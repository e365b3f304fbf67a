"""Turns: limiters never over their capacity, never idle while something ready waits, the most urgent first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from cpi_tasks.engine.scheduling import Schedule
from cpi_tasks.model.naming import ArtifactId, ArtifactRef, PackageId

PACKAGES = "PQRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that needs a slot: when it asks and how long it holds."""

    package: str
    urgency: float = 0.0
    place: int = 0
    asks_at: float = 0.0
    takes_s: float = 1.0


@dataclass(slots=True, kw_only=True)
class Floor:
    """Runs jobs and keeps the books."""

    per_package: int
    overall: int
    waiting: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    begun: list[tuple[float, Job]] = field(default_factory=list)

    async def run(self, *jobs: Job) -> None:
        """Run all jobs to their end and check the promise at every moment when nothing moves."""
        run_limiter = trio.CapacityLimiter(self.overall)
        schedule = Schedule(run_limiter)
        limiters = [trio.CapacityLimiter(self.per_package) for _ in PACKAGES]
        for package, limiter in zip(PACKAGES, limiters, strict=True):
            schedule.open(PackageId(package), limiter)
        async with trio.open_nursery() as outer:
            outer.start_soon(schedule.run)
            async with trio.open_nursery() as nursery:
                for number, job in enumerate(jobs):
                    ref = ArtifactRef(package=PackageId(job.package), artifact=ArtifactId(str(number)))
                    nursery.start_soon(self._run, job, ref, schedule)
            outer.cancel_scope.cancel()
        assert not any(limiter.borrowed_tokens for limiter in (run_limiter, *limiters))
        assert not +self.held
        assert not +self.waiting

    async def _run(self, job: Job, ref: ArtifactRef, schedule: Schedule) -> None:
        await trio.sleep_until(job.asks_at)
        self.waiting[job.package] += 1
        granted = trio.Event()
        schedule.ask(ref, granted.set, urgency=job.urgency, place=job.place)
        await granted.wait()
        self.waiting[job.package] -= 1
        self.held[job.package] += 1
        self.begun.append((trio.current_time(), job))
        await trio.sleep(job.takes_s)
        self.held[job.package] -= 1
        schedule.give_back(ref)
        self._check_limits()
        await wait_all_tasks_blocked()
        self._check_idle()

    def _check_limits(self) -> None:
        assert self.held.total() <= self.overall
        assert max(self.held.values(), default=0) <= self.per_package

    def _check_idle(self) -> None:
        """Whatever waits now waits because its package or the run is full."""
        self._check_limits()
        full = self.held.total() == self.overall
        assert all(full or self.held[package] == self.per_package for package in +self.waiting)

    @property
    def order(self) -> list[float]:
        """The urgencies of what was begun, in order."""
        return [job.urgency for _, job in self.begun]


JOBS = st.builds(
    Job,
    package=st.sampled_from(PACKAGES),
    urgency=st.integers(0, 3).map(float),
    asks_at=st.integers(0, 6).map(float),
    takes_s=st.integers(0, 5).map(float),
)


@given(jobs=st.lists(JOBS, max_size=25), per_package=st.integers(1, 3), overall=st.integers(1, 5))
def test_full_but_never_too_full(jobs: list[Job], per_package: int, overall: int) -> None:
    """Whoever asks, holds and ends when: limits hold, and nobody who could go waits for a moment."""

    async def run() -> None:
        floor = Floor(per_package=per_package, overall=overall)
        await floor.run(*jobs)
        assert len(floor.begun) == len(jobs)

    trio.run(run, clock=MockClock(autojump_threshold=0))


@given(urgencies=st.lists(st.integers(0, 9).map(float), min_size=1, max_size=12), packages=st.integers(1, 3))
def test_the_most_urgent_first(urgencies: list[float], packages: int) -> None:
    """Of those that ask in the same moment the most urgent go first, in whatever package they are."""
    jobs = [Job(package="PQR"[number % packages], urgency=urgency) for number, urgency in enumerate(urgencies)]
    floor = Floor(per_package=1, overall=1)

    trio.run(lambda: floor.run(*jobs), clock=MockClock(autojump_threshold=0))

    assert floor.order == sorted(urgencies, reverse=True)


async def test_a_late_but_urgent_one_overtakes(autojump_clock: MockClock) -> None:
    """Who asks later goes before less urgent ones that still wait."""
    floor = Floor(per_package=1, overall=1)

    await floor.run(
        Job(package="P", urgency=1.0, takes_s=10.0),
        Job(package="P", urgency=0.0),
        Job(package="P", urgency=5.0, asks_at=9.0),
    )

    assert floor.order == [1.0, 5.0, 0.0]


async def test_equally_urgent_ones_are_fair_to_packages(autojump_clock: MockClock) -> None:
    """Of the same urgency, packages take turns, and otherwise the order of the files counts."""
    floor = Floor(per_package=3, overall=5)

    await floor.run(*(Job(package=package, place=place, takes_s=5.0) for place, package in enumerate("PPPPQQRR")))

    first = {(job.package, job.place) for at, job in floor.begun if at == 0.0}
    assert first == {("P", 0), ("P", 1), ("Q", 4), ("Q", 5), ("R", 6)}


async def test_who_asked_first_where_nothing_else_decides(autojump_clock: MockClock) -> None:
    """Of the same urgency and place the first that asked goes first."""
    floor = Floor(per_package=1, overall=1)

    await floor.run(*(Job(package="P", asks_at=float(number), takes_s=10.0 - number) for number in range(4)))

    assert [job.asks_at for _, job in floor.begun] == [0.0, 1.0, 2.0, 3.0]


async def test_a_full_package_does_not_keep_others_waiting(autojump_clock: MockClock) -> None:
    """What waits for its package, however urgent, takes none of the run's slots from another package."""
    floor = Floor(per_package=1, overall=2)

    await floor.run(
        *(Job(package="P", urgency=9.0, takes_s=10.0) for _ in range(3)), Job(package="Q", urgency=0.0, takes_s=10.0)
    )

    begun = sorted((at, job.package) for at, job in floor.begun)
    assert begun == [(0.0, "P"), (0.0, "Q"), (10.0, "P"), (20.0, "P")]


async def test_a_freed_slot_is_used_at_once(autojump_clock: MockClock) -> None:
    """Jobs through one slot follow each other without a pause."""
    floor = Floor(per_package=1, overall=1)

    await floor.run(*(Job(package=package, takes_s=7.0) for package in "PQPQ"))

    assert [at for at, _ in floor.begun] == [0.0, 7.0, 14.0, 21.0]
