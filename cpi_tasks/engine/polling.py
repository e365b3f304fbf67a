"""How long to pause between looks at one deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import trio

_FIRST_PAUSE_S = 0.25
_SHARE = 0.15
_LEAST_PAUSE_S = 0.25
# Where deployments take a second or two, a quarter of a second for each is time that adds up.
_LEAST_SHARE = 0.05
_PAUSE_WHEN_HELD_S = 1.0


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

    def pause_s(self, elapsed_s: float, *, usual_s: float | None = None) -> float:
        """Give the pause before the next look; ``usual_s`` is what stands in where nothing is expected."""
        if self.is_fixed:
            return self.longest_s
        pause_s = max(_FIRST_PAUSE_S, elapsed_s * _SHARE)
        expected_s = usual_s if self.expected_s is None else self.expected_s
        if expected_s is not None:
            least_s = min(_LEAST_PAUSE_S, expected_s * _LEAST_SHARE)
            pause_s = min(pause_s, max(least_s, abs(expected_s - elapsed_s) / 2))
        return min(pause_s, self.longest_s)

    def when_held_s(self, pause_s: float) -> float:
        """Give the pause where an end is in sight and one more look may be all it takes."""
        return pause_s if self.is_fixed else min(pause_s, _PAUSE_WHEN_HELD_S)

    def pauses(self) -> Iterator[float]:
        """Give pause after pause for ever, by trio's clock, from now on."""
        started = trio.current_time()
        while True:
            yield self.pause_s(trio.current_time() - started)
