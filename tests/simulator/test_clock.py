"""The tenant's time inside and outside of trio."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from cpi_tasks.simulator.clock import Clock, stands_still


async def test_real_clocks_and_those_of_tests_are_told_apart() -> None:
    """Outside of a run the tenant's time follows the wall clock, unless the last run had a clock that stood."""
    assert not stands_still(trio.lowlevel.current_clock())
    assert stands_still(MockClock())
    assert stands_still(MockClock(autojump_threshold=0))


def test_time_does_not_go_back_between_runs() -> None:
    """An hour of a virtual clock is an hour for the tenant, also for whoever looks afterwards."""
    clock = Clock()
    began_ms = clock.now_ms()

    async def wait_an_hour() -> None:
        clock.now_ms()
        await trio.sleep(3600)
        clock.now_ms()

    trio.run(wait_an_hour, clock=MockClock(autojump_threshold=0))
    assert clock.now_ms() >= began_ms + 3_600_000
