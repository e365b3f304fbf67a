"""One program at a time on a state file: a lock of the operating system, which ends with the program that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cpi_tasks.errors import SimulatorError

Stamp = tuple[int, int, int] | None
"""Which file stands under a path: every change gives another one; ``None`` where there is no file."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a state file by a lock on ``<file>.lock`` beside it, which stays there.

    ``SimulatorError`` where another program holds it, or the lock cannot be taken.
    """
    try:
        # Whatever name a program uses for the file, it meets the others at the same lock.
        real = path.resolve()
        real.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(real.with_name(f"{real.name}.lock"), thread_local=False)
        lock.acquire(blocking=False)
    except Timeout:
        raise SimulatorError(
            f"the embedded tenant in '{path}' is in use by another program, such as a run of the same environment or "
            "the task simulator with --state; wait until that one has ended, or choose another state file"
        ) from None
    except OSError as error:
        raise SimulatorError(
            f"could not lock the embedded tenant's file '{path}': {error.strerror or type(error).__name__}; "
            "make the folder writable or choose another file"
        ) from error
    try:
        yield
    finally:
        lock.release()


def stamp_of(path: Path) -> Stamp:
    """Tell the file under a path from what stood there before."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
