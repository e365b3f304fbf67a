"""What a benchmark found out, and whether it is good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


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
    """Give each figure as the round measured it in which it was lowest against its bound; the order is the first's.

    Others use the same machine: what disturbs a round makes it slower, never faster.
    """
    found = {measure.what: measure for measure in rounds[0]}
    for measures in rounds[1:]:
        for measure in measures:
            found[measure.what] = min(found[measure.what], measure, key=_badness)
    if len(rounds) == 1:
        return list(found.values())
    return [replace(one, note=f"best of {len(rounds)}{'; ' if one.note else ''}{one.note}") for one in found.values()]


def _badness(measure: Measure) -> float:
    return measure.measured if measure.ratio is None else measure.ratio
