"""``$batch``: reading, atomicity and what is answered."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator
from cpi_tasks.simulator.batch import parse
from cpi_tasks.simulator.odata import ODataError
from tests.simulator.batches import FLOW_F, MIXED, changeset, joined, part, send, write

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]


def _with_flow(simulator: Simulator, content: bytes) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", content)


async def test_reads_and_a_change_set_are_answered_in_order(connect: Connect, flow: Build) -> None:
    """Each part has its own status line, format and body; a read after the change set sees the change."""
    simulator, client = connect()
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    read = part(f"GET {FLOW_F}/Configurations HTTP/1.1", headers=["Accept: application/json"])
    as_xml = part("GET IntegrationPackages('X') HTTP/1.1", headers=["Accept: application/xml"])
    answer = await send(client, read, changeset(write("a", "2")), read, as_xml)
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=batch_")
    statuses = [line for line in answer.text.splitlines() if line.startswith("HTTP/1.1")]
    assert statuses == ["HTTP/1.1 200 OK", "HTTP/1.1 202 Accepted", "HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"]
    assert [answer.text.count(f'"ParameterValue":"{value}"') for value in "12"] == [1, 1]
    assert "<code>Not Found</code>" in answer.text
    boundary = answer.headers["content-type"].partition("boundary=")[2]
    assert answer.text.count(f"--{boundary}\r\n") == 4
    assert answer.text.endswith(f"--{boundary}--\r\n")


@pytest.mark.parametrize(
    ("settings", "status", "part"),
    [
        ({}, 202, "202 Accepted"),
        ({"batch_status": 200}, 200, "202 Accepted"),
        ({"batch_part_status": 204}, 202, "204 No Content"),
    ],
)
async def test_both_statuses_are_settings(
    connect: Connect, flow: Build, settings: dict[str, int], status: int, part: str
) -> None:
    """200 or 202 for the whole, 202 or 204 for a parameter."""
    simulator, client = connect(**settings)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    answer = await send(client, changeset(write("a", "2")))
    assert (answer.status_code, f"HTTP/1.1 {part}\r\n" in answer.text) == (status, True)


@pytest.mark.parametrize(
    ("is_allowed", "phrase", "value"), [(True, "202 Accepted", "2"), (False, "404 Not Found", "1")]
)
@pytest.mark.parametrize("prefix", ["/api/v1/", "https://tenant.example:443/api/v1/"])
async def test_absolute_request_lines_are_a_setting(
    connect: Connect, flow: Build, *, is_allowed: bool, phrase: str, value: str, prefix: str
) -> None:
    """Some tenants are said to understand relative ones only."""
    simulator, client = connect(batch_absolute_paths=is_allowed)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    answer = await send(client, changeset(write("a", "2", prefix=prefix)))
    assert f"HTTP/1.1 {phrase}" in answer.text
    assert simulator.artifact("F").parameters == {"a": value}


@pytest.mark.parametrize(("is_atomic", "value", "answers"), [(True, "1", 1), (False, "2", 2)])
async def test_a_failing_change_set_leaves_no_trace(
    connect: Connect, flow: Build, *, is_atomic: bool, value: str, answers: int
) -> None:
    """Unless the setting says that the parts stand alone: then each has its own answer."""
    simulator, client = connect(changesets_are_atomic=is_atomic)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    held = simulator.artifact("F")
    answer = await send(client, changeset(write("a", "2"), write("nope", "2")))
    assert answer.text.count("HTTP/1.1 ") == answers
    assert "Parameter key 'nope' not found." in answer.text
    assert held.parameters == {"a": value}
    assert simulator.artifact("F") is held


async def test_everything_a_failing_change_set_did_is_undone(connect: Connect, flow: Build, encode: Encode) -> None:
    """Packages, content, versions, locks and deployments are as before."""
    simulator, client = connect()
    _with_flow(simulator, flow("F"))
    simulator.lock("F")
    lock = (await client.get("IntegrationDesigntimeLocks")).json()["d"]["results"][0]["ResourceId"]
    before = (dict(simulator.packages), simulator.artifact("F").archive, simulator.artifact("F").modified_ms)
    json_body = ["Content-Type: application/json"]
    content = f'{{"ArtifactContent": "{encode(flow("F", version="2.0.0"))}"}}'
    parts = [
        part("POST IntegrationPackages HTTP/1.1", '{"Id": "Q", "Name": "Q", "ShortText": "Q"}', headers=json_body),
        part(f"DELETE IntegrationDesigntimeLocks('{lock}') HTTP/1.1"),
        part(f"PUT {FLOW_F} HTTP/1.1", content, headers=json_body),
        part("POST DeployIntegrationDesigntimeArtifact?Id='F'&Version='active' HTTP/1.1"),
        part("DELETE IntegrationPackages('P') HTTP/1.1"),
    ]
    assert "HTTP/1.1 404" in (await send(client, changeset(*parts, write("x", "1")))).text
    assert (simulator.packages, simulator.artifact("F").archive, simulator.artifact("F").modified_ms) == before
    assert [artifact.id for artifact in simulator.artifacts.values()] == ["F"]
    assert (simulator.runtime("F"), simulator.peak_deployments) == (None, 0)
    assert len((await client.get("IntegrationDesigntimeLocks")).json()["d"]["results"]) == 1
    assert (await client.get("IntegrationPackages('P')/IntegrationDesigntimeArtifacts")).json()["d"]["results"]
    done = await send(client, changeset(*parts))
    assert [line[9:12] for line in done.text.splitlines() if line.startswith("HTTP/1.1")] == [
        *("201", "200", "200", "202", "202")
    ]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("", joined([write("a", "2")])),
        ("application/json", "{}"),
        ("multipart/mixed", joined([write("a", "2")])),
        (MIXED, ""),
        (MIXED, "--b--\r\n"),
        (MIXED, joined([write("a", "2")]).replace("--b--", "--b")),
        (MIXED, joined(["Content-Type: text/plain\r\n\r\nx"])),
        (MIXED, joined(["no header at all"])),
        (MIXED, joined([part("PUT")])),
        (MIXED, joined([part("PUT x HTTP/1.1", headers=["broken"])])),
        (MIXED, joined([changeset(part("GET IntegrationPackages HTTP/1.1"))])),
        (MIXED, joined([changeset(changeset(write("a", "2")))])),
    ],
)
async def test_a_malformed_batch_is_400_and_nothing_of_it_happens(
    connect: Connect, flow: Build, kind: str, body: str
) -> None:
    """Wrong type, no or no closing boundary, parts that are no requests, reads or change sets in a change set."""
    simulator, client = connect()
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    answer = await client.post("$batch", content=body, headers={"Content-Type": kind} if kind else {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Bad Request")
    assert simulator.artifact("F").parameters == {"a": "1"}


async def test_too_many_parts_are_refused(connect: Connect) -> None:
    """How many are too many is a setting; a batch inside of a batch is not implemented."""
    _, client = connect(batch_max_parts=2)
    read = part("GET IntegrationPackages HTTP/1.1", headers=["Accept: application/json"])
    assert (await send(client, read, read)).status_code == 202
    refused = await send(client, read, changeset(write("a", "1"), write("a", "1")))
    assert (refused.status_code, "more than 2 parts" in refused.text) == (400, True)
    assert "HTTP/1.1 501 Not Implemented" in (await send(client, part("POST $batch HTTP/1.1"))).text


def test_bodies_end_where_their_length_says() -> None:
    """Less than there is cuts; more, or nonsense, is not believed."""
    for length, expected in (("2", b"{}"), ("99", b"{} "), ("x", b"{} ")):
        body = joined([part("PUT X HTTP/1.1", "{} ", headers=[f"Content-Length: {length}"])])
        (read,) = parse(MIXED, body.encode())
        assert getattr(read, "body", None) == expected


def test_text_around_the_parts_does_not_count() -> None:
    """Before the first boundary and after the last."""
    body = f"preamble\r\n{joined([part('GET X HTTP/1.1')])}epilogue"
    assert len(parse('multipart/mixed; charset=UTF-8; boundary="b"', body.encode())) == 1
    with pytest.raises(ODataError):
        parse("multipart/mixed; boundary=other", body.encode())
