"""The advice for each answer that refuses a call: it fits the status, the kind of call, and what the tenant said."""

from __future__ import annotations

import json

import httpx
import pytest

from cpi_tasks.engine.advice import advice_for
from cpi_tasks.errors import Call, RequestRejected
from cpi_tasks.tenant.verdict import Request, rejection
from cpi_tasks.tenant.wire import Answer

TEXT = json.dumps({"error": {"code": "X", "message": {"lang": "en", "value": "Property 'Id' is wrong."}}}).encode()
PAGE = b"<html><head><title>Blocked</title></head><body><h1>Blocked</h1></body></html>"
WITHOUT_TEXT = {
    "empty": b"",
    "blank": b" \n",
    "null": b"null",
    "empty object": b"{}",
    "empty list": b"[]",
    "no message": b'{"error":{"code":"Bad Request"}}',
    "null message": b'{"error":{"code":"Bad Request","message":{"lang":"en","value":null}}}',
    "empty message": b'{"error":{"code":"Bad Request","message":{"lang":"en","value":""}}}',
    "empty error": b'{"error":{}}',
    "XML without message": b"<error><code>Bad Request</code><message/></error>",
}
WORD = {
    403: "role",
    404: "reads it again",
    405: "does not offer",
    409: "reads it again",
    413: "larger than",
    415: "proxy",
    423: "saved or closed",
    501: "does not offer",
}
"""A word of the advice for the statuses that speak for themselves."""


def refused(status: int, body: bytes, call: Call = Call.WRITE, *, csrf: str = "") -> RequestRejected:
    method = "GET" if call is Call.READ else "POST"
    request = Request(method=method, path="/api/v1/X", action="do it", role="TheRole", call=call)
    return rejection(
        request, Answer(status=status, headers=httpx.Headers({"x-csrf-token": csrf} if csrf else {}), content=body)
    )


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 415, 423, 500, 501])
@pytest.mark.parametrize("body", [TEXT, *WITHOUT_TEXT.values()], ids=["text", *WITHOUT_TEXT])
def test_advice_fits_what_is_known(status: int, body: bytes, call: Call) -> None:
    """What the tenant names is referred to only where it named something."""
    advice = advice_for(refused(status, body, call))
    if status in WORD:
        assert WORD[status] in advice
    elif body == TEXT:
        assert advice == "fix what the tenant names, then rerun"
    else:
        assert "what the tenant names" not in advice
        assert "the tenant gives no reason" in advice
        is_profile = status == 400 and call is Call.DEPLOY
        assert ("SAP-RuntimeProfile" in advice) == is_profile


@pytest.mark.parametrize("status", [400, 403, 404, 415, 423, 500, 501])
@pytest.mark.parametrize("call", Call)
def test_a_page_is_no_word_of_the_tenant(status: int, call: Call) -> None:
    """A proxy's page blames no artifact and no role."""
    assert "a proxy or gateway answered" in advice_for(refused(status, PAGE, call))


def test_a_page_that_says_too_large_is_believed() -> None:
    """Whoever refuses it: a smaller request is the way out."""
    assert "larger than" in advice_for(refused(413, PAGE))


def test_a_token_that_is_refused_is_no_matter_of_roles() -> None:
    """The header tells the two kinds of 403 apart."""
    error = refused(403, b"", csrf="Required")
    assert "role" not in advice_for(error)


@pytest.mark.parametrize("body", [b"Bad Request", b"400 Bad Request", b"bad request.", b"400"])
def test_the_status_once_more_is_no_text(body: bytes) -> None:
    """A text that only repeats the status names nothing."""
    error = refused(400, body, Call.DEPLOY)
    assert str(error) == "could not do it: the tenant answered 400 Bad Request without a text"
    assert "SAP-RuntimeProfile" in advice_for(error)


def test_advice_that_is_known_is_given() -> None:
    """What raises the error itself may know better."""
    assert advice_for(RequestRejected(action="do it", status=409, detail="x", advice="do that")) == "do that"
