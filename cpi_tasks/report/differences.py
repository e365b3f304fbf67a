"""Differences for people to read: old and new value of parameters and fields, and the lines of files that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from cpi_tasks.model.content import DiffStatus, FileDiff
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import Origin, PackagePlan, ParameterChange, UpdateAction, UpdateStep
from cpi_tasks.report.masking import looks_secret
from cpi_tasks.report.redactor import MASK, Redactor
from cpi_tasks.report.wording import LONGEST_VALUE, Line, Tone, number, shortened, shown_value

_MOST_PARAMETERS = 10
_MOST_DIFF_LINES = 400
_LONGEST_DIFF_LINE = 400
_LONGEST_DIFF_VALUE = 4000
_OVERWRITES = " (⚠ overwrites someone's edit)"
_PROPERTY_FILES = (".prop", ".properties")
# Also one that is commented out, and one with nothing but blanks between key and value.
_PROPERTY = re.compile(r"([+\- ]\s*(?:[#!]+\s*)?)([^\s=:#!][^=:]*?)(\s*[=:]\s*)(.+)", re.DOTALL)
_SPACED_PROPERTY = re.compile(r"([+\- ]\s*)([^\s=:#!]+)(\s+)(.+)", re.DOTALL)
_CONTINUED = re.compile(r"(?<!\\)(?:\\\\)*\\[\r\n]*\Z")
_SIDES = {"-": frozenset("-"), "+": frozenset("+"), " ": frozenset("-+")}
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


def masked_diff_lines(diff: FileDiff) -> Iterator[str]:
    """Mask the values of properties whose key or value looks secret; other files' lines are given as they are.

    A value that goes on in the next line, after a backslash, is masked to its end, on the side it belongs to.
    """
    is_properties = diff.path.lower().endswith(_PROPERTY_FILES) and not diff.is_binary
    running: set[str] = set()
    for line in diff.lines:
        side = line[:1]
        if not is_properties or side not in _SIDES:
            running.clear()
            yield line
            continue
        sides = _SIDES[side]
        masked = f"{side}{MASK}" if running & sides else _masked(line)
        running -= sides
        if masked != line and _CONTINUED.search(line):
            running |= sides
        yield masked


def _masked(line: str) -> str:
    for form in (_PROPERTY, _SPACED_PROPERTY):
        if found := form.fullmatch(line):
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
    for line in islice(masked_diff_lines(diff), _MOST_DIFF_LINES):
        # Masked before it is cut: half a secret would not be recognised any more.
        masked = line.rstrip("\r\n")
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


def field_lines(package: PackagePlan, redactor: Redactor) -> list[Line]:
    """Give name, old and new value of the metadata fields that change, long values cut, somebody's edits marked."""
    before = package.before.metadata if package.before is not None else {}
    return [
        Line(
            f"      set {name}: {_quoted(before.get(name), redactor)} → {_quoted(package.metadata.get(name), redactor)}"
            + (_OVERWRITES if name in package.drifted_fields else ""),
            Tone.WARNING if name in package.drifted_fields else Tone.NORMAL,
        )
        for name in package.changed_fields
    ]


def _quoted(value: str | None, redactor: Redactor) -> str:
    return "none" if value is None else f"'{shortened(redactor.clean(value), LONGEST_VALUE)}'"


def _set(change: ParameterChange, redactor: Redactor, longest: int) -> Line:
    old, new = _values(change, redactor, longest)
    text = f"      set {change.key}: {old} → {new}"
    if change.origin is Origin.BOTH:
        return Line(f"{text} (⚠ {change.origin.value}, overwrites someone's edit)", Tone.WARNING)
    if change.origin.is_drift:
        return Line(f"{text}{_OVERWRITES}", Tone.WARNING)
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
    return [Line(f"      {verb} … and {number(amount, 'more parameter')}")] if amount > 0 else []
