"""Calls on deployments and runtime artifacts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import trio.testing

from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, TaskId
from cpi_tasks.model.tenant import RuntimeArtifact
from cpi_tasks.tenant import TenantClient
from tests.tenant.scripted import Scripted

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
A = ArtifactId("A")
FLOW = ArtifactKind.INTEGRATION_FLOW
GUID = "2d4b1a0c-7e1f-4c55-9a3b-0123456789ab"
ROW = {"Id": "A", "Version": "1.0.3", "Status": "Started", "DeployedOn": "/Date(1760000000000)/", "DeployedBy": "me"}
RUNNING = RuntimeArtifact(id=A, version="1.0.3", status="STARTED", deployed_on=1760000000000, deployed_by="me")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (GUID.encode(), GUID),
        (f' "{GUID}"\n'.encode(), GUID),
        (f"'{GUID}'".encode(), GUID),
        (f'{{"d":"{GUID}"}}'.encode(), GUID),
        (f'{{"d":{{"TaskId":"{GUID}"}}}}'.encode(), GUID),
        (f'{{"d":{{"DeployIntegrationDesigntimeArtifact":"{GUID}"}}}}'.encode(), GUID),
        (b"", None),
        (b"Accepted", None),
        (b"Deployment of 1 artifact was triggered", None),
        (b"<string>x1</string>", None),
        (b'{"d":{}}', None),
        (b'{"d":', None),
    ],
)
async def test_a_deployment_gives_a_task_id_or_none(connected: Connected, content: bytes, expected: str | None) -> None:
    """Only what looks like a task id is taken for one; an accepted deployment without one is a deployment."""

    def tenant(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200 if request.method == "GET" else 202, content=content)

    async with connected(tenant) as client:
        assert expected == await client.trigger_deployment(A, FLOW)


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        (ArtifactKind.INTEGRATION_FLOW, "Integration"),
        (ArtifactKind.SCRIPT_COLLECTION, "ScriptCollection"),
        (ArtifactKind.MESSAGE_MAPPING, "MessageMapping"),
        (ArtifactKind.VALUE_MAPPING, "ValueMapping"),
    ],
)
async def test_every_family_has_its_deploy_function(connected: Connected, kind: ArtifactKind, family: str) -> None:
    """The active version is deployed by the family's own function, with an empty body."""
    asked: list[httpx.Request] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    async with connected(tenant) as client:
        assert await client.trigger_deployment(A, kind) is None
    path = f"/api/v1/Deploy{family}DesigntimeArtifact?Id='A'&Version='active'"
    assert ("POST", path, b"") == (asked[-1].method, asked[-1].url.raw_path.decode(), asked[-1].content)


async def test_a_gateways_page_is_no_deployment(connected: Connected) -> None:
    """A page instead of the tenant's answer leaves open whether anything was triggered."""

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200)
        return httpx.Response(200, html="<html><body>1234567 welcome</body></html>")

    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable, match="whether it was carried out is not known"):
            await client.trigger_deployment(A, FLOW)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json={"d": {"TaskId": GUID, "Status": "Success"}}), "SUCCESS"),
        (httpx.Response(200, json={"d": {"TaskId": GUID, "Status": "FAIL_ON_LICENSE_ERROR"}}), "FAIL_ON_LICENSE_ERROR"),
        (httpx.Response(200, json={"d": {"TaskId": GUID}}), None),
        (httpx.Response(404), None),
    ],
)
async def test_build_status(connected: Connected, answer: httpx.Response, expected: str | None) -> None:
    """A task's status is given in upper case; an unknown task has none."""
    async with connected(lambda _: answer) as client:
        assert expected == await client.read_build_status(TaskId(GUID))


async def test_runtime_artifacts_are_listed_over_pages(connected: Connected) -> None:
    """All pages are one list; fields a tenant leaves out are tolerated."""
    pages = [
        {"d": {"results": [ROW], "__next": "IntegrationRuntimeArtifacts?$skiptoken=1000"}},
        {"d": {"results": [{"Id": "B", "Status": "ERROR"}]}},
    ]
    asked: list[str] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json=pages.pop(0))

    async with connected(tenant) as client:
        artifacts = await client.list_runtime_artifacts()
    other = RuntimeArtifact(id=ArtifactId("B"), version="", status="ERROR")
    assert artifacts == {RUNNING.id: RUNNING, other.id: other}
    assert asked == [
        "/api/v1/IntegrationRuntimeArtifacts",
        "/api/v1/IntegrationRuntimeArtifacts?$skiptoken=1000",
    ]


