"""What errors look like: the switches for their bodies and texts."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
UNKNOWN = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
AS_JSON = {"Accept": "application/json"}
AS_XML = {"Accept": "application/xml"}


@pytest.mark.parametrize(
    ("form", "with_json", "with_xml"),
    [
        ("negotiated", "json", "xml"),
        ("json", "json", "json"),
        ("xml", "xml", "xml"),
        ("empty", "empty", "empty"),
        ("null-message", "null json", "null xml"),
    ],
)
async def test_error_bodies_have_the_wanted_form(connect: Connect, form: str, with_json: str, with_xml: str) -> None:
    """By ``Accept``, or always one format, or nothing, or a message of null."""
    _, client = connect(error_body=form)

    async def seen(headers: dict[str, str]) -> str:
        answer = await client.get(UNKNOWN, headers=headers)
        assert answer.status_code == 404
        if not answer.content:
            return "empty"
        kind = "json" if "json" in answer.headers["content-type"] else "xml"
        if kind == "json":
            assert json.loads(answer.content)["error"]["code"] == "Not Found"
        return kind if b"artifact not found" in answer.content else f"null {kind}"

    assert (await seen(AS_JSON), await seen(AS_XML)) == (with_json, with_xml)


@pytest.mark.parametrize(("form", "body"), [("null-message", b'"value":null'), ("empty", b"")])
async def test_a_missing_role_may_be_answered_with_nothing(connect: Connect, form: str, body: bytes) -> None:
    """Or with a message of null; the CSRF header stands in either case."""
    _, client = connect(forbidden_body=form, may_read_locks=False, enforce_csrf="always")
    answer = await client.get("IntegrationDesigntimeLocks")
    assert answer.status_code == 403
    assert body in answer.content
    assert (answer.content == b"") is (form == "empty")
    refused = await client.delete("IntegrationRuntimeArtifacts('F')")
    assert (refused.status_code, refused.headers["X-CSRF-Token"]) == (403, "Required")


@pytest.mark.parametrize(
    ("ending", "unknown", "locked"),
    [
        ("as-observed", "found.", "locked"),
        ("period", "found.", "locked."),
        ("no-period", "found", "locked"),
    ],
)
async def test_the_period_at_the_end_is_a_setting(
    connect: Connect, flow: Build, ending: str, unknown: str, locked: str
) -> None:
    """As each text was seen, always, or never."""
    simulator, client = connect(text_ending=ending)
    missing = (await client.get(UNKNOWN)).json()["error"]["message"]["value"]
    assert missing.endswith(f"artifact not {unknown}")
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.lock("F")
    refused = (await client.delete(UNKNOWN)).json()["error"]["message"]["value"]
    assert refused.endswith(f"as it is {locked}")


async def test_a_body_that_is_no_json_is_refused_by_its_type(connect: Connect) -> None:
    """The message names the type; without a type the body is read as JSON."""
    _, client = connect()
    body = b'{"Id": "P", "Name": "P", "ShortText": "P"}'
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        answer = await client.post("IntegrationPackages", content=body, headers={"Content-Type": kind})
        assert (answer.status_code, kind in answer.json()["error"]["message"]["value"]) == (400, True)
    for headers in ({}, {"Content-Type": "application/json; charset=utf-8"}):
        assert (await client.post("IntegrationPackages", content=body, headers=headers)).status_code in {201, 409}


async def test_control_characters_do_not_break_error_documents(connect: Connect) -> None:
    """A key with characters that XML cannot carry still gives a document."""
    _, client = connect()
    answer = await client.get("IntegrationPackages('%01%EF%BF%BE')", headers=AS_XML)
    assert (answer.status_code, b"Integration package  does not exist." in answer.content) == (404, True)
