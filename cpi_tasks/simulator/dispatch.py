"""The way of one request: log it, plan faults, log in, limit the rate, find the handler, answer in the right format."""

from __future__ import annotations

from contextvars import ContextVar
from threading import RLock
from urllib.parse import unquote

import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route as StarletteRoute

from cpi_tasks.simulator import routes_configurations, routes_designtime, routes_packages, routes_runtime
from cpi_tasks.simulator.auth import Gatekeeper
from cpi_tasks.simulator.call import Call, Handler, Route
from cpi_tasks.simulator.faults import Fault, FaultPlan, RateWindow, RequestRecord
from cpi_tasks.simulator.odata import API_ROOT, ODataError, parse_path, parse_query
from cpi_tasks.simulator.rendering import Format
from cpi_tasks.simulator.state import TenantState

MAX_BODY_BYTES = 96 * 1024 * 1024
_RUNTIME_SETS = ("IntegrationRuntimeArtifacts", "BuildAndDeployStatus", "ServiceEndpoints", "MessageProcessingLogs")
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_DEFAULT_PORTS = {"http": 80, "https": 443}

ROUTES: dict[Route, Handler] = {
    **routes_packages.ROUTES,
    **routes_designtime.ROUTES,
    **routes_configurations.ROUTES,
    **routes_runtime.ROUTES,
}
_SHAPES = frozenset(shape for _, shape in ROUTES)
_NAMES = frozenset(shape.partition("/")[0].removesuffix("()") for shape in _SHAPES)
_NOT_OFFERED = frozenset({"$batch", "$metadata", "ValidateIntegrationDesigntimeArtifact", "Resources", "CustomTags"})
"""Known on tenants, not played here (yet)."""

CONNECTION: ContextVar[trio.SocketStream | None] = ContextVar("connection", default=None)
"""The connection a request came in on, where the server knows it: a dropped connection is closed through it."""


class Front:
    """The ASGI application and what it needs besides the tenant's state."""

    def __init__(self, state: TenantState) -> None:
        """Build the application over a tenant."""
        self._state = state
        self.gatekeeper = Gatekeeper(state.settings, state.clock)
        self.faults = FaultPlan()
        self.requests: list[RequestRecord] = []
        # A test may look at the tenant, or change it, while another thread serves requests.
        self.lock = RLock()
        self._designtime = RateWindow(state.settings.designtime_rate)
        self._runtime = RateWindow(state.settings.runtime_rate)
        self.app = Starlette(routes=[StarletteRoute("/{path:path}", self._endpoint, methods=_METHODS)])

    async def _endpoint(self, request: Request) -> Response:
        record = RequestRecord(
            method=request.method,
            path=unquote(request.scope["raw_path"].decode("latin-1")),
            query=unquote(request.scope["query_string"].decode("latin-1").replace("+", " ")),
            time=trio.current_time(),
        )
        self.requests.append(record)
        # The whole body is read in any case: a connection with unread data could not be used again.
        body = await _read_body(request)
        fault = self.faults.take(record)
        if fault is not None and not fault.after_handling:
            return self._fail(fault, record)
        with self.lock:
            response = self._respond(request, body)
        if fault is not None:
            return self._fail(fault, record)
        record.status = response.status_code
        return response

    def _fail(self, fault: Fault, record: RequestRecord) -> Response:
        if fault.status is not None:
            record.status = fault.status
            return Response(fault.body, fault.status, fault.headers)
        connection = CONNECTION.get()
        if connection is None:
            raise fault.error(f"connection dropped at {record.method} {record.target}")
        connection.socket.close()
        return Response(b"")

    def _respond(self, request: Request, body: bytes | None) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        if path == "/oauth/token":
            return self.gatekeeper.issue_token(request, body or b"")
        if path != API_ROOT and not path.startswith(f"{API_ROOT}/"):
            return PlainTextResponse("Not Found", 404)
        form = _negotiate(request)
        try:
            response = self._answer(request, path.removeprefix(API_ROOT), body, form)
        except ODataError as error:
            response = form.error(error)
        self.gatekeeper.hand_out_csrf(request, response)
        return response

    def _answer(self, request: Request, path: str, body: bytes | None, form: Format) -> Response:
        user = self.gatekeeper.user(request)
        segments = parse_path(path)
        self._check_rate(segments[0].name if segments else "")
        self.gatekeeper.check_csrf(request)
        if body is None:
            raise ODataError(400, "The request body is too large.")
        if not segments:
            return form.service_document(sorted(name for name in _NAMES if name.endswith(("s", "Status"))))
        call = Call(
            state=self._state,
            method=request.method,
            segments=segments,
            query=parse_query(request.scope["query_string"].decode("latin-1")),
            accept=request.headers.get("Accept", ""),
            body=body,
            user=user,
            format=form,
        )
        return _find(call)(call)

    def _check_rate(self, name: str) -> None:
        window = self._runtime if name.startswith(_RUNTIME_SETS) else self._designtime
        if not window.admits(trio.current_time()):
            seconds = self._state.settings.retry_after_s
            raise ODataError(429, "Too many requests", {} if seconds is None else {"Retry-After": str(seconds)})


def _find(call: Call) -> Handler:
    shape = "/".join(segment.shape for segment in call.segments)
    handler = ROUTES.get((call.method, shape))
    if handler is not None:
        return handler
    lone_set = len(call.segments) == 1 and call.head.name in _NAMES
    if shape in _SHAPES or lone_set or any(segment.name in _NOT_OFFERED for segment in call.segments):
        raise ODataError(501, "Not implemented")
    unknown = next((part.name for part in call.segments if part.name not in _NAMES), call.segments[-1].name)
    raise ODataError(404, f"Could not find an entity set or function import for '{unknown}'.")


def _negotiate(request: Request) -> Format:
    wanted = parse_query(request.scope["query_string"].decode("latin-1")).get("$format", "").lower()
    as_json = wanted == "json" or (not wanted and "json" in request.headers.get("Accept", "").lower())
    url = request.url
    # Tenants put the port into every link, also the scheme's own one.
    port = url.port or _DEFAULT_PORTS.get(url.scheme, 80)
    return Format(
        as_json=as_json,
        base_url=f"{url.scheme}://{url.hostname}:{port}{API_ROOT}",
        headers={"DataServiceVersion": "2.0"},
    )


async def _read_body(request: Request) -> bytes | None:
    """Read the body to its end; ``None`` where it is larger than any artifact could be."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            chunks.append(chunk)
    return b"".join(chunks) if size <= MAX_BODY_BYTES else None
