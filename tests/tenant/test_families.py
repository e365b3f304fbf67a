"""The two families of the API: which call counts where, that each keeps its own rate, and pauses alone."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.errors import RequestRejected
from cpi_tasks.events import Event, RequestsSlowed
from cpi_tasks.model.config import BasicLogin, TenantAccess
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId, TaskId
from cpi_tasks.tenant import TenantClient, connect
from tests.tenant.conftest import Handler
from tests.tenant.scripted import PACKAGE

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
Call = Callable[[TenantClient], Awaitable[object]]

A, P, FLOW = ArtifactId("A"), PackageId("P"), ArtifactKind.INTEGRATION_FLOW
VALUES = {"Name": "P", "ShortText": "P"}
DESIGNTIME: dict[str, Call] = {
    "list_packages": lambda client: client.list_packages(),
    "read_package": lambda client: client.read_package(P),
    "create_package": lambda client: client.create_package(P, VALUES),
    "update_package": lambda client: client.update_package(P, VALUES),
    "list_artifacts": lambda client: client.list_artifacts(P, FLOW),
    "read_artifact": lambda client: client.read_artifact(A, FLOW),
    "download_artifact": lambda client: client.download_artifact(A, FLOW),
    "create_artifact": lambda client: client.create_artifact(A, FLOW, package=P, name="A", archive=b"zip"),
    "update_artifact": lambda client: client.update_artifact(A, FLOW, archive=b"zip"),
    "delete_artifact": lambda client: client.delete_artifact(A, FLOW),
    "save_version": lambda client: client.save_version(A, FLOW, "1.0.1"),
    "read_parameters": lambda client: client.read_parameters(A),
    "write_parameter": lambda client: client.write_parameter(A, "Host", "a.example"),
    "list_locks": lambda client: client.list_locks(),
    "trigger_deployment": lambda client: client.trigger_deployment(A, FLOW),
}
RUNTIME: dict[str, Call] = {
    "read_build_status": lambda client: client.read_build_status(TaskId("task-1")),
    "list_runtime_artifacts": lambda client: client.list_runtime_artifacts(),
    "read_runtime_artifact": lambda client: client.read_runtime_artifact(A),
    "read_error_information": lambda client: client.read_error_information(A),
}


class Arrivals:
    """A tenant that has nothing, hands out CSRF tokens, and notes what arrives when."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self.seen: list[tuple[float, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as soon as asked."""
        self.seen.append((trio.current_time(), request.url.path))
        return httpx.Response(200 if request.headers.get("x-csrf-token") == "Fetch" else 404)

    def moments(self, *, runtime: bool) -> list[float]:
        """Give when requests of one family arrived."""
        names = ("Runtime", "BuildAndDeploy")
        return [at for at, path in self.seen if any(name in path for name in names) is runtime]


def limited(tenant: Handler, *, designtime: float, runtime: float) -> AbstractAsyncContextManager[TenantClient]:
    return connect(
        TenantAccess(url="https://t1.example.com", login=BasicLogin(username="u", password="p")),
        designtime_rate=designtime,
        runtime_rate=runtime,
        request_timeout_s=180.0,
        outage_budget_s=300.0,
        emit=lambda _: None,
        note_secret=lambda _: None,
        transport=httpx.MockTransport(tenant),
    )


async def refused(call: Call, client: TenantClient) -> None:
    """Carry out a call that a tenant without anything may refuse."""
    with suppress(RequestRejected):
        await call(client)


def in_a_second(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 1.0 for moment in moments) for start in moments)


def test_every_call_of_the_client_has_a_family() -> None:
    """The lists above name every call that the client has, so that a new one must be given a family."""
    calls = {name for name in dir(TenantClient) if not name.startswith("_")}

    assert calls == {*DESIGNTIME, *RUNTIME}


@pytest.mark.parametrize("name", DESIGNTIME)
async def test_what_counts_as_design_time(autojump_clock: trio.testing.MockClock, name: str) -> None:
    """Every request of the call, and the one for a CSRF token before it, waits its turn at one a second."""
    tenant = Arrivals()
    async with limited(tenant, designtime=1.0, runtime=1e9) as client:
        await client.read_package(P)
        await refused(DESIGNTIME[name], client)
    moments = [at for at, _ in tenant.seen]
    assert len(moments) >= 2
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert gaps == [pytest.approx(1.0, abs=0.001)] * len(gaps)


@pytest.mark.parametrize("name", RUNTIME)
async def test_what_counts_as_runtime(autojump_clock: trio.testing.MockClock, name: str) -> None:
    """A look at the runtime waits for no design-time request, but for the look before it."""
    tenant = Arrivals()
    async with limited(tenant, designtime=0.001, runtime=1.0) as client:
        await client.read_package(P)
        await refused(RUNTIME[name], client)
        await refused(RUNTIME[name], client)
    moments = tenant.moments(runtime=True)
    assert moments == [pytest.approx(0.0, abs=0.001), pytest.approx(1.0, abs=0.001)]


async def test_each_family_uses_its_own_rate_to_the_full(autojump_clock: trio.testing.MockClock) -> None:
    """Under a crowd of calls neither family exceeds its rate in any sliding second, nor falls behind it."""
    tenant = Arrivals()
    async with limited(tenant, designtime=3.0, runtime=7.0) as client, trio.open_nursery() as nursery:
        for _ in range(4):
            for name in ("read_package", "read_artifact", "list_locks"):
                nursery.start_soon(refused, DESIGNTIME[name], client)
            for call in (*RUNTIME.values(), *RUNTIME.values()):
                nursery.start_soon(refused, call, client)
    for runtime, rate, amount in ((False, 3.0, 12), (True, 7.0, 32)):
        moments = tenant.moments(runtime=runtime)
        assert (len(moments), in_a_second(moments)) == (amount, rate)
        assert moments[-1] - moments[0] == pytest.approx((amount - 1) / rate, rel=1e-3)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_refusal_without_a_word_on_when_pauses_everybody(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event], status: int
) -> None:
    """A 429, and a 503 as well, without ``Retry-After`` holds the whole family back for a second; one line says so."""
    moments: list[tuple[float, str]] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        moments.append((trio.current_time(), request.url.path.rpartition("/")[2]))
        is_refused = len(moments) == 2
        return httpx.Response(status) if is_refused else PACKAGE

    async with connected(tenant) as client:
        await client.read_package(PackageId("First"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.read_package, PackageId("Refused"))
            await trio.sleep(0.1)
            for number in range(3):
                nursery.start_soon(client.read_package, PackageId(f"Other{number}"))
    assert [name for _, name in moments[:2]] == ["IntegrationPackages('First')", "IntegrationPackages('Refused')"]
    assert len(moments) == 6
    assert min(at for at, _ in moments[2:]) == pytest.approx(1.0, abs=0.01)
    (told,) = [event for event in events if isinstance(event, RequestsSlowed)]
    assert (told.family, told.status, told.pause_s) == ("design-time requests", status, 1.0)
