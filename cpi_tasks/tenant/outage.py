"""A tenant that goes away: the whole run waits as one, with one request at a time that tries whether it is back."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from cpi_tasks.events import Emit, TenantAnswersAgain, TenantWentAway
from cpi_tasks.tenant.retry import Trouble, TroubleKind

_TROUBLES_OF_AN_OUTAGE = 3
_NO_TENANT = frozenset({TroubleKind.NOT_SENT, TroubleKind.UNUSABLE})
_FIRST_PROBE_S = 0.5
_LONGEST_PROBE_S = 15.0
_NEVER_REACHED_S = 10.0
"""How long an address is tried that never answered: a wrong host must not cost minutes."""


class Outage:
    """Whether the tenant answers at all, over all requests of a run.

    Single troubles are each request's own affair. When nothing but trouble comes, requests wait here and one of them
    tries at growing intervals; with the first usable answer all go on. When ``budget_s`` seconds have gone by since the
    last usable answer, every request ends at once with the trouble it or another one met.
    """

    def __init__(self, *, budget_s: float, emit: Emit) -> None:
        """Take how long an outage is waited for, in seconds; nothing is known yet."""
        self.budget_s = budget_s
        self._emit = emit
        self._probing = trio.Lock()
        self._has_answered = False
        self._since = math.inf
        self._troubles = 0
        self._next_probe = -math.inf
        self._is_told = False
        self._last: Trouble | None = None

    @property
    def is_down(self) -> bool:
        """Whether nothing but trouble has come for a while."""
        return self._troubles >= (_TROUBLES_OF_AN_OUTAGE if self._has_answered else 1)

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Let one request through: at once while the tenant answers, as the only one while it does not.

        Raises the last ``Trouble`` when the budget is spent.
        """
        while self.is_down:
            async with self._probing:
                if self.is_down:
                    await self._wait_to_probe()
                    yield
                    return
        yield

    def note_answer(self) -> None:
        """Note that the tenant gave a usable answer, or a refusal of its own."""
        if self._is_told:
            self._emit(TenantAnswersAgain(after_s=trio.current_time() - self._since))
        self._has_answered, self._is_told = True, False
        self._troubles, self._since, self._last = 0, math.inf, None

    def note_trouble(self, trouble: Trouble) -> None:
        """Note that a request met trouble that may be everybody's."""
        now = trio.current_time()
        self._since = min(self._since, now)
        self._troubles += 1
        self._last = trouble
        growing_s = min(_FIRST_PROBE_S * 2 ** min(self._troubles - 1, 10), _LONGEST_PROBE_S)
        self._next_probe = now + random.uniform(growing_s / 2, growing_s)  # noqa: S311 - spreads load only
        if self.is_down and self._has_answered and not self._is_told:
            self._is_told = True
            self._emit(
                TenantWentAway(cause=trouble.cause, since_s=now - self._since, gives_up_in_s=self._ends_at() - now)
            )

    async def _wait_to_probe(self) -> None:
        if self._last is None:
            return
        ends_at = self._ends_at()
        if trio.current_time() < ends_at:
            await trio.sleep_until(min(self._next_probe, ends_at))
        if trio.current_time() >= ends_at:
            raise Spent(self._last, trio.current_time() - self._since, was_reached=self._has_answered)

    def _ends_at(self) -> float:
        # Nothing there, or something that is no tenant: most likely the address is wrong.
        is_unknown = not self._has_answered and self._last is not None and self._last.kind in _NO_TENANT
        return self._since + (min(self.budget_s, _NEVER_REACHED_S) if is_unknown else self.budget_s)


class Spent(Trouble):
    """The budget is spent: nothing is asked again. ``was_reached``: the tenant had answered before it went away."""

    def __init__(self, last: Trouble, after_s: float, *, was_reached: bool) -> None:
        """Say what went wrong last, and for how long."""
        self.was_reached = was_reached
        super().__init__(f"{last.cause}; no answer for {after_s:.0f} s", kind=TroubleKind.GIVEN_UP, result=last.result)
