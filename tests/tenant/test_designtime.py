"""Calls on design-time artifacts and locks."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.model.tenant import DesigntimeArtifact, DesigntimeLock
from cpi_tasks.tenant import TenantClient

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
FLOW = ArtifactKind.INTEGRATION_FLOW
ROW = {
    "Id": "A",
    "Version": "1.0.3",
    "PackageId": "P",
    "Name": "Order",
    "ModifiedAt": "1760000500000",
    "ModifiedBy": "me",
}
A = DesigntimeArtifact(
    id=ArtifactId("A"),
    kind=FLOW,
    package=PackageId("P"),
    version="1.0.3",
    name="Order",
    modified_at=1760000500000,
    modified_by="me",
)


def an_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # with a time of its own two of them would differ where a second has passed
        archive.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF"), "Bundle-Version: 1.0.0\n" * 50)
    return buffer.getvalue()


class Tenant:
    """Answers each method from a list and notes what was asked; CSRF fetches and probes come for free."""

    def __init__(self, *answers: httpx.Response) -> None:
        """Take the answers in order."""
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer."""
        if request.url.path == "/api/v1/":
            return httpx.Response(200)
        self.requests.append(request)
        return self.answers.pop(0)

    @property
    def asked(self) -> list[str]:
        """What was asked, as methods and raw paths."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        (ArtifactKind.INTEGRATION_FLOW, "Integration"),
        (ArtifactKind.SCRIPT_COLLECTION, "ScriptCollection"),
        (ArtifactKind.MESSAGE_MAPPING, "MessageMapping"),
        (ArtifactKind.VALUE_MAPPING, "ValueMapping"),
    ],
)
async def test_every_family_has_its_own_paths(connected: Connected, kind: ArtifactKind, family: str) -> None:
    """The four families differ in their names only."""
    tenant = Tenant(
        httpx.Response(200, json={"d": {"results": []}}),
        httpx.Response(404),
        httpx.Response(201, json={"d": ROW}),
        *[httpx.Response(200)] * 3,
        httpx.Response(200, content=an_archive()),
    )
    artifact = ArtifactId("A")
    async with connected(tenant) as client:
        assert await client.list_artifacts(PackageId("P"), kind) == ()
        assert await client.read_artifact(artifact, kind) is None
        await client.create_artifact(artifact, kind, package=PackageId("P"), name="N", archive=b"z")
        await client.update_artifact(artifact, kind, archive=b"z")
        await client.save_version(artifact, kind, "1.0.4")
        await client.delete_artifact(artifact, kind)
        assert an_archive() == await client.download_artifact(artifact, kind)
    entity = f"/api/v1/{family}DesigntimeArtifacts(Id='A',Version='active')"
    assert [
        f"GET /api/v1/IntegrationPackages('P')/{family}DesigntimeArtifacts",
        f"GET {entity}",
        f"POST /api/v1/{family}DesigntimeArtifacts",
        f"PUT {entity}",
        f"POST /api/v1/{family}DesigntimeArtifactSaveAsVersion?Id='A'&SaveAsVersion='1.0.4'",
        f"DELETE {entity}",
        f"GET {entity}/$value",
    ] == tenant.asked


async def test_listing_follows_pages_at_home(connected: Connected) -> None:
    """All pages are read, absolute links with an explicit port included; fields that are missing are tolerated."""
    tenant = Tenant(
        httpx.Response(
            200, json={"d": {"results": [ROW], "__next": "https://t1.example.com:443/api/v1/X?$skiptoken=1"}}
        ),
        httpx.Response(200, json={"d": {"results": [{"Id": "B"}], "__next": None}}),
    )
    async with connected(tenant) as client:
        artifacts = await client.list_artifacts(PackageId("P"), FLOW)
    b = DesigntimeArtifact(id=ArtifactId("B"), kind=FLOW, package=PackageId("P"), version="", name="")
    assert (A, b) == artifacts
    assert tenant.asked[1] == "GET /api/v1/X?$skiptoken=1"


async def test_a_foreign_next_link_is_refused(connected: Connected) -> None:
    """A link to another host is not followed, so no credential goes there, and the list is not given as complete."""
    tenant = Tenant(httpx.Response(200, json={"d": {"results": [ROW], "__next": "https://evil.example.com/api/v1/X"}}))
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable, match="another host"):
            await client.list_artifacts(PackageId("P"), FLOW)
    assert len(tenant.requests) == 1


async def test_pages_in_a_circle_end(connected: Connected) -> None:
    """Pages that lead back to one already read are an error, not an endless loop."""
    page = {"d": {"results": [ROW], "__next": "/api/v1/X?$skiptoken=1"}}
    tenant = Tenant(*[httpx.Response(200, json=page)] * 2)
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable, match="lead back"):
            await client.list_artifacts(PackageId("P"), FLOW)


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(204)])
async def test_an_unknown_package_has_no_artifacts(connected: Connected, answer: httpx.Response) -> None:
    """A package that does not exist, or an answer without body, gives an empty list."""
    async with connected(Tenant(answer)) as client:
        assert await client.list_artifacts(PackageId("P"), FLOW) == ()


async def test_ids_are_escaped(connected: Connected) -> None:
    """Quotes, spaces, dots and slashes in an id reach the tenant as part of the id."""
    tenant = Tenant(httpx.Response(200, json={"d": ROW}))
    async with connected(tenant) as client:
        assert await client.read_artifact(ArtifactId("O'Brien/a b.c"), FLOW) == A
    assert tenant.asked == ["GET /api/v1/IntegrationDesigntimeArtifacts(Id='O%27%27Brien%2Fa%20b.c',Version='active')"]


async def test_creating_sends_the_archive_in_base64(connected: Connected) -> None:
    """The body has name, id, package and the archive as one line of standard base64; the answer's entity is given."""
    tenant = Tenant(httpx.Response(201, json={"d": ROW}))
    archive = bytes(range(256)) * 4
    async with connected(tenant) as client:
        created = await client.create_artifact(A.id, FLOW, package=PackageId("P"), name="Order", archive=archive)
    assert created == A
    encoded = base64.b64encode(archive).decode()
    assert {"Name": "Order", "Id": "A", "PackageId": "P", "ArtifactContent": encoded} == json.loads(
        tenant.requests[0].content
    )


