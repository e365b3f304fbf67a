"""Foreign text made fit to be shown: no control characters, no endless length."""

from __future__ import annotations

import html
import re
import unicodedata

DETAIL_LIMIT = 2_000
"""How many characters of a tenant's error text are kept; the rest of a stack trace helps nobody."""
ERROR_INFORMATION_LIMIT = 4_000
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_HIDDEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def one_line(text: str, limit: int = DETAIL_LIMIT) -> str:
    """Give text as one line of at most ``limit`` characters, with control characters replaced."""
    return _cap(_neutral(" ".join(text.split())), limit)


def readable(text: str, limit: int = ERROR_INFORMATION_LIMIT) -> str:
    """Give text as trimmed lines without empty ones, at most ``limit`` characters, control characters replaced."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return _cap("\n".join(_neutral(line) for line in lines if line), limit)


def fits_header(value: str) -> bool:
    """Whether a value can be sent in a header; libraries quote one that cannot in their errors, however secret."""
    return value.isascii() and value.isprintable()


def decoded(content: bytes) -> str:
    """Read bytes as UTF-8 text; what is not UTF-8 is replaced."""
    return content.decode("utf-8-sig", errors="replace")


def is_html(content: bytes) -> bool:
    """Whether a body is a page for a browser, which this API never answers: something in between did."""
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(b"<") and any(mark in head for mark in (b"<html", b"<!doctype html", b"<body", b"<h1"))


def without_markup(page: str) -> str:
    """Give the words of an HTML page or an XML document in one line."""
    return " ".join(html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", page))).split())


def _neutral(text: str) -> str:
    return "".join(REPLACEMENT if _is_unsafe(character) else character for character in text)


def _is_unsafe(character: str) -> bool:
    return character in _BIDI_CONTROLS or unicodedata.category(character) in _UNSAFE_CATEGORIES


def _cap(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
