"""Design time as it stands right before a trigger: what is deployed is what the tenant shows then.

A tenant may move on by itself after a write (a created message mapping is answered with 1.0.0 and is 1.0.1 a moment
later, mcp-cpi), and a person may save something while the artifact waits for its turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import trio

from cpi_tasks.engine.context import Context
from cpi_tasks.errors import RequestFailed
from cpi_tasks.model.naming import ArtifactKind, PackageId
from cpi_tasks.model.plan import ArtifactPlan
from cpi_tasks.model.records import NOT_KNOWN
from cpi_tasks.model.report import Status
from cpi_tasks.model.tenant import DesigntimeArtifact

_CURRENT_S = 60.0


class CurrentDesigns:
    """Refreshes the design-time state of artifacts, with one list request for all of a package and kind.

    What was read less than a minute ago, and not written since, is not read again. A change after that is noticed all
    the same: by the version that runs in the end, and by the next run, because what is recorded with a deployment is
    the time of change that was read.
    """

    def __init__(self, context: Context, deployed: Iterable[ArtifactPlan]) -> None:
        """Read nothing yet; ``deployed`` are all artifacts that this run may deploy."""
        self._context = context
        self._deployed = {artifact.ref.artifact: artifact for artifact in deployed}
        self._locks: defaultdict[tuple[PackageId, ArtifactKind], trio.Lock] = defaultdict(trio.Lock)
        self._unlisted: set[tuple[PackageId, ArtifactKind]] = set()

    async def refresh(self, artifact: ArtifactPlan, *, within_s: float = _CURRENT_S) -> None:
        """Return once the state of ``artifact`` was read in the last seconds, or the tenant refused to show it.

        Raises ``AuthenticationError`` and ``TenantUnavailable``.
        """
        since = trio.current_time() - within_s
        if not self._is_read_since(artifact, since):
            async with self._locks[artifact.ref.package, artifact.kind]:
                if not self._is_read_since(artifact, since):
                    await self._read(artifact)

    def _is_read_since(self, artifact: ArtifactPlan, moment: float) -> bool:
        design = self._context.designs.get(artifact.ref.artifact)
        return design is None or design.read_at >= moment

    async def _read(self, artifact: ArtifactPlan) -> None:
        read_at = trio.current_time()
        rows = await self._list(artifact)
        for row in rows:
            self._take(row, read_at)
        design = self._context.designs[artifact.ref.artifact]
        if design.read_at < read_at:
            design.modified_at, design.read_at = NOT_KNOWN, read_at

    async def _list(self, artifact: ArtifactPlan) -> Iterable[DesigntimeArtifact]:
        """Return the rows of a family, or the artifact's own where the tenant does not list it or a row is odd."""
        tenant, family = self._context.tenant, (artifact.ref.package, artifact.kind)
        if family not in self._unlisted:
            try:
                return await tenant.list_artifacts(*family)
            except RequestFailed:
                self._unlisted.add(family)
        try:
            found = await tenant.read_artifact(artifact.ref.artifact, artifact.kind)
        except RequestFailed:
            return ()
        return () if found is None else (found,)

    def _take(self, row: DesigntimeArtifact, read_at: float) -> None:
        design, artifact = self._context.designs.get(row.id), self._deployed.get(row.id)
        if design is None or artifact is None:
            return
        version = None if row.is_draft else row.version
        if version != design.version:
            if row.modified_at != design.modified_at:
                # Whether the content is the same is not known; the time of change stands for it from now on.
                design.fingerprint = None
            self._note_moved(artifact, design.version, row)
            design.version = version
        design.modified_at, design.read_at = row.modified_at, read_at

    def _note_moved(self, artifact: ArtifactPlan, known: str | None, row: DesigntimeArtifact) -> None:
        """Report another version than the known one, and take it for the one that this run leaves behind."""
        context, ref = self._context, artifact.ref
        if known is not None:
            context.ledger.note_moved(ref, known, "an unsaved draft" if row.is_draft else row.version)
        update, baseline = context.ledger.updates.get(ref), context.records.baseline(ref.artifact)
        is_ours = update is not None and update.status is Status.DONE
        if is_ours and baseline is not None:
            context.records.note_settled(ref.artifact, replace(baseline, version=None if row.is_draft else row.version))
