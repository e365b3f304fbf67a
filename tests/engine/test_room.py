"""Room for uploads: bounded in number and bytes, first come first served, and closed when nothing new may begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from cpi_tasks.engine.room import NotBegun, UploadRoom

MIB = 2**20


@dataclass(slots=True, kw_only=True)
class Uploads:
    """Holds room for uploads of given sizes, each for a second, and notes who is inside."""

    room: UploadRoom
    inside: list[int] = field(default_factory=list)
    seen: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    async def run(self, *sizes: int, gone: int | None = None) -> None:
        """Ask in the order of the sizes; the one with number ``gone`` is cancelled after half a second."""
        async with trio.open_nursery() as nursery:
            for number, size in enumerate(sizes):
                nursery.start_soon(self._upload, size, 0.5 if number == gone else float("inf"))
                await trio.testing.wait_all_tasks_blocked()

    async def _upload(self, size: int, patience_s: float) -> None:
        try:
            with trio.move_on_after(patience_s):
                async with self.room.hold(size):
                    self.inside.append(size)
                    self.seen.append((trio.current_time(), tuple(sorted(self.inside))))
                    try:
                        await trio.sleep(1.0)
                    finally:
                        self.inside.remove(size)
        except NotBegun:
            self.refused.append(size)

    @property
    def ends(self) -> dict[float, tuple[int, ...]]:
        """Who was inside at each moment in the end."""
        return dict(self.seen)


def uploads(*, size: int = 10, at_once: int = 3, is_closed: Callable[[], bool] = lambda: False) -> Uploads:
    return Uploads(room=UploadRoom(size=size, at_once=at_once, is_closed=is_closed))


@given(sizes=st.lists(st.integers(0, 25), max_size=20), gone=st.integers(0, 19))
def test_neither_number_nor_bytes_are_exceeded(sizes: list[int], gone: int) -> None:
    """Whatever sizes come and whoever leaves, at most three are inside, and more than ten bytes only alone."""

    async def run() -> None:
        found = uploads()
        await found.run(*sizes, gone=gone)
        assert all(len(inside) <= 3 for _, inside in found.seen)
        assert all(sum(inside) <= 10 or len([size for size in inside if size]) == 1 for _, inside in found.seen)
        assert len(found.seen) >= len(sizes) - 1
        assert not found.inside

    trio.run(run, clock=MockClock(autojump_threshold=0))


async def test_what_fits_goes_side_by_side(autojump_clock: MockClock) -> None:
    """Small ones do not wait for each other; the next goes as soon as one has ended."""
    found = uploads()
    await found.run(5, 3, 2, 1)

    assert found.ends == {0.0: (2, 3, 5), 1.0: (1,)}


async def test_a_huge_one_goes_alone(autojump_clock: MockClock) -> None:
    """One larger than the room waits until it is empty, and is not overtaken for ever by small ones."""
    found = uploads()
    await found.run(5, 40, 1, 2)

    assert found.ends == {0.0: (5,), 1.0: (40,), 2.0: (1, 2)}


async def test_who_leaves_the_queue_makes_way(autojump_clock: MockClock) -> None:
    """When the large one in front is cancelled, the small ones behind it go at once."""
    found = uploads()
    await found.run(5, 40, 1, 2, gone=1)

    assert found.ends == {0.0: (5,), 0.5: (1, 2, 5)}


async def test_a_closed_room_begins_nothing(autojump_clock: MockClock) -> None:
    """Who gets room after the run was told to stop does not begin, and keeps none of it."""
    closed_from = 0.5
    found = uploads(at_once=1, is_closed=lambda: trio.current_time() >= closed_from)
    await found.run(1, 2, 3)

    assert (found.ends, found.refused) == ({0.0: (1,)}, [2, 3])


@pytest.mark.parametrize(("sizes", "expected"), [([1] * 9, 8), ([4 * MIB] * 5, 4), ([40 * MIB, 1], 1)])
async def test_usual_room(autojump_clock: MockClock, sizes: list[int], expected: int) -> None:
    """Eight at once, with 16 MiB in all."""
    found = Uploads(room=UploadRoom())
    await found.run(*sizes)

    assert len(found.ends[0.0]) == expected
