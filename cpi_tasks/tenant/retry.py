"""What is asked again, and when: one small classification, the loop is stamina's."""

from __future__ import annotations

import email.utils
import math
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TypeVar

import stamina
import stamina.instrumentation
import trio

T = TypeVar("T")

ATTEMPTS = 8
"""So often one request is sent while the tenant answers others; an outage has a budget in time instead."""
_ATTEMPTS_WHEN_ODD = 3
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0


class TroubleKind(Enum):
    """Why an exchange gave nothing usable."""

    NOT_SENT = "the request never reached the tenant"
    THROTTLED = "the tenant refused it for its rate, unread"
    UNANSWERED = "it was sent; whether it was processed is not known"
    UNUSABLE = "something answered, but not what the tenant would say"
    ODD = "the tenant answered with a row or entity that cannot be read"
    GIVEN_UP = "the tenant has been away for too long"
    NOT_ADMITTED = "the tenant has refused the rate for too long"


_FINAL = frozenset({TroubleKind.GIVEN_UP, TroubleKind.NOT_ADMITTED})


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

    @property
    def is_final(self) -> bool:
        """Whether whoever asks next would end the same at once."""
        return self.kind in _FINAL


REPEATABLE_READS = frozenset(TroubleKind) - _FINAL
REPEATABLE_WRITES = frozenset({TroubleKind.NOT_SENT, TroubleKind.THROTTLED})
"""A write is sent again as it is only where the first one surely was not processed."""


async def repeated(
    call: Callable[[], Awaitable[T]], *, after: frozenset[TroubleKind], is_down: Callable[[], bool], budget_s: float
) -> T:
    """Await ``call`` until it succeeds, as long as its ``Trouble`` is one of ``after``.

    Where the tenant answers others, at most ``ATTEMPTS`` times, fewer where its answer itself is odd; waits are drawn
    from zero to a bound that grows to ten seconds. While ``is_down`` says that it answers nobody, ``call`` itself waits
    and ends with ``GIVEN_UP``. A request that is only refused for its rate is sent again for ``budget_s`` seconds; the
    pause is the rate's. Raises the last ``Trouble``.
    """
    tries = 0
    first_at = math.inf

    def backoff(error: Exception) -> bool | float:
        nonlocal tries, first_at
        if not isinstance(error, Trouble) or error.kind not in after:
            return False
        first_at = min(first_at, trio.current_time())
        if error.kind is TroubleKind.THROTTLED:
            return 0.0 if trio.current_time() - first_at < budget_s else False
        if is_down():
            return 0.0
        tries += 1
        if tries >= (_ATTEMPTS_WHEN_ODD if error.kind is TroubleKind.ODD else ATTEMPTS):
            return False
        bound_s = min(_FIRST_WAIT_S * 2 ** (tries - 1), _LONGEST_WAIT_S)
        return random.uniform(0.0, bound_s)  # noqa: S311 - spreads load only

    return await stamina.AsyncRetryingCaller(attempts=None, timeout=None)(backoff, call)


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
