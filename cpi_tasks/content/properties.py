"""Java ``.properties`` files (``parameters.prop``, ``metainfo.prop``): reading, and merging without loss."""

from __future__ import annotations

import re
from collections.abc import Mapping

from javaproperties import KeyValue, join_key_value, loads, parse
from javaproperties.util import CONTINUED_RGX

_BOM = "\ufeff"
_LINE_BREAK = re.compile("\r\n?|\n")
_MOST_REREAD = 20_000_000
"""The library reads a continued line again for each of its continuations; so many characters take about a second."""


def _decode(data: bytes) -> tuple[str, str]:
    """Give the text and its encoding: UTF-8 as the design-time editors write, else ISO-8859-1 as Java writes."""
    try:
        text, encoding = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = data.decode("iso-8859-1"), "iso-8859-1"
    length = reread = 0
    for line in _LINE_BREAK.split(text):
        is_continued = (len(line) - len(line.rstrip("\\"))) % 2 == 1
        length = length + len(line) if is_continued else 0
        reread += length
        if reread > _MOST_REREAD:
            raise ValueError("its lines are continued far too often")
    return text, encoding


def read_properties(data: bytes) -> dict[str, str]:
    r"""Give keys and values, unescaped and otherwise as written; of a key given twice the last value.

    Raises ``ValueError`` for a malformed ``\uXXXX`` escape, and for lines that are continued without an end.
    """
    text, _ = _decode(data)
    return loads(text.removeprefix(_BOM))


def merge_properties(data: bytes, values: Mapping[str, str]) -> bytes:
    r"""Give the file with the values of some keys exchanged and new keys appended, in the given order.

    Comments, order and every line whose value stays are kept byte by byte, line ends too. New lines are pure ASCII
    (``\uXXXX``), so that they read back equal whatever encoding the reader assumes. Raises as ``read_properties``.
    """
    text, encoding = _decode(data)
    has_bom = text.startswith(_BOM)
    elements = list(parse(text.removeprefix(_BOM)))
    eol = _eol(text)
    lines = [element.source for element in elements]
    places = {element.key: index for index, element in enumerate(elements) if isinstance(element, KeyValue)}
    added: list[str] = []
    for key, value in values.items():
        if key not in places:
            added.append(join_key_value(key, value))
            continue
        old = elements[places[key]]
        if isinstance(old, KeyValue) and old.value != value:
            lines[places[key]] = join_key_value(key, value) + _line_end(old.source)
    if added:
        if elements:
            last = elements[-1]
            lines[-1] = _ended(lines[-1], eol, can_continue=not last.source.lstrip(" \t\f").startswith(("#", "!")))
        lines.extend(line + eol for line in added)
    return ((_BOM if has_bom else "") + "".join(lines)).encode(encoding)


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _eol(text: str) -> str:
    """Give the file's first line end; LF, which the tenant's export uses, where there is none."""
    index = min((at for at in (text.find("\r"), text.find("\n")) if at >= 0), default=-1)
    if index < 0:
        return "\n"
    return "\r\n" if text[index : index + 2] == "\r\n" else text[index]


def _ended(line: str, eol: str, *, can_continue: bool) -> str:
    """Give the last line such that another may follow: with a line end, without a continuation into nothing."""
    body = line.rstrip("\r\n")
    if can_continue and CONTINUED_RGX.search(body):
        return body[:-1] + eol
    return line if _line_end(line) else line + eol
