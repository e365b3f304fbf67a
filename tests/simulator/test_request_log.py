"""What is kept of the requests, and what stays exact when old ones are dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import FaultScript, RequestRecord, Simulator, SimulatorSettings
from cpi_tasks.simulator.request_log import KEPT_REQUESTS, RequestLog

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
PATHS = ("/api/v1/IntegrationPackages", "/api/v1/IntegrationRuntimeArtifacts", "/oauth/token", "/else")


def _request(path: str, time: float) -> RequestRecord:
    return RequestRecord(method="GET", path=path, query="", time=time)


def _highest(times: list[float]) -> int:
    """Count, for each request, those of the second that ends with it."""
    return max(
        (sum(end - 1 < time <= end for time in times[: index + 1]) for index, end in enumerate(times)), default=0
    )


@given(
    arrivals=st.lists(st.tuples(st.sampled_from(PATHS), st.integers(min_value=0, max_value=6)), max_size=40),
    limit=st.integers(min_value=0, max_value=50),
)
def test_counts_and_peaks_do_not_depend_on_what_is_kept(arrivals: list[tuple[str, int]], limit: int) -> None:
    """Whatever the limit: the latest are kept, the number and the highest rate of each family are those of all."""
    log, everything, time = RequestLog(limit), list[RequestRecord](), 0.0
    for path, quarters in arrivals:
        time += quarters / 4
        everything.append(_request(path, time))
        log.append(everything[-1])
    assert log.kept() == list(deque(everything, limit))
    assert (log.total, log.dropped) == (len(everything), max(0, len(everything) - limit))
    for family in ("designtime", "runtime", "token", "other"):
        assert log.highest_rate(family) == _highest([item.time for item in everything if item.family == family])


async def test_what_is_not_known_any_more_is_not_guessed(connect: Connect) -> None:
    """Counting and judging all requests fails where some were dropped; what is exact is still told."""
    settings = SimulatorSettings(enforce_csrf="never")
    simulator, client = connect(state=Simulator(settings, keep_requests=3))
    for number in range(3):
        await client.delete(f"IntegrationPackages('P{number}')")
    assert (simulator.count("DELETE", "IntegrationPackages"), simulator.violations) == (3, [])
    await client.get("IntegrationPackages")
    assert [record.method for record in simulator.requests] == ["DELETE", "DELETE", "GET"]
    assert (simulator.request_count, simulator.highest_rate("designtime")) == (4, 4)
    with pytest.raises(SimulatorError, match=r"has had 4 requests and keeps the latest 3.*keep_requests"):
        simulator.count("GET", "")
    with pytest.raises(SimulatorError, match="keep_requests"):
        _ = simulator.violations


async def test_a_tenant_of_a_test_keeps_what_tests_send(connect: Connect) -> None:
    """Without a word about it, a hundred thousand requests are kept."""
    simulator, _ = connect()
    for number in range(KEPT_REQUESTS + 1):
        simulator._front.log.append(_request("/else", number))
    assert (len(simulator.requests), KEPT_REQUESTS) == (100_000, 100_000)


async def test_scripts_are_played_right_by_a_small_log(connect: Connect) -> None:
    """An answered request that a rule waits for is noticed although it is not kept."""
    simulator, client = connect(state=Simulator(SimulatorSettings(enforce_csrf="never"), keep_requests=0))
    simulator.play(
        FaultScript.parse(
            "faults: [{request: GET IntegrationPackages, fault: unavailable, after: request GET Locks, first: 1}]"
        )
    )
    await client.get("IntegrationDesigntimeLocks")
    for _ in range(5):
        await client.get("ServiceEndpoints")
    answers = [await client.get("IntegrationPackages") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 200]


async def test_a_script_that_comes_later_looks_back(connect: Connect) -> None:
    """What was answered before the script began has occurred, too, as far as requests are kept."""
    simulator, client = connect()
    await client.get("IntegrationDesigntimeLocks")
    simulator.play(
        FaultScript.parse("faults: [{request: GET IntegrationPackages, fault: unavailable, after: request GET Locks}]")
    )
    assert (await client.get("IntegrationPackages")).status_code == 503
