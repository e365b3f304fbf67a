"""Properties files are merged without losing comments, order, escapes or encodings."""

from __future__ import annotations

import javaproperties
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.content.properties import merge_properties, read_properties

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def test_defect_11_comments_and_untouched_lines_stay() -> None:
    """Only the line of a changed key is written anew."""
    data = b"#Mon Jan 05 08:00:00 UTC 2026\n! note\n\nReceiver\\ Host = https\\://qa\nOther : x\n"

    assert merge_properties(data, {"Receiver Host": "https://prod?x=1"}) == (
        b"#Mon Jan 05 08:00:00 UTC 2026\n! note\n\nReceiver\\ Host=https\\://prod?x\\=1\nOther : x\n"
    )


def test_defect_11_escaped_keys_are_found_not_added_again() -> None:
    """A key with escaped blanks and separators is the key that is meant."""
    assert merge_properties(b"a\\ b\\=c\\:d=1\n", {"a b=c:d": "2"}) == b"a\\ b\\=c\\:d=2\n"


def test_defect_11_continuation_lines_are_replaced_with_their_key() -> None:
    """A value over several lines is one value; what follows it stays."""
    assert merge_properties(b"k=one \\\n   two\\\n  three\nb=1\n", {"k": "x"}) == b"k=x\nb=1\n"
    assert read_properties(b"k=one \\\n   two\nb=1\n") == {"k": "one two", "b": "1"}


def test_an_equal_value_changes_no_byte() -> None:
    """What says the same already is not written in another style."""
    data = b"k : one \\\n  two\n"

    assert merge_properties(data, {"k": "one two"}) == data


def test_values_are_never_expanded() -> None:
    """A Camel expression arrives as it was written."""
    assert merge_properties(b"P=x\n", {"P": "X_${property.P}"}) == b"P=X_${property.P}\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b"n=1\n"),
        (b"a=1", b"a=1\nn=1\n"),
        (b"a=1\r\n", b"a=1\r\nn=1\r\n"),
        (b"a=1\\", b"a=1\nn=1\n"),
        (b"a=1\\\n", b"a=1\nn=1\n"),
        (b"#c\\", b"#c\\\nn=1\n"),
    ],
)
def test_a_new_key_stands_on_its_own_line(data: bytes, expected: bytes) -> None:
    """Whatever ends the file, an appended key is read as a key; line ends are those of the file."""
    assert merge_properties(data, {"n": "1"}) == expected


def test_both_encodings_are_read_and_kept() -> None:
    """UTF-8, ISO-8859-1 and escapes all work; untouched lines keep their bytes, new ones are plain ASCII."""
    assert read_properties("ä=ü\n".encode()) == {"ä": "ü"}
    assert read_properties(b"\xe4=\xfc\n") == {"ä": "ü"}
    assert read_properties(b"\\u00e4=\\u00fc\n") == {"ä": "ü"}
    assert merge_properties(b"\xe4=\xfc\nk=1\n", {"k": "€"}) == b"\xe4=\xfc\nk=\\u20ac\n"
    assert merge_properties("\ufeffä=ü\n".encode(), {"k": "€"}) == "\ufeffä=ü\nk=\\u20ac\n".encode()


def test_a_key_given_twice_is_set_where_it_counts() -> None:
    """Java takes the last value of a key, so that one is changed."""
    assert merge_properties(b"k=1\nk=2\n", {"k": "3"}) == b"k=1\nk=3\n"


def test_a_malformed_escape_is_an_error() -> None:
    """What Java refuses to read is not guessed at."""
    with pytest.raises(ValueError, match="u"):
        read_properties(b"path=C:\\users\n")


@settings(deadline=None, max_examples=80)
@given(
    st.dictionaries(TEXT, TEXT, max_size=4), st.dictionaries(TEXT, TEXT, max_size=4), st.sampled_from(["\n", "\r\n"])
)
def test_what_is_merged_is_read_back(old: dict[str, str], new: dict[str, str], eol: str) -> None:
    """Any keys and values survive the merge into any file, as another reader sees them, and a second merge is none."""
    lines = ["# head", *(javaproperties.join_key_value(key, value) for key, value in old.items())]
    data = eol.join(lines).encode()
    merged = merge_properties(data, new)

    assert javaproperties.loads(merged.decode()) == {**old, **new}
    assert merged.startswith(b"# head")
    assert merge_properties(merged, new) == merged
