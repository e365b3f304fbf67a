"""What outlives a run, in memory, for the engine's tests: records, cache and backups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import trio

from cpi_tasks.engine import Memory
from cpi_tasks.model.naming import ArtifactId, ArtifactRef, PackageId
from cpi_tasks.model.records import ArtifactRecord, Baseline, Known
from cpi_tasks.model.tenant import DesigntimeArtifact, IntegrationPackage
from tests.support.fake_tenant import FakeTenant
from tests.support.script import Call


@dataclass(slots=True)
class FakeRecords:
    """Implements ``cpi_tasks.model.records.Records`` in memory; what is noted also goes into the tenant's call list."""

    tenant: FakeTenant
    records: dict[str, ArtifactRecord] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    packages: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def get(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what is on record."""
        return self.records.get(artifact, ArtifactRecord())

    def note_write(self, artifact: ArtifactId, *, content: str | None) -> None:
        """Note a write."""
        self._log(f"note_write {artifact}")
        old = self.get(artifact)
        self.records[artifact] = replace(old, uploaded=content or old.uploaded, is_pending=True, is_triggered=False)

    def note_trigger(
        self,
        artifact: ArtifactId,
        *,
        content: str | None,
        parameters: str | None,
        modified_at: int | None = None,
        under_way: int = 0,
        ran_before: int | None = None,
    ) -> None:
        """Note a trigger."""
        self._log(f"note_trigger {artifact}")
        uploaded = self.get(artifact).uploaded
        self.records[artifact] = ArtifactRecord(
            uploaded=uploaded,
            is_pending=True,
            is_triggered=True,
            content=content,
            parameters=parameters,
            modified_at=modified_at,
            unseen=under_way + 1,
            ran_before=ran_before,
        )

    def note_unseen(self, artifact: ArtifactId, *, unseen: int, ran_before: int | None) -> None:
        """Note what may be under way."""
        self.records[artifact] = replace(self.get(artifact), unseen=unseen, ran_before=ran_before if unseen else None)

    def note_failed(self, artifact: ArtifactId, *, under_way: int, ran_before: int | None) -> None:
        """Note a failure."""
        self._log(f"note_failed {artifact}")
        self.records[artifact] = replace(
            self.get(artifact), is_triggered=False, unseen=under_way, ran_before=ran_before if under_way else None
        )

    def note_running(
        self,
        artifact: ArtifactId,
        *,
        content: str | None,
        parameters: str | None,
        deployed_on: int | None,
        modified_at: int | None = None,
        took_s: float | None = None,
    ) -> None:
        """Note what runs."""
        self._log(f"note_running {artifact}")
        uploaded = self.get(artifact).uploaded
        self.records[artifact] = ArtifactRecord(
            uploaded=uploaded,
            content=content,
            parameters=parameters,
            deployed_on=deployed_on,
            modified_at=modified_at,
            took_s=took_s,
        )

    def digest(self, parameters: Mapping[str, str]) -> str:
        """Give a digest that tests can read."""
        return ",".join(f"{key}={value}" for key, value in sorted(parameters.items()))

    def digest_each(self, parameters: Mapping[str, str]) -> Mapping[str, str]:
        """Give digests that tests can read."""
        return {key: f"{key}={value}" for key, value in parameters.items()}

    def baseline(self, artifact: ArtifactId) -> Baseline | None:
        """Give how the last run left an artifact."""
        return self.baselines.get(artifact)

    def note_settled(self, artifact: ArtifactId, baseline: Baseline) -> None:
        """Note how a run leaves an artifact."""
        self.baselines[artifact] = baseline

    def own_names(self) -> frozenset[str]:
        """Name nobody."""
        return frozenset()

    def note_author(self, name: str, *, is_certain: bool) -> None:
        """Note nothing."""

    def package_baseline(self, package: PackageId) -> Mapping[str, str] | None:
        """Give how the last run left a package's metadata."""
        return self.packages.get(package)

    def note_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Note how a run leaves a package's metadata."""
        self.packages[package] = self.digest_each(metadata)

    def _log(self, what: str) -> None:
        self.tenant.calls.append(Call(at=trio.current_time(), what=what))


@dataclass(slots=True)
class FakeCache:
    """Implements ``cpi_tasks.model.records.Cache`` in memory."""

    known: dict[str, Known] = field(default_factory=dict)
    saves: int = 0

    def find(self, design: DesigntimeArtifact) -> Known | None:
        """Give what is known in exactly this state."""
        known = self.known.get(design.id)
        is_same = known is not None and (known.version, known.modified_at) == (design.version, design.modified_at)
        return known if is_same and not design.is_draft else None

    def keep(self, design: DesigntimeArtifact, known: Known) -> None:
        """Keep what was read."""
        if (known.version, known.modified_at) == (design.version, design.modified_at) and not design.is_draft:
            self.known[design.id] = known

    def forget(self, artifact: ArtifactId) -> None:
        """Know nothing any more."""
        self.known.pop(artifact, None)

    def save(self) -> None:
        """Count."""
        self.saves += 1


@dataclass(slots=True)
class FakeBackups:
    """Implements ``cpi_tasks.model.records.Backups`` in memory; what is kept also goes into the tenant's call list."""

    tenant: FakeTenant
    archives: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, tuple[str, Mapping[str, str] | None]] = field(default_factory=dict)
    packages: dict[str, IntegrationPackage] = field(default_factory=dict)

    def keep_archive(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive."""
        self.tenant.calls.append(Call(at=trio.current_time(), what=f"keep_archive {ref.artifact}"))
        self.archives.setdefault(ref.artifact, archive)
        return self.archive(ref)

    def archive(self, ref: ArtifactRef) -> str:
        """Give the path of what was kept."""
        return f".cpi/backups/{ref.artifact}.zip" if ref.artifact in self.archives else ""

    def keep_state(self, design: DesigntimeArtifact, ref: ArtifactRef, parameters: Mapping[str, str] | None) -> str:
        """Keep version and parameters."""
        self.states[ref.artifact] = (design.version, parameters)
        return f"backup/{ref.artifact}.json"

    def keep_package(self, package: IntegrationPackage) -> str:
        """Keep a package's metadata."""
        self.packages[package.id] = package
        return f"backup/{package.id}.json"

    def drop(self, ref: ArtifactRef) -> None:
        """Delete what was kept."""
        self.archives.pop(ref.artifact, None)


@dataclass(slots=True)
class FakeMemory:
    """Records, cache and backups of one test."""

    records: FakeRecords
    cache: FakeCache
    backups: FakeBackups

    @classmethod
    def of(cls, tenant: FakeTenant) -> FakeMemory:
        """Begin with nothing."""
        return cls(FakeRecords(tenant), FakeCache(), FakeBackups(tenant))

    @property
    def memory(self) -> Memory:
        """Give all three as the engine takes them."""
        return Memory(records=self.records, cache=self.cache, backups=self.backups)
