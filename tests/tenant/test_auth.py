"""Logins: one OAuth token for all, fetched once whatever happens; Basic on every call."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.errors import AuthenticationError, TenantUnavailable
from cpi_tasks.events import Event, RequestFinished
from cpi_tasks.model.config import BasicLogin, OAuthLogin
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.tenant import TenantClient

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
PACKAGE = {"d": {"Id": "P"}}


@dataclass
class OAuthTenant:
    """A tenant and its token service: tokens are numbered, only the newest is valid."""

    expires_in: object = 3600
    token_requests: list[httpx.Request] = field(default_factory=list)
    refused: int = 0
    valid: str = ""

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer like the tenant or its token service, by host."""
        await trio.sleep(0.05)
        if request.url.host == "auth.example.com":
            self.token_requests.append(request)
            self.valid = f"token-{len(self.token_requests)}"
            body = {"access_token": self.valid, "token_type": "bearer", "expires_in": self.expires_in}
            return httpx.Response(200, json={name: value for name, value in body.items() if value is not None})
        if not self.valid or request.headers["authorization"] != f"Bearer {self.valid}":
            self.refused += 1
            return httpx.Response(401, json={"error": {"code": "Unauthorized", "message": {"value": "expired"}}})
        return httpx.Response(200, json=PACKAGE)


async def read_ten(client: TenantClient) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(client.read_package, PackageId(f"P{number}"))


async def test_ten_requests_share_one_token(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin, secrets: list[str]
) -> None:
    """Ten requests at once on a cold client cost one token, asked for as documented and reported as secret."""
    tenant = OAuthTenant()
    async with connected(tenant, login=oauth) as client:
        assert tenant.token_requests == []
        await read_ten(client)
        await read_ten(client)
    (request,) = tenant.token_requests
    assert f"{request.method} {request.url}" == "POST https://auth.example.com/oauth/token"
    assert request.content == b"grant_type=client_credentials"
    assert "Basic " + base64.b64encode(b"sb-it!b1:client-s3cret").decode() == request.headers["authorization"]
    assert "token-1" in secrets
    assert tenant.refused == 0


