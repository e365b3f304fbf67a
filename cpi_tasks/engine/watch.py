"""One watcher for the whole run: it looks at the runtime on behalf of all deployments in flight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import trio

from cpi_tasks.engine.polling import Polling
from cpi_tasks.errors import RequestFailed, TenantError, TenantGone, TenantUnavailable, UnreadableAnswer
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.tenant import RuntimeArtifact, Tenant

_PAUSE_AFTER_SILENCE_S = 0.25
_SOON_S = 0.25
_LEAST_BETWEEN_LOOKS_S = 0.1
_LONGEST_REST_S = 1.0
_BY_ID_BELOW = 3
_RECENT_S = 2.0
_WEIGHT = 0.25
# What a look takes beyond this is the tenant's doing (throttling, repeated requests, an outage).
_USUAL_LOOK_S = 1.0
_LONGEST_SILENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What makes a look worth telling: another state than the one ``known``, or that it is ``tell_from`` by now.

    Until then looks fall due as ``polling`` says for a deployment triggered at ``since``, and at ``until`` at the
    latest. Moments are trio's clock's.
    """

    known: RuntimeArtifact | None
    tell_from: float
    until: float
    polling: Polling
    since: float


@dataclass(slots=True, kw_only=True)
class _Waiter:
    """One artifact waiting for a look that is due at a moment of trio's clock; without ``news`` any look will do."""

    due: float
    news: News | None = None
    looked: trio.Event = field(default_factory=trio.Event)
    seen: RuntimeArtifact | None = None
    error: TenantError | None = None


@dataclass(slots=True, kw_only=True)
class _Found:
    """What one look showed, and which artifacts the tenant would not show."""

    seen: Mapping[ArtifactId, RuntimeArtifact] = field(default_factory=dict)
    refused: Mapping[ArtifactId, RequestFailed] = field(default_factory=dict)


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
        self._listed: Mapping[ArtifactId, RuntimeArtifact] = {}
        self._listed_at = -math.inf
        self._is_list_odd = False
        self._silent_since: float | None = None
        self.stalled_s = 0.0
        self.usual_s: float | None = None
        """About how long deployments take in this run, in seconds; ``None`` before the first has ended."""

    def note_took(self, took_s: float) -> None:
        """Take note of how long a deployment took, so that looks at others fall close to their end."""
        if self.usual_s is not None:
            self.usual_s += (took_s - self.usual_s) * _WEIGHT
            return
        self.usual_s = took_s
        # Those begun with this one have been looked at as if anything could come.
        now = trio.current_time()
        for waiter in self._waiters.values():
            if waiter.news is not None:
                waiter.due = min(waiter.due, self._next_due(waiter.news, now))
        self._changed.set()

    async def look(self, artifact: ArtifactId, *, pause_s: float) -> RuntimeArtifact | None:
        """Wait for the next look (at most about ``pause_s`` away) and give what it showed of one artifact.

        Raises ``RequestFailed`` or ``AuthenticationError`` where the tenant will not show what runs, and
        ``TenantUnavailable`` where it has been silent for too long.
        """
        return await self._wait(artifact, _Waiter(due=trio.current_time() + pause_s))

    async def look_for(self, news: News, artifact: ArtifactId) -> RuntimeArtifact | None:
        """Wait for a look that shows news of one artifact and give what it showed; raises as ``look``.

        Looks that have none to tell wake nobody: of hundreds in flight most stay as they are from look to look.
        """
        now = trio.current_time()
        return await self._wait(artifact, _Waiter(due=self._next_due(news, now), news=news))

    def _next_due(self, news: News, now: float) -> float:
        pause_s = news.polling.pause_s(now - news.since, usual_s=self.usual_s)
        return min(now + pause_s, max(now, news.until))

    async def _wait(self, artifact: ArtifactId, waiter: _Waiter) -> RuntimeArtifact | None:
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
            if not self._is_fixed or waiter.due <= started + _SOON_S
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
                    waiter.due = max(waiter.due, trio.current_time() + _PAUSE_AFTER_SILENCE_S)
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
        now = trio.current_time()
        for artifact, waiter in waiters.items():
            waiter.seen = found.seen.get(artifact)
            waiter.error = error or found.refused.get(artifact)
            news = waiter.news
            if news is not None and waiter.error is None and now < news.tell_from and waiter.seen == news.known:
                waiter.due = self._next_due(news, now)
                continue
            waiter.looked.set()
            if self._waiters.get(artifact) is waiter:
                del self._waiters[artifact]

    async def _read(self, artifacts: tuple[ArtifactId, ...]) -> _Found:
        if len(artifacts) >= _BY_ID_BELOW and not self._is_list_odd:
            started = trio.current_time()
            try:
                self._listed = await self._tenant.list_runtime_artifacts()
            except UnreadableAnswer:
                # Whose row cannot be read is not known: from now on each is asked for by itself.
                self._is_list_odd = True
            else:
                self._listed_at = started
                return _Found(seen=self._listed)
        shown, refused = dict[ArtifactId, RuntimeArtifact](), dict[ArtifactId, RequestFailed]()
        for artifact in artifacts:
            try:
                seen = await self._tenant.read_runtime_artifact(artifact)
            except RequestFailed as error:
                refused[artifact] = error
            else:
                shown.update({} if seen is None else {artifact: seen})
        return _Found(seen=shown, refused=refused)
