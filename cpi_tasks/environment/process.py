"""The variables of this process: the one place where they are read and cleaned of what stores and shells add.

Only variables that are used are complained about. No message holds a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from cpi_tasks.environment.placeholders import find_placeholder
from cpi_tasks.errors import Problem

_MARKS = ("\ufeff", "\u00ef\u00bb\u00bf")
"""A byte order mark, and how one looks that was read as Latin-1."""
_LINE_ENDS = "\r\n"
_BLANKS = " \t\v\f\u00a0\u200b\u2060"
_QUOTES = ("\"'", "\u201c\u201d\u2018\u2019\u201e")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_CONTROLS_BUT_LINES = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_NOT_TEXT = re.compile(r"[\ud800-\udfff]")


class Use(Enum):
    """What a value is used as, which decides what may be taken away from it."""

    VALUE = auto()
    """A name."""
    PATH = auto()
    ADDRESS = auto()
    SECRET = auto()
    """A secret that somebody's machine made up: without blanks or quotation marks at its ends."""
    PASSWORD = auto()
    """What a person may have made up: blanks and quotation marks belong to it."""
    SERVICE_KEY = auto()
    PROXY = auto()
    """The address of a proxy, which may hold a password."""
    TEXT = auto()
    """Anything: a part of a text in an environment file."""


_KEEPS_BLANKS = frozenset({Use.PASSWORD, Use.TEXT})
_KEEPS_QUOTES = frozenset({Use.PASSWORD, Use.TEXT, Use.PROXY, Use.SERVICE_KEY})
_HAS_CHECKS = frozenset({Use.PATH, Use.SERVICE_KEY})
"""What is read further, with messages of its own."""
_MAY_HOLD_ANYTHING = frozenset({Use.SECRET, Use.PASSWORD, Use.TEXT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A value without what does not belong to it; with ``fault`` it cannot be used at all."""

    text: str = field(default="", repr=False)
    fault: str = ""
    """Why it cannot be used, as the rest of a sentence."""
    is_reference: bool = False
    """Whether that is because it looks like a reference that nobody expanded."""
    notes: tuple[str, ...] = ()
    """What to warn about, each as the rest of a sentence."""


def process_variables() -> Mapping[str, str]:
    """Return a copy of the environment variables of this process, as they are."""
    return dict(os.environ)


def cleaned(raw: str, use: Use) -> Cleaned:
    """Take away what stores, shells and editors add around a value, and check what is left."""
    text, removed = _without_marks(raw, keeps_blanks=use in _KEEPS_BLANKS)
    if use not in _KEEPS_QUOTES and _is_quoted(text):
        text, removed = text[1:-1].strip(), [*removed, "quotation marks"]
    notes = []
    if removed and use is not Use.SERVICE_KEY:
        notes.append(f"has {' and '.join(removed)} around the value, which the run ignores; store it without")
    if use is Use.PASSWORD:
        notes += _doubts(text)
    fault = _fault(text, use)
    reference = find_placeholder(text, may_hold_anything=use in _MAY_HOLD_ANYTHING, is_address=use is Use.ADDRESS)
    return Cleaned(text=text, fault=fault or reference, is_reference=bool(reference), notes=tuple(notes))


def _without_marks(raw: str, *, keeps_blanks: bool) -> tuple[str, list[str]]:
    text, has_mark = raw, False
    while mark := next((mark for mark in _MARKS if text.startswith(mark)), ""):
        text, has_mark = text.removeprefix(mark), True
    has_line_end = text[:1] in set(_LINE_ENDS) or text[-1:] in set(_LINE_ENDS)
    text = text.strip(_LINE_ENDS)
    without_blanks = text.strip().strip(_BLANKS + _LINE_ENDS)
    removed = ["a byte order mark"] if has_mark else []
    removed += ["a line break"] if has_line_end else []
    if not keeps_blanks and without_blanks != text:
        removed.append("blanks")
        text = without_blanks
    return text, removed


def _is_quoted(text: str) -> bool:
    if len(text) <= 1:
        return False
    straight, curly = _QUOTES
    return (text[0] in straight and text[0] == text[-1]) or (text[0] in curly and text[-1] in curly)


def _doubts(text: str) -> list[str]:
    doubts = []
    if text != text.strip():
        doubts.append("begins or ends with a blank, which counts as part of the password")
    if _is_quoted(text):
        doubts.append("stands in quotation marks, which count as part of the password; remove them if they do not")
    return doubts


def _fault(text: str, use: Use) -> str:
    if use in _HAS_CHECKS:
        return ""
    if _NOT_TEXT.search(text):
        return "holds bytes that are not UTF-8 text; store it again as UTF-8"
    if (_CONTROLS_BUT_LINES if use is Use.TEXT else _CONTROLS).search(text):
        return "holds a line break or another control character; store it again without"
    return ""


class Variables:
    """The variables of a process, cleaned when they are read; keeps what is wrong about those that were."""

    def __init__(self, raw: Mapping[str, str]) -> None:
        """Take the variables as the process has them."""
        self._raw = raw
        self._warnings: dict[str, None] = {}
        self._problems: dict[Problem, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to say about the variables read so far, each by its name."""
        return tuple(self._warnings)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why variables read so far cannot be used."""
        return tuple(self._problems)

    def has(self, name: str) -> bool:
        """Return whether there is such a variable, also an empty one."""
        return name in self._raw

    def is_given(self, name: str) -> bool:
        """Return whether a variable has a value: an empty one is how many CI systems spell a secret that is missing."""
        raw = self._raw.get(name, "")
        return bool(raw) and bool(cleaned(raw, Use.VALUE).text)

    def clean(self, name: str, use: Use) -> Cleaned:
        """Return the value of a variable and what is wrong with it; keeps the warnings, not the fault."""
        return self.clean_value(name, self._raw.get(name, ""), use)

    def clean_value(self, place: str, raw: str, use: Use) -> Cleaned:
        """Clean a value that another program read from its variable; ``place`` names it in warnings."""
        value = cleaned(raw, use)
        for note in value.notes:
            self._warnings[f"{place} {note}"] = None
        return value

    def read(self, name: str, use: Use) -> str | None:
        """Return the value of a variable, ``""`` where it has none and ``None`` where it cannot be used."""
        value = self.clean(name, use)
        if not value.fault:
            return value.text
        self._problems[Problem(file=name, message=value.fault)] = None
        return None
