"""A fake tenant that gives a time of change for every family, on the same clock as its deployments."""

from __future__ import annotations

from dataclasses import replace

from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.model.tenant import DesigntimeArtifact
from tests.support.fake_tenant import FakeTenant


class TimedTenant(FakeTenant):
    """Moves ``modified_at`` with every write, before it answers; of parameters as ``parameters_move_time`` says."""

    def __init__(self, *, parameters_move_time: bool = True) -> None:
        """Start empty."""
        super().__init__()
        self.parameters_move_time = parameters_move_time

    def have(
        self, artifact: str, *, package: str = "P", version: str = "1.0.0", kind: ArtifactKind | None = None
    ) -> None:
        """Put an artifact into design time; that is a change."""
        super().have(artifact, package=package, version=version, kind=kind)
        self.touch(artifact)

    def touch(self, artifact: str) -> None:
        """Have somebody change an artifact now."""
        self._clock_ms += 1_000
        self.artifacts[artifact] = replace(self.artifacts[artifact], modified_at=self._clock_ms)

    async def create_artifact(
        self, artifact: ArtifactId, kind: ArtifactKind, *, package: PackageId, name: str, archive: bytes
    ) -> DesigntimeArtifact:
        """Create one; the answer has its time."""
        await super().create_artifact(artifact, kind, package=package, name=name, archive=archive)
        return self.artifacts[artifact]

    async def _leave(self, what: str) -> None:
        verb, *rest = what.split()
        if verb in {"create", "update", "save"} or (verb == "write" and self.parameters_move_time):
            self.touch(rest[0])
        await super()._leave(what)
