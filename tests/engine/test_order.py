"""What is ready when: everything exactly once, and nothing before what it comes after."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cpi_tasks.engine.order import Order
from cpi_tasks.model.naming import ArtifactId, ArtifactRef, PackageId


def ref(name: str) -> ArtifactRef:
    """Name an artifact of a package."""
    return ArtifactRef(package=PackageId("P"), artifact=ArtifactId(name))


A, B, C, D = map(ref, "ABCD")


def test_ready_when_all_it_comes_after_are_settled() -> None:
    """An artifact is given once the last of those it comes after is settled, and not again."""
    order = Order({A: (), B: (), C: (A, B), D: (C,)})

    assert order.ready() == [A, B]
    assert order.settle(B) == []
    assert order.settle(A) == [C]
    assert order.settle(C) == [D]
    assert order.settle(D) == []


def test_what_does_not_take_part_holds_up_nobody() -> None:
    """Coming after an artifact that is no key means coming after nothing."""
    assert Order({A: (B, C)}).ready() == [A]


def test_naming_one_twice_is_naming_it_once() -> None:
    """The same artifact named twice is waited for once."""
    order = Order({A: (), B: (A, A)})

    assert order.settle(A) == [B]


@given(st.lists(st.lists(st.integers(0, 30), max_size=5), max_size=30))
def test_everything_is_ready_once_and_in_order(earlier: list[list[int]]) -> None:
    """Without circles everything becomes ready exactly once, after all it comes after."""
    refs = [ref(f"A{number}") for number in range(len(earlier))]
    after = {refs[number]: [refs[one] for one in found if one < number] for number, found in enumerate(earlier)}
    order = Order(after)

    settled: list[ArtifactRef] = []
    ready = order.ready()
    while ready:
        one = ready.pop()
        assert set(after[one]) <= set(settled)
        settled.append(one)
        ready += order.settle(one)

    assert sorted(settled) == sorted(refs)
