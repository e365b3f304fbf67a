"""How fast a run could be at best, and how slow it would be with one thing after another. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter


def requests_s(count: int, rate: float) -> float:
    """Give the seconds that ``count`` requests take at ``rate`` a second: the first leaves at once."""
    return max(0, count - 1) / rate


def slots_s(packages: Sequence[Sequence[float]], *, per_package: int, overall: int) -> float:
    """Give the seconds below which no order of the deployments gets, whatever depends on what.

    ``packages`` has the durations package by package. Each package and the run have so many slots, and the longest
    deployment is done by one of them; of deployments that are all equally long no slot does a part.
    """
    return max(
        _shared_s([d for package in packages for d in package], overall),
        *(_shared_s(durations, per_package) for durations in packages),
    )


def _shared_s(durations: Sequence[float], slots: int) -> float:
    if not durations:
        return 0.0
    if len(set(durations)) == 1:
        return -(-len(durations) // slots) * durations[0]
    return max(sum(durations) / slots, *durations)


def chain_s(durations: Mapping[str, float], needs: Mapping[str, frozenset[str]]) -> float:
    """Give the seconds of the longest chain of deployments that wait for each other."""
    ends: dict[str, float] = {}
    for name in TopologicalSorter({name: needs.get(name, frozenset()) for name in durations}).static_order():
        ends[name] = durations[name] + max((ends[needed] for needed in needs.get(name, frozenset())), default=0.0)
    return max(ends.values(), default=0.0)


def sequential_s(durations: Sequence[float]) -> float:
    """Give the seconds with one deployment after another, each seen the moment it ends."""
    return sum(durations)
