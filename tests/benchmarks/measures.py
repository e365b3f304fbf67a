"""What a benchmark found out, and whether it is good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of a benchmark, in ``unit``, with the same figure as it could be at best and one thing at a time.

    ``most_ratio`` limits ``measured / bound``, ``most`` limits ``measured``; with neither the figure only informs.
    """

    benchmark: int
    what: str
    unit: str
    measured: float
    bound: float | None = None
    sequential: float | None = None
    most_ratio: float | None = None
    most: float | None = None
    note: str = ""
    pick: Literal["lowest", "middle"] = "lowest"
    """Which of several rounds counts: the middle one where two figures are compared that may both be wrong."""

    @property
    def ratio(self) -> float | None:
        """How many times the lower bound was measured; ``None`` where there is none."""
        return self.measured / self.bound if self.bound else None

    @property
    def holds(self) -> bool | None:
        """Whether the limit holds; ``None`` where there is none."""
        if self.most_ratio is not None:
            return self.ratio is not None and self.ratio <= self.most_ratio
        return None if self.most is None else self.measured <= self.most

    @property
    def limit(self) -> str:
        """The limit in words; empty where there is none."""
        if self.most_ratio is not None:
            return f"≤ {self.most_ratio:.3g} times"
        return "" if self.most is None else f"≤ {self.most:g} {self.unit}"


def best(rounds: Sequence[Sequence[Measure]]) -> list[Measure]:
    """Give each figure of the round that counts for it, the lowest or the middle one; the order is the first's.

    Others use the same machine: what disturbs a round makes it slower, never faster.
    """
    return [_picked([one for measures in rounds for one in measures if one.what == first.what]) for first in rounds[0]]


def _picked(measures: Sequence[Measure]) -> Measure:
    badness = [one.measured if one.ratio is None else one.ratio for one in measures]
    chosen = min(badness) if measures[0].pick == "lowest" else median_low(badness)
    return measures[badness.index(chosen)]