NOT_DEPLOYED = {"error": {"code": "X", "message": {"value": "Requested entity could not be found in the system."}}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json={"d": ROW}), RUNNING),
        (httpx.Response(404), None),
        (httpx.Response(404, json=NOT_DEPLOYED), None),
        (httpx.Response(500, json=NOT_DEPLOYED), None),
        (httpx.Response(400, text="Requested entity could not be found"), None),
    ],
)
async def test_one_runtime_artifact(
    connected: Connected, answer: httpx.Response, expected: RuntimeArtifact | None
) -> None:
    """Not deployed is an answer, in whatever status the tenant puts it."""
    async with connected(lambda _: answer) as client:
        assert expected == await client.read_runtime_artifact(A)


async def test_other_errors_are_not_taken_for_not_deployed(connected: Connected) -> None:
    """An error about something else stays an error."""
    async with connected(lambda _: httpx.Response(500, text="internal")) as client:
        with pytest.raises(RequestRejected, match="could not read runtime artifact 'A'"):
            await client.read_runtime_artifact(A)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    ("filtered", "expected"),
    [
        (httpx.Response(200, json={"d": {"results": []}}), None),
        (httpx.Response(200, json={"d": {"results": [ROW]}}), RUNNING),
    ],
)
async def test_an_error_without_a_text_is_cleared_up_by_a_filter(
    connected: Connected, status: int, filtered: httpx.Response, expected: RuntimeArtifact | None
) -> None:
    """Some tenants say "not deployed" by an error without a word; the list tells it from a fault."""

    def tenant(request: httpx.Request) -> httpx.Response:
        return filtered if request.url.params.get("$filter") == "Id eq 'A'" else httpx.Response(status)

    async with connected(tenant) as client:
        assert expected == await client.read_runtime_artifact(A)


async def test_an_error_that_the_list_does_not_clear_up_stays_one(connected: Connected) -> None:
    """Where the list is refused too, the first refusal is told."""
    async with connected(lambda _: httpx.Response(500)) as client:
        with pytest.raises(RequestRejected, match="could not read runtime artifact 'A'"):
            await client.read_runtime_artifact(A)


INFORMATION = b'{"message":{"messageText":""},"parameter":["Script file \'a.groovy\' not found"]}'


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, content=INFORMATION), "Script file 'a.groovy' not found"),
        (httpx.Response(200, text="plain cause"), "plain cause"),
        (httpx.Response(200, content=b""), None),
        (httpx.Response(204), None),
        (httpx.Response(404), None),
    ],
)
async def test_error_information(connected: Connected, answer: httpx.Response, expected: str | None) -> None:
    """The cause is given as text, nothing while the tenant has none."""

    def tenant(request: httpx.Request) -> httpx.Response:
        path = "/api/v1/IntegrationRuntimeArtifacts('A')/ErrorInformation/$value"
        assert (path, "*/*") == (request.url.raw_path.decode(), request.headers["accept"])
        return answer

    async with connected(tenant) as client:
        assert expected == await client.read_error_information(A)


async def test_error_information_of_a_picky_tenant(connected: Connected) -> None:
    """A tenant that does not accept ``*/*`` is asked for XML, once."""
    asked: list[str] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept"])
        if request.headers["accept"] != "application/xml":
            return httpx.Response(406)
        return httpx.Response(200, content=INFORMATION)

    async with connected(tenant) as client:
        assert await client.read_error_information(A) == "Script file 'a.groovy' not found"
    assert asked == ["*/*", "application/xml"]


async def test_a_page_is_no_error_information(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """A gateway's page is not shown as the cause of a failed deployment."""
    tenant = Scripted(httpx.Response(200, html="<html>busy</html>"), httpx.Response(200, text="the cause"))
    async with connected(tenant) as client:
        assert await client.read_error_information(A) == "the cause"
