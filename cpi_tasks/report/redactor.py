"""One gate for everything that leaves the program: secrets are masked, terminal control characters made visible."""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_SECRET = 4
"""Shorter secrets are not masked: two or three characters occur in ordinary words, and masking those would make every
output unreadable while telling the reader which characters the secret has."""
_SHORTEST_FRAGMENT = 6
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_CI_COMMAND = re.compile(r"^(\s*):(?=:[^:]*::)|#(?=#(?:vso)?\[)")
"""What CI services obey in a job's output: ``::…::`` at a line's beginning, ``##[…]`` and ``##vso[…]`` anywhere."""
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})


def dumped(document: object) -> str:
    """Give a document as JSON, spelt such that no CI service that reads the output finds a command in its texts."""
    return json.dumps(document, indent=2).replace("##", "#\\u0023") + "\n"


class Redactor:
    """Masks the secrets it knows, in every spelling they may come back in, and makes text safe for a terminal."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Begin with some secrets; more may be added while the run learns of them (tokens)."""
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask this secret from now on, also URL-quoted, in base64, JSON- or HTML-escaped.

        Secrets of fewer than four characters are ignored, see ``SHORTEST_SECRET``.
        """
        for candidate in (secret, secret.strip()):
            if len(candidate) >= SHORTEST_SECRET:
                self._spellings.update(_spellings(candidate))
        if self._spellings:
            longest_first = sorted(self._spellings, key=lambda text: (-len(text), text))
            # A look-ahead finds overlapping secrets too, so that no tail of one stays behind another.
            self._pattern = re.compile(f"(?=({'|'.join(map(re.escape, longest_first))}))")

    def clean(self, text: str) -> str:
        """Give ``text`` as one line: secrets masked, line breaks and tabs as spaces, control characters as escapes.

        So are the first characters of what would be a command to a CI service.
        """
        # Masked twice: before, because a secret may hold control characters; after, because removing may join one.
        return _disarm(self.mask(_neutralise(_LINE_BREAK.sub(" ", self.mask(text)))))

    def clean_lines(self, text: str) -> list[str]:
        """Give ``text`` as clean lines, without blank ones at either end; an empty text gives no line."""
        # Masked before it is split: a secret of several lines would not be found any more afterwards.
        lines = [self.clean(line.expandtabs(4)).rstrip() for line in _LINE_BREAK.split(self.mask(text))]
        while lines and not lines[-1]:
            lines.pop()
        while lines and not lines[0]:
            lines.pop(0)
        return lines

    def mask(self, text: str) -> str:
        """Give ``text`` with secrets masked and all else as it is, for formats that escape what is unsafe."""
        # Repeated because a mask and its neighbours may spell a secret again; each round makes the text shorter.
        while self._pattern is not None and (spans := list(_merged(self._pattern, text))):
            pieces, end = [], 0
            for start, stop in spans:
                pieces += [text[end:start], MASK]
                end = stop
            text = "".join([*pieces, text[end:]])
        return text


def _merged(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    begin, end = -1, -1
    for match in pattern.finditer(text):
        start, stop = match.span(1)
        if start < end:
            end = max(end, stop)
            continue
        if end > begin:
            yield begin, end
        begin, end = start, stop
    if end > begin:
        yield begin, end


def _spellings(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    quoted = {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    yield secret
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    for text in quoted:
        yield text
        yield re.sub("%..", lambda match: match[0].lower(), text)
    for text in escaped:
        yield text
        yield text.replace("/", "\\/")
    for text in encoded:
        yield text
        if len(text.rstrip("=")) >= SHORTEST_SECRET:
            yield text.rstrip("=")
    yield from _embedded_base64(raw)


def _embedded_base64(raw: bytes) -> Iterator[str]:
    """Give the characters that stay the same wherever the secret stands inside base64 (``user:password``)."""
    for offset in range(3):
        lead = (offset * 8 + 5) // 6
        whole = (offset + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            fragment = encode(bytes(offset) + raw).decode()[lead:whole]
            if len(fragment) >= _SHORTEST_FRAGMENT:
                yield fragment


def _neutralise(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _disarm(line: str) -> str:
    return _CI_COMMAND.sub(lambda match: "\\x23" if match[1] is None else f"{match[1]}\\x3a", line)


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    if unicodedata.category(character) in _UNSAFE_CATEGORIES:
        return character.encode("unicode_escape").decode("ascii")
    return character
