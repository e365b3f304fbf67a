"""Request rates: SAP limits each family of its API by requests a second and user, and others use the same tenant."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from cpi_tasks.events import Emit, RequestsSlowed
from cpi_tasks.model.tenant import LANE
from cpi_tasks.tenant.odata import API_ROOT
from cpi_tasks.tenant.retry import Trouble, TroubleKind

MAX_IN_FLIGHT = 10
"""Requests of one family under way at once; one connection each, kept open."""

_RUNTIME_PATHS = tuple(
    API_ROOT + name for name in ("IntegrationRuntimeArtifacts", "BuildAndDeployStatus", "ServiceEndpoints")
)
_MARGIN_S = 1e-6
"""Added to each gap so that rounding of clock readings never squeezes one request more into a second."""
_TOO_MANY_REQUESTS = 429
_FIRST_PAUSE_S = 1.0
_LONGEST_OWN_PAUSE_S = 15.0
LONGEST_PAUSE_S = 120.0
"""A longer ``Retry-After`` is not waited for in full: the next request is tried and may be refused again."""
_LOWEST_RATE = 0.5
_GROWTH_S = 20.0
"""So many seconds after a pause the rate may be what the settings say again, from whatever it was lowered to."""
_TELL_AGAIN_S = 60.0


@dataclass(slots=True, eq=False)
class _Waiter:
    granted: trio.Event = field(default_factory=trio.Event)


class _Turns:
    """A lock whose waiters are served lane by lane in rotation, and first come, first served within a lane."""

    def __init__(self) -> None:
        self._is_taken = False
        self._lanes: OrderedDict[str, deque[_Waiter]] = OrderedDict()

    async def acquire(self, lane: str) -> None:
        """Wait for the turn of a lane; a cancelled waiter takes none."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if not self._is_taken:
            self._is_taken = True
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        waiter = _Waiter()
        self._lanes.setdefault(lane, deque()).append(waiter)
        try:
            await waiter.granted.wait()
        except trio.Cancelled:
            if waiter.granted.is_set():
                self.release()  # both happened in one step of the scheduler
            else:
                self._lanes[lane].remove(waiter)
                if not self._lanes[lane]:
                    del self._lanes[lane]
            raise

    def release(self) -> None:
        """Hand the turn to the next lane; where that has more waiters, it comes last then."""
        if not self._lanes:
            self._is_taken = False
            return
        lane, waiters = self._lanes.popitem(last=False)
        waiter = waiters.popleft()
        if waiters:
            self._lanes[lane] = waiters
        waiter.granted.set()


