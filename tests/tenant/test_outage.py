"""A tenant that goes away: the run waits as one, one request at a time looks for it, and it ends in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.events import Event, TenantAnswersAgain, TenantWentAway
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.tenant import TenantClient
from tests.tenant.scripted import PACKAGE, Answer, Scripted, given, is_probe, named, read_all

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
NOBODY = httpx.ConnectError("refused")


@dataclass
class Vanishing:
    """A tenant that gives no usable answer between two moments; notes what was sent to it meanwhile."""

    gone_from_s: float
    back_at_s: float
    trouble: Answer = NOBODY
    latency_s: float = 0.2
    answered: int = 0
    in_vain: list[float] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)
    most_at_once: int = 0
    _under_way: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer like the tenant, its token service, or nobody."""
        now = trio.current_time()
        is_gone = self.gone_from_s <= now < self.back_at_s
        if is_gone:
            (self.probes if is_probe(request) else self.in_vain).append(now)
        if is_gone and now > self.gone_from_s + 1.0:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        await trio.sleep(self.latency_s)
        if is_gone:
            self._under_way -= now > self.gone_from_s + 1.0
            return given(self.trouble)
        self.answered += not is_probe(request)
        return PACKAGE


@pytest.mark.parametrize("trouble", [NOBODY, httpx.ReadError("reset"), httpx.Response(502)], ids=named)
async def test_a_run_waits_as_one_and_goes_on(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event], trouble: Answer
) -> None:
    """Of 200 requests none is lost and none is sent in vain but those under way; one at a time looks for the tenant."""
    tenant = Vanishing(gone_from_s=3.0, back_at_s=93.0, trouble=trouble)
    failures: list[tuple[float, str]] = []
    async with connected(tenant, rate=9.0) as client:
        await read_all(client, 200, failures)
    assert failures == []
    assert tenant.answered == 200
    assert len(tenant.in_vain) <= 6
    assert tenant.most_at_once == 1
    assert 6 <= len(tenant.probes) <= 16
    assert trio.current_time() < 93.0 + 15.0 + 200 / 9
    away, back = (event for event in events if isinstance(event, TenantWentAway | TenantAnswersAgain))
    assert isinstance(away, TenantWentAway)
    assert isinstance(back, TenantAnswersAgain)
    assert 0.0 < away.since_s < 2.0
    assert away.gives_up_in_s == pytest.approx(300.0, abs=2.0)
    assert 89.0 <= back.after_s <= 106.0


@pytest.mark.parametrize("trouble", [NOBODY, httpx.Response(503)], ids=named)
async def test_a_run_ends_when_the_budget_is_spent(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event], trouble: Answer
) -> None:
    """All who wait end together after the budget, and whoever comes later ends at once, without asking."""
    tenant = Vanishing(gone_from_s=3.0, back_at_s=1e9, trouble=trouble)
    failures: list[tuple[float, str]] = []
    async with connected(tenant, rate=9.0, outage_budget_s=120.0) as client:
        await read_all(client, 100, failures)
        assert len(failures) == 100 - tenant.answered
        moments = [moment for moment, _ in failures]
        assert 123.0 <= min(moments) <= max(moments) <= 126.0
        assert max(moments) - min(moments) < 0.01
        asked = len(tenant.in_vain) + len(tenant.probes)
        now = trio.current_time()
        with pytest.raises(TenantUnavailable, match="no answer for 12"):
            await client.delete_artifact(ArtifactId("A"), ArtifactKind.INTEGRATION_FLOW)
        assert trio.current_time() == now
        assert len(tenant.in_vain) + len(tenant.probes) == asked
    assert all(sentence.endswith("or raise outageBudgetSeconds") for _, sentence in failures)
    assert sum(isinstance(event, TenantWentAway) for event in events) == 1
    assert not any(isinstance(event, TenantAnswersAgain) for event in events)


async def test_a_wrong_address_ends_after_ten_seconds(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event]
) -> None:
    """Where nothing ever answered the sentence comes soon, names host and cause and says what to check."""
    tenant = Scripted(httpx.ConnectError("[Errno -2] Name or service not known"), is_gone=True)
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable) as caught:
            await client.list_runtime_artifacts()
    assert trio.current_time() == pytest.approx(10.0, abs=0.1)
    assert len(tenant.asked) == 1
    assert str(caught.value) == (
        "could not list the runtime artifacts: no usable answer from t1.example.com: no connection ([Errno -2] Name or"
        " service not known); no answer for 10 s; check CPI_HOST, the network and the proxy settings (HTTPS_PROXY,"
        " NO_PROXY)"
    )
    assert not any(isinstance(event, TenantWentAway) for event in events)


