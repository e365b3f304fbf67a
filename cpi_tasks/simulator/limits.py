"""Request limits a second, per user and per tenant, with somebody else's requests counted against the latter."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from cpi_tasks.simulator.settings import SimulatorSettings

LimitedFamily = Literal["designtime", "runtime"]
_ROUNDING_S = 1e-9


class RateWindow:
    """At most so many requests in any one second; a refused request does not count."""

    def __init__(self, rate: float | None) -> None:
        """Take requests per second; ``None`` never refuses."""
        self._rate = rate
        self._times: deque[float] = deque()

    def has_room(self, now_s: float, *, others: int = 0) -> bool:
        """Whether one more request at this moment is within the limit, which ``others`` already use a part of."""
        if self._rate is None:
            return True
        while self._times and self._times[0] <= now_s - 1 + _ROUNDING_S:
            self._times.popleft()
        return len(self._times) + others < self._rate

    def count(self, now_s: float) -> None:
        """Count a request that was admitted."""
        if self._rate is not None:
            self._times.append(now_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherUsers:
    """Requests per second somebody else sends, evenly, between two moments of tenant time (seconds of the script)."""

    designtime: float = 0.0
    runtime: float = 0.0
    from_s: float = 0.0
    until_s: float = math.inf

    def requests(self, family: LimitedFamily, now_s: float) -> int:
        """Tell how many of their requests fell into the second that ends now."""
        rate = self.designtime if family == "designtime" else self.runtime
        begin, end = max(now_s - 1, self.from_s), min(now_s, self.until_s)
        if end <= begin:
            return 0
        return math.floor((end - self.from_s) * rate + _ROUNDING_S) - math.floor(
            (begin - self.from_s) * rate + _ROUNDING_S
        )

    def problems(self) -> list[str]:
        """List what is wrong with the numbers."""
        found = [
            f"{name} must not be negative"
            for name in ("designtime", "runtime", "from_s", "until_s")
            if not getattr(self, name) >= 0
        ]
        return found if self.until_s > self.from_s else [*found, "until_s must be after from_s"]


@dataclass(slots=True)
class RateLimits:
    """The four windows; users are told apart by name."""

    settings: SimulatorSettings
    _users: dict[tuple[LimitedFamily, str], RateWindow] = field(default_factory=dict)
    _tenant: dict[LimitedFamily, RateWindow] = field(default_factory=dict)

    def admits(self, family: LimitedFamily, user: str, *, now_s: float, others: int) -> bool:
        """Whether a user's request is within both limits; if so it counts against both.

        ``others`` requests of other users were sent within the last second.
        """
        is_designtime = family == "designtime"
        settings = self.settings
        user_rate = settings.designtime_rate if is_designtime else settings.runtime_rate
        tenant_rate = settings.designtime_tenant_rate if is_designtime else settings.runtime_tenant_rate
        own = self._users.setdefault((family, user), RateWindow(user_rate))
        shared = self._tenant.setdefault(family, RateWindow(tenant_rate))
        if not own.has_room(now_s) or not shared.has_room(now_s, others=others):
            return False
        own.count(now_s)
        shared.count(now_s)
        return True
