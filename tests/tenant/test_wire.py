"""The seam to httpx: events, headers, the pool's settings."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing
import trustme

from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.events import Event, RequestFinished
from cpi_tasks.model.config import BasicLogin, Certificates, OAuthLogin, TenantAccess
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.model.tenant import Tenant
from cpi_tasks.tenant import TenantClient, connect
from cpi_tasks.tenant.wire import is_loopback, open_client

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]


async def test_the_client_is_a_tenant(connected: Connected) -> None:
    """The client has every call of the protocol, as the type checker sees and as it runs."""
    async with connected(lambda _: httpx.Response(404)) as client:
        tenant: Tenant = client
        assert await tenant.read_package(PackageId("P")) is None
        calls = [name for name in vars(Tenant) if not name.startswith("_")]
        assert len(calls) == 19
        assert all(callable(getattr(client, name)) for name in calls)


async def test_connecting_sends_nothing(connected: Connected) -> None:
    """Opening and closing a client needs no tenant."""
    asked: list[httpx.Request] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    async with connected(tenant):
        pass
    assert asked == []


async def test_every_exchange_is_an_event(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event]
) -> None:
    """Each request, the failed ones too, tells method, path with query, result and seconds."""
    answers: list[httpx.Response | Exception] = [
        httpx.Response(200, headers={"X-CSRF-Token": "t"}),
        httpx.ConnectError("no route"),
        httpx.Response(202),
    ]

    async def tenant(request: httpx.Request) -> httpx.Response:
        await trio.sleep(1.5)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with connected(tenant) as client:
        await client.save_version(ArtifactId("A"), ArtifactKind.SCRIPT_COLLECTION, "1.0.4")
    target = "/api/v1/ScriptCollectionDesigntimeArtifactSaveAsVersion?Id='A'&SaveAsVersion='1.0.4'"
    assert [
        RequestFinished(method="GET", target="/api/v1/", result="200", duration_s=1.5),
        RequestFinished(method="POST", target=target, result="ConnectError", duration_s=1.5),
        RequestFinished(method="POST", target=target, result="202", duration_s=1.5),
    ] == [
        RequestFinished(method=e.method, target=e.target, result=e.result, duration_s=round(e.duration_s, 6))
        for e in events
        if isinstance(e, RequestFinished)
    ]


async def test_headers_of_every_request(connected: Connected) -> None:
    """JSON is asked for, and the tool says who it is."""
    seen: list[httpx.Headers] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(404)

    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
    assert seen[0]["accept"] == "application/json"
    assert seen[0]["user-agent"].startswith("cpi-tasks")


async def test_compressed_answers_are_read(connected: Connected) -> None:
    """A body that comes in compressed parts is given whole and decoded."""

    class Parts(httpx.AsyncByteStream):
        """A gzip body in two parts."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            """Give both."""
            body = gzip.compress(b'{"d":{"Id":"P","Name":"N"}}')
            yield body[:10]
            yield body[10:]

    def tenant(request: httpx.Request) -> httpx.Response:
        assert "gzip" in request.headers["accept-encoding"]
        headers = {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
        return httpx.Response(200, headers=headers, stream=Parts())

    async with connected(tenant) as client:
        package = await client.read_package(PackageId("P"))
    assert package is not None
    assert package.name == "N"


async def test_an_address_without_host_is_refused(oauth: OAuthLogin) -> None:
    """An address that is none is said to be so before anything is sent."""
    with pytest.raises(TenantUnavailable, match=r"'tenant\.example\.com' is no address"):
        async with connect(
            TenantAccess(url="tenant.example.com", login=oauth),
            designtime_rate=9,
            runtime_rate=45,
            request_timeout_s=180,
            outage_budget_s=300,
            emit=lambda _: None,
            note_secret=lambda _: None,
        ):
            pass


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    """Only this machine's own addresses are loopback."""
    assert expected is is_loopback(host)


@pytest.mark.parametrize(
    ("urls", "has_authorities"),
    [
        (("https://t1.example.com",), True),
        (("http://127.0.0.1:1", "https://auth.example.com/token"), True),
        (("http://t1.example.com",), False),
        (("http://127.0.0.1:1", "http://localhost:2/token"), False),
    ],
)
async def test_certificates_are_always_checked(
    urls: tuple[str, ...],
    has_authorities: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """No pool goes without checks; authorities are read only for https, and httpx reads no variables."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "own.pem")
    given: list[tuple[ssl.SSLContext, object]] = []
    original = httpx.AsyncClient.__init__

    def spy(self: httpx.AsyncClient, **settings: object) -> None:
        assert isinstance(settings["verify"], ssl.SSLContext)
        given.append((settings["verify"], settings["trust_env"]))
        original(self, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx.AsyncClient, "__init__", spy)
    own = Certificates(authorities=tmp_path / "own.pem")
    async with open_client(urls, request_timeout_s=10.0, transport=None, certificates=own) as client:
        assert httpx.Timeout(10.0, pool=None) == client.timeout
    ((context, trust_env),) = given
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert bool(context.get_ca_certs()) is has_authorities
    assert trust_env is False


async def test_connecting_is_given_half_a_minute_at_most(basic: BasicLogin) -> None:
    """A long request time does not make a dead host cost as long."""
    async with open_client(
        ("http://localhost:1",), request_timeout_s=180.0, transport=None, certificates=Certificates()
    ) as client:
        assert httpx.Timeout(180.0, connect=30.0, pool=None) == client.timeout
