"""A client on a scripted transport: every test says what the tenant answers; nothing leaves the process."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from cpi_tasks.events import Event
from cpi_tasks.model.config import BasicLogin, OAuthLogin, TenantAccess
from cpi_tasks.tenant import TenantClient, connect

Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


@pytest.fixture
def events() -> list[Event]:
    """Collect what the client emits."""
    return []


@pytest.fixture
def secrets() -> list[str]:
    """Collect what the client reports as secret."""
    return []


@pytest.fixture
def basic() -> BasicLogin:
    """Give a user's login."""
    return BasicLogin(username="deployer", password="pass-W0rd")


@pytest.fixture
def oauth() -> OAuthLogin:
    """Give a client's login."""
    return OAuthLogin(
        token_url="https://auth.example.com/oauth/token", client_id="sb-it!b1", client_secret="client-s3cret"
    )


@pytest.fixture
def connected(
    events: list[Event], secrets: list[str], basic: BasicLogin
) -> Callable[..., AbstractAsyncContextManager[TenantClient]]:
    """Give a function that connects to a tenant scripted by a handler of requests."""

    def make(
        handler: Handler,
        *,
        login: BasicLogin | OAuthLogin = basic,
        rate: float = 1e9,
        request_timeout_s: float = 180.0,
        outage_budget_s: float = 300.0,
    ) -> AbstractAsyncContextManager[TenantClient]:
        return connect(
            TenantAccess(url="https://t1.example.com", login=login),
            designtime_rate=rate,
            runtime_rate=rate,
            request_timeout_s=request_timeout_s,
            outage_budget_s=outage_budget_s,
            emit=events.append,
            note_secret=secrets.append,
            transport=httpx.MockTransport(handler),
        )

    return make
