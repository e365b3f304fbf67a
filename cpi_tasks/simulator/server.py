"""The embedded tenant on a loopback socket: in a nursery, or from a thread for programs without trio."""

from __future__ import annotations

import logging
import queue
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import cast

import trio
from hypercorn.config import Config
from hypercorn.events import Event, RawData
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator.dispatch import CONNECTION
from cpi_tasks.simulator.tenant import Simulator

_log = logging.getLogger(__name__)
_SAVE_INTERVAL_S = 0.2
_KEEP_ALIVE_S = 75.0
_STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) \r\n")
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


async def serve(
    simulator: Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    app: ASGIApp | None = None,
    tls: ssl.SSLContext | None = None,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; reports the URL (``http://127.0.0.1:PORT``) as soon as connections are accepted.

    ``app`` is served in place of the tenant's own application, over HTTPS where ``tls`` has a certificate.
    The state file, where there is one, is this program's alone meanwhile, and on disk when this ends, however it ends.
    ``OSError`` where the port is taken, ``SimulatorError`` where another program has the file or it cannot be written.
    """
    with simulator.held():
        await _serve(simulator, host, port, _Server(simulator, app or simulator.app, tls), task_status)


async def _serve(
    simulator: Simulator, host: str, port: int, server: _Server, task_status: trio.TaskStatus[str]
) -> None:
    listeners = await trio.open_tcp_listeners(port, host=host, backlog=256)
    bound_port = listeners[0].socket.getsockname()[1]
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.save_regularly)
            nursery.start_soon(server.close_connections_at_the_end)
            await nursery.start(trio.serve_listeners, server.handle, listeners)
            name = f"[{host}]" if ":" in host else host
            task_status.started(f"{server.scheme}://{name}:{bound_port}")
    finally:
        simulator.save()


class _Connection(TCPServer):
    """A connection whose answers have reason phrases, which hypercorn leaves out and some clients show."""

    async def protocol_send(self, event: Event) -> None:
        # The head of an answer is an event of its own, and no other begins like this.
        found = _STATUS_LINE.match(event.data) if isinstance(event, RawData) else None
        if isinstance(event, RawData) and found is not None:
            phrase = _PHRASES.get(int(found[1]), b"Unknown")
            event = RawData(data=found[0].rstrip(b"\r\n") + phrase + b"\r\n" + event.data[found.end() :])
        await super().protocol_send(event)


class _Server:
    """One hypercorn connection handler per connection, so that a connection can be dropped from inside a request."""

    def __init__(self, simulator: Simulator, app: ASGIApp, tls: ssl.SSLContext | None) -> None:
        self._simulator = simulator
        self._tls = tls
        self.scheme = "http" if tls is None else "https"
        self._config = Config()
        self._config.accesslog = None
        self._config.errorlog = None
        self._config.include_server_header = False
        self._config.keep_alive_timeout = _KEEP_ALIVE_S
        self._config.keep_alive_max_requests = 1_000_000
        self._app = wrap_app(cast("ASGIFramework", app), self._config.wsgi_max_body_size, "asgi")
        self._context = WorkerContext(None)
        self._streams: set[trio.SocketStream] = set()

    async def handle(self, stream: trio.SocketStream) -> None:
        CONNECTION.set(stream)
        self._streams.add(stream)
        try:
            # hypercorn finds out by itself whether a stream is encrypted; its annotation names one of the two
            served = cast("trio.SSLStream[trio.SocketStream]", stream)
            if self._tls is not None:
                served = trio.SSLStream(stream, self._tls, server_side=True, https_compatible=True)
            await _Connection(self._app, self._config, self._context, ConnectionState({}), served)
        except Exception as error:  # noqa: BLE001 - whatever one client sends, the others go on being served
            _log.debug("connection given up: %r", error)
        finally:
            self._streams.discard(stream)
            stream.socket.close()

    async def close_connections_at_the_end(self) -> None:
        """Cut what is still connected on cancellation: a reader that does not read must not delay the end."""
        try:
            await trio.sleep_forever()
        finally:
            for stream in self._streams:
                stream.socket.close()

    async def save_regularly(self) -> None:
        """Write changes to the state file, at most a tenth of the time and off the event loop."""
        pause_s = _SAVE_INTERVAL_S
        while True:
            await trio.sleep(pause_s)
            began = trio.current_time()
            # Shielded, because what was taken to be written must be written: the end saves only what changed since.
            # A file that cannot be written now is tried again next time, and at the end the failure is raised.
            with trio.CancelScope(shield=True), suppress(SimulatorError):
                await trio.to_thread.run_sync(self._simulator.save)
            pause_s = max(_SAVE_INTERVAL_S, 9 * (trio.current_time() - began))


class _Handover:
    """Takes what the thread reports: the URL with the token of its run, or what went wrong."""

    def __init__(self) -> None:
        self.queue: queue.Queue[tuple[str, trio.lowlevel.TrioToken] | BaseException] = queue.Queue()

    def started(self, value: str) -> None:
        self.queue.put((value, trio.lowlevel.current_trio_token()))


@contextmanager
def running(simulator: Simulator, *, app: ASGIApp | None = None, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve from a background thread and give the URL, for callers that are not trio themselves.

    ``app`` and ``tls`` are as for ``serve``. What goes wrong while starting, serving or stopping is raised here.
    """
    handover = _Handover()
    failures: list[BaseException] = []
    scope = trio.CancelScope()

    async def main() -> None:
        with scope:
            await serve(simulator, app=app, tls=tls, task_status=cast("trio.TaskStatus[str]", handover))

    def run() -> None:
        try:
            trio.run(main)
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for us
            failures.append(error)
            handover.queue.put(error)

    thread = threading.Thread(target=run, name="cpi-simulator")
    thread.start()
    first = handover.queue.get()
    if isinstance(first, BaseException):
        thread.join()
        raise first
    url, token = first
    try:
        yield url
    finally:
        with suppress(trio.RunFinishedError):
            trio.from_thread.run_sync(scope.cancel, trio_token=token)
        thread.join()
    if failures:
        raise failures[0]
