"""How things are said: lines with a tone, numbers, durations, and signs that every stream can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import IO

from cpi_tasks.model.plan import ParameterChange
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.report.masking import looks_secret
from cpi_tasks.report.redactor import MASK, Redactor

RULE_WIDTH = 71
_ASCII_SIGNS = {
    "✓": "+",
    "✗": "x",
    "→": "->",
    "📦": "*",
    "📊": "*",
    "⚠": "!",
    "═": "=",
    "─": "-",
    "…": "...",
    "±": "-/+",
    "↻": ">",
}
_SIGNS_TO_ASCII = str.maketrans(_ASCII_SIGNS)
LONGEST_VALUE = 60
"""How many characters of a value a line of a plan shows."""
_LONGEST_NAMES = 20
_MINUTE_S = 60
_HOUR_S = 3600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tone(Enum):
    """What a line is to its reader; a view decides how that looks."""

    NORMAL = "normal"
    HEADING = "heading"
    RULE = "rule"
    THIN_RULE = "thin rule"
    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    FAINT = "faint"
    PROGRESS = "progress"
    """Superseded by what follows; a view with a live board shows it there and nowhere else."""
    ADDITION = "addition"
    """Something new; only its sign stands out."""
    CHANGE = "change"
    """Something that becomes different; only its sign stands out."""
    DIFF_HEADER = "diff header"
    DIFF_HUNK = "diff hunk"
    DIFF_ADDED = "diff added"
    DIFF_REMOVED = "diff removed"
    DIFF_CONTEXT = "diff context"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output, not yet redacted; leading spaces are its indentation."""

    text: str
    tone: Tone = Tone.NORMAL


BLANK = Line("")


class Outlet:
    """Makes a line fit to leave through one stream: signs the stream can encode, no secrets, no control characters."""

    def __init__(self, stream: IO[str] | None, redactor: Redactor) -> None:
        """Look at the stream's encoding once; no stream, or one without an encoding, takes every character."""
        self.redactor = redactor
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self.takes_signs = self.takes("".join(_ASCII_SIGNS))
        """Whether the stream can encode the signs that our own texts use."""

    def takes(self, text: str) -> bool:
        """Whether the stream can encode ``text``."""
        try:
            text.encode(self._encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def fit(self, text: str) -> str:
        """Give ``text`` as one line that may be written."""
        if not self.takes_signs:
            text = text.translate(_SIGNS_TO_ASCII)
        text = self.redactor.clean(text)
        if not self.takes(text):
            text = "".join(c if self.takes(c) else c.encode("ascii", "backslashreplace").decode() for c in text)
        return text


def rendered(lines: Iterable[Line], redactor: Redactor, stdout: IO[str] | None) -> str:
    """Give lines as text, fit for ``stdout`` where that is given."""
    outlet = Outlet(stdout, redactor)
    return "".join(f"{outlet.fit(line.text)}\n" for line in lines)


def heading(title: str) -> list[Line]:
    """Set a title between two rules, after a blank line."""
    return [BLANK, Line("═" * RULE_WIDTH, Tone.RULE), Line(title, Tone.HEADING), Line("═" * RULE_WIDTH, Tone.RULE)]


def seconds(duration_s: float) -> str:
    """Say a duration: ``0.4 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if round(duration_s, 1) < _MINUTE_S:
        return f"{duration_s:.1f} s"
    whole = round(duration_s)
    if whole < _HOUR_S:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(at_ms: int) -> str:
    """Say a point in time given in epoch milliseconds: ``2026-11-20 10:12 UTC``."""
    try:
        return f"{_EPOCH + timedelta(milliseconds=at_ms):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return "at an unknown time"


def author(deed: str, by: str, at_ms: int | None) -> str:
    """Say who did something and when, as far as that is known: `` (deployed by X, 2026-11-20 10:12 UTC)``."""
    words = [f"by {by}"] if by else []
    words += [moment(at_ms)] if at_ms is not None else []
    return f" ({deed} {', '.join(words)})" if words else ""


def number(amount: int, noun: str) -> str:
    """Say ``1 artifact``, ``2 artifacts``."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def names(items: Sequence[object]) -> str:
    """List names, at most twenty of them."""
    listed = ", ".join(str(item) for item in items[:_LONGEST_NAMES])
    return f"{listed}, … and {len(items) - _LONGEST_NAMES} more" if len(items) > _LONGEST_NAMES else listed


def shown_value(change: ParameterChange, value: str | None, redactor: Redactor, *, longest: int = LONGEST_VALUE) -> str:
    """Quote a parameter's value for people: masked where key or value look secret, shortened where it is long."""
    if value is None:
        return "none"
    if value and is_secret(change):
        return f"'{MASK}'"
    # Cleaned before it is shortened: half a secret would not be recognised any more.
    return f"'{shortened(redactor.clean(value), longest)}'"


def is_secret(change: ParameterChange) -> bool:
    """Whether neither value of a parameter may be shown."""
    return looks_secret(change.key, change.old) or looks_secret(change.key, change.new)


def shortened(text: str, longest: int) -> str:
    """Cut a clean text that is longer than ``longest`` characters, visibly."""
    return f"{text[:longest]}…" if len(text) > longest else text


def unknown_makers(amount: int) -> Line:
    """Say that nobody can tell who made so many differences."""
    text = f"Who made {number(amount, 'difference')} is not known: no earlier run left a record that tells."
    return Line(text, Tone.FAINT)


def warned(amount: int) -> str:
    """Say how many warnings there were, as a sentence that follows another; empty for none."""
    if amount == 1:
        return " There was 1 warning, see above."
    return f" There were {amount:,} warnings, see above." if amount else ""


def settled(name: str, outcome: StepOutcome, redactor: Redactor) -> Line:
    """Say in one line how a step ended; a reason of several lines is shown in full at the end of the run."""
    text = f"{name} {outcome.summary or outcome.status.value}"
    if outcome.status in {Status.DONE, Status.UNCHANGED}:
        return Line(f"✓ {text} ({seconds(outcome.duration_s)})", Tone.GOOD)
    reason = redactor.clean_lines(outcome.reason)
    if reason:
        text += f": {reason[0]}" + (" …" if len(reason) > 1 else "")
    if outcome.status is Status.SKIPPED:
        return Line(f"- {text}", Tone.FAINT)
    spent = f" ({seconds(outcome.duration_s)})" if outcome.duration_s else ""
    return Line(f"✗ {text}{spent}", Tone.BAD)
