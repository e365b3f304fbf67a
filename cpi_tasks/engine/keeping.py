"""What is kept of an artifact: the state that is overwritten, before the write, and the new one, after it."""

from __future__ import annotations

from dataclasses import replace

from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.details import known_state
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import UpdateStep
from cpi_tasks.model.records import Baseline
from cpi_tasks.model.tenant import DesigntimeArtifact


async def keep_content(ref: ArtifactRef, step: UpdateStep, context: Context) -> str:
    """Keep an artifact's archive, version and parameters before its content is replaced; gives the archive's path.

    The archive is the one downloaded for comparing where there was one, otherwise it is downloaded now, and so are
    values that were not read; empty where there is nothing to overwrite. Raises what the tenant refuses.
    """
    if step.before is None:
        return ""
    backups = context.memory.backups
    if not backups.archive(ref):
        backups.keep_archive(ref, await context.tenant.download_artifact(ref.artifact, step.before.kind))
    design = context.designs.get(ref.artifact)
    if design is not None and design.is_cached:
        await _read_values(ref, design, context)
    keep_state(ref, step, context)
    return backups.archive(ref)


async def _read_values(ref: ArtifactRef, design: DesignState, context: Context) -> None:
    """Read the values that the cache knew to be as wanted: of those only digests are in hand, which restore nothing."""
    shown = await context.tenant.read_parameters(ref.artifact)
    if shown is not None:
        design.parameters = {parameter.key: parameter.value for parameter in shown}


def keep_state(ref: ArtifactRef, step: UpdateStep, context: Context) -> None:
    """Keep an artifact's version and parameter values before some of them are overwritten."""
    if step.before is not None:
        design = context.designs.get(ref.artifact, DesignState())
        context.memory.backups.keep_state(step.before, ref, design.parameters)


def keep_known(ref: ArtifactRef, stored: DesigntimeArtifact, step: UpdateStep, context: Context) -> None:
    """Let the cache know what was just uploaded, if the tenant shows that something was stored.

    That is another time of change than before. A later change of any kind moves it on, and then the content is read
    again: what was written is believed only in the very state that was read back.
    """
    design = context.designs.get(ref.artifact)
    before = None if step.before is None else step.before.modified_at
    if design is None or design.fingerprint is None or stored.modified_at is None or stored.modified_at == before:
        return
    known = known_state(
        stored,
        content=design.fingerprint,
        description=None if step.content is None else step.content.digest.description,
        modified_at=stored.modified_at,
        parameters=None,
    )
    context.memory.cache.keep(stored, known)


def settle(ref: ArtifactRef, context: Context) -> None:
    """Put on record how this run leaves an artifact, so that a later change of it has an author."""
    design = context.designs.get(ref.artifact)
    if design is not None:
        baseline = Baseline(
            content=design.fingerprint,
            version=design.version,
            modified_at=design.modified_at,
            parameters=context.value_digests(design),
        )
        context.records.note_settled(ref.artifact, baseline)


def settle_parameters(ref: ArtifactRef, context: Context) -> None:
    """Record the parameters that an update wrote before it failed; the rest stays as an earlier run left it."""
    design, left = context.designs.get(ref.artifact), context.records.baseline(ref.artifact)
    if design is not None and left is not None:
        context.records.note_settled(ref.artifact, replace(left, parameters=context.value_digests(design)))
