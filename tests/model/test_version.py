"""Versions: read and compared the OSGi way, and raised by one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.model.version import is_higher, next_patch, parse_version

NUMBERS = st.tuples(*[st.integers(0, 10**6)] * 3)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("1.0.3", (1, 0, 3, "")),
        ("1", (1, 0, 0, "")),
        ("1.2", (1, 2, 0, "")),
        ("01.002.3", (1, 2, 3, "")),
        ("1.0.0.qualifier-1_x", (1, 0, 0, "qualifier-1_x")),
        (" 1.0.0\n", (1, 0, 0, "")),
        ("Active", None),
        ("Draft", None),
        ("", None),
        ("1.", None),
        ("1..0", None),
        ("v1.0.0", None),
        ("1.0.0-SNAPSHOT", None),
        ("1.beta", None),
        ("1.0.beta", None),
        ("1.0.0.", None),
        ("\N{ARABIC-INDIC DIGIT ONE}.0.0", None),
        ("-1.0.0", None),
    ],
)
def test_versions_are_dotted_numbers(text: str, parsed: tuple[int, int, int, str] | None) -> None:
    """One to three numbers and a qualifier; anything else is no version."""
    assert parse_version(text) == parsed


@pytest.mark.parametrize(
    ("version", "than", "expected"),
    [
        ("1.0.1", "1.0.0", True),
        ("1.0.10", "1.0.9", True),
        ("1.10", "1.9.9", True),
        ("2", "1.99.99", True),
        ("1.0.0", "1.0.0", False),
        ("1.0", "1.0.0", False),
        ("1.0.0", "1", False),
        ("1.0.9", "1.0.10", False),
        ("1.0.0.a", "1.0.0", True),
        ("1.0.0", "1.0.0.a", False),
        ("1.0.0.b", "1.0.0.a", True),
        ("1.0.0", "Active", True),
        ("0.0.0", "", True),
        ("Active", "1.0.0", False),
        ("", "", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, than: str, *, expected: bool) -> None:
    """Numbers count, not their digits; any version is higher than what is none."""
    assert is_higher(version, than) is expected


@pytest.mark.parametrize(
    ("version", "after"),
    [
        ("1.0.3", "1.0.4"),
        ("1.0.9", "1.0.10"),
        ("1.2", "1.2.1"),
        ("3", "3.0.1"),
        ("1.0.3.beta", "1.0.4"),
        ("Active", "1.0.1"),
        ("", "1.0.1"),
    ],
)
def test_the_next_version_has_a_higher_last_number(version: str, after: str) -> None:
    """The patch number goes up by one; where there was no version the first one is 1.0.1."""
    assert next_patch(version) == after


@settings(deadline=None, max_examples=60)
@given(NUMBERS, NUMBERS)
def test_of_two_versions_one_is_higher_or_they_are_equal(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    """The order is that of the numbers, and the next version is always higher."""
    left, right = (".".join(map(str, numbers)) for numbers in (one, other))

    assert is_higher(left, right) is (one > other)
    assert is_higher(right, left) is (one < other)
    assert is_higher(next_patch(left), left)
