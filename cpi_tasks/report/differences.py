"""Differences for people to read: old and new value of parameters and fields, and the lines of files that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cpi_tasks.model.content import DiffStatus, FileDiff
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import Origin, ParameterChange, UpdateAction, UpdateStep
from cpi_tasks.report.masking import looks_secret
from cpi_tasks.report.redactor import MASK, Redactor
from cpi_tasks.report.wording import LONGEST_VALUE, Line, Tone, shortened, shown_value

_MOST_PARAMETERS = 10
_MOST_DIFF_LINES = 400
_LONGEST_DIFF_LINE = 400
_LONGEST_DIFF_VALUE = 4000
_PROPERTY = re.compile(r"([+\- ]\s*)([^\s=:#!][^=:]*?)(\s*[=:]\s*)(.+)", re.DOTALL)
_DIFF_TONES = {"+": Tone.DIFF_ADDED, "-": Tone.DIFF_REMOVED, "@": Tone.DIFF_HUNK}


def parameter_lines(update: UpdateStep, redactor: Redactor) -> list[Line]:
    """Give the parameters a step sets or keeps, the first ten of each, long values cut."""
    is_worth_it = update.writes and update.action is not UpdateAction.CREATE
    changes = update.changes if is_worth_it else ()
    lines = [_set(change, redactor, LONGEST_VALUE) for change in changes[:_MOST_PARAMETERS]]
    # Whose edit is overwritten is never left out.
    lines += [_set(change, redactor, LONGEST_VALUE) for change in changes[_MOST_PARAMETERS:] if change.origin.is_drift]
    lines += _more("set", len(changes) - len(lines))
    lines += [_kept(change, redactor, LONGEST_VALUE) for change in update.kept[:_MOST_PARAMETERS]]
    return lines + _more("kept", len(update.kept) - _MOST_PARAMETERS)


def diff_lines(
    ref: ArtifactRef, diffs: Sequence[FileDiff], redactor: Redactor, *, update: UpdateStep | None = None
) -> list[Line]:
    """Give unified diffs of files, at most 400 lines of each, and with ``update`` all its parameters with whole values.

    Lines keep their indentation; values that look secret are masked, in ``.prop`` and ``.properties`` files too.
    """
    lines = [] if update is None else list(_whole_parameters(update, redactor))
    for diff in diffs:
        lines += _file(diff, redactor)
    return [Line(""), Line(f"DIFF: {ref}", Tone.HEADING), *lines] if lines else []


def masked_diff_line(line: str, path: str) -> str:
    """Mask the value of a property whose key or value looks secret; other files' lines are given as they are."""
    if path.endswith((".prop", ".properties")) and (found := _PROPERTY.fullmatch(line)):
        lead, key, sign, value = found.groups()
        if looks_secret(key, value):
            return f"{lead}{key}{sign}{MASK}"
    return line


def _file(diff: FileDiff, redactor: Redactor) -> Iterator[Line]:
    path = redactor.clean(diff.path)
    old, new = (f"tenant: {path}", f"files: {path}")
    if diff.status is DiffStatus.ADDED:
        old = "tenant: (not there)"
    elif diff.status is DiffStatus.REMOVED:
        new = "files: (not there)"
    yield Line(f"--- {old}", Tone.DIFF_HEADER)
    yield Line(f"+++ {new}", Tone.DIFF_HEADER)
    for line in diff.lines[:_MOST_DIFF_LINES]:
        # Masked before it is cut: half a secret would not be recognised any more.
        masked = masked_diff_line(line.rstrip("\r\n"), diff.path)
        text = redactor.clean(masked[:1] + masked[1:].expandtabs(4))
        tone = Tone.DIFF_CONTEXT if diff.is_binary else _DIFF_TONES.get(line[:1], Tone.DIFF_CONTEXT)
        yield Line(shortened(text, _LONGEST_DIFF_LINE), tone)
    if len(diff.lines) > _MOST_DIFF_LINES:
        more = f"… and {len(diff.lines) - _MOST_DIFF_LINES:,} more lines of {path}"
        yield Line(more, Tone.FAINT)


def _whole_parameters(update: UpdateStep, redactor: Redactor) -> Iterator[Line]:
    for change in update.changes if update.writes else ():
        old, new = _values(change, redactor, _LONGEST_DIFF_VALUE)
        yield from _value_pair(change.key, old, new, "set by the files")
    for change in update.kept:
        old, new = _values(change, redactor, _LONGEST_DIFF_VALUE)
        yield from _value_pair(change.key, old, new, "kept as on the tenant")


def _value_pair(key: str, old: str, new: str, what: str) -> Iterator[Line]:
    yield Line(f"@@ parameter {key}, {what} @@", Tone.DIFF_HUNK)
    yield Line(f"-{old}", Tone.DIFF_REMOVED)
    yield Line(f"+{new}", Tone.DIFF_ADDED)


def field_lines(fields: Sequence[tuple[str, str | None, str | None]], redactor: Redactor) -> list[Line]:
    """Give name, old and new value of fields, long values cut."""
    return [Line(f"      {name}: {_quoted(old, redactor)} → {_quoted(new, redactor)}") for name, old, new in fields]


def _quoted(value: str | None, redactor: Redactor) -> str:
    return "none" if value is None else f"'{shortened(redactor.clean(value), LONGEST_VALUE)}'"


def _set(change: ParameterChange, redactor: Redactor, longest: int) -> Line:
    old, new = _values(change, redactor, longest)
    text = f"      set {change.key}: {old} → {new}"
    if change.origin.is_drift:
        return Line(f"{text} (⚠ {change.origin.value}, is overwritten)", Tone.WARNING)
    return Line(f"{text}{_quietly(change)}")


def _kept(change: ParameterChange, redactor: Redactor, longest: int) -> Line:
    old, new = _values(change, redactor, longest)
    return Line(f"      kept {change.key}: {old} on the tenant, {new} in the files{_quietly(change)}")


def _values(change: ParameterChange, redactor: Redactor, longest: int) -> tuple[str, str]:
    return (
        shown_value(change, change.old, redactor, longest=longest),
        shown_value(change, change.new, redactor, longest=longest),
    )


def _quietly(change: ParameterChange) -> str:
    return "" if change.origin is Origin.UNKNOWN else f" ({change.origin.value})"


def _more(verb: str, amount: int) -> list[Line]:
    return [Line(f"      {verb} … and {amount:,} more parameters")] if amount > 0 else []
