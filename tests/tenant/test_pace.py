"""The request rate under strain: fair between packages, paused and halved by the tenant's word, growing back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.events import Event, RequestFinished, RequestsSlowed
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.model.tenant import LANE
from cpi_tasks.tenant import TenantClient
from cpi_tasks.tenant.limits import MAX_IN_FLIGHT, Pace
from tests.tenant.scripted import PACKAGE, Scripted

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]


def a_pace(rate: float = 9.0, *, events: list[Event] | None = None, budget_s: float = 300.0) -> Pace:
    return Pace(
        rate,
        trio.Semaphore(MAX_IN_FLIGHT),
        family="design-time requests",
        budget_s=budget_s,
        emit=None if events is None else events.append,
    )


async def taken(pace: Pace) -> float:
    """Send a request that is taken at once; gives when it left."""
    async with pace.turn() as left:
        assert left is not None
        pace.note_taken(left=left)
    return left


async def refused(pace: Pace, retry_after_s: float | None = None, *, status: int = 429) -> float:
    """Send a request that is refused at once; gives when it left."""
    async with pace.turn() as left:
        assert left is not None
        pace.slow_down(left=left, status=status, retry_after_s=retry_after_s)
    return left


def gaps(moments: list[float]) -> list[float]:
    return [round(later - earlier, 3) for earlier, later in itertools.pairwise(moments)]


async def test_a_small_package_does_not_wait_for_a_large_one(autojump_clock: trio.testing.MockClock) -> None:
    """Packages leave in rotation, whoever came first; within one it is first come, first served."""
    pace = a_pace()
    order: list[str] = []

    async def leave(lane: str, number: int) -> None:
        LANE.set(lane)
        async with pace.turn():
            order.append(f"{lane}{number}")

    async with trio.open_nursery() as nursery:
        for lane, amount in (("big", 6), ("small", 3), ("one", 1)):
            for number in range(amount):
                nursery.start_soon(leave, lane, number)
                await trio.testing.wait_all_tasks_blocked()
    assert " ".join(order) == "big0 big1 big2 small0 one0 big3 small1 big4 small2 big5"


@pytest.mark.parametrize("rate", [5.5, 9.9, 1.5])
async def test_a_broken_rate_is_never_rounded_up(autojump_clock: trio.testing.MockClock, rate: float) -> None:
    """With 5.5 requests a second no sliding second holds six."""
    pace = a_pace(rate)
    moments = [await taken(pace) for _ in range(30)]
    assert max(sum(start <= moment < start + 1.0 for moment in moments) for start in moments) == int(rate)


async def test_a_refusal_pauses_halves_and_grows_back(autojump_clock: trio.testing.MockClock) -> None:
    """After a refusal nothing leaves for a second, then half as much, and ten seconds later as much as before."""
    pace = a_pace()
    for _ in range(20):
        await taken(pace)
    begun = await refused(pace)
    moments = [await taken(pace) for _ in range(150)]
    assert moments[0] - begun == pytest.approx(1.0, abs=0.001)
    assert sum(moment < begun + 2.0 for moment in moments) == 5
    assert gaps(moments)[:2] == [pytest.approx(1 / 4.5, abs=0.001), pytest.approx(1 / 4.6, abs=0.001)]
    assert gaps(moments) == sorted(gaps(moments), reverse=True)
    assert next(gap for moment, gap in zip(moments, gaps(moments), strict=False) if moment > begun + 11.0) == 0.111
    assert next(gap for moment, gap in zip(moments, gaps(moments), strict=False) if moment > begun + 9.0) > 0.115


async def test_what_was_seen_is_halved(autojump_clock: trio.testing.MockClock) -> None:
    """Not the permitted rate is halved but what left within the last second: three requests make 1.5 a second."""
    pace = a_pace()
    for _ in range(12):
        await taken(pace)
    await trio.sleep(5.0)
    await taken(pace)
    await taken(pace)
    await refused(pace)
    moments = [await taken(pace) for _ in range(2)]
    assert gaps(moments) == [pytest.approx(1 / 1.5, abs=0.001)]


async def test_one_pause_halves_once(autojump_clock: trio.testing.MockClock, events: list[Event]) -> None:
    """Eight refusals of requests that were under way together are one pause, one halving and one line."""
    pace = a_pace(events=events)
    started = [await taken(pace) for _ in range(20)][-1]

    async def late_refusal() -> None:
        async with pace.turn() as left:
            assert left is not None
            await trio.sleep(0.9)
            pace.slow_down(left=left, status=429, retry_after_s=None)

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(late_refusal)
    (told,) = events
    assert told == RequestsSlowed(family="design-time requests", status=429, pause_s=1.0, rate=4.0)
    moments = [await taken(pace) for _ in range(2)]
    assert moments[0] - started == pytest.approx(1 / 9 + 0.9 + 1.0, abs=0.01)  # after the first refusal, not the last
    assert gaps(moments) == [pytest.approx(1 / 4.0, abs=0.005)]


async def test_a_later_answer_may_ask_for_more_time(autojump_clock: trio.testing.MockClock) -> None:
    """Of several refusals the one with the longest ``Retry-After`` counts, whichever comes first."""
    pace = a_pace()
    moments = [await taken(pace) for _ in range(3)]
    for left, retry_after_s in zip(moments, (5.0, 30.0, 1.0), strict=True):
        pace.slow_down(left=left, status=429, retry_after_s=retry_after_s)
    assert await taken(pace) - moments[-1] == pytest.approx(30.0, abs=0.01)


async def test_refusals_in_a_row_make_longer_pauses(autojump_clock: trio.testing.MockClock) -> None:
    """Without ``Retry-After`` pauses double up to 15 seconds, and begin at one second again once something is taken."""
    pace = a_pace()
    moments = [await refused(pace) for _ in range(8)]
    assert gaps(moments) == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    await taken(pace)
    moments = [await refused(pace), await refused(pace)]
    assert gaps(moments)[0] <= 2.0


async def test_the_user_is_told_once_a_minute(autojump_clock: trio.testing.MockClock, events: list[Event]) -> None:
    """A tenant that goes on refusing draws one line a minute, not one for each pause or request."""
    pace = a_pace(events=events)
    started = trio.current_time()
    while trio.current_time() - started < 150:
        await refused(pace, 5.0)
    assert len(events) == 3


async def test_a_pause_holds_back_who_waited_for_its_moment(autojump_clock: trio.testing.MockClock) -> None:
    """The request at the head of the queue when a pause begins waits as well."""
    pace = a_pace(1.0)
    left = await taken(pace)
    moments: list[float] = []

    async def next_one() -> None:
        moments.append(await taken(pace))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(next_one)
        await trio.sleep(0.5)
        pace.slow_down(left=left, status=503, retry_after_s=10.0)
    assert moments == [pytest.approx(left + 10.5)]


async def test_cancelling_in_a_pause_costs_nobody_anything(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever is cut off while all wait for the end of a pause leaves turn and place to the others."""
    pace = a_pace()
    begun = await refused(pace, 20.0)
    moments: list[float] = []

    async def one(limit_s: float) -> None:
        with trio.move_on_after(limit_s):
            moments.append(await taken(pace))

    async with trio.open_nursery() as nursery:
        for number in range(60):
            nursery.start_soon(one, 100.0 if number % 3 == 1 else 10.0)
    assert len(moments) == 20
    assert moments[0] == pytest.approx(begun + 20.0)