async def test_an_expiring_token_is_replaced_once_ahead_of_time(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """Ten requests after most of a token's life cost one more token and no refusal."""
    tenant = OAuthTenant(expires_in="3600")
    async with connected(tenant, login=oauth) as client:
        await read_ten(client)
        await trio.sleep(3600 - 61)
        await read_ten(client)
        assert len(tenant.token_requests) == 1
        await trio.sleep(10)
        await read_ten(client)
    assert len(tenant.token_requests) == 2
    assert tenant.refused == 0


@pytest.mark.parametrize("expires_in", [None, "soon", 0, -1, {}])
async def test_a_token_without_lifetime_lasts_five_minutes(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin, expires_in: object
) -> None:
    """Where the answer does not say when the token expires, it is used for some of 300 seconds."""
    tenant = OAuthTenant(expires_in=expires_in)
    async with connected(tenant, login=oauth) as client:
        await read_ten(client)
        await trio.sleep(200)
        await read_ten(client)
        assert len(tenant.token_requests) == 1
        await trio.sleep(100)
        await read_ten(client)
    assert len(tenant.token_requests) == 2


async def test_ten_refusals_of_one_token_cost_one_refresh(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """Ten requests whose token was revoked are each refused once, refresh it once and succeed."""
    tenant = OAuthTenant()
    async with connected(tenant, login=oauth) as client:
        await read_ten(client)
        tenant.valid = "revoked"
        await read_ten(client)
    assert len(tenant.token_requests) == 2
    assert tenant.refused == 10


async def test_a_tenant_that_refuses_fresh_tokens(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """A request refused with two fresh tokens too ends in a sentence: it is renewed at most twice."""
    counted: list[str] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        counted.append(request.url.host)
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"access_token": f"token-{len(counted)}"})
        return httpx.Response(401)

    async with connected(tenant, login=oauth) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.read_package(PackageId("P"))
    assert counted == ["auth.example.com", "t1.example.com"] * 3
    assert str(caught.value) == (
        "could not read integration package 'P': t1.example.com refused the login with 401; check that the service key"
        " (CPI_CLIENT_ID, CPI_CLIENT_SECRET, CPI_TOKEN_URL) is one for this tenant's API (plan api)"
    )


async def test_a_wrong_client_is_sent_once(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """Ten requests waiting for a token that is refused all fail after one attempt, without the secret in the text."""
    asked: list[httpx.Request] = []

    async def tenant(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        await trio.sleep(0.1)
        return httpx.Response(401, json={"error": "unauthorized", "error_description": "Bad credentials"})

    failures: list[str] = []

    async def read(client: TenantClient) -> None:
        with pytest.raises(AuthenticationError) as caught:
            await client.read_package(PackageId("P"))
        failures.append(str(caught.value))

    async with connected(tenant, login=oauth) as client, trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(read, client)
    assert len(asked) == 1
    assert len(failures) == 10
    assert set(failures) == {
        (
            "could not log in: the token service auth.example.com refused the client (401: Bad credentials); check"
            " CPI_CLIENT_ID, CPI_CLIENT_SECRET and CPI_TOKEN_URL, or the service key they come from"
        )
    }


async def test_a_token_service_that_stumbles_is_asked_again(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """A broken connection, a 503, a page and an answer without token are asked again until there is one."""
    answers: Iterator[httpx.Response | Exception] = iter(
        [
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("slow"),
            httpx.Response(503),
            httpx.Response(200, html="<html>busy</html>"),
            httpx.Response(200, json={"access_token": "late"}),
        ]
    )

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.host != "auth.example.com":
            return httpx.Response(200, json=PACKAGE)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with connected(tenant, login=oauth) as client:
        assert await client.read_package(PackageId("P")) is not None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(200, json={"access_token": ""}), "the token service's answer holds no usable token"),
        (httpx.Response(200, json={"access_token": "two\nlines"}), "the token service's answer holds no usable token"),
        (httpx.Response(404, text="nothing here"), "it answered 404: nothing here"),
        (httpx.Response(500), "it answered 500"),
    ],
)
async def test_a_token_service_of_no_use_is_named(
    autojump_clock: trio.testing.MockClock,
    connected: Connected,
    oauth: OAuthLogin,
    answer: httpx.Response,
    words: str,
) -> None:
    """A token service without a usable answer makes the tenant unavailable, by name and with what to check."""
    async with connected(lambda _: answer, login=oauth) as client:
        with pytest.raises(TenantUnavailable) as caught:
            await client.read_package(PackageId("P"))
    assert str(caught.value).startswith(f"could not get a token from auth.example.com: {words}")
    assert "CPI_TOKEN_URL" in str(caught.value)


async def test_basic_goes_with_every_call(connected: Connected, basic: BasicLogin) -> None:
    """User and password are sent with each request."""
    seen: list[str] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json=PACKAGE)

    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        await client.read_package(PackageId("Q"))
    assert ["Basic " + base64.b64encode(b"deployer:pass-W0rd").decode()] * 2 == seen


async def test_a_refused_password_is_sent_once(connected: Connected) -> None:
    """A 401 for a user is not repeated; the sentence says what the tenant said and what to check."""
    seen: list[httpx.Request] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401, html="<html><body>Unauthorized</body></html>")

    async with connected(tenant) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.read_package(PackageId("P"))
    assert len(seen) == 1
    assert str(caught.value) == (
        "could not read integration package 'P': t1.example.com refused the login with 401 (Unauthorized); check"
        " CPI_USERNAME and CPI_PASSWORD (or username and password of the environment file)"
    )


async def test_secrets_stay_out_of_events_and_errors(
    autojump_clock: trio.testing.MockClock,
    connected: Connected,
    oauth: OAuthLogin,
    events: list[Event],
) -> None:
    """No credential, token, cookie or value shows in an event, an error or a representation."""

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"access_token": "acc3ss-token"})
        if "x-csrf-token" not in request.headers:
            return httpx.Response(403, headers={"X-CSRF-Token": "Required"})
        if request.method == "GET":
            return httpx.Response(200, headers={"X-CSRF-Token": "csrf-s3cret", "Set-Cookie": "JSESSIONID=c00kie"})
        return httpx.Response(500, text="refused")

    login = OAuthLogin(
        token_url="https://auth.example.com/oauth/token?client_secret=client-s3cret",
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
    )
    async with connected(tenant, login=login) as client:
        with pytest.raises(Exception, match="set parameter 'k'") as caught:
            await client.write_parameter(ArtifactId("F"), "k", "parameter-s3cret")
    assert sum(isinstance(event, RequestFinished) for event in events) == 4
    shown = f"{events!r} {caught.value} {caught.value!r}"
    for secret in ("client-s3cret", "acc3ss-token", "csrf-s3cret", "c00kie", "parameter-s3cret"):
        assert secret not in shown
