"""What an upload holds in memory on its way out: the archive, and never a second copy of it."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import trio.testing

from cpi_tasks.model.config import BasicLogin, TenantAccess
from cpi_tasks.model.naming import ArtifactId, ArtifactKind
from cpi_tasks.tenant import TenantClient, connect

MIB = 2**20


@asynccontextmanager
async def connected_by(transport: httpx.AsyncBaseTransport) -> AsyncIterator[TenantClient]:
    """Give a client whose requests go through a transport that takes bodies as they come."""
    async with connect(
        TenantAccess(url="https://t1.example.com", login=BasicLogin(username="u", password="p")),
        designtime_rate=9.0,
        runtime_rate=45.0,
        request_timeout_s=180.0,
        outage_budget_s=300.0,
        emit=lambda _: None,
        note_secret=lambda _: None,
        transport=transport,
    ) as client:
        yield client


class Network(httpx.AsyncBaseTransport):
    """Takes bodies piece by piece, as a socket does, and notes the size of each piece."""

    def __init__(self) -> None:
        """Have nothing yet."""
        self.pieces: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take the whole body and keep nothing of it."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            self.pieces.append(len(piece))
        return httpx.Response(200)


async def test_a_huge_archive_is_never_held_twice(autojump_clock: trio.testing.MockClock) -> None:
    """Uploading 40 MiB takes less than 2 MiB beside the archive, from the call to the socket."""
    network = Network()
    archive = bytes(40 * MIB)
    async with connected_by(network) as client:
        tracemalloc.start()
        try:
            await client.update_artifact(ArtifactId("A"), ArtifactKind.INTEGRATION_FLOW, archive=archive)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert sum(network.pieces) > 53 * MIB
    assert max(network.pieces) <= 256 * 1024
    assert peak < 2 * MIB


async def test_an_archive_is_let_go_once_it_is_sent(autojump_clock: trio.testing.MockClock) -> None:
    """No circle of request and answer keeps it until the collector comes by, which it seldom does in a run."""
    async with connected_by(Network()) as client:
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for _ in range(3):
                await client.update_artifact(ArtifactId("A"), ArtifactKind.INTEGRATION_FLOW, archive=bytes(8 * MIB))
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
    assert held < MIB
