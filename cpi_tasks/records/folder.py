"""The ``.cpi/`` folder of a project: made when first needed, private, and never part of a commit."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from cpi_tasks.errors import StateFolderError
from cpi_tasks.model.naming import ArtifactRef

_KEY_BYTES = 32
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_name(text: str) -> str:
    """Give a file name for any text: readable, without separators, distinct for texts that were made alike."""
    cleaned = _UNSAFE.sub("_", text).lstrip(".")[:80]
    return cleaned if cleaned and cleaned == text else f"{cleaned}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the file system refuses below ``path`` into a ``StateFolderError`` for a person."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StateFolderError(
            f"could not use {error.filename or path}: {why}; {path} keeps what runs have deployed and is needed: "
            "make it writable, free some space, or delete it"
        ) from error


def _make_private(folder: Path) -> None:
    """Make a folder that only its owner may look into, also where somebody else (the demo tenant) made it first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        # A folder that belongs to another user of a shared workspace cannot be changed, and is still usable.
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)


def _read_key(file: Path) -> bytes | None:
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None


class StateFolder:
    """Paths below ``<root>/.cpi``; folders appear with the first write and are readable by their owner only."""

    def __init__(self, root: Path, *, run: str) -> None:
        """Remember the project root and the name of this run; nothing is written yet."""
        self.path = root / ".cpi"
        self._run = run

    def ensure(self, *parts: str) -> Path:
        """Make ``.cpi`` (0700, with a ``.gitignore`` of ``*``) and a folder below it, and return that folder."""
        folder = self.path
        with told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _make_private(self.path)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            for part in parts:
                folder /= part
                _make_private(folder)
        return folder

    def records_file(self, tenant: str) -> Path:
        """Give the file for one tenant's records; ``tenant`` is its address or another text that identifies it."""
        return self.ensure("records") / f"{safe_name(tenant)}.jsonl"

    def key(self) -> bytes:
        """Give the secret key of this folder's digests, made with the first use.

        A key that a kill or a hand has cut short is made anew: what was digested with the old one proves nothing then.
        """
        file = self.ensure() / "key"
        found = _read_key(file)
        if found is not None:
            return found
        new = file.with_suffix(".tmp")
        with told(self.path):
            new.touch(mode=0o600)
            new.write_text(secrets.token_hex(_KEY_BYTES), encoding="ascii")
            new.replace(file)
            return bytes.fromhex(file.read_text(encoding="ascii"))

    @property
    def upload_folder(self) -> Path:
        """Where this run keeps what it would upload, unpacked."""
        return self.path / "runs" / self._run / "upload"

    def keep_upload(self, ref: ArtifactRef, write: Callable[[Path], None]) -> None:
        """Let ``write`` fill one artifact's folder below ``upload_folder``; no id can lead out of it."""
        folder = self.ensure("runs", self._run, "upload", safe_name(ref.package), safe_name(ref.artifact))
        with told(self.path):
            write(folder)

    def write_backup(self, ref: ArtifactRef, archive: bytes) -> Path:
        """Keep an archive of this run's backup folder and return its path."""
        folder = self.ensure("runs", self._run, "backup", safe_name(ref.package))
        file = folder / f"{safe_name(ref.artifact)}.zip"
        with told(self.path):
            file.touch(mode=0o600)
            file.write_bytes(archive)
        return file
