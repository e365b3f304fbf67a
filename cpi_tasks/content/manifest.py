"""``META-INF/MANIFEST.MF`` by the rules of the JAR specification, keeping every byte that is not changed on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MANIFEST_PATH = "META-INF/MANIFEST.MF"

_MAX_LINE_BYTES = 72
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NAME = re.compile(rb"(?:\xef\xbb\xbf)?([A-Za-z0-9_-]+)[ \t]*\Z")
_CONTINUATION_BYTE = 0x80
_CONTINUATION_MASK = 0xC0


class ManifestError(ValueError):
    """The bytes are no manifest; ``line`` counts from 1, 0 where no single line is to blame."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the place beside the sentence."""
        self.line = line
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """One header of the main section and the physical lines it takes: ``lines[start:stop]``."""

    name: str
    value: str
    start: int
    stop: int


class Manifest:
    """The main section as unfolded headers, over the untouched physical lines of the whole file.

    Header names are case-insensitive; of a header given twice the last one counts, as in Java.
    """

    def __init__(self, data: bytes) -> None:
        """Read a manifest; raises ``ManifestError`` where a line is neither header nor continuation, or not UTF-8."""
        self._lines: tuple[bytes, ...] = tuple(_LINE.findall(data))
        self._headers = tuple(_headers(self._lines))

    def get(self, name: str) -> str | None:
        """Give a header's unfolded value without surrounding blanks; ``None`` where the header is absent."""
        wanted = name.lower()
        return next((header.value for header in reversed(self._headers) if header.name.lower() == wanted), None)

    def items(self) -> Iterator[tuple[str, str]]:
        """Give the main section's names and unfolded values in the order of the file."""
        return ((header.name, header.value) for header in self._headers)

    def to_bytes(self) -> bytes:
        """Give the file's bytes; what was read, where nothing was set."""
        return b"".join(self._lines)

    def with_header(self, name: str, value: str) -> Manifest:
        """Give a manifest in which one header has another value; all its continuation lines are replaced with it.

        A header that is absent is added at the end of the main section. Where the value is the same already, no byte
        changes. Line breaks in ``value`` become spaces: they would begin another header.
        """
        value = re.sub(r"[\r\n\0]+", " ", value).strip()
        if self.get(name) == value:
            return self
        found = [header for header in self._headers if header.name.lower() == name.lower()]
        lines = list(self._lines)
        if not found:
            self._append(lines, name, value)
            return Manifest(b"".join(lines))
        for header in reversed(found[1:]):
            del lines[header.start : header.stop]
        first = found[0]
        end = _line_end(lines[first.stop - 1])
        eol = _line_end(lines[first.start]) or self._eol()
        lines[first.start : first.stop] = _fold(first.name, value, eol=eol, last=end)
        return Manifest(b"".join(lines))

    def _append(self, lines: list[bytes], name: str, value: str) -> None:
        """Add a header after the last one, ending that one's line where the file ended without a line end."""
        at = self._headers[-1].stop if self._headers else 0
        eol = self._eol()
        if at and not _line_end(lines[at - 1]):
            lines[at - 1] += eol
        lines[at:at] = _fold(name, value, eol=eol, last=eol)

    def _eol(self) -> bytes:
        """Give the file's first line end; CRLF, which SAP writes, where there is none."""
        return next((end for line in self._lines if (end := _line_end(line))), b"\r\n")


def _line_end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _headers(lines: tuple[bytes, ...]) -> Iterator[_Header]:
    """Give the headers up to the first empty line, which ends the main section."""
    name, start, stop = "", 0, 0
    value: list[bytes] = []
    for index, line in enumerate(lines):
        body = line.rstrip(b"\r\n")
        if not body:
            break
        stop = index + 1
        if body.startswith(b" "):
            if not name:
                raise ManifestError(stop, "the first line continues a line that is not there")
            # Joined as bytes: a line may have been cut inside a character.
            value.append(body[1:])
            continue
        if name:
            yield _header(name, b"".join(value), start, index)
        before, colon, after = body.partition(b":")
        match = _NAME.match(before)
        if not colon or match is None:
            raise ManifestError(stop, "this line is neither 'Name: value' nor a continuation (one leading space)")
        name, value, start = match.group(1).decode(), [after], index
    if name:
        yield _header(name, b"".join(value), start, stop)


def _header(name: str, value: bytes, start: int, stop: int) -> _Header:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(start + 1, f"the value of '{name}' is not UTF-8") from error
    return _Header(name=name, value=text.strip(), start=start, stop=stop)


def _fold(name: str, value: str, *, eol: bytes, last: bytes) -> list[bytes]:
    """Give a header's physical lines: 72 bytes each at most without the line end, never cut inside a character."""
    data = f"{name}: {value}".encode()
    pieces: list[bytes] = []
    room = _MAX_LINE_BYTES
    while len(data) > room:
        cut = room
        while data[cut] & _CONTINUATION_MASK == _CONTINUATION_BYTE:
            cut -= 1
        pieces.append(data[:cut])
        data = data[cut:]
        room = _MAX_LINE_BYTES - 1
    pieces.append(data)
    lines = [pieces[0], *(b" " + piece for piece in pieces[1:])]
    return [line + eol for line in lines[:-1]] + [lines[-1] + last]
