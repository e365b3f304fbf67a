"""The build task of one deployment: asked where the verdict hangs on it, otherwise now and then."""

from __future__ import annotations

import math

import trio

from cpi_tasks.engine.judge import Expectation, Look, is_candidate, is_fresh
from cpi_tasks.errors import RequestFailed
from cpi_tasks.model.naming import TaskId
from cpi_tasks.model.tenant import Tenant

_FIRST_PAUSE_S = 1.0
_USUAL_REQUEST_S = 1.0


class BuildTask:
    """What is known of a build task.

    Many deployments share one look at the runtime, but not their tasks: asking after every look would cost a request
    for each of them. ``stalled_s`` is how long, in all, the tenant let the questions wait.
    """

    def __init__(self, tenant: Tenant, task: TaskId | None, *, longest_s: float) -> None:
        """Know nothing yet; ``task`` is ``None`` where the tenant gave no id; pauses grow to ``longest_s``."""
        self._tenant = tenant
        self._task = task
        self._longest_s = longest_s
        self._pause_s = min(_FIRST_PAUSE_S, longest_s)
        self._due = trio.current_time() + self._pause_s
        self._status: str | None = None
        self.stalled_s = 0.0

    async def after(self, expected: Expectation, look: Look) -> str | None:
        """Give the status that counts with a look, as last read; raises ``TenantUnavailable``."""
        if is_candidate(expected, look):
            return await self.read()
        if trio.current_time() < self.next_question(expected, look):
            return self._status
        return await self.read()

    def next_question(self, expected: Expectation, look: Look) -> float:
        """Give from when on a look that shows no end is reason to ask, as a moment of trio's clock.

        Infinity where there is nothing to ask: without a task, and once the runtime shows the deployment itself.
        """
        seen = look.seen
        is_starting = seen is not None and seen.status == "STARTING" and is_fresh(expected, look) is True
        return math.inf if self._task is None or is_starting else self._due

    async def read(self) -> str | None:
        """Ask the tenant now; a task it does not show is as good as none. Raises ``TenantUnavailable``."""
        if self._task is None:
            return None
        self._pause_s = min(self._pause_s * 2, self._longest_s)
        started = trio.current_time()
        try:
            self._status = await self._tenant.read_build_status(self._task)
        except RequestFailed:
            self._status = None
        finally:
            self.stalled_s += max(0.0, trio.current_time() - started - _USUAL_REQUEST_S)
            self._due = trio.current_time() + self._pause_s
        return self._status
