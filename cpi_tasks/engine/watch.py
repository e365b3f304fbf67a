"""One watcher for the whole run: it looks at the runtime on behalf of all deployments in flight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import trio

from cpi_tasks.errors import RequestRejected, TenantError, TenantGone, TenantUnavailable
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.tenant import RuntimeArtifact, Tenant

_FIRST_PAUSE_S = 0.25
_SHARE = 0.15
_LEAST_PAUSE_S = 0.25
# Where deployments take a second or two, a quarter of a second for each is time that adds up.
_LEAST_SHARE = 0.05
_LEAST_BETWEEN_LOOKS_S = 0.1
_LONGEST_REST_S = 1.0
_PAUSE_WHEN_HELD_S = 1.0
_BY_ID_BELOW = 3
_RECENT_S = 2.0
_WEIGHT = 0.25
# What a look takes beyond this is the tenant's doing (throttling, repeated requests, an outage).
_USUAL_LOOK_S = 1.0
_LONGEST_SILENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """How long to pause between looks at one deployment; times in seconds since its trigger.

    Looks start early and widen with the time that has gone by, up to ``longest_s``; around ``expected_s``, what the
    artifact took the last time or others took, they are close again. ``is_fixed``: every pause is ``longest_s``,
    whatever is known.
    """

    longest_s: float
    expected_s: float | None = None
    is_fixed: bool = False

    def pause_s(self, elapsed_s: float) -> float:
        """Give the pause before the next look."""
        if self.is_fixed:
            return self.longest_s
        pause_s = max(_FIRST_PAUSE_S, elapsed_s * _SHARE)
        if self.expected_s is not None:
            least_s = min(_LEAST_PAUSE_S, self.expected_s * _LEAST_SHARE)
            pause_s = min(pause_s, max(least_s, abs(self.expected_s - elapsed_s) / 2))
        return min(pause_s, self.longest_s)

    def when_held_s(self, pause_s: float) -> float:
        """Give the pause where an end is in sight and one more look may be all it takes."""
        return pause_s if self.is_fixed else min(pause_s, _PAUSE_WHEN_HELD_S)

    def pauses(self) -> Iterator[float]:
        """Give pause after pause for ever, by trio's clock, from now on."""
        started = trio.current_time()
        while True:
            yield self.pause_s(trio.current_time() - started)


@dataclass(slots=True, kw_only=True)
class _Waiter:
    """One artifact waiting for a look that is due at a moment of trio's clock."""

    due: float
    looked: trio.Event = field(default_factory=trio.Event)
    seen: RuntimeArtifact | None = None
    error: TenantError | None = None


@dataclass(slots=True, kw_only=True)
class _Found:
    """What one look showed, and which artifacts the tenant would not show."""

    seen: dict[ArtifactId, RuntimeArtifact] = field(default_factory=dict)
    refused: dict[ArtifactId, RequestRejected] = field(default_factory=dict)


