"""Lists, keys, authors and times as they stand in a plan's sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

_SHOWN = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def listed(texts: Sequence[str]) -> str:
    """Give the first few of some texts and how many there are more."""
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def parameters_named(keys: Iterable[str]) -> str:
    """Give ``parameter 'a'`` or ``parameters 'a', 'b'``."""
    quoted = [f"'{key}'" for key in keys]
    return f"parameter{'s' if len(quoted) > 1 else ''} {listed(quoted)}"


def last_change(by: str, at: int | None) -> str:
    """Give the author and the time (epoch milliseconds) of a change in words; empty where neither is known."""
    when = "" if at is None else _time(at)
    return " ".join(part for part in (f"by {by}" if by else "", f"at {when}" if when else "") if part)


def in_brackets(text: str) -> str:
    """Give a text in brackets with a blank before; nothing for nothing."""
    return f" ({text})" if text else ""


def _time(at: int) -> str:
    try:
        return f"{_EPOCH + timedelta(milliseconds=at):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return ""
