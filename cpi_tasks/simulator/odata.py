"""OData 2.0 on the way in: paths, key predicates, literals and the little of ``$filter`` that tenants support."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

API_ROOT = "/api/v1"
MAX_PATH_CHARS = 8192


class ODataError(Exception):
    """An answer that is an error document: ``code`` is the reason phrase, ``message`` the tenant's text."""

    def __init__(
        self, status: int, message: str | None, headers: Mapping[str, str] | None = None, *, keeps_text: bool = False
    ) -> None:
        """Keep status and text; a ``None`` message becomes ``null``.

        ``keeps_text`` is for texts that clients recognize an answer by: they stay where others become ``null``.
        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.keeps_text = keeps_text

    @property
    def code(self) -> str:
        """The reason phrase."""
        return HTTPStatus(self.status).phrase


@dataclass(frozen=True, slots=True)
class Segment:
    """One path segment: ``name`` and the key predicate, ``None`` where there is none.

    ``keys`` maps key names to values, the single unnamed key to ``""``. ``loose`` holds the same values with ``+`` read
    as a space, the way some clients send keys.
    """

    name: str
    keys: Mapping[str, str] | None = None
    loose: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Give the value of a named key, or of the single unnamed one; a missing key is a 400."""
        keys = self.keys or {}
        value = keys.get(name, keys.get("")) if len(keys) == 1 else keys.get(name)
        if value is None:
            raise ODataError(400, f"The key property '{name}' is missing in '{self.name}'.")
        return value

    @property
    def shape(self) -> str:
        """The segment without its values, as routing tables name it: ``IntegrationPackages()``."""
        return self.name if self.keys is None else f"{self.name}()"


def _outside_quotes(raw: str, separator: str) -> list[str]:
    """Split encoded text at a raw separator that stands outside quoted literals (``'`` or ``%27``)."""
    parts, start, quoted = [], 0, False
    for match in re.finditer(rf"'|%27|{re.escape(separator)}", raw, re.IGNORECASE):
        if match.group() != separator:
            quoted = not quoted
        elif not quoted:
            parts.append(raw[start : match.start()])
            start = match.end()
    return [*parts, raw[start:]]


def parse_literal(text: str) -> str:
    """Take the quotes off a string literal (doubled quotes inside), or the ``L`` off a number."""
    if len(text) > 1 and text[0] == text[-1] == "'":
        inner = text[1:-1]
        if "'" in inner.replace("''", ""):
            raise ODataError(400, f"Malformed literal: {text}")
        return inner.replace("''", "'")
    if re.fullmatch(r"\d+[lL]?", text):
        return text.rstrip("lL")
    raise ODataError(400, f"Malformed literal: {text}")


def _parse_segment(raw: str) -> Segment:
    shape = re.fullmatch(r"([^(%]+?)(?:\(|%28)(.*?)(?:\)|%29)", raw, re.IGNORECASE | re.DOTALL)
    if shape is None:
        return Segment(unquote(raw))
    keys: dict[str, str] = {}
    loose: dict[str, str] = {}
    predicates = re.sub("%2C", ",", shape.group(2), flags=re.IGNORECASE)
    for part in _outside_quotes(predicates, ","):
        named = re.fullmatch(r"(?:\s|%20|\+)*(?:(\w+)(?:=|%3D))?(.*?)\s*", part, re.IGNORECASE | re.DOTALL)
        name, literal = (named.group(1) or "", named.group(2)) if named else ("", part)
        keys[name] = parse_literal(unquote(literal).strip())
        loose[name] = parse_literal(unquote(literal.replace("+", " ")).strip())
    return Segment(unquote(shape.group(1)), keys, loose)


def parse_path(raw_path: str) -> tuple[Segment, ...]:
    """Split an encoded path below the API root into segments; a malformed one is a 400.

    A comma inside a literal must not part it, encoded or not, which is why splitting comes before decoding. A path
    longer than any server reads is a 414.
    """
    if len(raw_path) > MAX_PATH_CHARS:
        raise ODataError(414, "The request address is too long.")
    return tuple(_parse_segment(part) for part in _outside_quotes(raw_path, "/") if part)


def parse_query(raw_query: str) -> dict[str, str]:
    """Decode the query string; ``+`` is a space, a later option of one name wins."""
    return dict(parse_qsl(raw_query, keep_blank_values=True))


def count_option(query: Mapping[str, str], name: str) -> int | None:
    """Read a non-negative number such as ``$top``; anything else is a 400."""
    text = query.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text):
        raise ODataError(400, f"Invalid value for system query option '{name}'.")
    return int(text)
