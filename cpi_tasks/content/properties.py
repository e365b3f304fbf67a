"""Java ``.properties`` files (``parameters.prop``, ``metainfo.prop``): reading, and merging without loss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from javaproperties import Comment, KeyValue, PropertiesElement, join_key_value, loads, parse
from javaproperties.util import CONTINUED_RGX

_BOM = "\ufeff"
_INVISIBLE = "\ufeff\u200b\u2060\xa0"
"""A byte order mark in the middle of a file, and what comes along with a text that is copied from a web page."""
_C1 = re.compile("[\x80-\x84\x86-\x9f]")
_LINE_BREAK = re.compile("\r\n?|\n")
_ONLY_BACKSLASH = re.compile(r"\\(?:[\r\n]|\Z)")
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


def read_as_java(data: bytes) -> dict[str, str]:
    """Return keys and values as ``java.util.Properties`` has them: a byte order mark is part of the first key.

    Raises as ``read_properties``.
    """
    return loads(_decode(data)[0])


def find_faults(data: bytes) -> Iterator[tuple[int, str]]:
    """Return the lines that Java refuses or that nobody can have meant, each with what is wrong.

    Of the file ``java.util.Properties`` makes an empty key where a line begins with ``=`` or ``:``, as in
    ``== Sender ==``. What it makes of a line with nothing but a backslash differs from release to release.
    """
    try:
        text = _decode(data)[0].removeprefix(_BOM)
    except ValueError as error:
        yield 0, str(error)
        return
    if (control := _C1.search(text)) is not None:
        # In ISO-8859-1 these bytes are control characters; in Windows-1252 they are quotation marks and the euro sign.
        line = 1 + len(_LINE_BREAK.findall(text, 0, control.start()))
        yield line, "has a character of Windows-1252, which Java reads as a control character; save the file as UTF-8"
    line = 1
    try:
        for element in parse(text):
            source = element.source.lstrip(" \t\f")
            if not isinstance(element, Comment) and _ONLY_BACKSLASH.match(source):
                yield line, "has a backslash alone on its line; delete it, or write a backslash as '\\\\'"
            elif isinstance(element, KeyValue) and not element.key:
                sign = source[:1]
                yield line, f"has no key before '{sign}': Java reads an empty key; put '#' before it if it is a comment"
            elif isinstance(element, KeyValue) and element.key != element.key.strip(_INVISIBLE):
                yield line, "has a key with an invisible character at its start or end; type the line again"
            line += len(_LINE_BREAK.findall(element.source))
    except ValueError as error:
        yield line, f"is no properties file that Java could read: {error}; write a backslash as '\\\\'"


def find_duplicates(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Return keys that are given twice with differing values: the line, the line before it, the key. Raises as above.

    Java takes the last.
    """
    seen: dict[str, tuple[int, str]] = {}
    line = 1
    for element in parse(_decode(data)[0].removeprefix(_BOM)):
        if isinstance(element, KeyValue):
            before = seen.get(element.key)
            if before is not None and before[1] != element.value:
                yield line, before[0], element.key
            seen[element.key] = line, element.value
        line += len(_LINE_BREAK.findall(element.source))


def in_ascii(data: bytes) -> bytes:
    r"""Return the file without a byte order mark and with keys and values in ASCII, others as ``\uXXXX``.

    Java reads a stream as ISO-8859-1 and a reader as what it is told: so both read the same. Comments stay as they are.
    """
    text, encoding = _decode(data)
    text = text.removeprefix(_BOM)
    if text.isascii():
        return text.encode()
    return "".join(map(_ascii_line, parse(text))).encode(encoding)


def _ascii_line(element: PropertiesElement) -> str:
    if not isinstance(element, KeyValue) or element.source.isascii():
        return element.source
    return join_key_value(element.key, element.value) + _line_end(element.source)


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
