"""Packing and reading archives does not hold up the event loop: what takes long happens in a thread."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TypeVar

import pytest
from trio.testing import MockClock

from cpi_tasks import content as content_room
from cpi_tasks.engine import content_writes, details, proof
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.model.plan import UpdateAction
from tests.support.bench import Bench, deployment, package_of, plan_of

KIB = 1024
T = TypeVar("T")


class Places:
    """Notes where work is done: ``True`` for every call on the event loop's own thread."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self.on_loop: list[bool] = []

    def watching(self, work: Callable[..., T]) -> Callable[..., T]:
        """Give the same work, noted each time."""

        def noted(*arguments: object, **named: object) -> T:
            self.on_loop.append(threading.current_thread() is threading.main_thread())
            return work(*arguments, **named)

        return noted


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    """Watch all packing and reading of archives by the engine."""
    found = Places()
    monkeypatch.setattr(content_writes, "build_archive", found.watching(content_room.build_archive))
    for module in (details, proof):
        monkeypatch.setattr(module, "read_archive", found.watching(content_room.read_archive))
    return found


def with_large_jar(archive: bytes) -> bytes:
    """Put half a mebibyte that cannot be compressed into an archive."""
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a") as opened:
        opened.writestr("src/main/resources/lib/large.jar", Random(1).randbytes(512 * KIB))  # noqa: S311 - only bytes
    return buffer.getvalue()


@pytest.mark.parametrize(("size", "is_on_loop"), [(256 * KIB, True), (256 * KIB + 1, False), (40 * KIB * KIB, False)])
@pytest.mark.parametrize("action", [UpdateAction.CREATE, UpdateAction.UPDATE])
async def test_large_content_is_packed_in_a_thread(
    bench: Bench, places: Places, action: UpdateAction, size: int, *, is_on_loop: bool
) -> None:
    """Content of more than 256 KiB is compressed beside the event loop; less is not worth a thread."""
    if action is UpdateAction.UPDATE:
        bench.tenant.have("A")
    content = replace(bench.content("A"), size=size)

    (outcome,) = await bench.updated(bench.update(content, action, deployed=False))

    assert not outcome.status.is_bad
    assert places.on_loop == [is_on_loop]


@pytest.mark.parametrize("is_large", [True, False])
async def test_a_large_download_is_read_in_a_thread(bench: Bench, places: Places, *, is_large: bool) -> None:
    """What is downloaded for comparing is unpacked beside the event loop where it is large."""
    content = bench.content("A")
    bench.have(content)
    if is_large:
        bench.tenant.archives["A"] = with_large_jar(bench.tenant.archives["A"])

    inventory = await bench.read(package_of("P", content.spec), contents=(content,))

    assert list(inventory.downloads) == ["A"]
    assert places.on_loop == [not is_large]


async def test_a_large_proof_is_read_in_a_thread(bench: Bench, places: Places, autojump_clock: MockClock) -> None:
    """What is read for the records during deployments is unpacked there, too."""
    content = bench.content("A")
    bench.have(content)
    bench.tenant.archives["A"] = with_large_jar(bench.tenant.archives["A"])

    inventory = replace(bench.inventory(), fingerprints={})
    await bench.carry_out(plan_of(deployment("A"), updates=False), inventory)

    assert places.on_loop == [False]


async def test_what_fails_in_a_thread_fails_here() -> None:
    """An error of the work is that of whoever waits for it."""

    def fail() -> None:
        raise ValueError("no archive")

    with pytest.raises(ValueError, match="no archive"):
        await run_heavy(KIB * KIB, fail)
