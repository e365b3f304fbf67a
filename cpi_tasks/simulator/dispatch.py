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

from cpi_tasks.simulator import operations, routes_batch, routing
from cpi_tasks.simulator.auth import Gatekeeper
from cpi_tasks.simulator.call import Call
from cpi_tasks.simulator.desk import Desk
from cpi_tasks.simulator.fault_answers import CutShort, hang_up, spoiled, wait
from cpi_tasks.simulator.faults import Fault, FaultKind
from cpi_tasks.simulator.history import Chronicle
from cpi_tasks.simulator.life import Person
from cpi_tasks.simulator.metadata import ENTITY_SETS
from cpi_tasks.simulator.odata import API_ROOT, ODataError, parse_path, parse_query
from cpi_tasks.simulator.playing import Stage
from cpi_tasks.simulator.rendering import Format, wants_json
from cpi_tasks.simulator.request_log import RECORD, RequestLog, RequestRecord
from cpi_tasks.simulator.settings import SimulatorSettings
from cpi_tasks.simulator.state import TenantState

MAX_BODY_BYTES = 96 * 1024 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}

CONNECTION: ContextVar[trio.SocketStream | None] = ContextVar("connection", default=None)
"""The connection a request came in on, where the server knows it: a dropped connection is closed through it."""


class Front:
    """The ASGI application and what it needs besides the tenant's state."""

    def __init__(self, state: TenantState, *, keep_requests: int) -> None:
        """Build the application over a tenant; so many requests are kept in the log."""
        self._state = state
        self.gatekeeper = Gatekeeper(state.settings, state.clock)
        self.log = RequestLog(keep_requests)
        # A test may look at the tenant, or change it, while another thread serves requests.
        self.lock = RLock()
        self._stage: Stage | None = None
        self._desk: Desk | None = None
        self.app = Starlette()
        # Not a route: no pattern of Starlette's matches every path, line ends for instance.
        self.app.router.default = request_response(self._endpoint)

    def set_the_stage(self, person: Person) -> None:
        """Give the hands that do what scripts let other people do."""
        self._stage = Stage(self._state, person, Chronicle(self._state, self.log))
        self._desk = Desk(self._state, self.log, self._stage, self.gatekeeper)

    @property
    def stage(self) -> Stage:
        """Where scripts are played."""
        if self._stage is None:
            raise RuntimeError("set_the_stage was not called")
        return self._stage

    @property
    def desk(self) -> Desk:
        """What requests pass on their way in."""
        if self._desk is None:
            raise RuntimeError("set_the_stage was not called")
        return self._desk

    def catch_up(self) -> None:
        """Do what other people, and the tenant by itself, have done by now."""
        with self.lock:
            self.stage.catch_up()
            operations.move_on(self._state)

    async def _endpoint(self, request: Request) -> Response:
        record = RequestRecord(
            method=request.method,
            path=unquote(request.scope["raw_path"].decode("latin-1")),
            query=unquote(request.scope["query_string"].decode("latin-1").replace("+", " ")),
            time=trio.current_time(),
        )
        self.log.append(record)
        request.scope[RECORD] = record
        # The whole body is read in any case: a connection with unread data could not be used again.
        body = await _read_body(request)
        with self.lock:
            self.stage.catch_up()
            operations.move_on(self._state)
            fault = self.desk.fault_for(record)
            try:
                if fault is not None and fault.is_instead:
                    return self._instead(fault, request, record)
                response = self._respond(request, body, record)
                record.status = record.handled = response.status_code
            finally:
                self.desk.finish(record)
        if fault is None:
            return response
        return await self._afterwards(fault, request, record, response)

    def _instead(self, fault: Fault, request: Request, record: RequestRecord) -> Response:
        if fault.kind in {FaultKind.RESET_BEFORE_HANDLING, FaultKind.CLOSED_BEFORE_HANDLING}:
            return self._hang_up(fault, record)
        response = self.desk.instead(fault, _negotiate(request, self._state.settings).error)
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

    def _respond(self, request: Request, body: bytes | None, record: RequestRecord) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        if path == "/oauth/token":
            return self.gatekeeper.issue_token(request, body or b"")
        if path != API_ROOT and not path.startswith(f"{API_ROOT}/"):
            return PlainTextResponse("Not Found", 404)
        form = _negotiate(request, self._state.settings)
        try:
            response = self._answer(request, body, form, record)
        except ODataError as error:
            response = form.error(error)
        self.gatekeeper.hand_out_csrf(request, response)
        return response

    def _answer(self, request: Request, body: bytes | None, form: Format, record: RequestRecord) -> Response:
        user = self.gatekeeper.user(request)
        segments = parse_path(request.scope["raw_path"].decode("latin-1").removeprefix(API_ROOT))
        self.desk.check_rate(record, user)
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
        return routes_batch.batch(call, self.desk, record) if is_batch else routing.answer(call)


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