class Body(httpx.AsyncByteStream):
    """A body that breaks off."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give a part, then break."""
        yield b'{"d":{"Id"'
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(201, stream=Body()),
        lambda: httpx.Response(201, content=b'{"d":{"Id"'),
        lambda: httpx.Response(201, content=b""),
        lambda: httpx.Response(201, text="<entry>Atom</entry>"),
        lambda: httpx.Response(201, json={"d": {"Id": "A"}}),
    ],
)
async def test_a_creation_without_readable_entity_is_read_back(
    connected: Connected, answer: Callable[[], httpx.Response]
) -> None:
    """Where the 201's body does not tell the version, the artifact is asked for it."""
    tenant = Tenant(answer(), httpx.Response(200, json={"d": ROW}))
    async with connected(tenant) as client:
        assert await client.create_artifact(A.id, FLOW, package=PackageId("P"), name="N", archive=b"z") == A
    assert tenant.asked[1] == "GET /api/v1/IntegrationDesigntimeArtifacts(Id='A',Version='active')"


async def test_a_creation_whose_answer_stalls_is_read_back(
    autojump_clock: trio.testing.MockClock, connected: Connected
) -> None:
    """A 201 whose body never ends costs the request's time, not the knowledge that it was a 201."""

    class Stalled(httpx.AsyncByteStream):
        """A body that begins and never ends."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            """Give a part, then nothing."""
            yield b'{"d":'
            await trio.sleep_forever()

    tenant = Tenant(httpx.Response(201, stream=Stalled()), httpx.Response(200, json={"d": ROW}))
    async with connected(tenant, request_timeout_s=20.0) as client:
        assert await client.create_artifact(A.id, FLOW, package=PackageId("P"), name="N", archive=b"z") == A
    assert 19.9 < trio.current_time() < 20.1


async def test_a_creation_that_left_nothing(connected: Connected) -> None:
    """A 201 for an artifact that is not there afterwards is no success."""
    tenant = Tenant(httpx.Response(201), httpx.Response(404))
    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable, match="took the call but does not have it"):
            await client.create_artifact(A.id, FLOW, package=PackageId("P"), name="N", archive=b"z")


async def test_a_gateways_page_is_no_creation(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """An HTML page with a status of success is not taken for the tenant's word: state is read, then it is repeated."""
    page = httpx.Response(201, html="<!DOCTYPE html><html><body>ok</body></html>")
    tenant = Tenant(page, httpx.Response(404), httpx.Response(201, json={"d": ROW}))
    async with connected(tenant) as client:
        assert await client.create_artifact(A.id, FLOW, package=PackageId("P"), name="N", archive=b"z") == A
    assert [asked.partition(" ")[0] for asked in tenant.asked] == ["POST", "GET", "POST"]


