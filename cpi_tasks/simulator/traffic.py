"""Requests as people see them: the latest ones, and how many there were."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request that has been answered; ``target`` is printable text, ``status`` 0 where the connection was cut."""

    time_ms: float
    method: str
    target: str
    status: int
    duration_s: float
    fault: str = ""
    in_batch: bool = False
    """Whether it came inside of a batch; its time is that of the batch, and it has no duration of its own."""


@dataclass(slots=True, kw_only=True)
class Traffic:
    """The latest requests, newest first, and how many there were: in all, in the last second, at once, at most."""

    latest: deque[SeenRequest] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    total: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    peak_per_second: int = 0
    _arrivals: deque[float] = field(default_factory=deque)

    def arrived(self, now_s: float) -> None:
        """Count a request that has just come in."""
        self.total += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        self._arrivals.append(now_s)
        self.peak_per_second = max(self.peak_per_second, self.per_second(now_s))

    def answered(self, request: SeenRequest) -> None:
        """Keep a request that is over."""
        self.in_flight -= 1
        self.latest.appendleft(request)

    def came_in_a_batch(self, request: SeenRequest, now_s: float) -> None:
        """Count and keep a request from the inside of a batch, which is in flight itself."""
        self.total += 1
        self._arrivals.append(now_s)
        self.peak_per_second = max(self.peak_per_second, self.per_second(now_s))
        self.latest.appendleft(request)

    def per_second(self, now_s: float) -> int:
        """Tell how many requests came in within the second that ends now."""
        while self._arrivals and self._arrivals[0] <= now_s - 1:
            self._arrivals.popleft()
        return len(self._arrivals)


def printable(text: str) -> str:
    """Replace what would move the cursor or change colours on a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
