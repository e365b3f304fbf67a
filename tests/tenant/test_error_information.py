"""Error information of runtime artifacts: several shapes on the wire, one text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.tenant.errorinfo import error_text


def from_json(document: object) -> str | None:
    return error_text(json.dumps(document).encode())


def test_the_documented_shape_gives_its_parameter() -> None:
    """Parameters stand beside a message without text and carry the cause, line by line."""
    document = {
        "message": {
            "subsystemName": "CONTENT",
            "subsytemPartName": "CONTENT_DEPLOY",
            "messageId": "GenerationFailed",
            "messageText": "",
        },
        "parameter": ["The generation failed.\nGeneration failed for F\nScript file 'a.groovy' not found"],
    }
    assert from_json(document) == "The generation failed.\nGeneration failed for F\nScript file 'a.groovy' not found"


def test_templates_are_filled() -> None:
    """A message text with places takes its parameters; those left over follow."""
    document = {"message": {"messageText": "Cannot start {0}: {1}"}, "parameter": ["F", "port in use", "see log"]}
    assert from_json(document) == "Cannot start F: port in use\nsee log"


def test_a_template_that_is_only_a_place() -> None:
    """``{0}`` alone is its parameter, also where that is a document of its own."""
    assert from_json({"message": {"messageText": "{0}"}, "parameter": ["boom"]}) == "boom"
    inner = json.dumps({"message": {"messageText": "inner cause"}})
    assert from_json({"message": {"messageText": "{0}"}, "parameter": [inner]}) == "inner cause"


def test_a_place_without_parameter_stays() -> None:
    """A template whose parameter is missing is shown as it is."""
    assert from_json({"message": {"messageText": "no {3} here"}, "parameter": ["x"]}) == "no {3} here\nx"


def test_nested_causes_are_told_once_each() -> None:
    """Causes nest in ``childInstances``; a text that several levels repeat is given once."""
    document = {
        "message": {"messageText": "outer"},
        "childInstances": [
            {
                "message": {"messageText": "inner"},
                "parameter": [],
                "childInstances": [{"message": {"messageText": "outer"}}],
            },
            {"message": {"messageId": "OnlyAnId"}},
        ],
    }
    assert from_json(document) == "outer\ninner\nOnlyAnId"


def test_json_in_a_parameter_is_read() -> None:
    """A parameter may be a JSON document with its own children and parameters."""
    inner = {"message": "Route failed", "childMessageInstances": [{"messageText": "because {0}", "parameters": ["x"]}]}
    document = {"message": {"messageText": ""}, "parameter": [json.dumps(inner)]}
    assert from_json(document) == "Route failed\nbecause x"


def test_cut_off_json_in_a_parameter_is_salvaged() -> None:
    """Of a document that was cut off, the texts that arrived are kept."""
    cut = '{"message":{"messageText":"Bean \\"b\\" missing","parameters":["k1"... [truncated]'
    assert from_json({"message": {"messageText": ""}, "parameter": [cut]}) == 'Bean "b" missing\nk1'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"message":"text"}', "text"),
        (b"plain text\nwith two lines", "plain text\nwith two lines"),
        (b'"quoted"', "quoted"),
        (b"[ERROR] not JSON", "[ERROR] not JSON"),
        (b"{0} is not JSON either", "{0} is not JSON either"),
        (b"<entry><error>Missing &lt;x&gt;</error></entry>", "Missing <x>"),
        (b'{"message":{"messageId":"GenerationFailed"}}', "GenerationFailed"),
        (b'{"d":{"message":{"messageText":"wrapped"}}}', "wrapped"),
        (b'{"message":{"messageText":"A"},"parameter":"one, not a list"}', "A\none, not a list"),
        (b'{"foo":"bar"}', '{"foo":"bar"}'),
        (b'{"message":"a\\u001b[2Kb\\u202e"}', "a\N{REPLACEMENT CHARACTER}[2Kb\N{REPLACEMENT CHARACTER}"),
        (b"", None),
        (b"  \n", None),
        (b"{}", None),
        (b"[]", None),
        (b"null", None),
    ],
)
def test_other_shapes(body: bytes, expected: str | None) -> None:
    """Plain text, bare messages, XML and unknown documents give what they hold; empty ones nothing."""
    assert expected == error_text(body)


def test_long_information_is_cut() -> None:
    """No more than 4,000 characters are kept."""
    assert len(error_text(b"x" * 100_000) or "") == 4000


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["{0}", "{1} {0}", '{"message":"x"', "[1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "message",
                    "messageText",
                    "messageId",
                    "parameter",
                    "parameters",
                    "childInstances",
                    "childMessageInstances",
                    "d",
                ]
            ),
            inner,
            max_size=5,
        )
        | inner.map(json.dumps)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=120)
@given(
    st.one_of(
        st.binary(),
        st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
        JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_information_gives_text_or_nothing(body: bytes) -> None:
    """Whatever the tenant tells, a bounded text that any file can take comes out, or nothing."""
    text = error_text(body)
    if text is not None:
        assert len(text.encode("utf-8")) > 0
        assert len(text) <= 4000
        assert not any(ord(character) < 32 and character != "\n" for character in text)


def test_endless_nesting_ends() -> None:
    """Documents nested deeper than anybody writes them do not exhaust the stack."""
    assert error_text(b'{"childInstances":[' * 5000 + b"{}" + b"]}" * 5000) is not None
    text = json.dumps({"message": "core"})
    for _ in range(8):
        text = json.dumps({"parameter": [text]})
    assert isinstance(error_text(text.encode()), str)
