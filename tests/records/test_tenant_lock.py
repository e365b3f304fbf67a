"""One run at a time against one tenant on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.errors import Refused
from cpi_tasks.records import tenant_lock


def told(_: str) -> None:
    """Take what is said while waiting."""


async def hold(folder: Path, seconds: float, started: trio.Event) -> None:
    async with tenant_lock(folder, tenant="https://t1", run="first", wait_s=0, note_waiting=told):
        started.set()
        await trio.sleep(seconds)


async def test_a_second_run_is_refused_with_who_holds_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The sentence names run, owner, process and time."""
    started = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold, tmp_path / "locks", 5.0, started)
        await started.wait()
        with pytest.raises(Refused, match=rf"run first of .* \(process {os.getpid()}\), since ") as caught:
            async with tenant_lock(tmp_path / "locks", tenant="https://t1", run="second", wait_s=0, note_waiting=told):
                raise AssertionError
        assert caught.value.exit_code == 5


async def test_a_run_may_wait(tmp_path: Path, autojump_clock: MockClock) -> None:
    """With time to wait it begins when the other has ended, and says so once."""
    started, said = trio.Event(), list[str]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold, tmp_path / "locks", 5.0, started)
        await started.wait()
        begin = trio.current_time()
        async with tenant_lock(tmp_path / "locks", tenant="https://t1", run="b", wait_s=60, note_waiting=said.append):
            assert 5.0 <= trio.current_time() - begin <= 6.0
    assert len(said) == 1


async def test_other_tenants_are_free(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Host and port make the key; what failed or was cancelled holds nothing."""
    locks = tmp_path / "locks"
    async with (
        tenant_lock(locks, tenant="https://t1", run="a", wait_s=0, note_waiting=told),
        tenant_lock(locks, tenant="https://t1:8443", run="b", wait_s=0, note_waiting=told),
    ):
        pass
    with trio.move_on_after(1):
        async with tenant_lock(locks, tenant="https://t1", run="c", wait_s=0, note_waiting=told):
            await trio.sleep_forever()
    async with tenant_lock(locks, tenant="https://t1", run="d", wait_s=0, note_waiting=told):
        assert list(locks.glob("*.json")) != []
    assert list(locks.glob("*.json")) == []


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """The operating system takes the lock back; the note that is left behind does not matter."""
    code = (
        "import sys, trio, pathlib\nfrom cpi_tasks.records import tenant_lock\n"
        "async def main():\n"
        "    async with tenant_lock(pathlib.Path(sys.argv[1]), tenant='https://t1', run='dead', wait_s=0, "
        "note_waiting=print):\n"
        "        print('held', flush=True)\n        await trio.sleep_forever()\n"
        "trio.run(main)\n"
    )
    locks = tmp_path / "locks"
    with subprocess.Popen([sys.executable, "-c", code, str(locks)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert list(locks.glob("*.json")) != []

    async def take() -> None:
        async with tenant_lock(locks, tenant="https://t1", run="next", wait_s=0, note_waiting=told):
            pass

    trio.run(take)
