"""One run at a time against one tenant on this machine: an operating-system lock, and a note about who holds it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import trio
from filelock import FileLock, Timeout

from cpi_tasks.errors import Refused, StateFolderError
from cpi_tasks.records.files import make_private, safe_name, told, write_whole

_LOOK_S = 0.5
_NEED = "holds the locks of runs and is needed: make it writable, or set XDG_STATE_HOME to another folder"


def lock_folder() -> Path | None:
    """Return the folder of this user's locks: the same for all projects, because they may share a tenant.

    Return ``None`` where the user has no home folder that can be used, as in a container.
    """
    is_windows = sys.platform == "win32"
    base = Path(os.environ.get("LOCALAPPDATA" if is_windows else "XDG_STATE_HOME", ""))
    # The XDG base directory specification has relative paths ignored.
    if base.is_absolute():
        return base / "cpi-tasks" / "locks"
    try:
        home = Path.home()
        folder = home / ("AppData/Local" if is_windows else ".local/state") / "cpi-tasks" / "locks"
        # With an empty HOME, Python takes the root of the file system.
        if not home.is_absolute() or home == Path(home.anchor):
            return None
        folder.mkdir(parents=True, exist_ok=True)
    except (RuntimeError, OSError):  # neither HOME nor an entry in the password database; or not writable
        return None
    return folder


@asynccontextmanager
async def tenant_lock(
    folder: Path, *, tenant: str, run: str, wait_s: float, note_waiting: Callable[[str], None]
) -> AsyncIterator[None]:
    """Hold the lock of one tenant for the block; another run's makes this one wait for ``wait_s`` seconds.

    ``tenant`` is its address. Raises ``Refused`` with who holds the lock where that is not enough. The operating
    system takes the lock back when a process ends, however it ends; other machines know nothing of it.
    """
    with told(folder, _NEED):
        folder.parent.mkdir(parents=True, exist_ok=True)
        make_private(folder.parent)
        make_private(folder)
    name = safe_name(tenant.rpartition("://")[2])
    info = folder / f"{name}.json"
    lock = FileLock(folder / f"{name}.lock", mode=0o600, thread_local=False)
    deadline = trio.current_time() + wait_s
    is_told = False
    while not _is_taken(lock):
        holder = _holder(info)
        if trio.current_time() >= deadline:
            raise Refused(
                f"another run is at work on this tenant: {holder}; nothing was sent that changes the tenant. Wait for "
                "it to end, or give --lock-wait SECONDS"
            )
        if not is_told:
            note_waiting(f"another run is at work on this tenant: {holder}; waiting for it")
            is_told = True
        await trio.sleep(min(_LOOK_S, max(0.0, deadline - trio.current_time())))
    try:
        with told(folder, _NEED):
            write_whole(info, _info(run))
        yield
    finally:
        with suppress(OSError):
            info.unlink(missing_ok=True)
        lock.release()


def _is_taken(lock: FileLock) -> bool:
    with told(Path(lock.lock_file), _NEED):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        except NotImplementedError as error:  # a file system without locks, as some network folders are
            raise StateFolderError(
                f"files in {Path(lock.lock_file).parent} cannot be locked; the folder {_NEED}"
            ) from error
    return True


def _info(run: str) -> bytes:
    user = os.environ.get("USER") or os.environ.get("USERNAME") or "somebody"
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"owner": user, "process": os.getpid(), "run": run, "since": since}).encode()


def _holder(info: Path) -> str:
    try:
        match json.loads(info.read_text(encoding="utf-8")):
            case {"owner": str(owner), "process": int(process), "run": str(run), "since": str(since)}:
                return f"run {run} of {owner} (process {process}), since {since}"
    except (OSError, ValueError):
        pass
    return "a run that has not said yet whose it is"
