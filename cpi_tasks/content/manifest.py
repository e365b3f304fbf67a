"""``META-INF/MANIFEST.MF`` by the rules of the JAR specification, keeping every byte that is not changed on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MANIFEST_PATH = "META-INF/MANIFEST.MF"

_MAX_LINE_BYTES = 72
_LONGEST_NAME = 70
_LONGEST_LINE = 510
_SECTION_LINE = re.compile(rb" |[A-Za-z0-9_-]{1,70}: ")
_FIRST_LINE = re.compile(rb"[A-Za-z0-9_-]+: ")
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

    def for_java(self) -> Manifest:
        """Return a manifest in which every reader finds the headers that are read here.

        ``java.util.jar.Manifest`` drops a last line without a line end, refuses a colon without a space after it and
        lines of more than 512 bytes, and takes the last of a header given twice; the JAR specification allows 72 bytes.
        Where that makes no difference, no byte changes.
        """
        last = {header.name.lower(): header.start for header in self._headers}
        lines: list[bytes] = []
        for header in self._headers:
            if last[header.name.lower()] == header.start:
                lines += self._lines_for_java(header)
        lines += self._lines[self._main_lines :]
        if lines and not _line_end(lines[-1]):
            lines[-1] += self._eol()
        return self if tuple(lines) == self._lines else Manifest(b"".join(lines))

    def _lines_for_java(self, header: _Header) -> tuple[bytes, ...]:
        lines = self._lines[header.start : header.stop]
        if _FIRST_LINE.match(lines[0]) and all(len(line.rstrip(b"\r\n")) <= _MAX_LINE_BYTES for line in lines):
            return lines
        eol = self._eol()
        return tuple(_fold(header.name, header.value, eol=eol, last=_line_end(lines[-1]) or eol))

    def faults(self) -> Iterator[tuple[int, str]]:
        """Return the lines that Java refuses and for which there is no other way to write them, with what is wrong."""
        for header in self._headers:
            if len(header.name) > _LONGEST_NAME:
                yield header.start + 1, f"has a header name of more than {_LONGEST_NAME} characters"
        is_new = True
        for number, line in enumerate(self._lines[self._main_lines :], start=self._main_lines + 1):
            if not line.rstrip(b"\r\n"):
                is_new = True
            elif is_new and not line.lower().startswith(b"name: "):
                yield number, "stands after an empty line, which ends the headers; delete the empty line"
                return
            elif not _SECTION_LINE.match(line) or len(line) > _LONGEST_LINE:
                yield (
                    number,
                    "is neither 'Name: value' nor a continuation (one leading space), or longer than 510 bytes",
                )
                return
            else:
                is_new = False

    def duplicates(self) -> Iterator[tuple[int, int, str]]:
        """Return headers that are given twice with differing values: the line, the line before it, the name."""
        seen: dict[str, _Header] = {}
        for header in self._headers:
            before = seen.get(header.name.lower())
            if before is not None and before.value != header.value:
                yield header.start + 1, before.start + 1, header.name
            seen[header.name.lower()] = header

    @property
    def _main_lines(self) -> int:
        return self._headers[-1].stop if self._headers else 0

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
