"""Whatever happens, no sliding second holds more requests than the rate."""

from __future__ import annotations

from dataclasses import dataclass

import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.model.tenant import LANE
from cpi_tasks.tenant.limits import MAX_IN_FLIGHT, Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request: when it comes, for whom, how long its answer takes, what it is, and when its sender gives up."""

    arrives_s: float
    lane: str
    latency_s: float
    status: int
    retry_after_s: float | None
    patience_s: float


SENT = st.builds(
    Sent,
    arrives_s=st.sampled_from([0.0, 0.0, 0.0, 0.4, 1.0, 3.0, 30.0]),
    lane=st.sampled_from("abc"),
    latency_s=st.sampled_from([0.0, 0.05, 0.3, 1.0, 2.5, 20.0]),
    status=st.sampled_from([200, 200, 200, 429, 503]),
    retry_after_s=st.sampled_from([None, 0.0, 0.2, 1.0, 4.0, 60.0]),
    patience_s=st.sampled_from([1e6, 1e6, 1e6, 0.0, 0.1, 0.35, 1.0, 7.0]),
)


async def send_all(pace: Pace, requests: list[Sent], departures: list[float]) -> int:
    """Send them all; gives how many were not cut off."""
    done = 0

    async def send(request: Sent) -> None:
        nonlocal done
        LANE.set(request.lane)
        await trio.sleep(request.arrives_s)
        with trio.move_on_after(request.patience_s) as scope:
            async with pace.turn() as left:
                assert left is not None
                departures.append(trio.current_time())
                await trio.sleep(request.latency_s)
                if request.status == 200:
                    pace.note_taken(left=left)
                else:
                    pace.slow_down(left=left, status=request.status, retry_after_s=request.retry_after_s)
        done += not scope.cancelled_caught

    async with trio.open_nursery() as nursery:
        for request in requests:
            nursery.start_soon(send, request)
    return done


@settings(max_examples=120, deadline=None)
@given(rate=st.sampled_from([1.0, 2.0, 3.7, 9.0, 45.0]), requests=st.lists(SENT, min_size=20, max_size=80))
def test_no_sliding_second_holds_more_than_the_rate(rate: float, requests: list[Sent]) -> None:
    """Under any arrivals, latencies, refusals and cancellations the rate is kept, and nobody waits for ever."""
    places = trio.Semaphore(MAX_IN_FLIGHT)
    departures: list[float] = []
    done = trio.run(
        send_all,
        Pace(rate, places),
        requests,
        departures,
        clock=trio.testing.MockClock(autojump_threshold=0),
    )
    assert max((sum(start <= time < start + 1.0 for time in departures) for start in departures), default=0) <= rate
    assert done >= sum(request.patience_s == 1e6 for request in requests)
    assert places.value == MAX_IN_FLIGHT
