"""The way of one request: log it, let faults strike, log in, limit the rate, find the handler, answer."""

from __future__ import annotations

from contextvars import ContextVar
from threading import RLock
from urllib.parse import unquote

import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import request_response

from cpi_tasks.simulator import routes_batch, routing
from cpi_tasks.simulator.auth import Gatekeeper
from cpi_tasks.simulator.call import Call
from cpi_tasks.simulator.fault_answers import CutShort, answer_instead, hang_up, spoiled, wait
from cpi_tasks.simulator.faults import Fault, FaultKind
from cpi_tasks.simulator.history import Chronicle
from cpi_tasks.simulator.life import Person
from cpi_tasks.simulator.limits import LimitedFamily, RateLimits
from cpi_tasks.simulator.metadata import ENTITY_SETS
from cpi_tasks.simulator.odata import API_ROOT, ODataError, parse_path, parse_query
from cpi_tasks.simulator.playing import Stage
from cpi_tasks.simulator.rendering import Format, wants_json
from cpi_tasks.simulator.request_log import RECORD, RequestRecord, family_of
from cpi_tasks.simulator.settings import SimulatorSettings
from cpi_tasks.simulator.state import TenantState

MAX_BODY_BYTES = 96 * 1024 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}

CONNECTION: ContextVar[trio.SocketStream | None] = ContextVar("connection", default=None)
"""The connection a request came in on, where the server knows it: a dropped connection is closed through it."""


class Front:
    """The ASGI application and what it needs besides the tenant's state."""

    def __init__(self, state: TenantState) -> None:
        """Build the application over a tenant."""
        self._state = state
        self.gatekeeper = Gatekeeper(state.settings, state.clock)
        self.requests: list[RequestRecord] = []
        # A test may look at the tenant, or change it, while another thread serves requests.
        self.lock = RLock()
        self._limits = RateLimits(state.settings)
        self._stage: Stage | None = None
        self.app = Starlette()
        # Not a route: no pattern of Starlette's matches every path, line ends for instance.
        self.app.router.default = request_response(self._endpoint)

    def set_the_stage(self, person: Person) -> None:
        """Give the hands that do what scripts let other people do."""
        self._stage = Stage(self._state, person, Chronicle(self._state))

    @property
    def stage(self) -> Stage:
        """Where scripts are played."""
        if self._stage is None:
            raise RuntimeError("set_the_stage was not called")
        return self._stage

    def catch_up(self) -> None:
        """Do what other people have done by now."""
        with self.lock:
            self.stage.catch_up()

    async def _endpoint(self, request: Request) -> Response:
        record = RequestRecord(
            method=request.method,
            path=unquote(request.scope["raw_path"].decode("latin-1")),
            query=unquote(request.scope["query_string"].decode("latin-1").replace("+", " ")),
            time=trio.current_time(),
        )
        self.requests.append(record)
        request.scope[RECORD] = record
        # The whole body is read in any case: a connection with unread data could not be used again.
        body = await _read_body(request)
        with self.lock:
            self.stage.catch_up()
            fault = self.stage.fault_for(record)
            record.fault = fault.kind.value if fault else ""
            try:
                if fault is not None and fault.is_instead:
                    return self._instead(fault, request, record)
                response = self._respond(request, body)
                record.status = record.handled = response.status_code
            finally:
                self.stage.finish(record)
        if fault is None:
            return response
        return await self._afterwards(fault, request, record, response)

    def _instead(self, fault: Fault, request: Request, record: RequestRecord) -> Response:
        if fault.kind in {FaultKind.RESET_BEFORE_HANDLING, FaultKind.CLOSED_BEFORE_HANDLING}:
            return self._hang_up(fault, record)
        if fault.kind is FaultKind.TOKEN_EXPIRED:
            self.gatekeeper.expire_tokens()
        if fault.kind is FaultKind.CSRF_EXPIRED:
            self.gatekeeper.expire_sessions()
        form = _negotiate(request, self._state.settings)
        response = answer_instead(fault, form.error, now_ms=self._state.clock.now_ms())
        record.status = response.status_code
        return response

    async def _afterwards(self, fault: Fault, request: Request, record: RequestRecord, response: Response) -> Response:
        """Let a fault strike a request that has been handled."""
        if fault.kind in {FaultKind.RESET_AFTER_HANDLING, FaultKind.CLOSED_AFTER_HANDLING}:
            return self._hang_up(fault, record)
        if fault.kind in {FaultKind.TRUNCATED_JSON, FaultKind.STALLED_BODY}:
            stream, stalls = CONNECTION.get(), fault.kind is FaultKind.STALLED_BODY
            if stream is not None:
                return CutShort(response, stream, stalls=stalls)
            if stalls:
                await trio.sleep(fault.seconds)
            raise fault.raised(f"the answer was cut short at {record.method} {record.target}")
        if fault.kind is FaultKind.SLOW_FIRST_BYTE:
            await wait(request, fault.seconds)
            return response
        return spoiled(fault, response)

    def _hang_up(self, fault: Fault, record: RequestRecord) -> Response:
        record.status = 0
        stream = CONNECTION.get()
        if stream is None:
            raise fault.raised(f"connection dropped at {record.method} {record.target}")
        orderly = fault.kind in {FaultKind.CLOSED_BEFORE_HANDLING, FaultKind.CLOSED_AFTER_HANDLING}
        return hang_up(stream, orderly=orderly)

    def _respond(self, request: Request, body: bytes | None) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        if path == "/oauth/token":
            return self.gatekeeper.issue_token(request, body or b"")
        if path != API_ROOT and not path.startswith(f"{API_ROOT}/"):
            return PlainTextResponse("Not Found", 404)
        form = _negotiate(request, self._state.settings)
        try:
            response = self._answer(request, path.removeprefix(API_ROOT), body, form)
        except ODataError as error:
            response = form.error(error)
        self.gatekeeper.hand_out_csrf(request, response)
        return response

    def _answer(self, request: Request, path: str, body: bytes | None, form: Format) -> Response:
        user = self.gatekeeper.user(request)
        segments = parse_path(path)
        self._check_rate(request, user)
        self.gatekeeper.check_csrf(request)
        if body is None:
            raise ODataError(400, "The request body is too large.")
        if not segments:
            return form.service_document(sorted(ENTITY_SETS))
        call = Call(
            state=self._state,
            method=request.method,
            segments=segments,
            query=parse_query(request.scope["query_string"].decode("latin-1")),
            accept=request.headers.get("Accept", ""),
            body=body,
            user=user,
            format=form,
            content_type=request.headers.get("Content-Type", ""),
        )
        is_batch = (call.method, *[segment.name for segment in segments]) == ("POST", "$batch")
        return routes_batch.batch(call) if is_batch else routing.answer(call)

    def _check_rate(self, request: Request, user: str) -> None:
        path = unquote(request.scope["raw_path"].decode("latin-1"))
        family: LimitedFamily = "runtime" if family_of(path) == "runtime" else "designtime"
        others = self.stage.others(family)
        if not self._limits.admits(family, user, now_s=trio.current_time(), others=others):
            seconds = self._state.settings.retry_after_s
            raise ODataError(429, "Too many requests", {} if seconds is None else {"Retry-After": str(seconds)})


def _negotiate(request: Request, settings: SimulatorSettings) -> Format:
    query = parse_query(request.scope["query_string"].decode("latin-1"))
    url = request.url
    # Tenants put the port into every link, also the scheme's own one.
    port = url.port or _DEFAULT_PORTS.get(url.scheme, 80)
    return Format(
        as_json=wants_json(query, request.headers.get("Accept", "")),
        settings=settings,
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
