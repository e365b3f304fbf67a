"""The body of an upload: right for any content, and never held as a whole."""

from __future__ import annotations

import json
import tracemalloc
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.tenant import TenantClient
from cpi_tasks.tenant.upload import Upload

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
A, FLOW = ArtifactId("Orders"), ArtifactKind.INTEGRATION_FLOW


@given(members=st.dictionaries(st.sampled_from(["Name", "Id"]), st.text()), archive=st.binary(max_size=300))
def test_a_body_is_the_json_it_stands_for(members: dict[str, str], archive: bytes) -> None:
    """Whatever the texts and the content are, the pieces make one JSON object of the announced length."""
    upload = Upload(members=members, archive=archive)
    body = b"".join(upload.pieces())
    assert json.loads(body) == {**members, "ArtifactContent": b64encode(archive).decode()}
    assert len(body) == len(upload)


def test_a_large_archive_is_encoded_piece_by_piece() -> None:
    """Sending 24 MiB needs less than 1 MiB beside the archive itself, and every piece is small."""
    upload = Upload(members={"Name": "N"}, archive=bytes(24 * 2**20))
    tracemalloc.start()
    try:
        sizes = [len(piece) for piece in upload.pieces()]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(sizes) == len(upload) == 32 * 2**20 + len('{"Name": "N", "ArtifactContent": ""}')
    assert max(sizes) == 256 * 1024
    assert peak < 2**20


@pytest.mark.parametrize("size", [0, 1, 2, 3, 196_607, 196_608, 196_609, 700_000])
async def test_every_attempt_sends_the_whole_body(
    autojump_clock: trio.testing.MockClock, connected: Connected, size: int
) -> None:
    """Content of any size is sent as one JSON document of a given length, byte for byte the same when repeated."""
    content = bytes(number * 7 % 251 for number in range(size))
    sent: list[tuple[bytes, httpx.Headers]] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200)
        sent.append((request.content, request.headers))
        return httpx.Response(504 if len(sent) == 1 else 200)

    async with connected(tenant) as client:
        await client.update_artifact(A, FLOW, archive=content)
    expected = b'{"ArtifactContent": "' + b64encode(content) + b'"}'
    assert [body for body, _ in sent] == [expected, expected]
    for _, headers in sent:
        assert headers["content-length"] == str(len(expected))
        assert headers["content-type"] == "application/json"
        assert "transfer-encoding" not in headers


async def test_names_of_every_script_stand_before_the_content(connected: Connected) -> None:
    """The other members come first, in UTF-8 as they are, and are counted in bytes."""
    bodies: list[bytes] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200)
        bodies.append(request.content)
        assert request.headers["content-length"] == str(len(request.content))
        return httpx.Response(201, json={"d": {"Id": "Orders", "Version": "1.0.0"}})

    async with connected(tenant) as client:
        await client.create_artifact(A, FLOW, package=PackageId("Sales"), name='Größe "7" \u2603', archive=b"zip")
    text = '{"Name": "Größe \\"7\\" \u2603", "Id": "Orders", "PackageId": "Sales", "ArtifactContent": "emlw"}'
    assert bodies == [text.encode()]
    assert json.loads(bodies[0])["Name"] == 'Größe "7" \u2603'
