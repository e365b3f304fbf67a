"""The tenant as people see it: a page in front of the application, and an eye on every request that passes."""

from __future__ import annotations

import hmac
import ipaddress
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress

import trio
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from cpi_tasks.simulator.clock import Clock
from cpi_tasks.simulator.odata import API_ROOT
from cpi_tasks.simulator.overview import look
from cpi_tasks.simulator.page import document, fragment
from cpi_tasks.simulator.page_assets import CONTENT_POLICY
from cpi_tasks.simulator.page_packages import Packages
from cpi_tasks.simulator.request_log import RECORD, RequestRecord
from cpi_tasks.simulator.tenant import Simulator
from cpi_tasks.simulator.traffic import SeenRequest, Traffic, printable

_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Window:
    """An ASGI application: the page for a browser at ``/``, everything else as the tenant answers it.

    ``tell`` is called with every request of the tenant when it is over, with those inside of a batch before the batch;
    requests for the page are none of these. From this machine the page needs no login, from others the tenant's user
    and password.
    """

    def __init__(self, simulator: Simulator, *, tell: Callable[[SeenRequest], None] | None = None) -> None:
        """Stand in front of a tenant."""
        self._simulator = simulator
        self._tell = tell
        self._clock = Clock()
        self._packages = Packages()
        self.traffic = Traffic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and _is_for_the_page(scope):
            await self._page(Request(scope))(scope, receive, send)
        elif scope["type"] == "http":
            await self._watch(scope, receive, send)
        else:
            await self._simulator.app(scope, receive, send)

    def _page(self, request: Request) -> Response:
        if not self._may_look(request):
            return PlainTextResponse("Log in as the tenant's user.", 401, {"WWW-Authenticate": "Basic"})
        overview, now_s = look(self._simulator), trio.current_time()
        seen = request.query_params.get("seen")
        per_second = self.traffic.per_second(now_s)
        self._packages.update(overview)
        if seen is None:
            text = document(overview, self._packages, self.traffic, per_second)
        else:
            text = fragment(overview, self._packages, self.traffic, per_second, seen=seen)
        return HTMLResponse(text, headers=_HEADERS)

    def _may_look(self, request: Request) -> bool:
        with suppress(ValueError):
            if request.client and ipaddress.ip_address(request.client.host).is_loopback:
                return True
        settings = self._simulator.settings
        wanted = b64encode(f"{settings.username}:{settings.password}".encode())
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "basic" and hmac.compare_digest(given.strip().encode("latin-1"), wanted)

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s, time_ms, status = trio.current_time(), self._clock.now_ms(), 0
        self.traffic.arrived(began_s)

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._simulator.app(scope, receive, noted)
        finally:
            record: RequestRecord | None = scope.get(RECORD)
            now_s = trio.current_time()
            for part in record.parts if record else ():
                request = _seen(part, time_ms)
                self.traffic.came_in_a_batch(request, now_s)
                self._say(request)
            request = SeenRequest(
                time_ms=time_ms,
                method=printable(str(scope["method"])),
                target=_target(scope["path"] if record is None else record.path, record),
                # Where the connection was cut, what was sent afterwards went nowhere.
                status=status if record is None else record.status,
                duration_s=now_s - began_s,
                fault=record.fault if record else "",
            )
            self.traffic.answered(request)
            self._say(request)

    def _say(self, request: SeenRequest) -> None:
        if self._tell is not None:
            self._tell(request)


def _seen(part: RequestRecord, time_ms: float) -> SeenRequest:
    return SeenRequest(
        time_ms=time_ms,
        method=printable(part.method),
        target=_target(part.path, part),
        status=part.status,
        duration_s=0.0,
        fault=part.fault,
        in_batch=True,
    )


def _is_for_the_page(scope: Scope) -> bool:
    if scope["path"] != "/" or scope["method"] not in {"GET", "HEAD"}:
        return False
    accept: str = Request(scope).headers.get("Accept", "")
    return "text/html" in accept


def _target(path: str, record: RequestRecord | None) -> str:
    """Give what may be shown: the query of an API call, but none of the token service, where secrets may be."""
    if record is None or not record.query or not path.startswith(f"{API_ROOT}/"):
        return printable(path)
    return printable(f"{path}?{record.query}")
