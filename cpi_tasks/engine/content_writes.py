"""Write an artifact's content (create, upload, save a version), then settle its version and parameters.

Every write that needs a deployment is put on record before it is sent, so that a run cut off in between is repaired by
the next one.
"""

from __future__ import annotations

import trio

from cpi_tasks.content import Archive, build_archive
from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.engine.parameters import enforce_after_upload, write_changes
from cpi_tasks.errors import RequestRejected
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef
from cpi_tasks.model.plan import UpdateStep
from cpi_tasks.model.tenant import DesigntimeArtifact
from cpi_tasks.model.version import is_higher, next_patch


async def create(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: trio.CapacityLimiter
) -> str:
    """Create an artifact; gives a phrase with the version it got."""
    async with uploads:
        archive = await build(content)
        context.records.note_write(ref.artifact, content=archive.fingerprint)
        created = await context.tenant.create_artifact(
            ref.artifact, content.spec.kind, package=ref.package, name=content.name, archive=archive.data
        )
    note_upload(ref, archive.fingerprint, content, context)
    version = await settle_new_version(ref, created, wanted=content.version, context=context)
    return f"created {version}{await enforce_after_upload(ref, step, context)}"


async def upload(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: trio.CapacityLimiter
) -> str:
    """Replace an artifact's content in place; what runs is not touched. A draft that goes with it is kept."""
    kept = ""
    async with uploads:
        archive = await build(content)
        if step.before is not None and step.before.is_draft:
            draft = await context.tenant.download_artifact(ref.artifact, content.spec.kind)
            kept = f", the draft is kept in {context.records.keep_backup(ref, draft)}"
        context.records.note_write(ref.artifact, content=archive.fingerprint)
        await context.tenant.update_artifact(ref.artifact, content.spec.kind, archive=archive.data)
    note_upload(ref, archive.fingerprint, content, context)
    stored = await _read_back(ref, content.spec.kind, context)
    version = await _settle_version(ref, stored, base=step.base_version, wanted=content.version, context=context)
    word = "updated" if version == step.base_version else "updated to"
    return f"{word} {version}{await enforce_after_upload(ref, step, context)}{kept}"


async def save_version(ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context) -> str:
    """Save a draft that has the wanted content as a version."""
    context.records.note_write(ref.artifact, content=None)
    stored = await _read_back(ref, content.spec.kind, context)
    version = await _settle_version(ref, stored, base=step.base_version, wanted=content.version, context=context)
    written = f", {await write_changes(ref, step.changes, context)} written" if step.changes else ""
    return f"saved as {version}{written}"


async def build(content: ArtifactContent) -> Archive:
    """Pack an artifact's folder; raises ``InputError`` where that is not possible any more."""
    return await run_heavy(content.size, lambda: build_archive(content))


def note_upload(ref: ArtifactRef, fingerprint: str, content: ArtifactContent, context: Context) -> None:
    """Take what was uploaded for what design time holds now; parameters it had before keep their values."""
    before = context.designs.get(ref.artifact, DesignState())
    parameters = {**content.parameters, **before.parameters}
    context.designs[ref.artifact] = DesignState(fingerprint=fingerprint, parameters=parameters)


async def settle_new_version(ref: ArtifactRef, created: DesigntimeArtifact, *, wanted: str, context: Context) -> str:
    """See to it that an artifact just created has the wanted version; gives the version.

    Some tenants answer a creation with ``1.0.0`` whatever they stored, so another version than the wanted is read back.
    """
    stored = created if created.version == wanted else await _read_back(ref, created.kind, context)
    return await _settle_version(ref, stored, base="", wanted=wanted, context=context)


async def _read_back(ref: ArtifactRef, kind: ArtifactKind, context: Context) -> DesigntimeArtifact:
    stored = await context.tenant.read_artifact(ref.artifact, kind)
    if stored is None:
        raise RequestRejected(
            action=f"find {kind.label} '{ref.artifact}' again after writing it",
            status=404,
            detail="somebody may have deleted it meanwhile; run again",
        )
    return stored


async def _settle_version(
    ref: ArtifactRef, stored: DesigntimeArtifact, *, base: str, wanted: str, context: Context
) -> str:
    """See to it that the artifact has a saved version, the wanted one where that is higher; gives the version.

    Tenants differ: some take ``Bundle-Version`` with an upload, some keep their own, some leave a draft.
    """
    if stored.is_draft:
        target = wanted if is_higher(wanted, base) else next_patch(base)
        await context.tenant.save_version(ref.artifact, stored.kind, target)
        stored = await _read_back(ref, stored.kind, context)
        if stored.version != target:
            _warn(ref, stored, target, "the tenant did not keep it", context)
    elif is_higher(wanted, stored.version):
        stored = await _raise_version(ref, stored, wanted, context)
    context.designs.setdefault(ref.artifact, DesignState()).version = None if stored.is_draft else stored.version
    return stored.version


async def _raise_version(
    ref: ArtifactRef, stored: DesigntimeArtifact, wanted: str, context: Context
) -> DesigntimeArtifact:
    why = "the tenant did not keep it"
    try:
        await context.tenant.save_version(ref.artifact, stored.kind, wanted)
    except RequestRejected as error:
        # The content is there and will run; only its label is not the wanted one.
        why = str(error)
    else:
        stored = await _read_back(ref, stored.kind, context)
    if stored.version != wanted:
        _warn(ref, stored, wanted, why, context)
    return stored


def _warn(ref: ArtifactRef, stored: DesigntimeArtifact, wanted: str, why: str, context: Context) -> None:
    context.ledger.warnings.append(f"{ref}: stays version {stored.version} instead of {wanted}: {why}")
