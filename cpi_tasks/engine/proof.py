"""What is deployed, read before the trigger where nothing else could prove later that it runs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import trio

from cpi_tasks.content import read_archive
from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.errors import TenantError
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan
from cpi_tasks.model.tenant import RuntimeArtifact


class Proofs:
    """Reads content and parameters, not known yet, of artifacts without a time of change: for the records.

    Of such an artifact only a record of exactly what was deployed proves to the next run that it need not be deployed
    again, if the tenant gives times of deployments. It is read while others are being deployed, or right before the
    trigger, and not in the inventory: the first deployments do not wait for the content of the last. What somebody
    changes in between makes the next run deploy once more; read after the trigger it would pass for deployed. What the
    tenant refuses leaves no record.
    """

    def __init__(self, context: Context) -> None:
        """Read nothing yet."""
        self._context = context
        self._read: dict[ArtifactRef, trio.Event] = {}

    async def read_ahead(self, artifacts: Iterable[ArtifactPlan]) -> None:
        """Read one after another, in this order, until all are read or nothing new is to be begun."""
        for artifact in artifacts:
            if self._context.brake.is_pulled:
                return
            if artifact.ref not in self._read and artifact.deploy is not None:
                await self.ensure_read(artifact, artifact.deploy.before)

    async def ensure_read(self, artifact: ArtifactPlan, before: RuntimeArtifact | None) -> None:
        """Return once what is needed of an artifact is read; ``before`` is what runs of it."""
        is_read = self._read.get(artifact.ref)
        if is_read is not None:
            await is_read.wait()
            return
        is_read = self._read[artifact.ref] = trio.Event()
        try:
            design = self._context.designs.get(artifact.ref.artifact)
            if design is not None and _is_needed(artifact, design, before):
                with suppress(TenantError):
                    await self._read_one(artifact, design)
        finally:
            is_read.set()

    async def _read_one(self, artifact: ArtifactPlan, design: DesignState) -> None:
        tenant, name, kind = self._context.tenant, artifact.ref.artifact, artifact.kind
        if kind is ArtifactKind.INTEGRATION_FLOW:
            shown = await tenant.read_parameters(name)
            if shown is None:
                return
            design.parameters = {parameter.key: parameter.value for parameter in shown}
        archive = await tenant.download_artifact(name, kind)
        found = await run_heavy(len(archive), lambda: read_archive(archive, artifact=name, kind=kind))
        design.fingerprint = found.digest.fingerprint


def _is_needed(artifact: ArtifactPlan, design: DesignState, before: RuntimeArtifact | None) -> bool:
    # With an update step the content was compared, or is in a read-only package, whose content no tenant shows.
    is_known = artifact.update is not None or design.fingerprint is not None
    gives_times = before is None or before.deployed_on is not None
    return gives_times and not design.is_dated and not is_known
