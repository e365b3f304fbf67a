"""What is asked again: reads after any trouble, writes where the first surely was not processed or it does no harm."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import stamina.instrumentation
import trio
import trio.testing

from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.events import Event, RequestFinished, TenantWentAway
from cpi_tasks.model.config import OAuthLogin
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.tenant import TenantClient
from cpi_tasks.tenant.retry import retry_after_s
from tests.tenant.scripted import PACKAGE, PASSING, Answer, Scripted, cut_off, named, not_gzip

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
FLOW = ArtifactKind.INTEGRATION_FLOW
DOUBTFUL: list[Answer] = [
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
]
"""What leaves open whether a write was carried out."""


@pytest.mark.parametrize("trouble", PASSING, ids=named)
async def test_reads_are_asked_again(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """A read survives each kind of trouble, and soon."""
    tenant = Scripted(PACKAGE, trouble, PACKAGE)
    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        package = await client.read_package(PackageId("P"))
    assert package is not None
    assert len(tenant.asked) == 3
    assert tenant.probed == []
    assert tenant.asked[2] - tenant.asked[1] <= 1.01


@pytest.mark.parametrize("trouble", PASSING, ids=named)
async def test_lasting_trouble_of_one_request_ends_that_request(
    autojump_clock: trio.testing.MockClock, connected: Connected, events: list[Event], trouble: Answer
) -> None:
    """Trouble that stays while the tenant lives ends after eight attempts, with action and host; others go on."""
    tenant = Scripted(PACKAGE, *[trouble] * 8, PACKAGE)
    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        with pytest.raises(TenantUnavailable) as caught:
            await client.read_package(PackageId("P"))
        assert len(tenant.asked) == 9
        assert await client.read_package(PackageId("P")) is not None
    assert str(caught.value).startswith(
        "could not read integration package 'P': no usable answer from t1.example.com: "
    )
    assert not any(isinstance(event, TenantWentAway) for event in events)


async def test_waits_between_attempts_grow_and_are_drawn(
    autojump_clock: trio.testing.MockClock, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits are drawn from zero to bounds that double from half a second to ten seconds."""
    drawn: list[tuple[float, float]] = []

    def longest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    monkeypatch.setattr("cpi_tasks.tenant.retry.random.uniform", longest)
    tenant = Scripted(PACKAGE, httpx.Response(200, content=b"{"))
    async with connected(tenant) as client:
        await client.read_package(PackageId("P"))
        with pytest.raises(TenantUnavailable):
            await client.read_package(PackageId("P"))
    assert drawn == [(0.0, 0.5), (0.0, 1.0), (0.0, 2.0), (0.0, 4.0), (0.0, 8.0), (0.0, 10.0), (0.0, 10.0)]
    assert 35.5 <= tenant.asked[-1] - tenant.asked[1] < 35.6


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.ProxyError("502"), httpx.Response(429)],
    ids=named,
)
async def test_writes_are_sent_again_where_nothing_happened(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """A write that never reached the tenant, or was refused for its rate, is sent again, even a deployment."""
    tenant = Scripted(trouble, httpx.Response(200))
    async with connected(tenant) as client:
        await client.trigger_deployment(ArtifactId("A"), FLOW)
    assert tenant.methods == ["POST", "POST"]


@pytest.mark.parametrize("trouble", DOUBTFUL, ids=named)
async def test_a_deployment_that_may_have_begun_is_not_repeated(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """A trigger whose fate is not known is sent once and says that its fate is not known: it would run timers again."""
    tenant = Scripted(trouble)
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable, match="whether it was carried out is not known; run again"):
            await client.trigger_deployment(ArtifactId("A"), FLOW)
    assert tenant.methods == ["POST"]


@pytest.mark.parametrize("trouble", DOUBTFUL, ids=named)
async def test_content_is_put_three_times_at_most(
    autojump_clock: trio.testing.MockClock, connected: Connected, trouble: Answer
) -> None:
    """A PUT leaves the same state however often it is carried out: it is repeated, but not for ever."""
    tenant = Scripted(trouble)
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable, match="whether it was carried out is not known; run again"):
            await client.update_artifact(ArtifactId("A"), FLOW, archive=b"zip")
    assert tenant.methods == ["PUT", "PUT", "PUT"]


async def test_business_errors_are_never_repeated(connected: Connected) -> None:
    """A 500 is how tenants refuse, too: it is shown, not repeated, for reads as for writes."""
    tenant = Scripted(httpx.Response(500, json={"error": {"code": "X", "message": {"value": "draft state"}}}))
    async with connected(tenant) as client:
        with pytest.raises(RequestRejected, match="500 X: draft state"):
            await client.read_package(PackageId("P"))
        with pytest.raises(RequestRejected, match="500 X: draft state"):
            await client.update_artifact(ArtifactId("A"), FLOW, archive=b"zip")
    assert len(tenant.asked) == 2


SESSION_FAULT = httpx.Response(500, text="java.lang.IllegalStateException: HttpSession.getAttribute: no session")


@pytest.mark.parametrize("is_read", [True, False])
async def test_the_known_session_fault_is_met_once(connected: Connected, *, is_read: bool) -> None:
    """The same request is sent once more, reads and writes; a fault that stays is shown with the tenant's text."""

    async def ask(client: TenantClient) -> None:
        if is_read:
            await client.read_package(PackageId("P"))
        else:
            await client.update_artifact(ArtifactId("A"), FLOW, archive=b"zip")

    passing = Scripted(SESSION_FAULT, PACKAGE)
    async with connected(passing) as client:
        await ask(client)
    lasting = Scripted(SESSION_FAULT, SESSION_FAULT, PACKAGE)
    async with connected(lasting) as client:
        with pytest.raises(RequestRejected, match=r"500.*HttpSession\.getAttribute"):
            await ask(client)
    assert (len(passing.asked), len(lasting.asked)) == (2, 2)


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


WORDLESS = httpx.Response(500)


async def test_a_500_without_a_body_is_asked_once_more_where_it_is_a_read(connected: Connected) -> None:
    """Nothing of the tenant's has answered then; a second one is its answer."""
    tenant = Scripted(WORDLESS, PACKAGE, WORDLESS, WORDLESS, PACKAGE)
    async with connected(tenant) as client:
        assert await client.read_package(PackageId("P")) is not None
        assert len(tenant.asked) == 2
        with pytest.raises(RequestRejected, match="500"):
            await client.read_package(PackageId("P"))
        assert len(tenant.asked) == 4


async def test_a_500_with_a_text_is_not_asked_again(connected: Connected) -> None:
    """It is what the tenant says."""
    tenant = Scripted(httpx.Response(500, json={"error": {"message": {"value": "No such thing"}}}), PACKAGE)
    async with connected(tenant) as client:
        with pytest.raises(RequestRejected, match="No such thing"):
            await client.read_package(PackageId("P"))
        assert len(tenant.asked) == 1
