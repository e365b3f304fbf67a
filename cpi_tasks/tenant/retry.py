"""What is asked again, and when: one small classification, the waiting is stamina's."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TypeVar

import stamina
import stamina.instrumentation

T = TypeVar("T")

ATTEMPTS = 5
LONGEST_WAIT_S = 120.0
"""A longer ``Retry-After`` is not waited for in full: the request is tried again and may be refused again."""


class TroubleKind(Enum):
    """Why an exchange gave nothing usable."""

    NOT_SENT = "the request never reached the tenant"
    THROTTLED = "the tenant refused it for its rate, unread"
    UNANSWERED = "it was sent; whether it was processed is not known"
    UNUSABLE = "something answered, but not what the tenant would say"


class Trouble(Exception):
    """One exchange failed; stays inside this room. ``cause`` is a phrase, ``result`` a word for the request's event."""

    def __init__(
        self, cause: str, *, kind: TroubleKind, result: str = "unusable answer", retry_after_s: float | None = None
    ) -> None:
        """Keep the parts; ``retry_after_s`` is what the tenant asked us to wait, in seconds."""
        super().__init__(cause)
        self.cause = cause
        self.kind = kind
        self.result = result
        self.retry_after_s = retry_after_s


REPEATABLE_READS = frozenset(TroubleKind)
REPEATABLE_WRITES = frozenset({TroubleKind.NOT_SENT, TroubleKind.THROTTLED})
"""A write is sent again only where the first one surely was not processed."""


async def repeated(call: Callable[[], Awaitable[T]], *, after: frozenset[TroubleKind]) -> T:
    """Await ``call`` until it succeeds, at most ``ATTEMPTS`` times, as long as its ``Trouble`` is one of ``after``.

    Waits grow from half a second to ten, with jitter, or last as long as the tenant asked. Raises the last ``Trouble``.
    stamina sleeps by trio's clock where it runs under trio; its own time-out reads the wall clock and is left off.
    """

    def backoff(error: Exception) -> bool | float:
        if not isinstance(error, Trouble) or error.kind not in after:
            return False
        if error.retry_after_s is None:
            return True
        return min(error.retry_after_s, LONGEST_WAIT_S) + random.uniform(0.0, 0.5)  # noqa: S311 - spreads load only

    caller = stamina.AsyncRetryingCaller(
        attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=10.0, wait_jitter=0.5
    )
    return await caller(backoff, call)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After`` (seconds, or a date measured against the answer's own ``Date``); ``None`` without a use."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until, now = _timestamp(value), _timestamp(headers.get("date", ""))
    if until is None or now is None:
        return None
    return max(0.0, until - now)


@contextmanager
def quiet_stamina() -> Iterator[None]:
    """Keep stamina from logging retries by itself: every exchange is an event already."""
    hooks = stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks(())
    try:
        yield
    finally:
        stamina.instrumentation.set_on_retry_hooks(hooks)


def _timestamp(value: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