class Pace:
    """Lets the requests of one family leave one by one, never closer together than ``1 / rate`` seconds.

    There is no burst: a limit over a sliding second leaves no room for one. Lanes (packages) are served in rotation,
    so that a large one does not hold up a small one. A request also needs one of the ``places`` to leave, so that
    requests held up by a slow tenant do not pile up and then leave at once. A tenant that says "too many" pauses the
    whole family; after that the rate begins at half of what it was and grows back. One that says nothing else for
    ``budget_s`` seconds is asked nothing more.
    """

    def __init__(
        self,
        rate: float,
        places: trio.Semaphore,
        *,
        family: str = "",
        budget_s: float = math.inf,
        emit: Emit | None = None,
    ) -> None:
        """Take the rate in requests a second and the places; ``family`` in words and ``emit`` tell of pauses."""
        self._most = self._rate = rate
        # With 5.5 a second, some second would hold six requests.
        self._least_gap_s = 1.0 / (math.floor(rate) if rate >= 1.0 else rate) + _MARGIN_S
        self._places = places
        self._family = family
        self._budget_s = budget_s
        self._emit = emit
        self._turns = _Turns()
        self._next = self._paused_at = self._paused_until = self._grown_at = -math.inf
        self._told_at = -math.inf
        self._pauses_in_a_row = 0
        self._refused_since = math.inf
        self._given_up_after_s: float | None = None
        self._left: deque[float] = deque()

    @asynccontextmanager
    async def turn(self, *, unless: Callable[[], bool] | None = None) -> AsyncIterator[float | None]:
        """Wait for a turn and hold a place for the block; gives the moment of leaving, for ``slow_down``.

        ``unless`` is asked when the turn has come; where it says yes the block gets ``None`` and must not send. A
        cancelled waiter uses up neither turn nor place. Raises ``Trouble`` where the tenant has refused the rate for
        too long.
        """
        await self._turns.acquire(LANE.get())
        try:
            await self._places.acquire()
            try:
                left = await self._leave(unless)
            except BaseException:
                self._places.release()
                raise
        finally:
            self._turns.release()
        try:
            yield left
        finally:
            self._places.release()

    async def _leave(self, unless: Callable[[], bool] | None) -> float | None:
        # A pause may begin while this one waits for its moment, so the moment is looked at again.
        while not self._is_closed(unless):
            if max(self._next, self._paused_until) <= trio.current_time():
                return self._note_leaving()
            await trio.sleep_until(max(self._next, self._paused_until))
        return None

    def _note_leaving(self) -> float:
        now = trio.current_time()
        grown_s = now - max(self._grown_at, self._paused_until)
        self._rate = min(self._most, self._rate + max(0.0, grown_s) * self._most / _GROWTH_S)
        self._grown_at = now
        self._next = now + max(1.0 / self._rate + _MARGIN_S, self._least_gap_s)
        self._left.append(now)
        while self._left[0] <= now - 1.0:
            self._left.popleft()
        return now

    def _is_closed(self, unless: Callable[[], bool] | None) -> bool:
        if self._given_up_after_s is not None:
            raise Trouble(
                f"the answer has been {_TOO_MANY_REQUESTS} (request limit; others may use the same tenant) for"
                f" {self._given_up_after_s:.0f} s",
                kind=TroubleKind.NOT_ADMITTED,
            )
        return unless is not None and unless()

    def slow_down(self, *, left: float, status: int, retry_after_s: float | None) -> None:
        """Pause because the tenant answered ``status`` to a request that left at ``left`` (trio's clock).

        Answers to requests that left before the last pause are of the same pause: the tenant's own word may make it
        longer, but the rate is halved once.
        """
        now = trio.current_time()
        if left > self._paused_at:
            self._begin_pause(now, status=status, retry_after_s=retry_after_s)
        elif retry_after_s is not None:
            self._paused_until = max(self._paused_until, now + min(retry_after_s, LONGEST_PAUSE_S))

    def _begin_pause(self, now: float, *, status: int, retry_after_s: float | None) -> None:
        if now - self._paused_until > LONGEST_PAUSE_S:
            # Nothing was sent meanwhile, else it would have been taken or refused.
            self._end_refusals()
        own_s = min(_FIRST_PAUSE_S * 2 ** min(self._pauses_in_a_row, 10), _LONGEST_OWN_PAUSE_S)
        pause_s = own_s if retry_after_s is None else min(retry_after_s, LONGEST_PAUSE_S)
        self._pauses_in_a_row += 1
        self._paused_until = max(self._paused_until, now + pause_s)
        if status == _TOO_MANY_REQUESTS:
            self._refused_since = min(self._refused_since, now)
            if now - self._refused_since >= self._budget_s:
                self._given_up_after_s = now - self._refused_since
        seen = sum(moment > now - 1.0 for moment in self._left)
        self._rate = max(min(_LOWEST_RATE, self._most), min(self._rate, float(seen) or self._rate) / 2)
        self._paused_at = self._grown_at = now
        if self._emit is not None and now - self._told_at >= _TELL_AGAIN_S:
            self._told_at = now
            self._emit(RequestsSlowed(family=self._family, status=status, pause_s=pause_s, rate=self._rate))

    def note_taken(self, *, left: float) -> None:
        """Note that a request was taken; one that left after the last pause shows that the rate is right again."""
        if left > self._paused_at:
            self._end_refusals()

    def _end_refusals(self) -> None:
        self._pauses_in_a_row = 0
        self._refused_since = math.inf
        self._given_up_after_s = None


class Paces:
    """The paces of one tenant, by API family."""

    def __init__(
        self, *, designtime_rate: float, runtime_rate: float, budget_s: float = math.inf, emit: Emit | None = None
    ) -> None:
        """Take both rates in requests a second, and for how long a tenant is asked that only refuses the rate.

        ``emit`` is told when the tenant wants fewer requests.
        """
        self._designtime, self._runtime = (
            Pace(rate, trio.Semaphore(MAX_IN_FLIGHT), family=family, budget_s=budget_s, emit=emit)
            for rate, family in ((designtime_rate, "design-time requests"), (runtime_rate, "runtime requests"))
        )

    def of(self, path: str) -> Pace:
        """Give the pace of a path's family; whatever is not surely runtime counts as design time, the scarcer one."""
        return self._runtime if path.startswith(_RUNTIME_PATHS) else self._designtime
