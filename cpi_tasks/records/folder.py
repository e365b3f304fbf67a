"""The ``.cpi/`` folder of a project: made when first needed, private, and never part of a commit."""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import Path

from cpi_tasks.model.naming import ArtifactRef

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_name(text: str) -> str:
    """Give a file name for any text: readable, without separators, distinct for texts that were made alike."""
    cleaned = _UNSAFE.sub("_", text).lstrip(".")[:80]
    return cleaned if cleaned == text else f"{cleaned}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


class StateFolder:
    """Paths below ``<root>/.cpi``; folders appear with the first write and are readable by their owner only."""

    def __init__(self, root: Path, *, run: str) -> None:
        """Remember the project root and the name of this run; nothing is written yet."""
        self.path = root / ".cpi"
        self._run = run

    def ensure(self, *parts: str) -> Path:
        """Make ``.cpi`` (0700, with a ``.gitignore`` of ``*``) and a folder below it, and return that folder."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        folder = self.path.joinpath(*parts)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def records_file(self, tenant: str) -> Path:
        """Give the file for one tenant's records; ``tenant`` is its address or another text that identifies it."""
        return self.ensure("records") / f"{safe_name(tenant)}.jsonl"

    def key(self) -> bytes:
        """Give the secret key of this folder's digests, made with the first use."""
        file = self.ensure() / "key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(32), encoding="ascii")
        return bytes.fromhex(file.read_text(encoding="ascii"))

    def upload_folder(self) -> Path:
        """Where this run keeps what it would upload, unpacked."""
        return self.path / "runs" / self._run / "upload"

    def write_backup(self, ref: ArtifactRef, archive: bytes) -> Path:
        """Keep an archive of this run's backup folder and return its path."""
        folder = self.ensure("runs", self._run, "backup", safe_name(ref.package))
        file = folder / f"{safe_name(ref.artifact)}.zip"
        file.touch(mode=0o600)
        file.write_bytes(archive)
        return file
