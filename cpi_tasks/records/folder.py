"""The ``.cpi/`` folder of a project: made when first needed, private, and never part of a commit."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.records.files import RUN_NEED, make_private, safe_name, told, write_whole

_KEY_BYTES = 32


REPORT_FILE = "report.json"


class StateFolder:
    """Paths below ``<root>/.cpi``; folders appear with the first write and are readable by their owner only."""

    def __init__(self, root: Path, *, run: str, runs: Path | None = None) -> None:
        """Remember the project root, the name of this run and where run folders go; nothing is written yet.

        ``runs`` is ``.cpi/runs`` where it is not given.
        """
        self.path = root / ".cpi"
        self._runs = runs
        self._run = run
        self._key: bytes | None = None

    def ensure(self, *parts: str) -> Path:
        """Make ``.cpi`` (0700, with a ``.gitignore`` of ``*``) and a folder below it, and return that folder.

        This and every other method raises ``StateFolderError`` for what the file system refuses.
        """
        folder = self.path
        with told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            make_private(self.path)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            for part in parts:
                folder /= part
                make_private(folder)
        return folder

    @property
    def run_folder(self) -> Path:
        """The folder of this run, which may not be there yet."""
        return (self.path / "runs" if self._runs is None else self._runs) / self._run

    def ensure_run(self, *parts: str) -> Path:
        """Make the folder of this run and one below it, each 0700, and return that folder."""
        if self._runs is None:
            return self.ensure("runs", self._run, *parts)
        folder = self._runs
        with told(self._runs, RUN_NEED):
            # A folder that somebody made and named is theirs: its mode stays.
            if not folder.is_dir():
                folder.parent.mkdir(parents=True, exist_ok=True)
                make_private(folder)
            for part in (self._run, *parts):
                folder /= part
                make_private(folder)
        return folder

    def records_file(self, tenant: str) -> Path:
        """Give the file for one tenant's records; ``tenant`` is its address or another text that identifies it."""
        return self.path / "records" / f"{safe_name(tenant)}.jsonl"

    def known_key(self) -> bytes | None:
        """Give the secret key of this folder's digests; ``None`` where none was made yet. The same for a whole run."""
        if self._key is None:
            with told(self.path):
                self._key = _read_key(self.path / "key")
        return self._key

    def key(self) -> bytes:
        """Give the secret key of this folder's digests, made with the first use.

        A key that a kill or a hand has cut short is made anew: what was digested with the old one proves nothing then.
        """
        known = self.known_key()
        if known is not None:
            return known
        self.ensure()
        file = self.path / "key"
        with told(self.path):
            write_whole(file, secrets.token_hex(_KEY_BYTES).encode())
            # Another run may have made one at the same time: what is on disk counts.
            self._key = bytes.fromhex(file.read_text(encoding="ascii"))
        return self._key

    @property
    def run(self) -> str:
        """The name of this run."""
        return self._run

    def write_report(self, text: str) -> None:
        """Write the report of this run as it stands, as a whole or not at all; it is on disk when this returns."""
        folder = self.ensure_run()
        with told(self.run_folder, RUN_NEED):
            write_whole(folder / REPORT_FILE, text.encode(), is_synced=True)

    @property
    def upload_folder(self) -> Path:
        """Where this run keeps what it would upload, unpacked."""
        return self.run_folder / "upload"

    def keep_upload(self, ref: ArtifactRef, write: Callable[[Path], None]) -> None:
        """Let ``write`` fill one artifact's folder below ``upload_folder``; no id can lead out of it."""
        folder = self.ensure_run("upload", safe_name(ref.package), safe_name(ref.artifact))
        with told(self.run_folder, RUN_NEED):
            write(folder)


def _read_key(file: Path) -> bytes | None:
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None
