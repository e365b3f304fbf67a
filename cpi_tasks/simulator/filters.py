"""The little of ``$filter`` and ``$orderby`` that tenants support, over rows of text properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from cpi_tasks.simulator.odata import ODataError

Row = Mapping[str, str]
_T = TypeVar("_T")
_QUOTED = r"'((?:[^']|'')*)'"
_COMPARISON = re.compile(rf"(\w+)\s+(eq|ne)\s+{_QUOTED}")
_FUNCTION = re.compile(
    rf"(?:(substringof)\(\s*{_QUOTED}\s*,\s*(\w+)\s*\)|(startswith|endswith)\(\s*(\w+)\s*,\s*{_QUOTED}\s*\))(?:\s+eq\s+true)?"
)


_OR = re.compile(r"\s+or\s+")
_DEEPEST = 32
"""How many parentheses may stand inside of each other."""


def _split(text: str) -> list[str]:
    """Split at every ``or`` outside of quotes and parentheses."""
    parts, start, depth, position = [], 0, 0, 0
    while position < len(text):
        char = text[position]
        found = None
        if char == "'":
            end = text.find("'", position + 1)
            position = len(text) if end < 0 else end
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif depth == 0:
            found = _OR.match(text, position)
        if found:
            parts.append(text[start:position])
            start = position = found.end()
        else:
            position += 1
    return [*parts, text[start:]]


def _unwrapped(text: str) -> str:
    """Take off parentheses around the whole text, as the SAP Cloud SDK writes them around every comparison."""
    text = text.strip()
    for _ in range(_DEEPEST):
        if not (text.startswith("(") and text.endswith(")") and _closes_at_the_end(text)):
            break
        text = text[1:-1].strip()
    return text


def _closes_at_the_end(text: str) -> bool:
    depth, is_quoted = 0, False
    for position, char in enumerate(text):
        is_quoted ^= char == "'"
        depth += 0 if is_quoted else {"(": 1, ")": -1}.get(char, 0)
        if depth == 0:
            return position == len(text) - 1
    return False


def _parse(text: str, depth: int = 0) -> list[tuple[str, Callable[[Row], bool]]]:
    """Return the terms of which one must hold."""
    if depth > _DEEPEST:
        raise ODataError(400, "Invalid filter expression: too many parentheses.")
    whole = _unwrapped(text)
    parts = _split(whole)
    if len(parts) == 1:
        return [_parse_term(whole)]
    return [term for part in parts for term in _parse(part, depth + 1)]


def _parse_term(text: str) -> tuple[str, Callable[[Row], bool]]:
    """Give the property a term is about, and the test."""
    if match := _COMPARISON.fullmatch(text):
        name, operator, literal = match.groups()
        wanted = literal.replace("''", "'")
        return name, lambda row: (row.get(name) == wanted) == (operator == "eq")
    if match := _FUNCTION.fullmatch(text):
        contains, part, inside, edge, subject, affix = match.groups()
        if contains:
            return inside, lambda row: part.replace("''", "'") in row.get(inside, "")
        affix = affix.replace("''", "'")
        if edge == "startswith":
            return subject, lambda row: row.get(subject, "").startswith(affix)
        return subject, lambda row: row.get(subject, "").endswith(affix)
    raise ODataError(400, f"Invalid filter expression: '{text}'.")


def parse_filter(text: str | None, properties: Collection[str] | None = None) -> Callable[[Row], bool]:
    """Build a predicate over string properties: ``eq ne substringof startswith endswith`` joined by ``or``.

    Parentheses may stand around each of them and around groups. Anything else is a 400, also a property that is not
    among the given ones.
    """
    if text is None:
        return lambda _row: True
    terms = _parse(text)
    for name, _ in terms:
        _check_property(name, properties, "$filter")
    return lambda row: any(term(row) for _, term in terms)


def equality_value(text: str | None, name: str) -> str | None:
    """Give the literal of a filter that is nothing but ``<name> eq '<literal>'``: it spares reading the whole list."""
    match = _COMPARISON.fullmatch(_unwrapped(text or ""))
    if match is None or match.group(1) != name or match.group(2) != "eq":
        return None
    return match.group(3).replace("''", "'")


def choose(
    query: Mapping[str, str], items: Sequence[_T], row: Callable[[_T], Row], properties: Collection[str]
) -> list[_T]:
    """Apply ``$filter`` and ``$orderby`` to items; rows are only built where one of them is asked for."""
    chosen = list(items)
    if "$filter" in query:
        matches = parse_filter(query["$filter"], properties)
        chosen = [item for item in chosen if matches(row(item))]
    # The last criterion is applied first: sorting keeps the order of what is equal.
    for criterion in reversed(query["$orderby"].split(",") if "$orderby" in query else []):
        name, _, direction = criterion.strip().partition(" ")
        _check_property(name, properties, "$orderby")
        if direction.strip().lower() not in {"", "asc", "desc"}:
            raise ODataError(400, f"Invalid value for system query option '$orderby': '{criterion.strip()}'.")
        chosen.sort(key=lambda item: row(item)[name], reverse=direction.strip().lower() == "desc")
    return chosen


def _check_property(name: str, properties: Collection[str] | None, option: str) -> None:
    if properties is not None and name not in properties:
        raise ODataError(400, f"Property '{name}' cannot be used in '{option}'.")
