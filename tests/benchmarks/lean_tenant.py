"""A tenant that costs next to nothing, so that the engine's own cost is what is measured."""

# ruff: noqa: ARG002 - the protocol has arguments that a fake does not need
from __future__ import annotations

from collections import deque
from dataclasses import replace

import trio

from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId, TaskId
from cpi_tasks.model.tenant import DesigntimeArtifact, RuntimeArtifact
from tests.support.fake_tenant import FakeTenant
from tests.support.script import Call

_LATENCY_S = 0.02
_SHARE = 3


class _Forgetting(list[Call]):
    """A list of calls that keeps none."""

    def append(self, _: Call, /) -> None:
        """Keep nothing."""


class LeanTenant(FakeTenant):
    """Deploys everything in the same time; what a call costs does not depend on how much there is.

    But for the list of what runs, which has a row for each artifact, as a real tenant's.
    """

    def __init__(self, *, deploy_s: float) -> None:
        """Begin empty; deployments take ``deploy_s``, of which a third shows nothing."""
        super().__init__()
        self.calls = _Forgetting()
        self.looks = 0
        self._deploy_s = deploy_s
        self._rows: dict[ArtifactId, RuntimeArtifact] = {}
        self._appearing: deque[tuple[float, RuntimeArtifact]] = deque()
        self._starting: deque[tuple[float, RuntimeArtifact]] = deque()
        self._listed: dict[PackageId, list[DesigntimeArtifact]] = {}

    def hold(self, artifact: DesigntimeArtifact) -> None:
        """Put an artifact into design time."""
        self.artifacts[artifact.id] = artifact
        self._listed.setdefault(artifact.package, []).append(artifact)

    async def list_artifacts(self, package: PackageId, kind: ArtifactKind) -> tuple[DesigntimeArtifact, ...]:
        """List a package; all of it is of one family."""
        await trio.sleep(_LATENCY_S)
        return tuple(self._listed.get(package, ()))

    async def trigger_deployment(self, artifact: ArtifactId, kind: ArtifactKind) -> TaskId | None:
        """Accept a deployment; flows get no task."""
        await trio.sleep(_LATENCY_S)
        now = trio.current_time()
        new = self._runtime(artifact, self.artifacts[artifact].version, "STARTING")
        self._appearing.append((now + self._deploy_s / _SHARE, new))
        self._starting.append((now + self._deploy_s, replace(new, status="STARTED")))
        return None

    async def list_runtime_artifacts(self) -> dict[ArtifactId, RuntimeArtifact]:
        """List everything."""
        await trio.sleep(_LATENCY_S)
        self.looks += 1
        self._move_on()
        return dict(self._rows)

    async def read_runtime_artifact(self, artifact: ArtifactId) -> RuntimeArtifact | None:
        """Read one."""
        await trio.sleep(_LATENCY_S)
        self._move_on()
        return self._rows.get(artifact)

    def _move_on(self) -> None:
        now = trio.current_time()
        for waiting in (self._appearing, self._starting):
            while waiting and waiting[0][0] <= now:
                _, row = waiting.popleft()
                self._rows[row.id] = row

    async def _arrive(self, what: str) -> None:
        await trio.sleep(_LATENCY_S)

    async def _leave(self, what: str) -> None:
        await trio.lowlevel.checkpoint()
