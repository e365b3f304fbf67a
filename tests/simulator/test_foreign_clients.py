"""What public clients send and read, which a tenant that stands in for a real one has to take and to give."""

from __future__ import annotations

import email
import email.policy
import json
import socket
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import httpx
import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.simulator.batches import part, send, statuses, write

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
RUNTIME = "IntegrationRuntimeArtifacts"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Orders", 'attachment; filename="Orders.zip"'),
        ("My Flow", 'attachment; filename="My Flow.zip"'),
        ('The "new" one', r'attachment; filename="The \"new\" one.zip"'),
        ("Größe", "attachment; filename=\"Gr__e.zip\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.zip"),
        ("a/b\\c\r\nd;e", 'attachment; filename="a_b_c__d;e.zip"'),
    ],
)
async def test_downloads_have_a_file_name_that_can_be_parsed(
    connect: Connect, flow: Build, name: str, header: str
) -> None:
    """Quoted, with ``filename*`` beyond ASCII (RFC 6266): SAP/jenkins-library refuses a header it cannot parse."""
    simulator, client = connect(artifact_names="any")
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.artifact("F").name = name
    answer = await client.get(f"{FLOW_F}/$value")
    assert answer.headers["content-disposition"] == header
    parsed = email.message_from_string(f"Content-Disposition: {header}\n\n", policy=email.policy.HTTP)
    assert (parsed.get_filename() or "").endswith(".zip")


async def test_exports_have_a_quoted_file_name(connect: Connect) -> None:
    """As downloads of artifacts (RFC 6266)."""
    simulator, client = connect()
    simulator.add_package("P")
    answer = await client.get("IntegrationPackages('P')/$value")
    assert answer.headers["content-disposition"] == 'attachment; filename="P.zip"'


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("(Name eq 'A')", "A"),
        ("((Name eq 'A'))", "A"),
        ("( Name eq 'A' )", "A"),
        ("(Name eq 'A') or (Name eq 'B')", "AB"),
        ("((Name eq 'A') or (Name eq 'B'))", "AB"),
        ("((Name eq 'A') or Name eq 'B') or (Id eq 'C')", "ABC"),
        ("(startswith(Name,'A') eq true) or (substringof('B',Name))", "AB"),
        ("(Id eq 'A')", "A"),
        ("(Id ne 'A')", "BC("),
        ("(Name eq 'x) or (y''s')", "("),
    ],
)
async def test_parentheses_around_comparisons(connect: Connect, expression: str, found: str) -> None:
    """The SAP Cloud SDK writes them around every comparison."""
    simulator, client = connect()
    for name in ("A", "B", "C", "("):
        simulator.set_runtime(name, "STARTED")
    record = simulator._state.runtime["("]
    assert record.settled is not None
    shown = record.settled
    object.__setattr__(shown.snapshot, "name", "x) or (y's")
    answer = await client.get(f"{RUNTIME}?$filter={quote(expression)}")
    assert "".join(row["Id"] for row in answer.json()["d"]["results"]) == found
    assert (await client.get(f"{RUNTIME}/$count?$filter={quote(expression)}")).text == str(len(found))


@pytest.mark.parametrize(
    "expression",
    [
        "(Name eq 'A'",
        "Name eq 'A')",
        "()",
        "",
        "(Name eq 'A') and (Name eq 'B')",
        "(Name eq 'A') or",
        "not (Name eq 'A')",
        f"{'(' * 2000}Name eq 'A'{')' * 2000}",
        "(" * 8000,
        "((((Name eq 'A') or Name eq 'B')",
    ],
)
async def test_what_is_no_filter_stays_a_400(connect: Connect, expression: str) -> None:
    """Unbalanced or empty parentheses, other operators and depths nobody writes (SAP Help: only ``or``)."""
    _, client = connect()
    assert (await client.get(RUNTIME, params={"$filter": expression})).status_code == 400


