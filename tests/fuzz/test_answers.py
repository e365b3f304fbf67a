"""What a tenant, or something before it, may answer: the right text, or a sentence; never anything else."""

from __future__ import annotations

import json
import math
import unicodedata
from contextlib import suppress

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cpi_tasks.tenant.errorbody import parse_error
from cpi_tasks.tenant.errorinfo import error_text
from cpi_tasks.tenant.odata import entity, epoch_ms, json_body, next_path, rows
from cpi_tasks.tenant.retry import Trouble, retry_after_s
from cpi_tasks.tenant.text import DETAIL_LIMIT, ERROR_INFORMATION_LIMIT

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEYS = st.sampled_from(
    [
        *("error", "code", "message", "value", "#text", "innererror", "error_description", "d", "results", "Id"),
        *("messageText", "messageId", "parameter", "parameters", "childInstances", "childMessageInstances", "__next"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("{0} of {1}")
TREES = st.recursive(
    LEAVES | LEAVES.map(json.dumps),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4) | inner.map(json.dumps),
    max_leaves=10,
)
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
TAGS = st.text(alphabet="<>/!-[]&;?=\"' codemsagbfT", max_size=80)
BODIES = (
    st.binary(max_size=80)
    | TREES.map(lambda tree: json.dumps(tree).encode())
    | TREES.map(lambda tree: json.dumps(tree).encode()[:-3])
    | TAGS.map(str.encode)
    | TAGS.map(lambda text: f"<error><code>{text}</code></error>".encode())
)


def is_harmless(text: str, *, limit: int, breaks: str = "") -> bool:
    """Whether a text can be shown as it is."""
    unsafe = {character for character in text if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}}
    return len(text) <= limit and unsafe <= set(breaks)


@FUZZ
@given(BODIES)
@example(b'{"error": {"message": {"value": null}}}')
@example(b'<!DOCTYPE a [<!ENTITY b "c">]><error><code>&b;</code></error>')
@example(b"<error>" * 5_000 + b"</error>" * 5_000)
@example(b"[" * 100_000)
def test_any_error_body(content: bytes) -> None:
    """Code and text are each one line that can be shown."""
    code, detail = parse_error(content)
    assert is_harmless(code, limit=100)
    assert is_harmless(detail, limit=DETAIL_LIMIT)


@FUZZ
@given(WORDS, WORDS, st.sampled_from(["json", "text", "hash", "flat", "xml", "oauth"]))
def test_every_shape_of_an_error_is_read(code: str, text: str, shape: str) -> None:
    """OData errors as JSON and XML, flat ones, and those of token services say the same."""
    bodies = {
        "json": json.dumps({"error": {"code": code, "message": {"lang": "en", "value": text}}}),
        "text": json.dumps({"error": {"code": code, "message": text}}),
        "hash": json.dumps({"error": {"code": code, "message": {"#text": text}}}),
        "flat": json.dumps({"code": code, "message": text}),
        "oauth": json.dumps({"error": code, "error_description": text}),
        "xml": f'<error xmlns="http://x"><code>{code}</code><message xml:lang="en">{text}</message></error>',
    }
    assert parse_error(bodies[shape].encode()) == (code, text)


@FUZZ
@given(BODIES)
@example(json.dumps({"message": {"messageText": "{0}" * 5_000}, "parameter": ["x" * 5_000]}).encode())
@example(b'{"message": "' + b"\\" * 10_001)
def test_any_error_information(content: bytes) -> None:
    """Lines that can be shown and are not too many, or nothing."""
    found = error_text(content)
    assert found is None or (found and is_harmless(found, limit=ERROR_INFORMATION_LIMIT, breaks="\n"))


@FUZZ
@given(WORDS, st.lists(WORDS, min_size=1, max_size=3), st.integers(0, 2), st.integers(0, 2))
def test_error_information_keeps_every_text(message: str, values: list[str], depth: int, quotings: int) -> None:
    """Message and parameters are found, however deep they nest and however often they were made text of."""
    document: object = {"message": {"messageText": message}, "parameter": values}
    for _ in range(depth):
        document = {"message": {"messageText": ""}, "childInstances": [document]}
    for _ in range(quotings):
        document = {"parameter": [json.dumps(document)]}
    found = error_text(json.dumps(document).encode()) or ""
    assert set(found.split("\n")) == {message, *values}


@FUZZ
@given(BODIES)
def test_any_answer_that_should_be_data(content: bytes) -> None:
    """An entity or a list, or the trouble that there is none: nothing else is raised."""
    for parse in (json_body, entity, rows):
        with suppress(Trouble):
            parse(content)


@FUZZ
@given(
    st.text(max_size=30) | st.integers() | st.floats() | st.none() | st.from_regex(r"/Date\(-?[0-9]+([+-][0-9]+)?\)/")
)
@example("9999-12-31T23:59:59-23:59")
@example("٣")
def test_any_time_stamp(value: object) -> None:
    """Epoch milliseconds or nothing."""
    assert isinstance(epoch_ms(value), int | None)


@FUZZ
@given(st.text(max_size=60))
@example("http://[")
@example("//evil.example.com/x")
@example("https://t1.example.com@evil.example.com/x")
@example("\\\\evil.example.com\\x")
def test_any_next_page_stays_at_home(link: str) -> None:
    """A path at the tenant's own address, or none."""
    found = next_path("https://t1.example.com", "/api/v1/IntegrationPackages", link)
    assert found is None or (found.startswith("/") and not found.startswith("//"))


DATES = st.text(alphabet="MonTueWd, 0123456789JanFeb:GMT+-\0", max_size=32)


@FUZZ
@given(st.text(max_size=20) | DATES | st.integers().map(str), st.text(max_size=10) | DATES)
@example("Mon, 01 Jan 0001 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 GMT")
@example("9" * 400, "")
@example("Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 2024 00:00:00 GMT")
def test_any_retry_after(value: str, date: str) -> None:
    """Seconds that can be waited, or nothing."""
    found = retry_after_s({"retry-after": value, "date": date})
    assert found is None or (math.isfinite(found) and found >= 0)


@FUZZ
@given(st.integers(0, 10**8))
def test_seconds_to_wait_are_those(seconds: int) -> None:
    """A plain number is read as it is."""
    assert retry_after_s({"retry-after": f" {seconds} "}) == seconds