async def test_updating_sends_content_only(connected: Connected) -> None:
    """Neither id, package nor name stand beside the content, which mappings would refuse."""
    tenant = Tenant(httpx.Response(200))
    async with connected(tenant) as client:
        await client.update_artifact(A.id, ArtifactKind.MESSAGE_MAPPING, archive=b"zip")
    assert json.loads(tenant.requests[0].content) == {"ArtifactContent": "emlw"}


async def test_a_locked_artifact_says_so(connected: Connected) -> None:
    """The tenant's reason stays readable as a field and in the sentence."""
    body = {"error": {"code": "Bad Request", "message": {"value": "Cannot update the artifact as it is locked"}}}
    async with connected(Tenant(httpx.Response(400, json=body))) as client:
        with pytest.raises(RequestRejected) as caught:
            await client.update_artifact(A.id, FLOW, archive=b"zip")
    assert (caught.value.status, caught.value.detail) == (400, "Cannot update the artifact as it is locked")


async def test_errors_of_downloads_are_xml(connected: Connected) -> None:
    """A refused download is told in XML, and read."""
    xml = (
        b'<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code>Bad Request</code>'
        b'<message xml:lang="en">Artifact cannot be downloaded</message></error>'
    )
    tenant = Tenant(httpx.Response(400, content=xml))
    async with connected(tenant) as client:
        with pytest.raises(RequestRejected, match="400 Bad Request: Artifact cannot be downloaded"):
            await client.download_artifact(A.id, FLOW)
    assert tenant.requests[0].headers["accept"] == "application/zip, application/octet-stream;q=0.9, */*;q=0.8"


@pytest.mark.parametrize("content", [b"", b"<html>login</html>", b"PK\x03\x04 nothing more"])
async def test_half_an_archive_is_asked_for_again(
    autojump_clock: trio.testing.MockClock, connected: Connected, content: bytes
) -> None:
    """What is no whole zip archive is not given to anybody."""
    tenant = Tenant(
        httpx.Response(200, content=content),
        httpx.Response(200, content=an_archive()[:-30]),
        httpx.Response(200, content=an_archive()),
    )
    async with connected(tenant) as client:
        assert an_archive() == await client.download_artifact(A.id, FLOW)


async def test_locks_are_listed(connected: Connected) -> None:
    """Locks tell who has what open since when."""
    row = {"ArtifactId": "A", "CreatedBy": "dev@example.com", "CreatedAt": "/Date(1760000000000)/"}
    async with connected(Tenant(httpx.Response(200, json={"d": {"results": [row]}}))) as client:
        locks = await client.list_locks()
    assert (DesigntimeLock(artifact=A.id, created_by="dev@example.com", created_at=1760000000000),) == locks


@pytest.mark.parametrize("status", [403, 404, 501])
async def test_locks_may_be_out_of_reach(connected: Connected, status: int) -> None:
    """A login without the role for locks, or a tenant without the set, sees none."""
    async with connected(Tenant(httpx.Response(status))) as client:
        assert await client.list_locks() == ()