class RuntimeWatcher:
    """Answers ``look`` for many artifacts with one list request, or by id where only one or two wait.

    The tenant is left alone between two looks for as long as its last answer took, at most for a second.
    ``stalled_s`` is how long, in all, the tenant let looks wait; artifacts are not charged for it. A tenant that gives
    no usable answer is asked again, until it has been silent for five minutes.
    """

    def __init__(self, tenant: Tenant, *, is_fixed: bool = False) -> None:
        """Watch one tenant; ``run`` must be started in a nursery. ``is_fixed``: a look answers only who is due."""
        self._tenant = tenant
        self._is_fixed = is_fixed
        self._waiters: dict[ArtifactId, _Waiter] = {}
        self._changed = trio.Event()
        self._next_look = -math.inf
        self._listed: dict[ArtifactId, RuntimeArtifact] = {}
        self._listed_at = -math.inf
        self._silent_since: float | None = None
        self.stalled_s = 0.0
        self.usual_s: float | None = None
        """About how long deployments take in this run, in seconds; ``None`` before the first has ended."""

    def note_took(self, took_s: float) -> None:
        """Take note of how long a deployment took, so that looks at others fall close to their end."""
        self.usual_s = took_s if self.usual_s is None else self.usual_s + (took_s - self.usual_s) * _WEIGHT

    async def look(self, artifact: ArtifactId, *, pause_s: float) -> RuntimeArtifact | None:
        """Wait for the next look (at most about ``pause_s`` away) and give what it showed of one artifact.

        Raises ``RequestRejected`` or ``AuthenticationError`` where the tenant will not show what runs, and
        ``TenantUnavailable`` where it has been silent for too long.
        """
        waiter = _Waiter(due=trio.current_time() + pause_s)
        self._waiters[artifact] = waiter
        self._changed.set()
        try:
            await waiter.looked.wait()
        finally:
            if self._waiters.get(artifact) is waiter:
                del self._waiters[artifact]
        if waiter.error is not None:
            raise waiter.error
        return waiter.seen

    async def recent(self, artifact: ArtifactId) -> RuntimeArtifact | None:
        """Give what runs of one artifact now: from a list read in the last moments, else by a look; raises as it."""
        if trio.current_time() - self._listed_at <= _RECENT_S:
            return self._listed.get(artifact)
        return await self.look(artifact, pause_s=0.0)

    async def run(self) -> None:
        """Look whenever the earliest waiter is due, for ever; every look serves all who wait, or all who are due."""
        while True:
            if not self._waiters:
                self._changed = trio.Event()
                await self._changed.wait()
                continue
            due = max(min(waiter.due for waiter in self._waiters.values()), self._next_look)
            if due > trio.current_time():
                self._changed = trio.Event()
                with trio.move_on_at(due):
                    await self._changed.wait()
                continue
            started = trio.current_time()
            await self._look_once()
            ended = trio.current_time()
            rest_s = min(ended - started, _LONGEST_REST_S)
            self._next_look = max(started + _LEAST_BETWEEN_LOOKS_S, ended + rest_s)

    async def _look_once(self) -> None:
        started = trio.current_time()
        waiters = {
            artifact: waiter
            for artifact, waiter in self._waiters.items()
            if not self._is_fixed or waiter.due <= started + _LEAST_PAUSE_S
        }
        found = _Found()
        refusal: TenantError | None = None
        try:
            found = await self._read(tuple(waiters))
        except TenantUnavailable as error:
            self._silent_since = started if self._silent_since is None else self._silent_since
            is_over = isinstance(error, TenantGone) or trio.current_time() - self._silent_since >= _LONGEST_SILENCE_S
            if not is_over:
                # Not an answer about any artifact: all go on waiting.
                for waiter in waiters.values():
                    waiter.due = max(waiter.due, trio.current_time() + _FIRST_PAUSE_S)
                return
            refusal = error
        except TenantError as error:
            refusal = error
        if not isinstance(refusal, TenantUnavailable):
            since = started if self._silent_since is None else self._silent_since
            self.stalled_s += max(0.0, trio.current_time() - since - _USUAL_LOOK_S)
            self._silent_since = None
        self._answer(waiters, found, refusal)

    def _answer(
        self,
        waiters: dict[ArtifactId, _Waiter],
        found: _Found,
        error: TenantError | None,
    ) -> None:
        for artifact, waiter in waiters.items():
            waiter.seen = found.seen.get(artifact)
            waiter.error = error or found.refused.get(artifact)
            waiter.looked.set()
            if self._waiters.get(artifact) is waiter:
                del self._waiters[artifact]

    async def _read(self, artifacts: tuple[ArtifactId, ...]) -> _Found:
        if len(artifacts) >= _BY_ID_BELOW:
            started = trio.current_time()
            self._listed = {artifact.id: artifact for artifact in await self._tenant.list_runtime_artifacts()}
            self._listed_at = started
            return _Found(seen=self._listed)
        found = _Found()
        for artifact in artifacts:
            try:
                seen = await self._tenant.read_runtime_artifact(artifact)
            except RequestRejected as error:
                found.refused[artifact] = error
            else:
                found.seen.update({} if seen is None else {artifact: seen})
        return found
