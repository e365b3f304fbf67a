"""What is seen of requests and what may go wrong with them: the request log, planned faults and rate limits."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field


class ConnectionDropped(ConnectionError):
    """Stands in, for callers in the same process, for a connection closed without an answer."""


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """One request as it arrived: decoded path and query, the status answered (0: none), trio time in seconds."""

    method: str
    path: str
    query: str
    time: float
    status: int = 0

    @property
    def target(self) -> str:
        """Path and query, decoded."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def matches(self, method: str, pattern: str) -> bool:
        """Whether the method (``*`` for any) fits and the target begins with the pattern or contains it as a regex."""
        if method not in {"*", self.method}:
            return False
        if self.target.startswith((pattern, f"/api/v1/{pattern}")):
            return True
        try:
            return re.search(pattern, self.target) is not None
        except re.error:
            return False


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that happens instead of an answer, ``times`` times: a status, or a dropped connection (``None``)."""

    method: str
    pattern: str
    times: int
    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after_handling: bool = False
    error: type[Exception] = ConnectionDropped


class FaultPlan:
    """Faults still to come, in the order they were planned."""

    def __init__(self) -> None:
        """Begin with none."""
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        self._faults.append(fault)

    def take(self, record: RequestRecord) -> Fault | None:
        """Give the fault meant for this request, if any; used up after its times."""
        for fault in self._faults:
            if fault.times > 0 and record.matches(fault.method, fault.pattern):
                fault.times -= 1
                return fault
        return None


class RateWindow:
    """At most so many requests in any one second; a refused request does not count."""

    def __init__(self, rate: float | None) -> None:
        """Take requests per second; ``None`` never refuses."""
        self._rate = rate
        self._times: deque[float] = deque()

    def admits(self, now_s: float) -> bool:
        """Whether a request at this moment is within the limit; if so it counts."""
        if self._rate is None:
            return True
        while self._times and self._times[0] <= now_s - 1 + 1e-9:
            self._times.popleft()
        if len(self._times) >= self._rate:
            return False
        self._times.append(now_s)
        return True
