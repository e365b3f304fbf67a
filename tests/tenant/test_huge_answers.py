"""Answers that are larger than any answer: they cost neither memory nor a traceback."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from cpi_tasks.model.config import Certificates
from cpi_tasks.tenant import wire
from cpi_tasks.tenant.wire import Answer, Wire, open_client


@contextmanager
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a megabyte be the most."""
    assert wire.MAX_ANSWER_BYTES == 256 * 2**20
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 2**20)
    yield


async def answer_to(body: bytes, header: bytes) -> Answer:
    """Serve one answer on a loopback socket and read it."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\n" + header + b"Connection: close\r\n\r\n")
        try:
            await stream.send_all(body)
        except trio.BrokenResourceError:
            return
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        async with open_client((url,), request_timeout_s=20.0, transport=None, certificates=Certificates()) as client:
            sender = Wire(client, request_timeout_s=20.0, emit=lambda _: None)
            answer = await sender.exchange("GET", url + "/x", target="/x", headers={})
        nursery.cancel_scope.cancel()
    return answer


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the limit is read; what was read is not taken for an answer."""
    with small(monkeypatch):
        assert len((await answer_to(b"x" * 2**20, b"")).content) == 2**20
        answer = await answer_to(b"x" * 2**24, b"")
    assert (answer.status, answer.is_complete, answer.content) == (200, False, b"")


async def test_a_compressed_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the memory of what it stands for is taken, nor the time."""
    header = b"Content-Encoding: gzip\r\n"
    bomb = gzip.compress(bytes(2**27))
    with small(monkeypatch):
        assert (await answer_to(gzip.compress(b"x" * 2**20), header)).content == b"x" * 2**20
        tracemalloc.start()
        try:
            answer = await answer_to(bomb, header)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (answer.status, answer.is_complete) == (200, False)
    assert peak < 2**26


async def test_what_is_compressed_twice_is_not_unpacked() -> None:
    """A piece of a bomb within a bomb stands for more than any limit could notice in time."""
    answer = await answer_to(gzip.compress(gzip.compress(b"{}")), b"Content-Encoding: gzip, gzip\r\n")
    assert (answer.is_complete, answer.content) == (False, b"")
