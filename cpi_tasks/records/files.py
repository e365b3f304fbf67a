"""Files below ``.cpi/``: names that cannot lead out, private modes, whole or not at all, failures in a sentence."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cpi_tasks.errors import StateFolderError

STATE_NEED = "keeps what runs have deployed and is needed: make it writable, free some space, or delete it"
RUN_NEED = "is where a run keeps its files: make it writable, free some space, or name another folder with --run-dir"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_name(text: str) -> str:
    """Give a file name for any text: readable, without separators, distinct for texts that were made alike."""
    cleaned = _cleaned(text)
    return cleaned if cleaned and cleaned == text else marked_name(text)


def marked_name(text: str) -> str:
    """Give a file name with a mark of the text, for a text whose plain name is taken."""
    mark = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{_cleaned(text)}-{mark}"


def _cleaned(text: str) -> str:
    return _UNSAFE.sub("_", text).lstrip(".")[:80]


@contextlib.contextmanager
def told(path: Path | str, need: str = STATE_NEED) -> Iterator[None]:
    """Turn what the file system refuses below ``path`` into a ``StateFolderError``; ``need`` says what to do."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StateFolderError(f"could not use {error.filename or path}: {why}; {path} {need}") from error


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may look into, also where somebody else (the demo tenant) made it first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        # A folder that belongs to another user of a shared workspace cannot be changed, and is still usable.
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)


def write_whole(file: Path, data: bytes, *, is_synced: bool = False) -> None:
    """Write a private file under another name and rename it: nobody ever sees a part of it, also after a kill.

    ``is_synced``: it is on disk when this returns.
    """
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            if is_synced:
                opened.flush()
                os.fsync(opened.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def append(file: Path, data: bytes) -> None:
    """Append to a private file, which is made where it is missing; all of ``data`` is written when this returns."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        while data:
            # A disk that is almost full takes a part; the next call then tells that it is full.
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)