async def test_a_tenant_that_is_down_at_the_start_is_waited_for(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event]
) -> None:
    """A 503 comes from something that is there: it has the whole budget, and the user is told."""
    tenant = Vanishing(gone_from_s=0.0, back_at_s=200.0, trouble=httpx.Response(503))
    failures: list[tuple[float, str]] = []
    async with connected(tenant, rate=9.0) as client:
        await read_all(client, 20, failures)
    assert failures == []
    assert tenant.answered == 20
    assert [type(event) for event in events if isinstance(event, TenantWentAway | TenantAnswersAgain)] == [
        TenantWentAway,
        TenantAnswersAgain,
    ]


async def test_an_answer_that_was_under_way_ends_the_wait_at_once(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event]
) -> None:
    """Three troubles and then a late answer: nobody waits for the next probe, and no outage is told."""
    answers: Iterator[Answer] = iter([PACKAGE, *[NOBODY] * 3])

    async def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("('slow')"):
            await trio.sleep(0.1)
            return PACKAGE
        return given(next(answers, PACKAGE))

    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.read_package, PackageId("slow"))
            await trio.testing.wait_all_tasks_blocked(0.001)
            for number in range(3):
                nursery.start_soon(client.read_package, PackageId(f"P{number}"))
            await trio.sleep(0.05)
            await client.read_package(PackageId("late"))
            assert trio.current_time() == pytest.approx(0.1, abs=0.01)
    assert not any(isinstance(event, TenantWentAway) for event in events)


async def test_a_probe_that_hangs_does_not_hold_up_the_run(
    autojump_clock: trio.testing.MockClock, connected: Connected
) -> None:
    """A probe without an answer is given half a minute, not the time of a request; the next one finds the tenant."""
    probes: list[float] = []

    async def tenant(request: httpx.Request) -> httpx.Response:
        if is_probe(request):
            probes.append(trio.current_time())
            if len(probes) == 1:
                await trio.sleep_forever()
        elif 1.0 < trio.current_time() < 2.0:
            raise NOBODY
        return PACKAGE

    failures: list[tuple[float, str]] = []
    async with connected(tenant, request_timeout_s=180.0) as client:
        await client.read_package(PackageId("P"))
        await trio.sleep(1.5)
        await read_all(client, 50, failures)
    assert failures == []
    assert len(probes) == 2
    assert trio.current_time() < 35.0


async def test_the_end_of_the_budget_does_not_wait_for_a_probe(
    autojump_clock: trio.testing.MockClock, connected: Connected
) -> None:
    """What the user was told stands: a tenant that takes requests and stays silent does not make the run end later."""

    async def tenant(request: httpx.Request) -> httpx.Response:
        if trio.current_time() >= 1.0:
            await trio.sleep_forever()
        return PACKAGE

    failures: list[tuple[float, str]] = []
    async with connected(tenant, request_timeout_s=60.0, outage_budget_s=100.0) as client:
        await client.read_package(PackageId("P"))
        await trio.sleep(1.0)
        await read_all(client, 50, failures)
    assert len(failures) == 50
    assert {round(moment) for moment, _ in failures} == {161}
    assert "no complete answer in time" in failures[0][1]


async def test_whoever_probes_may_be_cut_off(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """Where the request whose turn it is to probe is cancelled, another one probes."""
    tenant = Vanishing(gone_from_s=1.0, back_at_s=60.0)
    failures: list[tuple[float, str]] = []

    async def impatient(client: TenantClient) -> None:
        with trio.move_on_after(20):
            await client.read_package(PackageId("P"))

    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        await trio.sleep(1.0)
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(impatient, client)
            await trio.sleep(5.0)
            nursery.start_soon(read_all, client, 5, failures)
    assert failures == []
    assert tenant.answered == 6
    assert trio.current_time() < 60.0 + 15.0 + 1.0


async def test_single_troubles_hours_apart_are_no_outage(
    autojump_clock: trio.testing.MockClock, connected: Connected
) -> None:
    """Deployments whose answers were lost long ago do not shorten the wait when the tenant really goes away."""

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            raise httpx.ReadError("reset")
        if 14_000.0 < trio.current_time() < 14_600.0:
            raise NOBODY
        return PACKAGE

    failures: list[tuple[float, str]] = []
    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        with pytest.raises(TenantUnavailable):
            await client.trigger_deployment(ArtifactId("A"), ArtifactKind.INTEGRATION_FLOW)
        with pytest.raises(TenantUnavailable):
            await client.trigger_deployment(ArtifactId("A"), ArtifactKind.INTEGRATION_FLOW)
        await trio.sleep(14_400)
        await read_all(client, 3, failures)
    assert failures == []