@pytest.mark.parametrize("path", ["", "https://tenant.example/api/v1"])
async def test_a_token_is_fetched_by_head(connect: Connect, path: str) -> None:
    """The SAP Cloud SDK does: token and cookies come, and together they open the door to writes."""
    _, client = connect(enforce_csrf="always")
    answer = await client.head(path, headers={"X-CSRF-Token": "Fetch"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert {"JSESSIONID", "__VCAP_ID__"} <= set(answer.cookies)
    body = {"Id": "P", "Name": "P", "ShortText": "P"}
    token = {"X-CSRF-Token": answer.headers["X-CSRF-Token"]}
    assert (await client.post("IntegrationPackages", json=body)).status_code == 403
    assert (await client.post("IntegrationPackages", json=body, headers=token)).status_code == 201


@pytest.mark.parametrize("content", ["", None])
@pytest.mark.parametrize("is_wrapped", [False, True])
async def test_an_empty_package_content_creates_a_package(
    connect: Connect, content: str | None, *, is_wrapped: bool
) -> None:
    """Landscaper sends the property always; without a value it is no import."""
    simulator, client = connect()
    body = {"Id": "P", "Name": "Orders", "ShortText": "P", "PackageContent": content}
    answer = await client.post("IntegrationPackages", json={"d": body} if is_wrapped else body)
    assert (answer.status_code, answer.json()["d"]["Id"]) == (201, "P")
    assert simulator.packages["P"].name == "Orders"
    assert (
        await client.post("IntegrationPackages", json={**body, "Id": "Q", "PackageContent": "!"})
    ).status_code == 400


@pytest.mark.parametrize("takes", [True, False])
async def test_a_blank_in_the_request_line_of_a_batch(connect: Connect, flow: Build, *, takes: bool) -> None:
    """Cig and the flashpipe fork send parameter keys unescaped; refused, the fork goes on with single requests."""
    simulator, client = connect(batch_blanks=takes)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a b": "1", "c": "1"}))
    answer = await send(client, write("a b", "2"), write("c", "2"))
    assert answer.status_code == (202 if takes else 400)
    assert simulator.artifact("F").parameters == ({"a b": "2", "c": "2"} if takes else {"a b": "1", "c": "1"})
    escaped = await send(client, write("a%20b", "3"))
    assert (escaped.status_code, simulator.artifact("F").parameters["a b"]) == (202, "3")


async def test_blanks_in_the_query_of_a_batch_s_request(connect: Connect) -> None:
    """A filter that nobody escaped (as cig writes keys)."""
    simulator, client = connect()
    simulator.set_runtime("F", "STARTED")
    answer = await send(
        client, part(f"GET {RUNTIME}?$filter=Id eq 'F' HTTP/1.1", headers=("Accept: application/json",))
    )
    assert (statuses(answer), '"Id":"F"' in answer.text) == ([200], True)


@pytest.mark.parametrize("line", ["GET  HTTP/1.1", "GET   HTTP/1.1", "GET IntegrationPackages", "get x HTTP/1.1"])
async def test_a_request_line_without_an_address_stays_malformed(connect: Connect, line: str) -> None:
    """Blanks alone are no address (OData 2.0, batch processing)."""
    _, client = connect()
    assert (await send(client, part(line))).status_code == 400


def _raw(url: str, request: str) -> bytes:
    """Send a request as bytes and read the answer to its end."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection:
        connection.sendall(request.encode())
        chunks = []
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)


@pytest.mark.parametrize(
    ("method", "path", "status_line"),
    [
        ("GET", "/api/v1/IntegrationPackages", b"HTTP/1.1 200 OK"),
        ("HEAD", "/api/v1/", b"HTTP/1.1 200 OK"),
        ("GET", "/api/v1/IntegrationPackages('X')", b"HTTP/1.1 404 Not Found"),
        ("DELETE", "/api/v1/IntegrationPackages('P')", b"HTTP/1.1 202 Accepted"),
        ("PATCH", "/api/v1/IntegrationPackages('P')", b"HTTP/1.1 501 Not Implemented"),
    ],
)
def test_answers_have_reason_phrases(method: str, path: str, status_line: bytes) -> None:
    """Programs show ``response.Status``, the code with the phrase (flashpipe, SAP/jenkins-library)."""
    simulator = Simulator(SimulatorSettings(enforce_csrf="never"))
    simulator.add_package("P")
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Authorization: Basic ZGVtby11c2VyOmRlbW8tcGFzc3dvcmQ="]
    request = "\r\n".join([*lines, "Accept: application/json", "Connection: close", "", ""])
    with running(simulator) as url:
        head, _, body = _raw(url, request).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == status_line
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    assert body == b"" if method == "HEAD" else len(body) == int(length.partition(b":")[2])
    if body:
        json.loads(body)
