"""CSRF: one pair of token and cookies for all modifying requests, renewed once when refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.errors import RequestRejected
from cpi_tasks.model.config import OAuthLogin
from cpi_tasks.model.naming import ArtifactId, ArtifactKind
from cpi_tasks.tenant import TenantClient

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
FLOW = ArtifactKind.INTEGRATION_FLOW


@dataclass
class CsrfTenant:
    """A tenant that binds tokens to sessions; only the newest pair is valid. Also a token service."""

    refusal: httpx.Response = field(default_factory=lambda: httpx.Response(403, headers={"X-CSRF-Token": "Required"}))
    fetches: list[httpx.Request] = field(default_factory=list)
    writes: list[httpx.Request] = field(default_factory=list)
    refused: int = 0
    valid: tuple[str, str] = ("never", "given")
    answer_to_fetch: httpx.Response | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer like the tenant."""
        await trio.sleep(0.05)
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"access_token": "token"})
        if request.method == "GET":
            return self.answer_to_fetch or self.fetched(request)
        sent = request.headers.get("x-csrf-token", ""), request.headers.get("cookie", "")
        if sent != self.valid:
            self.refused += 1
            return self.refusal
        self.writes.append(request)
        return httpx.Response(200)

    def fetched(self, request: httpx.Request) -> httpx.Response:
        """Start a session."""
        self.fetches.append(request)
        number = len(self.fetches)
        self.valid = f"csrf-{number}", f"JSESSIONID=s{number}; __VCAP_ID__=v{number}"
        return httpx.Response(
            200,
            headers=[
                ("X-Csrf-Token", self.valid[0]),
                ("Set-Cookie", f"JSESSIONID=s{number}; Path=/; Secure; HttpOnly"),
                ("Set-Cookie", f"__VCAP_ID__=v{number}; Path=/api; HttpOnly"),
            ],
        )


async def delete_ten(client: TenantClient) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(client.delete_artifact, ArtifactId(f"A{number}"), FLOW)


async def test_ten_writes_share_one_pair(
    autojump_clock: trio.testing.MockClock, connected: Connected, secrets: list[str]
) -> None:
    """Ten first writes cost one fetch, which is reported as secret, and carry token and all cookies together."""
    tenant = CsrfTenant()
    async with connected(tenant) as client:
        await delete_ten(client)
        await delete_ten(client)
    (fetch,) = tenant.fetches
    assert (fetch.url.path, fetch.headers["x-csrf-token"]) == ("/api/v1/", "Fetch")
    assert len(tenant.writes) == 20
    assert tenant.refused == 0
    assert "csrf-1" in secrets


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(403, headers={"X-CSRF-Token": "Required"}),
        httpx.Response(403, headers={"x-csrf-token": "required"}),
        httpx.Response(403, text="CSRF token validation failed"),
    ],
)
async def test_many_refusals_renew_the_pair_once(
    autojump_clock: trio.testing.MockClock, connected: Connected, refusal: httpx.Response
) -> None:
    """Ten writes refused for an ended session fetch one new pair, cookies included, and succeed."""
    tenant = CsrfTenant(refusal=refusal)
    async with connected(tenant) as client:
        await delete_ten(client)
        tenant.valid = ("session", "ended")
        await delete_ten(client)
    assert len(tenant.fetches) == 2
    assert tenant.refused == 10
    assert len(tenant.writes) == 20
    assert {("csrf-2", "JSESSIONID=s2; __VCAP_ID__=v2")} == {
        (write.headers["x-csrf-token"], write.headers["cookie"]) for write in tenant.writes[10:]
    }


async def test_oauth_sends_none(connected: Connected, oauth: OAuthLogin) -> None:
    """An OAuth client neither fetches nor sends a token where the tenant does not ask for one."""
    tenant = CsrfTenant(valid=("", ""))
    async with connected(tenant, login=oauth) as client:
        await delete_ten(client)
    assert tenant.fetches == []
    assert len(tenant.writes) == 10


async def test_oauth_gives_it_to_a_tenant_that_asks(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin
) -> None:
    """A tenant that wants the token from OAuth clients too gets it after the first refusals, and from then on."""
    tenant = CsrfTenant()
    async with connected(tenant, login=oauth) as client:
        await delete_ten(client)
        await delete_ten(client)
    assert len(tenant.fetches) == 1
    assert tenant.refused == 10
    assert len(tenant.writes) == 20


@pytest.mark.parametrize(
    "fetched",
    [
        httpx.Response(200),
        httpx.Response(404),
        httpx.Response(200, headers={"X-CSRF-Token": "Required"}),
        httpx.Response(200, headers=[(b"X-CSRF-Token", b"t"), (b"Set-Cookie", b"a=\xc3\xbc")]),
    ],
)
async def test_a_tenant_without_tokens_is_written_to_all_the_same(
    connected: Connected, fetched: httpx.Response
) -> None:
    """Where the answer to Fetch has no token the write goes without one."""
    writes: list[httpx.Headers] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return fetched
        writes.append(request.headers)
        return httpx.Response(200)

    async with connected(tenant) as client:
        await client.delete_artifact(ArtifactId("A"), FLOW)
        await client.delete_artifact(ArtifactId("B"), FLOW)
    assert len(writes) == 2
    assert not any("x-csrf-token" in headers or "cookie" in headers for headers in writes)


async def test_a_missing_role_is_not_taken_for_csrf(connected: Connected) -> None:
    """A 403 that does not speak of the token is a missing role, named in the error, and nothing is fetched again."""
    tenant = CsrfTenant(refusal=httpx.Response(403))
    async with connected(tenant) as client:
        tenant.valid = ("x", "y")
        tenant.answer_to_fetch = httpx.Response(200, headers={"X-CSRF-Token": "t"})
        with pytest.raises(RequestRejected) as caught:
            await client.delete_artifact(ArtifactId("A"), FLOW)
    assert tenant.refused == 1
    assert str(caught.value) == (
        "could not delete integration flow 'A': the tenant answered 403 Forbidden: the login probably lacks the role"
        " WorkspacePackagesEdit"
    )


async def test_a_token_refused_three_times_ends(connected: Connected) -> None:
    """A tenant that refuses its own fresh tokens is asked for two more, not forever."""
    tenant = CsrfTenant()
    async with connected(tenant) as client:
        tenant.answer_to_fetch = httpx.Response(200, headers={"X-CSRF-Token": "wrong"})
        with pytest.raises(RequestRejected, match="refused the CSRF token it had just given"):
            await client.delete_artifact(ArtifactId("A"), FLOW)
    assert tenant.refused == 3


async def test_reads_carry_no_token(connected: Connected) -> None:
    """Reading needs no token: none is fetched for it, and session cookies do not come along by themselves."""
    headers: list[httpx.Headers] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers)
        return httpx.Response(404, headers={"Set-Cookie": "JSESSIONID=other; Path=/"})

    async with connected(tenant) as client:
        await client.read_artifact(ArtifactId("A"), FLOW)
        await client.read_artifact(ArtifactId("A"), FLOW)
    assert len(headers) == 2
    assert not any("x-csrf-token" in sent or "cookie" in sent for sent in headers)
