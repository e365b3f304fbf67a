"""Keys, envelopes, time stamps and links of OData version 2."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.tenant import odata
from cpi_tasks.tenant.retry import Trouble

TENANT = "https://t1.example.com"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Order_In", "'Order_In'"),
        ("com.acme.order", "'com.acme.order'"),
        ("O'Brien", "'O%27%27Brien'"),
        ("Order In", "'Order%20In'"),
        ("a/b", "'a%2Fb'"),
        ("50%", "'50%25'"),
        ("a+b&c=d?e#f", "'a%2Bb%26c%3Dd%3Fe%23f'"),
        ("Grüße", "'Gr%C3%BC%C3%9Fe'"),
    ],
)
def test_a_key_is_quoted_then_percent_encoded(value: str, expected: str) -> None:
    """Quotes are doubled before everything special is percent-encoded."""
    assert expected == odata.literal(value)


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_key_reads_back_as_written(value: str) -> None:
    """A server that decodes the address and undoubles quotes gets the key itself."""
    assert value == unquote(odata.literal(value))[1:-1].replace("''", "'")


def test_function_arguments_carry_their_quotes() -> None:
    """A function import's string arguments stand in quotes in the query."""
    assert odata.call("DeployX", Id="O'B", Version="active") == "/api/v1/DeployX?Id='O%27%27B'&Version='active'"


def test_an_entity_is_taken_out_of_its_envelope() -> None:
    """The entity under ``d`` is given, also where it is wrapped in ``results``."""
    assert odata.entity(b'{"d":{"Id":"A"}}') == {"Id": "A"}
    assert odata.entity(b'{"d":{"results":{"Id":"A"}}}') == {"Id": "A"}
    assert odata.entity(b'{"d":{"results":[{"Id":"A"}]}}') == {"Id": "A"}


def test_rows_come_with_the_next_link() -> None:
    """A page gives its rows and the address of the page after it."""
    body = b'{"d":{"results":[{"Id":"A"},{"Id":"B"}],"__next":"https://t1.example.com/n"}}'
    assert odata.rows(body) == (({"Id": "A"}, {"Id": "B"}), "https://t1.example.com/n")
    assert odata.rows(b'{"d":{"results":[]}}') == ((), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b'{"d":{"results":[{"Id":"A"',
        b"[]",
        b"null",
        b'{"value":1}',
        b'{"d":null}',
        b'{"d":{"results":[1]}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_garbage_is_not_taken_for_an_answer(body: bytes) -> None:
    """Pages, cut-off and foreign documents are trouble in both readings."""
    with pytest.raises(Trouble):
        odata.rows(body)
    with pytest.raises(Trouble):
        odata.entity(body)


@settings(deadline=None, max_examples=80)
@given(
    st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.text(),
            lambda inner: st.dictionaries(st.sampled_from(["d", "results", "__next", "Id"]), inner) | st.lists(inner),
        ).map(lambda v: json.dumps(v).encode()),
    )
)
def test_any_body_is_an_answer_or_trouble(body: bytes) -> None:
    """No body makes the parsers fail in another way."""
    for parse in (odata.entity, odata.rows):
        try:
            parse(body)
        except Trouble:
            continue


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/Date(1760000000000)/", 1760000000000),
        ("/Date(1760000000000+0000)/", 1760000000000),
        ("/Date(-5)/", -5),
        ("1760000500000", 1760000500000),
        (1760000500000, 1760000500000),
        ("2026-01-02T03:04:05", 1767323045000),
        ("2026-01-02T03:04:05.250Z", 1767323045250),
        ("2026-01-02T05:04:05+02:00", 1767323045000),
        ("", None),
        (None, None),
        (True, None),
        ("yesterday", None),
        ("/Date()/", None),
        ("9" * 30, None),
        ({"a": 1}, None),
    ],
)
def test_time_stamps_of_all_spellings(value: object, expected: int | None) -> None:
    """Every known spelling gives epoch milliseconds, anything else nothing."""
    assert expected == odata.epoch_ms(value)


@settings(deadline=None, max_examples=80)
@given(st.one_of(st.text(), st.integers(), st.floats(), st.from_regex(r"/Date\(.*\)/"), st.datetimes().map(str)))
def test_no_time_stamp_fails(value: object) -> None:
    """Whatever stands where a time stamp should, a number or nothing comes out."""
    assert isinstance(odata.epoch_ms(value), int | None)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://t1.example.com:443/api/v1/X?$skiptoken=a%20b", "/api/v1/X?$skiptoken=a%20b"),
        ("HTTPS://T1.example.com/api/v1/X", "/api/v1/X"),
        ("X?$skiptoken=2", "/api/v1/X?$skiptoken=2"),
        ("/other/X", "/other/X"),
        ("https://evil.example.com/api/v1/X", None),
        ("https://t1.example.com@evil.example.com/X", None),
        ("https://t1.example.com.evil.example.com/X", None),
        ("//evil.example.com/X", None),
        ("http://t1.example.com/api/v1/X", None),
        ("https://t1.example.com:8443/api/v1/X", None),
        ("https://t1.example.com:port/X", None),
        ("file:///etc/passwd", None),
        ("https://[::1/X", None),
    ],
)
def test_links_are_followed_only_at_home(link: str, expected: str | None) -> None:
    """A link is reduced to its path where scheme, host and port are the tenant's, and refused otherwise."""
    assert expected == odata.next_path(TENANT, "/api/v1/X", link)
