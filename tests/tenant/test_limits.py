"""The pace of requests: evenly spaced, first come first served, no place lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.model.naming import ArtifactId, ArtifactKind
from cpi_tasks.tenant import TenantClient
from cpi_tasks.tenant.limits import MAX_IN_FLIGHT, Pace, Paces


async def leave(pace: Pace, departures: list[tuple[float, int]], number: int) -> None:
    async with pace.turn():
        departures.append((trio.current_time(), number))


def busiest_second(times: list[float]) -> int:
    return max(sum(start <= time < start + 1.0 for time in times) for start in times)


async def test_requests_leave_evenly_and_in_order(autojump_clock: trio.testing.MockClock) -> None:
    """Forty waiting requests leave in their order, never more than nine in any sliding second, and no slower."""
    pace = Pace(9.0, trio.Semaphore(MAX_IN_FLIGHT))
    departures: list[tuple[float, int]] = []
    async with trio.open_nursery() as nursery:
        for number in range(40):
            nursery.start_soon(leave, pace, departures, number)
            await trio.testing.wait_all_tasks_blocked()
    times = [time for time, _ in departures]
    assert list(range(40)) == [number for _, number in departures]
    assert busiest_second(times) == 9
    assert pytest.approx(39 / 9, rel=1e-3) == times[-1] - times[0]


async def test_slow_answers_do_not_pile_up_departures(autojump_clock: trio.testing.MockClock) -> None:
    """Requests held up by a tenant that answers in bursts still leave at the pace."""
    places = trio.Semaphore(MAX_IN_FLIGHT)
    pace = Pace(9.0, places)
    departures: list[float] = []
    in_flight: list[int] = []

    async def send() -> None:
        async with pace.turn():
            departures.append(trio.current_time())
            in_flight.append(1)
            busy.append(len(in_flight))
            await trio.sleep(7.0)
            in_flight.pop()

    busy: list[int] = []
    async with trio.open_nursery() as nursery:
        for _ in range(60):
            nursery.start_soon(send)
    assert busiest_second(departures) == 9
    assert max(busy) == MAX_IN_FLIGHT
    assert places.value == MAX_IN_FLIGHT


async def test_an_idle_pace_saves_nothing_up(autojump_clock: trio.testing.MockClock) -> None:
    """After a pause one request leaves at once and the next a gap later."""
    pace = Pace(2.0, trio.Semaphore(MAX_IN_FLIGHT))
    departures: list[tuple[float, int]] = []
    await leave(pace, departures, 0)
    await trio.sleep(10)
    async with trio.open_nursery() as nursery:
        for number in (1, 2, 3):
            nursery.start_soon(leave, pace, departures, number)
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(departures)]
    assert [pytest.approx(10, abs=0.01), pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01)] == gaps


async def test_cancelled_waiters_give_up_their_place(autojump_clock: trio.testing.MockClock) -> None:
    """Waiters cancelled at the head of the queue or behind it cost the others neither time nor places."""
    places = trio.Semaphore(MAX_IN_FLIGHT)
    pace = Pace(1.0, places)
    departures: list[tuple[float, int]] = []
    scopes = [trio.CancelScope() for _ in range(3)]

    async def cancelled(number: int, scope: trio.CancelScope) -> None:
        with scope:
            await leave(pace, departures, number)

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave, pace, departures, 0)
        await trio.testing.wait_all_tasks_blocked()
        for number, scope in enumerate(scopes, start=1):
            nursery.start_soon(cancelled, number, scope)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(leave, pace, departures, 4)
        await trio.sleep(0.5)
        for scope in scopes:
            scope.cancel()
    assert [number for _, number in departures] == [0, 4]
    assert pytest.approx(1.0, abs=0.01) == departures[-1][0] - start
    assert places.value == MAX_IN_FLIGHT


@pytest.mark.parametrize(
    ("path", "is_runtime"),
    [
        ("/api/v1/IntegrationRuntimeArtifacts", True),
        ("/api/v1/IntegrationRuntimeArtifacts('A')/ErrorInformation/$value", True),
        ("/api/v1/BuildAndDeployStatus(TaskId='x')", True),
        ("/api/v1/ServiceEndpoints?$top=1", True),
        ("/api/v1/", False),
        ("/api/v1/IntegrationPackages('IntegrationRuntimeArtifacts')", False),
        ("/api/v1/DeployIntegrationDesigntimeArtifact?Id='A'&Version='active'", False),
        ("/api/v1/IntegrationDesigntimeLocks", False),
        ("/something/else", False),
    ],
)
def test_families(path: str, is_runtime: bool) -> None:
    """Looks at the runtime have their own limit; everything else shares the scarcer one."""
    paces = Paces(designtime_rate=9.0, runtime_rate=45.0)
    runtime = paces.of("/api/v1/IntegrationRuntimeArtifacts")
    assert is_runtime is (paces.of(path) is runtime)


async def test_the_clients_requests_keep_the_limit(
    autojump_clock: trio.testing.MockClock, connected: Callable[..., AbstractAsyncContextManager[TenantClient]]
) -> None:
    """Thirty reads and their CSRF fetch and writes arrive with never more than nine in any sliding second."""
    arrivals: list[float] = []

    async def tenant(request: httpx.Request) -> httpx.Response:
        arrivals.append(trio.current_time())
        await trio.sleep(0.3)
        return httpx.Response(404 if request.method == "GET" else 202)

    async with connected(tenant, rate=9.0) as client, trio.open_nursery() as nursery:
        for number in range(30):
            nursery.start_soon(client.read_artifact, ArtifactId(f"A{number}"), ArtifactKind.INTEGRATION_FLOW)
        nursery.start_soon(client.delete_artifact, ArtifactId("B"), ArtifactKind.INTEGRATION_FLOW)
    assert len(arrivals) == 32
    assert busiest_second(arrivals) == 9
