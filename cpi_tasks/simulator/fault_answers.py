"""How faults come over the wire: the answers that take the place of the tenant's own."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus

import trio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from cpi_tasks.simulator.faults import Fault, FaultKind
from cpi_tasks.simulator.odata import ODataError

SESSION_FAULT_TEXT = 'Cannot invoke "javax.servlet.http.HttpSession.getAttribute(String)" because "session" is null'
_BUSINESS_TEXT = "The artifact could not be processed; check its content."
_MALFORMED = b'{"d":{"results":[{"Id":}],,'
_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Log On</title></head><body>Please log on.</body></html>"
_GATEWAY_PAGE = (
    "<html>\r\n<head><title>{status} {phrase}</title></head>\r\n"
    "<body>\r\n<center><h1>{status} {phrase}</h1></center>\r\n</body>\r\n</html>\r\n"
)
_GATEWAY = {FaultKind.BAD_GATEWAY: 502, FaultKind.UNAVAILABLE: 503, FaultKind.GATEWAY_TIMEOUT: 504}
# Linger on, for no time at all: closing then sends a reset instead of an orderly end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

ErrorDocument = Callable[[ODataError], Response]


def answer_instead(fault: Fault, document: ErrorDocument, *, now_ms: float) -> Response:
    """Give the answer of a fault that takes the place of handling (not of the connection kinds)."""
    header = _retry_after(fault, now_ms)
    if fault.kind in _GATEWAY:
        status = _GATEWAY[fault.kind]
        page = _GATEWAY_PAGE.format(status=status, phrase=HTTPStatus(status).phrase)
        return HTMLResponse(page, status, header)
    if fault.kind is FaultKind.HTML_PAGE:
        return HTMLResponse(_LOGIN_PAGE)
    if fault.kind is FaultKind.STATUS:
        return Response(fault.body, fault.status, fault.headers)
    errors = {
        FaultKind.TOKEN_EXPIRED: ODataError(401, None, {"WWW-Authenticate": 'Bearer error="invalid_token"'}),
        FaultKind.CSRF_EXPIRED: ODataError(403, "CSRF token validation failed", {"X-CSRF-Token": "Required"}),
        FaultKind.LOCKED: ODataError(400, "Cannot update the artifact as it is locked"),
        FaultKind.TOO_MANY_REQUESTS: ODataError(429, "Too many requests", header),
        FaultKind.BUSINESS_ERROR: ODataError(500, fault.text or _BUSINESS_TEXT),
        FaultKind.SESSION_FAULT: ODataError(500, SESSION_FAULT_TEXT),
    }
    return document(errors[fault.kind])


def _retry_after(fault: Fault, now_ms: float) -> Mapping[str, str]:
    if fault.retry_after_s is None:
        return {}
    if fault.retry_after_form == "seconds":
        return {"Retry-After": str(fault.retry_after_s)}
    return {"Retry-After": formatdate(now_ms / 1000 + fault.retry_after_s, usegmt=True)}


def spoiled(fault: Fault, response: Response) -> Response:
    """Give the tenant's answer with its body spoiled (malformed or missing)."""
    body = _MALFORMED if fault.kind is FaultKind.MALFORMED_JSON else b""
    response.body = body
    response.headers["Content-Length"] = str(len(body))
    return response


def hang_up(stream: trio.SocketStream, *, orderly: bool) -> Response:
    """End a connection without an answer; what is answered afterwards goes nowhere."""
    if not orderly:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    stream.socket.close()
    return Response(b"")


class CutShort(Response):
    """Half of an answer, then the end of the connection or, where it stalls, nothing until the client gives up."""

    def __init__(self, whole: Response, stream: trio.SocketStream, *, stalls: bool) -> None:
        """Take what would be answered, and the connection."""
        super().__init__(b"", whole.status_code)
        # Where there is no body to be cut, one byte is promised.
        whole.headers["Content-Length"] = str(max(len(whole.body), 1))
        self.raw_headers = whole.raw_headers
        self._half = bytes(whole.body)[: len(whole.body) // 2]
        self._stream = stream
        self._stalls = stalls

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head with the length of the whole, and half of the body."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._half, "more_body": True})
        if self._stalls:
            while (await receive())["type"] != "http.disconnect":
                pass
        self._stream.socket.close()


async def wait(request: Request, seconds: float) -> None:
    """Let time pass; on a socket no longer than the client waits."""

    async def leave_with_the_client() -> None:
        try:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        except ClientDisconnect:
            pass
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave_with_the_client)
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
