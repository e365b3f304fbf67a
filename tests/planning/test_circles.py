"""Edges without circles: what must be kept is kept, what may be cut is cut only where it closes a circle."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpi_tasks.planning.circles import without_circles

Graph = dict[int, frozenset[int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, Graph]:
    """Give a graph without circles and any other one over some of the same nodes, both in any order."""
    size = draw(st.integers(1, 12))
    nodes = draw(st.permutations(range(size)))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    first = {nodes[max(pair)]: set[int]() for pair in draw(st.lists(pairs))}
    for one, other in draw(st.lists(pairs)):
        if one != other:
            first.setdefault(nodes[max(one, other)], set()).add(nodes[min(one, other)])
    second: dict[int, set[int]] = {}
    for one, other in draw(st.lists(pairs, max_size=40)):
        second.setdefault(one, set()).add(other)
    return frozen(first), frozen(second)


def frozen(graph: Mapping[int, set[int]]) -> Graph:
    return {node: frozenset(needed) for node, needed in graph.items()}


def edges_of(graph: Mapping[int, frozenset[int]]) -> set[tuple[int, int]]:
    return {(node, needed) for node, others in graph.items() for needed in others}


def reachable(graph: Mapping[int, frozenset[int]], start: int) -> set[int]:
    seen, waiting = {start}, [start]
    while waiting:
        new = graph.get(waiting.pop(), frozenset()) - seen
        seen |= new
        waiting += new
    return seen


@given(graphs())
def test_what_is_left_has_no_circle(given_graphs: tuple[Graph, Graph]) -> None:
    """Whatever is wanted softly, the result can be put into an order, which ``prepare`` proves by not raising."""
    TopologicalSorter(without_circles(*given_graphs)).prepare()


@given(graphs())
def test_what_must_be_is_kept_and_nothing_is_added(given_graphs: tuple[Graph, Graph]) -> None:
    """Every edge of the first graph is in the result, and every edge there comes from one of the two."""
    first, second = given_graphs
    found = edges_of(without_circles(first, second))

    assert edges_of(first) <= found <= edges_of(first) | edges_of(second)


@given(graphs())
def test_only_what_closes_a_circle_is_cut(given_graphs: tuple[Graph, Graph]) -> None:
    """For each edge that was cut, the result has a way back: with it there would be a circle."""
    first, second = given_graphs
    result = without_circles(first, second)

    assert all(node in reachable(result, needed) for node, needed in edges_of(second) - edges_of(result))


def test_the_first_in_order_keeps_its_edge() -> None:
    """Of two that want each other the one that comes first waits, run after run; the rest of the circle stays."""
    assert without_circles({}, {"A": frozenset("B"), "B": frozenset("A")}) == {"A": frozenset("B"), "B": frozenset()}
    assert without_circles({}, {"B": frozenset("A"), "A": frozenset("B")}) == {"B": frozenset("A"), "A": frozenset()}


def test_an_edge_that_must_be_goes_before_an_earlier_one_that_may() -> None:
    """A wish that stands against a need is cut, wherever it comes in the order."""
    first, second = {"B": frozenset("A")}, {"A": frozenset("B")}

    assert without_circles(first, second) == {"A": frozenset(), "B": frozenset("A")}
    assert without_circles({"A": frozenset[str]()} | first, second) == {"A": frozenset(), "B": frozenset("A")}


def test_nothing_waits_for_itself() -> None:
    """The shortest circle is one too."""
    assert without_circles({}, {"A": frozenset("AB")}) == {"A": frozenset("B")}


@dataclass(frozen=True, slots=True)
class Counted:
    """A node that counts how often it is looked up or compared."""

    number: int
    uses: ClassVar[list[int]] = [0]

    def __hash__(self) -> int:
        """Count."""
        self.uses[0] += 1
        return self.number

    def __eq__(self, other: object) -> bool:
        """Count."""
        self.uses[0] += 1
        return isinstance(other, Counted) and other.number == self.number


def cost(length: int, *, in_pairs: bool, is_soft: bool) -> int:
    """Give the work for a chain; ``in_pairs``: every second node and the one before it want each other."""
    nodes = [Counted(number) for number in range(length)]
    chain = {node: {after} for node, after in itertools.pairwise(nodes)}
    if in_pairs:
        for node, after in zip(nodes[::2], nodes[1::2], strict=True):
            chain.setdefault(after, set()).add(node)
    edges = {node: frozenset(needed) for node, needed in chain.items()}
    Counted.uses[0] = 0
    result = without_circles({}, edges) if is_soft else without_circles(edges, {})
    assert sum(map(len, result.values())) == length - 1
    return Counted.uses[0]


@pytest.mark.parametrize(("in_pairs", "is_soft"), [(False, False), (False, True), (True, True)])
def test_the_work_is_linear(*, in_pairs: bool, is_soft: bool) -> None:
    """A chain of 20,000 costs no more than about twice one of 10,000, also where it is full of small circles."""
    assert cost(20_000, in_pairs=in_pairs, is_soft=is_soft) <= 2.1 * cost(10_000, in_pairs=in_pairs, is_soft=is_soft)
