"""What is asked again: reads after any trouble, writes only where the first surely was not processed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import stamina.instrumentation
import trio
import trio.testing

from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.events import Event, RequestFinished
from cpi_tasks.model.config import OAuthLogin
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.tenant import TenantClient
from cpi_tasks.tenant.retry import retry_after_s

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
FLOW = ArtifactKind.INTEGRATION_FLOW
PACKAGE = httpx.Response(200, json={"d": {"Id": "P"}})


class Body(httpx.AsyncByteStream):
    """A body read from the network, whose connection may break on the way."""

    def __init__(self, content: bytes, broken: Exception | None = None) -> None:
        """Take what arrives and what then happens."""
        self.content = content
        self.broken = broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the content, then break where that is asked for."""
        yield self.content
        if self.broken is not None:
            raise self.broken


def cut_off() -> httpx.Response:
    return httpx.Response(200, stream=Body(b'{"d":', httpx.ReadError("connection reset")))


def not_gzip() -> httpx.Response:
    return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body(b"{}"))


Answer = httpx.Response | Exception | Callable[[], httpx.Response]


class Scripted:
    """A tenant that gives one answer after the other, the last one for ever; CSRF fetches come for free."""

    def __init__(self, *answers: Answer) -> None:
        """Take the answers in order; exceptions are raised."""
        self.answers = list(answers)
        self.asked: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer."""
        if request.headers.get("x-csrf-token") == "Fetch":
            return httpx.Response(200)
        self.asked.append(trio.current_time())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer()


def named(answer: Answer) -> str:
    return getattr(answer, "__name__", repr(answer))


TROUBLES: list[Answer] = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("slow"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.Response(429),
    httpx.Response(502),
    httpx.Response(503, html="<html>busy</html>"),
    httpx.Response(504),
    httpx.Response(200, html="<html><body>Maintenance</body></html>"),
    httpx.Response(200, content=b'{"d":{"Id":'),
    httpx.Response(200, content=b""),
    httpx.Response(204),
    cut_off,
    not_gzip,
    httpx.Response(404, headers={"X-Cf-RouterError": "unknown_route"}),
    httpx.Response(404, html="<html>no such route</html>"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=named)
async def test_reads_are_asked_again(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """A read survives each kind of trouble."""
    tenant = Scripted(trouble, PACKAGE)
    async with connected(tenant) as client:
        package = await client.read_package(PackageId("P"))
    assert package is not None
    assert len(tenant.asked) == 2
    assert 0.5 <= tenant.asked[1] - tenant.asked[0] <= 1.0


@pytest.mark.parametrize("trouble", TROUBLES, ids=named)
async def test_lasting_trouble_makes_the_tenant_unavailable(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """Trouble that stays ends after five attempts in a sentence that names action and host."""
    tenant = Scripted(trouble)
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable) as caught:
            await client.read_package(PackageId("P"))
    assert len(tenant.asked) == 5
    assert str(caught.value).startswith(
        "could not read integration package 'P': no usable answer from t1.example.com: "
    )


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.ProxyError("502"), httpx.Response(429)],
    ids=named,
)
async def test_writes_are_sent_again_where_nothing_happened(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """A write that never reached the tenant, or was refused for its rate, is sent again."""
    tenant = Scripted(trouble, httpx.Response(200))
    async with connected(tenant) as client:
        await client.update_artifact(ArtifactId("A"), FLOW, archive=b"zip")
    assert len(tenant.asked) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504),
        httpx.Response(200, html="<html><body>Sign in</body></html>"),
        cut_off,
        not_gzip,
        httpx.Response(206),
    ],
    ids=named,
)
async def test_writes_that_may_have_happened_are_not_repeated(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """A write whose fate is not known is sent once, counts as failed and says that its fate is not known."""
    tenant = Scripted(trouble)
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable, match="whether it was carried out is not known; run again"):
            await client.update_artifact(ArtifactId("A"), FLOW, archive=b"zip")
    assert len(tenant.asked) == 1


async def test_business_errors_are_never_repeated(connected: Connected) -> None:
    """A 500 is how tenants refuse, too: it is shown, not repeated, for reads as for writes."""
    tenant = Scripted(httpx.Response(500, json={"error": {"code": "X", "message": {"value": "draft state"}}}))
    async with connected(tenant) as client:
        with pytest.raises(RequestRejected, match="500 X: draft state"):
            await client.read_package(PackageId("P"))
        with pytest.raises(RequestRejected, match="500 X: draft state"):
            await client.update_artifact(ArtifactId("A"), FLOW, archive=b"zip")
    assert len(tenant.asked) == 2


async def test_retry_after_is_waited_for(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """The tenant's own word on when to come back is kept, within reason."""
    dated = {"Retry-After": "Mon, 05 Jan 2026 08:00:20 GMT", "Date": "Mon, 05 Jan 2026 08:00:00 GMT"}
    tenant = Scripted(
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(503, headers=dated),
        httpx.Response(429, headers={"Retry-After": "86400"}),
        PACKAGE,
    )
    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
    gaps = [round(later - earlier) for earlier, later in zip(tenant.asked, tenant.asked[1:], strict=False)]
    assert gaps == [7, 20, 120]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 12 "}, 12.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "\u00b2"}, None),
        ({"retry-after": "Mon, 05 Jan 2026 08:00:20 GMT"}, None),
        ({"retry-after": "Mon, 05 Jan 2026 08:00:20 GMT", "date": "Mon, 05 Jan 2026 09:00:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_spellings_of_retry_after(headers: dict[str, str], expected: float | None) -> None:
    """Seconds and dates are understood; anything else leaves the waiting to us."""
    assert expected == retry_after_s(headers)


async def test_no_connection_says_what_to_check(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """Without a connection the sentence names host and cause and points to CPI_HOST and the proxy."""
    tenant = Scripted(httpx.ConnectError("[Errno -2] Name or service not known"))
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable) as caught:
            await client.list_runtime_artifacts()
    assert str(caught.value) == (
        "could not list the runtime artifacts: no usable answer from t1.example.com: no connection ([Errno -2] Name or"
        " service not known); check CPI_HOST, the network and the proxy settings (HTTPS_PROXY, NO_PROXY)"
    )


async def test_a_silent_tenant_is_given_up(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """A request lasts no longer than the time it is given, also where bytes keep trickling in."""

    async def tenant(request: httpx.Request) -> httpx.Response:
        await trio.sleep_forever()
        raise AssertionError

    async with connected(tenant, request_timeout_s=20.0) as client:
        started = trio.current_time()
        with pytest.raises(TenantUnavailable, match="no complete answer in time"):
            await client.read_package(PackageId("P"))
    assert 100 <= trio.current_time() - started < 130


async def test_a_redirect_is_not_followed(connected: Connected) -> None:
    """A tenant address that redirects to a login page is named as wrong, at once."""
    tenant = Scripted(httpx.Response(302, headers={"Location": "https://login.example.com/saml?x=secret"}))
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable) as caught:
            await client.read_package(PackageId("P"))
    assert len(tenant.asked) == 1
    assert str(caught.value) == (
        "could not read integration package 'P': t1.example.com answered 302 and points to login.example.com instead of"
        " answering; check that CPI_HOST is the API host (url of the service key), not the web interface"
    )


async def test_cancelling_leaves_nothing_behind(
    autojump_clock: trio.testing.MockClock, connected: Connected, oauth: OAuthLogin, events: list[Event]
) -> None:
    """A request cut off at any moment says so in its event, and the client goes on working."""

    async def tenant(request: httpx.Request) -> httpx.Response:
        await trio.sleep(10)
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"access_token": "t"})
        return PACKAGE

    async with connected(tenant, login=oauth, rate=0.1) as client:
        for seconds in (1, 5, 9, 11, 15, 25):
            with trio.move_on_after(seconds):
                await client.read_package(PackageId("P"))
        assert "cancelled" in {event.result for event in events if isinstance(event, RequestFinished)}
        assert await client.read_package(PackageId("P")) is not None


async def test_stamina_keeps_its_hooks_outside(connected: Connected) -> None:
    """While a client is open retries are not logged by stamina; afterwards its hooks are as before."""
    before = stamina.instrumentation.get_on_retry_hooks()
    async with connected(lambda _: PACKAGE):
        assert stamina.instrumentation.get_on_retry_hooks() == ()
    assert before == stamina.instrumentation.get_on_retry_hooks()
