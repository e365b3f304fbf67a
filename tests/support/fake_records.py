"""Deployment records in memory, for the engine's tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import trio

from cpi_tasks.model.naming import ArtifactId, ArtifactRef
from cpi_tasks.model.records import ArtifactRecord
from tests.support.fake_tenant import FakeTenant
from tests.support.script import Call


@dataclass(slots=True)
class FakeRecords:
    """Implements ``cpi_tasks.model.records.Records`` in memory; what is noted also goes into the tenant's call list."""

    tenant: FakeTenant
    records: dict[str, ArtifactRecord] = field(default_factory=dict)
    backups: dict[str, bytes] = field(default_factory=dict)

    def get(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what is on record."""
        return self.records.get(artifact, ArtifactRecord())

    def note_write(self, artifact: ArtifactId, *, content: str | None) -> None:
        """Note a write."""
        self._log(f"note_write {artifact}")
        old = self.get(artifact)
        self.records[artifact] = replace(old, uploaded=content or old.uploaded, is_pending=True, is_triggered=False)

    def note_trigger(self, artifact: ArtifactId, *, content: str | None, parameters: str | None) -> None:
        """Note a trigger."""
        self._log(f"note_trigger {artifact}")
        uploaded = self.get(artifact).uploaded
        self.records[artifact] = ArtifactRecord(
            uploaded=uploaded, is_pending=True, is_triggered=True, content=content, parameters=parameters
        )

    def note_running(
        self, artifact: ArtifactId, *, content: str | None, parameters: str | None, deployed_on: int | None
    ) -> None:
        """Note what runs."""
        self._log(f"note_running {artifact}")
        uploaded = self.get(artifact).uploaded
        self.records[artifact] = ArtifactRecord(
            uploaded=uploaded, content=content, parameters=parameters, deployed_on=deployed_on
        )

    def digest(self, parameters: Mapping[str, str]) -> str:
        """Give a digest that tests can read."""
        return ",".join(f"{key}={value}" for key, value in sorted(parameters.items()))

    def keep_backup(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive."""
        self._log(f"keep_backup {ref.artifact}")
        self.backups[ref.artifact] = archive
        return f".cpi/backups/{ref.artifact}.zip"

    def _log(self, what: str) -> None:
        self.tenant.calls.append(Call(at=trio.current_time(), what=what))
