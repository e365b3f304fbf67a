"""A token service that goes away while the tenant is up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import httpx
import trio
import trio.testing

from cpi_tasks.events import Event, TenantWentAway
from cpi_tasks.model.config import OAuthLogin
from cpi_tasks.model.naming import PackageId
from cpi_tasks.tenant import TenantClient
from tests.tenant.scripted import PACKAGE, read_all

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]


@dataclass
class SilentTokenService:
    """A tenant whose token service is away for a while."""

    back_at_s: float
    asked: list[float] = field(default_factory=list)
    most_at_once: int = 0
    _under_way: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer like the tenant or its token service, by host."""
        if request.url.host != "auth.example.com":
            return PACKAGE
        self.asked.append(trio.current_time())
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        await trio.sleep(0.5)
        self._under_way -= 1
        if trio.current_time() < self.back_at_s:
            return httpx.Response(503)
        return httpx.Response(200, json={"access_token": "late", "expires_in": 600})


async def test_a_token_service_that_goes_away_is_waited_for(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin, events: list[Event]
) -> None:
    """Fifty requests wait for one token request at a time, are told once whose outage it is, and go on."""
    service = SilentTokenService(back_at_s=100.0)
    failures: list[tuple[float, str]] = []
    async with connected(service, login=oauth) as client:
        await read_all(client, 50, failures)
    assert failures == []
    assert service.most_at_once == 1
    assert 7 <= len(service.asked) <= 20
    (told,) = (event for event in events if isinstance(event, TenantWentAway))
    assert told.cause == "the token service auth.example.com: the answer was 503 Service Unavailable"


async def test_a_token_service_that_stays_away_ends_all(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """After the budget all fifty end with the token service's name, and later requests end without asking it again."""
    service = SilentTokenService(back_at_s=1e9)
    failures: list[tuple[float, str]] = []
    async with connected(service, login=oauth, outage_budget_s=60.0) as client:
        await read_all(client, 50, failures)
        assert len(failures) == 50
        assert max(moment for moment, _ in failures) <= 61.0
        asked = len(service.asked)
        await read_all(client, 1, failures)
        assert len(service.asked) == asked
    assert failures[-1][1].startswith(
        "could not get a token from auth.example.com: the answer was 503 Service Unavailable; no answer for 60 s;"
        " check CPI_TOKEN_URL"
    )


async def test_a_token_service_says_when_to_come_back(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """``Retry-After`` of the token service is kept too."""
    asked: list[float] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.host != "auth.example.com":
            return PACKAGE
        asked.append(trio.current_time())
        if len(asked) < 3:
            return httpx.Response(429, headers={"Retry-After": "40"})
        return httpx.Response(200, json={"access_token": "late"})

    async with connected(tenant, login=oauth) as client:
        await client.read_package(PackageId("P"))
    assert asked == [0.0, 40.0, 80.0]
