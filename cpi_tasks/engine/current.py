"""Design time as it stands right before a trigger: what is deployed is what the tenant shows then.

A tenant may move on by itself after a write (a created message mapping is answered with 1.0.0 and is 1.0.1 a moment
later, mcp-cpi), and a person may save something while the artifact waits for its turn.
"""

from __future__ import annotations

from collections import defaultdict

import trio

from cpi_tasks.content import read_archive
from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.errors import RequestFailed, TenantUnavailable
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import ArtifactPlan
from cpi_tasks.model.tenant import DesigntimeArtifact

_CURRENT_S = 60.0


class CurrentDesigns:
    """Refreshes the design-time state of artifacts, with one list request for all of a package and kind.

    What was read less than a minute ago, and not written since, is not read again.
    """

    def __init__(self, context: Context) -> None:
        """Read nothing yet."""
        self._context = context
        self._locks: defaultdict[tuple[PackageId, ArtifactKind], trio.Lock] = defaultdict(trio.Lock)

    async def refresh(self, artifact: ArtifactPlan, *, within_s: float = _CURRENT_S) -> None:
        """Return once the state of ``artifact`` was read in the last seconds; a refused list leaves it as it is.

        Raises ``AuthenticationError`` and ``TenantUnavailable``.
        """
        package, kind = artifact.ref.package, artifact.kind
        since = trio.current_time() - within_s
        if self._is_read_since(artifact, since):
            return
        async with self._locks[package, kind]:
            if self._is_read_since(artifact, since):
                return
            read_at = trio.current_time()
            try:
                rows = await self._context.tenant.list_artifacts(package, kind)
            except RequestFailed:
                return
            for row in rows:
                await self._take(row, read_at)

    def _is_read_since(self, artifact: ArtifactPlan, moment: float) -> bool:
        design = self._context.designs.get(artifact.ref.artifact)
        return design is not None and design.read_at >= moment

    async def _take(self, row: DesigntimeArtifact, read_at: float) -> None:
        design = self._context.designs.get(row.id)
        if design is None:
            return
        version = None if row.is_draft else row.version
        if version != design.version:
            await self._move_on(row, design)
            design.version = version
        design.modified_at, design.read_at = row.modified_at, read_at

    async def _move_on(self, row: DesigntimeArtifact, design: DesignState) -> None:
        """Report that the version is another one, and whether the content is; raises as ``refresh``."""
        was, design.fingerprint = design.fingerprint, await self._fingerprint(row, design)
        is_same = was is not None and was == design.fingerprint
        shown = "an unsaved draft" if row.is_draft else f"version {row.version}"
        who = f" by {row.modified_by}" if row.modified_by and not is_same else ""
        what = "the content is the same" if is_same else f"it was changed{who} during this run"
        known = "a draft" if design.version is None else f"version {design.version}"
        ref = ArtifactRef(package=row.package, artifact=row.id)
        self._context.ledger.warnings.append(f"{ref}: the tenant moved on from {known} to {shown}; {what}")

    async def _fingerprint(self, row: DesigntimeArtifact, design: DesignState) -> str | None:
        if design.fingerprint is None:
            return None
        try:
            archive = await self._context.tenant.download_artifact(row.id, row.kind)
        except RequestFailed:
            return None
        try:
            found = await run_heavy(len(archive), lambda: read_archive(archive, artifact=row.id, kind=row.kind))
        except TenantUnavailable:
            return None
        return found.digest.fingerprint
