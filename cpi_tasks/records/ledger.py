"""Deployment records: one line of JSON for each thing noted, the newest line of a kind counts.

Appending is atomic enough to survive a kill at any moment: a line cut short is ignored when the file is read again. The
file is rewritten in short form when it is opened and has grown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from cpi_tasks.model.naming import ArtifactId, ArtifactRef
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.records.folder import StateFolder, told

_LINES_PER_ARTIFACT = 6


class DeploymentRecords:
    """The records of one tenant (the ``Records`` protocol over a file)."""

    def __init__(self, folder: StateFolder, *, tenant: str) -> None:
        """Read the records of ``tenant`` from ``folder``; no file is made before something is noted."""
        self._folder = folder
        self._tenant = tenant
        self._key: bytes | None = None
        self._records: dict[ArtifactId, ArtifactRecord] = {}
        if folder.path.exists():
            with told(folder.path):
                self._load(folder.records_file(tenant))

    def _load(self, file: Path) -> None:
        if not file.exists():
            return
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            read = _parse(line)
            if read is not None:
                artifact, record = read
                self._records[artifact] = record
        if len(lines) > _LINES_PER_ARTIFACT * max(len(self._records), 20):
            compact = file.with_suffix(".tmp")
            compact.touch(mode=0o600)
            compact.write_text("".join(_line(a, r) for a, r in self._records.items()), encoding="utf-8")
            compact.replace(file)

    def get(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what is on record; an empty record where there is nothing."""
        return self._records.get(artifact, ArtifactRecord())

    def note_write(self, artifact: ArtifactId, *, content: str | None) -> None:
        """Note, before it is sent, a write that needs a deployment (``content``: the fingerprint of an upload)."""
        old = self.get(artifact)
        self._note(artifact, replace(old, uploaded=content or old.uploaded, is_pending=True, is_triggered=False))

    def note_trigger(self, artifact: ArtifactId, *, content: str | None, parameters: str | None) -> None:
        """Note that a deployment was accepted, and of which state (digests; ``None`` where not known)."""
        uploaded = self.get(artifact).uploaded
        triggered = ArtifactRecord(
            uploaded=uploaded, is_pending=True, is_triggered=True, content=content, parameters=parameters
        )
        self._note(artifact, triggered)

    def note_running(
        self, artifact: ArtifactId, *, content: str | None, parameters: str | None, deployed_on: int | None
    ) -> None:
        """Note what was seen running; this clears what was pending."""
        old = self.get(artifact)
        seen = ArtifactRecord(uploaded=old.uploaded, content=content, parameters=parameters, deployed_on=deployed_on)
        self._note(artifact, seen)

    def digest(self, parameters: Mapping[str, str]) -> str:
        """Give a keyed digest of parameter values, comparable between runs on this machine only."""
        if self._key is None:
            self._key = self._folder.key()
        text = json.dumps(sorted(parameters.items()))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def keep_backup(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive that is about to be deleted from the tenant; gives the path of the file."""
        return str(self._folder.write_backup(ref, archive))

    def _note(self, artifact: ArtifactId, record: ArtifactRecord) -> None:
        if record == self.get(artifact):
            return
        self._records[artifact] = record
        file = self._folder.records_file(self._tenant)
        with told(self._folder.path):
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, _line(artifact, record).encode())
            finally:
                os.close(descriptor)


def _line(artifact: ArtifactId, record: ArtifactRecord) -> str:
    # The line break comes first as well: a line that a kill cut short must not swallow the next one.
    return "\n" + json.dumps({"artifact": artifact, **asdict(record)}, separators=(",", ":")) + "\n"


def _parse(line: str) -> tuple[ArtifactId, ArtifactRecord] | None:
    try:
        fields = json.loads(line)
        artifact = ArtifactId(str(fields.pop("artifact")))
        return artifact, ArtifactRecord(**fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
