"""One HTTP exchange: the seam where httpx ends. Its exceptions become ``Trouble``, every exchange becomes an event."""

from __future__ import annotations

import importlib.metadata
import ipaddress
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx
import trio

from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.events import Emit, RequestFinished
from cpi_tasks.model.config import Certificates, Route
from cpi_tasks.tenant.limits import MAX_IN_FLIGHT
from cpi_tasks.tenant.retry import Trouble, TroubleKind
from cpi_tasks.tenant.routes import mounts
from cpi_tasks.tenant.text import one_line
from cpi_tasks.tenant.trust import TlsRefused, make_context, refusal_in
from cpi_tasks.tenant.upload import Upload

CONNECT_TIMEOUT_S = 30.0
KEEP_ALIVE_S = 15.0
"""Shorter than any gateway's idle limit, so that a connection is rarely closed under a request about to use it."""

MAX_ANSWER_BYTES = 256 * 2**20
"""Larger answers count as broken off; the largest are archives, which tenants limit to far less."""
_PIECE_BYTES = 16 * 1024

_TROUBLES: tuple[tuple[type[Exception], TroubleKind, str], ...] = (
    (httpx.ConnectTimeout, TroubleKind.NOT_SENT, "no connection in time"),
    (httpx.ConnectError, TroubleKind.NOT_SENT, "no connection"),
    (httpx.ProxyError, TroubleKind.NOT_SENT, "the proxy let nothing through"),
    (httpx.PoolTimeout, TroubleKind.NOT_SENT, "no free connection"),
    (httpx.UnsupportedProtocol, TroubleKind.NOT_SENT, "the address is not http or https"),
    (httpx.InvalidURL, TroubleKind.NOT_SENT, "the address is not valid"),
    (trio.TooSlowError, TroubleKind.UNANSWERED, "no complete answer in time"),
    (httpx.TimeoutException, TroubleKind.UNANSWERED, "no answer in time"),
    (httpx.DecodingError, TroubleKind.UNUSABLE, "the answer could not be decoded"),
    (httpx.HTTPError, TroubleKind.UNANSWERED, "the connection broke"),
)
_TRANSLATED = tuple(foreign for foreign, _, _ in _TROUBLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. ``content`` is empty where ``is_complete`` is false; ``cookies`` is a header made of them."""

    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False, default=b"")
    is_complete: bool = True
    cookies: str = field(repr=False, default="")


class Wire:
    """Sends requests through one connection pool and reports each as an event; knows nothing of logins or repeats."""

    def __init__(self, client: httpx.AsyncClient, *, request_timeout_s: float, emit: Emit) -> None:
        """Take the pool, the seconds one exchange may last in all, and where events go."""
        self._client = client
        self._timeout_s = request_timeout_s
        self._emit = emit

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        target: str,
        headers: Mapping[str, str],
        content: bytes | Upload | None = None,
    ) -> Answer:
        """Send one request and read its answer; ``target`` stands for it in the event. Raises ``Trouble``.

        ``TenantUnavailable`` where one side does not accept the other's certificate, which no repetition changes. An
        answer whose body does not arrive whole is given as incomplete: its status may still tell enough.
        """
        started = trio.current_time()
        result = "cancelled"
        body = _Body(content) if isinstance(content, Upload) else content
        try:
            with translated():
                answer = await self._exchange(
                    self._request(method, url, headers, body),
                    deadline=started + self._timeout_s,
                )
            result = str(answer.status) if answer.is_complete else f"{answer.status}, cut short"
        except Trouble as trouble:
            result = trouble.result
            raise
        except TlsRefused as refused:
            result = "certificate refused"
            raise _unavailable(urlsplit(url).hostname or "", refused) from refused
        finally:
            if isinstance(body, _Body):
                body.let_go()
            duration_s = trio.current_time() - started
            self._emit(RequestFinished(method=method, target=target, result=result, duration_s=duration_s))
        return answer

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | _Body | None) -> httpx.Request:
        if not isinstance(body, _Body):
            return self._client.build_request(method, url, headers=headers, content=body)
        # With a length given httpx sends no chunks, which gateways before a tenant may not take.
        headers = {**headers, "Content-Length": str(body.size)}
        request = self._client.build_request(method, url, headers=headers, content=body)
        request.stream = body  # httpx's wrapper is a generator, left behind unclosed where sending breaks off
        return request

    async def _exchange(self, request: httpx.Request, *, deadline: float) -> Answer:
        with trio.fail_at(deadline):
            response = await self._client.send(request, stream=True)
        content, is_complete = b"", False
        try:
            with trio.move_on_at(deadline):
                content, is_complete = await _content(response), True
        except (httpx.TransportError, httpx.DecodingError):
            pass
        finally:
            await response.aclose()
        jar = response.cookies.jar if "set-cookie" in response.headers else ()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        return Answer(
            status=response.status_code,
            headers=response.headers,
            content=content,
            is_complete=is_complete,
            cookies=cookies,
        )


class _Body(httpx.AsyncByteStream):
    """An upload as httpx takes it."""

    def __init__(self, upload: Upload) -> None:
        """Take what is sent."""
        self._upload: Upload | None = upload
        self.size = len(upload)
        """The body's length in bytes."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin with the first piece."""
        return _Pieces(iter(()) if self._upload is None else self._upload.pieces())

    def let_go(self) -> None:
        """Hold the archive no longer: httpx's request and response hold each other, and with them this, for a while."""
        self._upload = None


class _Pieces(AsyncIterator[bytes]):
    """Pieces of a body; needs no closing."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Take the pieces that are left."""
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        """Give the next one."""
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


async def _content(response: httpx.Response) -> bytes:
    """Read a body and decode it afterwards: a decoder failing half-way would leave generators behind unclosed."""
    if response.is_stream_consumed:
        return response.content  # scripted transports give whole answers
    raw = bytearray()
    async with aclosing(response.aiter_raw()) as parts:  # type: ignore[type-var]
        async for part in parts:
            raw += part
            if len(raw) > MAX_ANSWER_BYTES:
                await response.aclose()  # which ends the loop, and closes what is behind the parts
    return _decoded(response, bytes(raw))


def _decoded(response: httpx.Response, raw: bytes) -> bytes:
    """Decode piece by piece, because a little of what was compressed may stand for more than any memory holds."""
    if "," in response.headers.get("content-encoding", ""):
        raise httpx.DecodingError("it is compressed more than once")
    pieces = (raw[at : at + _PIECE_BYTES] for at in range(0, len(raw), _PIECE_BYTES))
    content = bytearray()
    for part in httpx.Response(response.status_code, headers=response.headers, content=pieces).iter_bytes():
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            raise httpx.DecodingError(f"it is larger than {MAX_ANSWER_BYTES // 2**20} MiB")
    return bytes(content)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the exceptions of httpx and of an expired deadline into ``Trouble`` or ``TlsRefused``."""
    try:
        yield
    except _TRANSLATED as error:
        if refused := refusal_in(error):
            raise refused from error
        kind, phrase = next((kind, phrase) for foreign, kind, phrase in _TROUBLES if isinstance(error, foreign))
        reason = one_line(str(error), 300)
        cause = f"{phrase} ({reason})" if reason else phrase
        raise Trouble(cause, kind=kind, result=type(error).__name__) from error


@asynccontextmanager
async def open_client(
    urls: tuple[str, ...],
    *,
    request_timeout_s: float,
    transport: httpx.AsyncBaseTransport | None,
    certificates: Certificates,
    routes: tuple[Route, ...] = (),
) -> AsyncIterator[httpx.AsyncClient]:
    """Open the connection pool for the given addresses (the tenant's and the token service's), through their proxies.

    Raises ``TenantUnavailable`` where a file with certificates cannot be used.
    """
    try:
        context = make_context(urls, certificates)
        limits = httpx.Limits(
            max_connections=2 * MAX_IN_FLIGHT + 1,  # the token request must not wait behind requests
            max_keepalive_connections=2 * MAX_IN_FLIGHT + 1,
            keepalive_expiry=KEEP_ALIVE_S,
        )
        through = mounts(routes, certificates, verify=context, limits=limits) if transport is None else None
    except TlsRefused as refused:
        raise _unavailable(urlsplit(urls[0]).hostname or "", refused) from refused
    timeout = httpx.Timeout(request_timeout_s, connect=min(CONNECT_TIMEOUT_S, request_timeout_s), pool=None)
    async with httpx.AsyncClient(
        headers={"User-Agent": user_agent()},
        # Cookies belong to the CSRF token they came with; a jar would let the two drift apart.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=timeout,
        limits=limits,
        transport=transport,
        verify=context,
        mounts=through,
        trust_env=False,
    ) as client:
        yield client


def _unavailable(host: str, refused: TlsRefused) -> TenantUnavailable:
    return TenantUnavailable(f"could not connect to {host}: {refused.cause}; {refused.advice}")


def user_agent() -> str:
    """Name this program and its version."""
    try:
        return f"cpi-tasks/{importlib.metadata.version('cpi-tasks')}"
    except importlib.metadata.PackageNotFoundError:
        return "cpi-tasks"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself: ``localhost`` or a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
