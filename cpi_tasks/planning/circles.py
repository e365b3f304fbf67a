"""Edges between deployments without circles, in time linear in their number where circles are small. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")
Edges = Mapping[T, frozenset[T]]


def without_circles(first: Edges[T], second: Edges[T]) -> Edges[T]:
    """Give all edges of ``first``, which has no circles, and those of ``second`` that close none; cut in its order.

    Both map what waits to what it waits for.
    """
    nodes = tuple(dict.fromkeys([*first, *second]))
    both = {node: first.get(node, frozenset[T]()) | second.get(node, frozenset[T]()) for node in nodes}
    part_of = {node: number for number, part in enumerate(_components(both)) for node in part}
    found = {node: set(first.get(node, ())) for node in nodes}
    for node in nodes:
        for needed in both[node] - found[node]:
            # Only within one component can an edge close a circle, and components are small.
            if part_of[node] != part_of[needed] or not _reaches(needed, node, found, part_of):
                found[node].add(needed)
    return {node: frozenset(needed) for node, needed in found.items()}


def _reaches(start: T, goal: T, edges: Mapping[T, set[T]], part_of: Mapping[T, int]) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node == goal:
            return True
        new = {other for other in edges.get(node, ()) if part_of[other] == part_of[goal]} - seen
        seen |= new
        waiting += new
    return False


def _components(edges: Edges[T]) -> Iterator[Iterable[T]]:
    """Give the strongly connected components (Tarjan's algorithm, without recursion)."""
    index: dict[T, int] = {}
    low: dict[T, int] = {}
    stack: list[T] = []
    on_stack: set[T] = set()
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, others = work[-1]
            other = next(others, None)
            if other is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    yield _popped(stack, on_stack, node)
            elif other not in index:
                index[other] = low[other] = len(index)
                stack.append(other)
                on_stack.add(other)
                work.append((other, iter(edges.get(other, ()))))
            elif other in on_stack:
                low[node] = min(low[node], index[other])


def _popped(stack: list[T], on_stack: set[T], last: T) -> Iterable[T]:
    """Take a whole component off the stack: everything down to ``last``."""
    part = [stack.pop()]
    while part[-1] != last:
        part.append(stack.pop())
    on_stack.difference_update(part)
    return part