async def test_a_slow_refusal_long_ago_does_not_count(autojump_clock: trio.testing.MockClock) -> None:
    """A refused request that nobody repeated does not make the next refusal, hours later, the last one."""
    pace = a_pace()
    await refused(pace)
    await trio.sleep(7200)
    await refused(pace)
    assert await taken(pace) - trio.current_time() == 0.0


async def test_a_tenant_that_only_refuses_is_given_up(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event]
) -> None:
    """When a family has met nothing but 429 for the budget, all who wait end at once, and later ones without asking."""
    ended: list[float] = []
    sentences: set[str] = set()

    async def read(client: TenantClient) -> None:
        with pytest.raises(TenantUnavailable) as caught:
            await client.read_package(PackageId("P"))
        ended.append(trio.current_time())
        sentences.add(str(caught.value))

    tenant = Scripted(httpx.Response(429))
    async with connected(tenant, rate=9.0) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(read, client)
        assert 300.0 <= min(ended) <= max(ended) <= 316.0
        assert len(tenant.asked) < 60
        (sentence,) = sentences
        assert sentence.startswith(
            "could not read integration package 'P': no usable answer from t1.example.com: the answer has been 429"
            " (request limit; others may use the same tenant) for 3"
        )
        assert sentence.endswith("run again later or lower requestsPerSecond")
        asked = len(tenant.asked)
        now = trio.current_time()
        await read(client)
        assert (len(tenant.asked), trio.current_time()) == (asked, now)
        assert tenant.probed == []
    assert sum(isinstance(event, RequestsSlowed) for event in events) <= 6
    assert {event.result for event in events if isinstance(event, RequestFinished)} == {"429"}


async def test_a_write_is_refused_as_long_as_a_read(
    autojump_clock: trio.testing.MockClock, connected: Connected
) -> None:
    """A write that is only ever refused for its rate is sent again for the whole budget, and then ends."""
    tenant = Scripted(httpx.Response(429, headers={"Retry-After": "20"}))
    async with connected(tenant, outage_budget_s=100.0) as client:
        with pytest.raises(TenantUnavailable, match="run again later or lower requestsPerSecond"):
            await client.trigger_deployment(ArtifactId("A"), ArtifactKind.INTEGRATION_FLOW)
    assert gaps(tenant.asked) == [20.0] * 5


async def test_retry_after_is_waited_for(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """The tenant's own word on when to come back is kept, as seconds and as a date, within reason."""
    dated = {"Retry-After": "Mon, 05 Jan 2026 08:00:20 GMT", "Date": "Mon, 05 Jan 2026 08:00:00 GMT"}
    tenant = Scripted(
        PACKAGE,
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(503, headers=dated),
        httpx.Response(429, headers=dated),
        httpx.Response(429, headers={"Retry-After": "86400"}),
        PACKAGE,
    )
    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        await client.read_package(PackageId("P"))
    seconds = [round(gap) for gap in gaps(tenant.asked)]
    assert seconds[1:] == [7, 20, 20, 120]


async def test_families_pause_apart(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """A refused design-time request does not hold up looks at the runtime."""
    moments: dict[str, float] = {}

    def tenant(request: httpx.Request) -> httpx.Response:
        moments[request.url.path] = trio.current_time()
        if "Runtime" in request.url.path or trio.current_time() > 50:
            return httpx.Response(404)
        return httpx.Response(429, headers={"Retry-After": "60"})

    async with connected(tenant) as client, trio.open_nursery() as nursery:
        nursery.start_soon(client.read_package, PackageId("P"))
        await trio.sleep(1.0)
        await client.read_runtime_artifact(ArtifactId("A"))
    assert moments["/api/v1/IntegrationRuntimeArtifacts('A')"] == pytest.approx(1.0, abs=0.01)
    assert moments["/api/v1/IntegrationPackages('P')"] == pytest.approx(60.0, abs=0.01)
