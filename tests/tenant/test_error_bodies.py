"""Error bodies in every shape give a code and a text for a person."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.tenant.errorbody import parse_error

ATOM_ERROR = (
    b"<?xml version='1.0' encoding='UTF-8'?>"
    b'<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code>Bad Request</code>'
    b'<message xml:lang="en">CANNOT_UPDATE_BUNDLE</message></error>'
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"error":{"code":"Not Found","message":{"lang":"en","value":"No such thing."}}}',
            ("Not Found", "No such thing."),
        ),
        (b'{"error":{"code":"Forbidden","message":{"lang":"en","value":null}}}', ("Forbidden", "")),
        (b'{"error":{"code":"Bad Request","message":{"@lang":"en","#text":"locked"}}}', ("Bad Request", "locked")),
        (b'{"error":{"code":500,"message":"plain"}}', ("500", "plain")),
        (b'{"code":"X","message":"flat"}', ("X", "flat")),
        (b'{"error":"unauthorized","error_description":"Bad credentials"}', ("unauthorized", "Bad credentials")),
        (b'{"error":"Not Found","message":"no route"}', ("Not Found", "no route")),
        (ATOM_ERROR, ("Bad Request", "CANNOT_UPDATE_BUNDLE")),
        (b"<error><code>A</code><message/></error>", ("A", "")),
        (b"", ("", "")),
        (b"   ", ("", "")),
        (b"upstream connect error", ("", "upstream connect error")),
        (b'"just text"', ("", "just text")),
        (
            b"<html><head><title>503 &amp; busy</title><style>p{}</style></head><body><h1>Busy</h1></body></html>",
            ("", "503 & busy Busy"),
        ),
        (b"<error><code>A</code>", ("", "A")),
        (
            b'{"error":{"code":"A","message":{"value":"two\\nlines\\u001b[31m"}}}',
            ("A", "two lines\N{REPLACEMENT CHARACTER}[31m"),
        ),
        (b'{"unknown":"shape"}', ("", '{"unknown":"shape"}')),
        (b'{"error":{"code":"A","mess', ("", '{"error":{"code":"A","mess')),
    ],
)
def test_known_shapes(body: bytes, expected: tuple[str, str]) -> None:
    """Code and text are found in JSON, XML, HTML and plain text, on one line and without control characters."""
    assert expected == parse_error(body)


def test_entities_are_not_expanded() -> None:
    """An XML bomb gives its raw text, not gigabytes."""
    bomb = b'<!DOCTYPE e [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><error><code>&b;</code><message>x</message></error>'
    code, detail = parse_error(bomb)
    assert code == ""
    assert "lollol" not in detail


def test_long_texts_are_cut() -> None:
    """A stack trace of many pages is cut to 2,000 characters."""
    _, detail = parse_error(json.dumps({"error": {"code": "A", "message": {"value": "x" * 9000}}}).encode())
    assert len(detail) == 2000
    assert detail.endswith("...")


@settings(deadline=None, max_examples=80)
@given(
    st.one_of(
        st.binary(),
        st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text().map(lambda text: f"<error><message>{text}</message></error>".encode("utf-8", "surrogatepass")),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["error", "code", "message", "value", "#text", "x"]), inner)
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_body_gives_printable_text(body: bytes) -> None:
    """Whatever comes, two single lines come out that any terminal and file can take."""
    for part in parse_error(body):
        part.encode("utf-8")
        assert not any(ord(character) < 32 for character in part)
