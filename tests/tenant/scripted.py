"""Tenants that answer from a script, and the ways in which answers go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import trio

from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.model.naming import PackageId
from cpi_tasks.tenant import TenantClient

PACKAGE = httpx.Response(200, json={"d": {"Id": "P"}})
Answer = httpx.Response | Exception | Callable[[], httpx.Response]


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
    """Break off within the body."""
    return httpx.Response(200, stream=Body(b'{"d":', httpx.ReadError("connection reset")))


def not_gzip() -> httpx.Response:
    """Claim an encoding that the body does not have."""
    return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body(b"{}"))


def is_probe(request: httpx.Request) -> bool:
    """Whether a request asks for nothing but a sign of life."""
    return request.url.path == "/api/v1/" and "x-csrf-token" not in request.headers


class Scripted:
    """A tenant that gives one answer after the other, the last one for ever; CSRF fetches come for free.

    Probes are told that it lives, or get the answer that is next where it ``is_gone``.
    """

    def __init__(self, *answers: Answer, is_gone: bool = False) -> None:
        """Take the answers in order; exceptions are raised."""
        self.answers = list(answers)
        self.is_gone = is_gone
        self.asked: list[float] = []
        self.methods: list[str] = []
        self.probed: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer."""
        if request.headers.get("x-csrf-token") == "Fetch":
            return httpx.Response(200)
        if is_probe(request):
            self.probed.append(trio.current_time())
            return given(self.answers[0]) if self.is_gone else httpx.Response(200)
        self.asked.append(trio.current_time())
        self.methods.append(request.method)
        return given(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


def given(answer: Answer) -> httpx.Response:
    """Give an answer, or raise it."""
    if isinstance(answer, Exception):
        raise answer
    return answer if isinstance(answer, httpx.Response) else answer()


def named(answer: Answer) -> str:
    """Name an answer in the name of a test."""
    return getattr(answer, "__name__", repr(answer))


PASSING: list[Answer] = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("slow"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
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
"""Trouble that a later repetition may not meet, other than the request rate."""


async def read_all(client: TenantClient, amount: int, failures: list[tuple[float, str]]) -> None:
    """Read so many packages at once; a failure is noted with its moment and sentence."""

    async def read(number: int) -> None:
        try:
            await client.read_package(PackageId(f"P{number}"))
        except TenantUnavailable as error:
            failures.append((trio.current_time(), str(error)))

    async with trio.open_nursery() as nursery:
        for number in range(amount):
            nursery.start_soon(read, number)
