"""A tenant that goes away: the whole run waits as one, and one request at a time tries whether it is back."""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable

import trio

from cpi_tasks.events import Emit, TenantAnswersAgain, TenantWentAway
from cpi_tasks.tenant.retry import Trouble, TroubleKind

_TROUBLES_OF_AN_OUTAGE = 3
_NO_TENANT = frozenset({TroubleKind.NOT_SENT, TroubleKind.UNUSABLE})
_FIRST_PROBE_S = 0.5
_LONGEST_PROBE_S = 15.0
_PROBE_TIMEOUT_S = 30.0
"""A probe is a small request; one that hangs longer must not keep the run from noticing that the tenant is back."""
_NEVER_REACHED_S = 10.0
"""How long an address is tried that never answered: a wrong host must not cost minutes."""


class Outage:
    """Whether the tenant answers at all, over all requests of a run.

    Single troubles are each request's own affair. When nothing but trouble comes, requests wait here while one of them
    probes at growing intervals; with the first usable answer to anything all go on. A probe, not the request that met
    trouble, decides: one artifact that a gateway never delivers is no outage. When ``budget_s`` seconds have gone by in
    doubt, every request ends at once with the trouble met last.
    """

    def __init__(self, *, budget_s: float, emit: Emit, name: str = "") -> None:
        """Take how long an outage is waited for, in seconds; ``name`` says who is away where it is not the tenant."""
        self.budget_s = budget_s
        self._emit = emit
        self._name = name
        self._probing = trio.Lock()
        self._has_answered = self._is_told = False
        self._is_no_tenant = True
        self._troubles = self._failed_probes = 0
        self._last: Trouble | None = None
        self._since = self._doubted_at = self._next_probe = math.inf
        self._over = trio.Event()

    @property
    def is_in_doubt(self) -> bool:
        """Whether nothing but trouble has come for a while."""
        return self._troubles >= (_TROUBLES_OF_AN_OUTAGE if self._has_answered else 1)

    @property
    def is_down(self) -> bool:
        """Whether a probe has confirmed the doubt: the tenant answers nobody."""
        return self.is_in_doubt and self._failed_probes > 0

    async def passage(self, probe: Callable[[], Awaitable[None]] | None = None) -> None:
        """Wait until the tenant answers; at once where nothing speaks against it.

        One of those who wait sends ``probe``, which notes what comes of it. Without ``probe`` that one goes on, its own
        request being the probe. Raises ``Spent`` when the budget is.
        """
        while self.is_in_doubt:
            self._end_if_spent()
            if self.is_down:
                self._tell()
            with trio.move_on_at(self._ends_at()):
                async with self._probing:
                    if await self._is_due():
                        if probe is None:
                            self._note_failed_probe()
                            return
                        await self._send(probe)

    def note_answer(self) -> None:
        """Note that the tenant gave a usable answer, or a refusal of its own."""
        if self._is_told:
            self._emit(TenantAnswersAgain(after_s=trio.current_time() - self._since))
        self._has_answered, self._is_told = True, False
        self._troubles = self._failed_probes = 0
        self._since = self._doubted_at = math.inf
        self._over.set()

    def note_trouble(self, trouble: Trouble) -> None:
        """Note that a request met trouble that may be everybody's."""
        now = trio.current_time()
        self._since = min(self._since, now)
        self._troubles += 1
        self._last = trouble
        if trouble.kind not in _NO_TENANT:
            self._is_no_tenant = False
        if self.is_in_doubt and self._doubted_at == math.inf:
            self._doubted_at = now
            self._over = trio.Event()
            self._plan_probe()

    async def _is_due(self) -> bool:
        """Wait for the next probe's moment; false where the doubt is over before."""
        if self.is_in_doubt:
            with trio.move_on_at(self._next_probe):
                await self._over.wait()
        return self.is_in_doubt

    async def _send(self, probe: Callable[[], Awaitable[None]]) -> None:
        with trio.move_on_after(_PROBE_TIMEOUT_S):
            await probe()
        if self.is_in_doubt:
            self._note_failed_probe()

    def _note_failed_probe(self) -> None:
        self._failed_probes += 1
        self._plan_probe()

    def _plan_probe(self) -> None:
        growing_s = min(_FIRST_PROBE_S * 2 ** min(self._failed_probes, 10), _LONGEST_PROBE_S)
        self._next_probe = trio.current_time() + random.uniform(growing_s / 2, growing_s)  # noqa: S311 - spreads load

    def _tell(self) -> None:
        # An address that never answered is an error to end with soon, not a wait to tell about.
        if self._is_told or self._last is None or self._is_unknown():
            return
        now = trio.current_time()
        self._is_told = True
        cause = f"{self._name}: {self._last.cause}" if self._name else self._last.cause
        self._emit(TenantWentAway(cause=cause, since_s=now - self._since, gives_up_in_s=self._ends_at() - now))

    def _end_if_spent(self) -> None:
        if self._last is not None and trio.current_time() >= self._ends_at():
            after_s = trio.current_time() - self._since
            raise Spent(self._last, after_s, was_reached=not self._is_unknown()) from self._last

    def _ends_at(self) -> float:
        return self._doubted_at + (min(self.budget_s, _NEVER_REACHED_S) if self._is_unknown() else self.budget_s)

    def _is_unknown(self) -> bool:
        # Nothing there, or something that is no tenant: most likely the address is wrong.
        return not self._has_answered and self._is_no_tenant


class Spent(Trouble):
    """The budget is spent: nothing is asked again. ``was_reached``: there was a tenant before it went away."""

    def __init__(self, last: Trouble, after_s: float, *, was_reached: bool) -> None:
        """Say what went wrong last, and for how long."""
        self.was_reached = was_reached
        super().__init__(f"{last.cause}; no answer for {after_s:.0f} s", kind=TroubleKind.GIVEN_UP, result=last.result)
