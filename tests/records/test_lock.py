"""The lock of a tenant: one run at a time, whose it is to read, when it is given back, and what stands in its way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from filelock import FileLock
from trio.testing import MockClock

from cpi_tasks.errors import Refused, StateFolderError
from cpi_tasks.records import lock_folder, tenant_lock


def told(_: str) -> None:
    """Take what is said while waiting."""


async def take(folder: Path, run: str = "r1", *, wait_s: float = 0.0, tenant: str = "https://t1") -> None:
    """Take the lock and give it back."""
    async with tenant_lock(folder, tenant=tenant, run=run, wait_s=wait_s, note_waiting=told):
        await trio.lowlevel.checkpoint()


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


async def test_only_its_owner_may_look(tmp_path: Path) -> None:
    """The note names a person and a run: folder and files are private."""
    locks = tmp_path / "state" / "locks"
    async with tenant_lock(locks, tenant="https://t1", run="r1", wait_s=0, note_waiting=told):
        files = list(locks.iterdir())
        assert {file.suffix for file in files} == {".lock", ".json"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(locks.stat().st_mode) == 0o700


async def test_it_is_given_back_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fails holds up nobody."""
    # Nobody may rely on the end of an object, which a traceback can hold up.
    monkeypatch.setattr(FileLock, "__del__", lambda _: None)
    with pytest.raises(StateFolderError):
        async with tenant_lock(tmp_path / "locks", tenant="https://t1", run="r1", wait_s=0, note_waiting=told):
            raise StateFolderError("no space")
    await take(tmp_path / "locks", "r2")


async def test_waiting_ends(tmp_path: Path, autojump_clock: MockClock) -> None:
    """After the seconds that were given, not before, and then it is refused with the holder's name."""
    async with tenant_lock(tmp_path / "locks", tenant="https://t1", run="first", wait_s=0, note_waiting=told):
        with pytest.raises(Refused, match="run first of "):
            await take(tmp_path / "locks", "second", wait_s=10.25)
        assert trio.current_time() == pytest.approx(10.25)


async def test_waiting_can_be_given_up(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A run that is cancelled while it waits takes nothing and leaves the holder's note alone."""
    locks = tmp_path / "locks"
    async with tenant_lock(locks, tenant="https://t1", run="first", wait_s=0, note_waiting=told):
        with trio.move_on_after(3) as waited:
            await take(locks, "second", wait_s=60)
        assert waited.cancelled_caught
        with pytest.raises(Refused, match="run first of "):
            await take(locks, "third")
    await take(locks, "fourth")


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"owner": 1}', b"\xff\xfe", None])
async def test_an_unreadable_note_is_no_obstacle(tmp_path: Path, note: bytes | None) -> None:
    """Where the note is broken or missing the lock still counts, and the sentence says that nobody is known."""
    locks = tmp_path / "locks"
    async with tenant_lock(locks, tenant="https://t1", run="first", wait_s=0, note_waiting=told):
        (info,) = locks.glob("*.json")
        info.unlink() if note is None else info.write_bytes(note)
        with pytest.raises(Refused, match="a run that has not said yet whose it is"):
            await take(locks, "second")
    await take(locks, "third")


async def test_the_scheme_makes_no_other_tenant(tmp_path: Path) -> None:
    """Host and port are the key, and an embedded tenant's state file is one, too."""
    locks = tmp_path / "locks"
    async with tenant_lock(locks, tenant="https://t1", run="first", wait_s=0, note_waiting=told):
        with pytest.raises(Refused):
            await take(locks, tenant="http://t1")
        await take(locks, tenant="embedded:/tmp/a/state.db")
        async with tenant_lock(locks, tenant="embedded:/a/b", run="x", wait_s=0, note_waiting=told):
            await take(locks, tenant="embedded:/a_b")


async def test_a_folder_that_takes_no_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network folders know no locks: that is a sentence with a way out, no traceback."""

    def refuse(_: FileLock, *, blocking: bool) -> None:
        raise NotImplementedError(blocking)

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(StateFolderError, match=r"cannot be locked; .* set XDG_STATE_HOME to another folder"):
        await take(tmp_path / "locks")


async def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """The sentence names it."""
    (tmp_path / "locks").touch()
    with pytest.raises(StateFolderError, match=r"locks: .*make it writable, or set XDG_STATE_HOME"):
        await take(tmp_path / "locks")


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All projects of a user share it: they may share a tenant."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert lock_folder() == tmp_path / "cpi-tasks" / "locks"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert lock_folder() == Path.home() / ".local" / "state" / "cpi-tasks" / "locks"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert lock_folder() == Path.home() / ".local" / "state" / "cpi-tasks" / "locks"


def test_a_user_without_a_home_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Path.home raises RuntimeError for a user id without a password entry and without HOME."""

    def refuse() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", refuse)
    assert lock_folder() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes the home folder from USERPROFILE")
@pytest.mark.parametrize("home", ["", "relative", "/", "/dev/null", "/dev/null/below"])
def test_a_home_that_cannot_hold_a_folder_is_none(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    """An empty HOME, the root of the file system, a relative path, and a path that is no folder."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    assert lock_folder() is None
