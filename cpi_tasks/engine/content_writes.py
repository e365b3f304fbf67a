"""Write an artifact's content (create, upload, replace, save a version), then settle its version and parameters.

Every write that needs a deployment is put on record before it is sent, so that a run cut off in between is repaired by
the next one.
"""

from __future__ import annotations

import trio

from cpi_tasks.content import Archive, build_archive, lost_values, read_archive
from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.engine.parameters import enforce_after_upload, write_changes
from cpi_tasks.errors import RequestRejected, TenantError
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef, ValueMappingPolicy
from cpi_tasks.model.plan import UpdateStep
from cpi_tasks.model.tenant import DesigntimeArtifact
from cpi_tasks.model.version import is_higher, next_patch


async def create(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: trio.CapacityLimiter
) -> str:
    """Create an artifact; gives a phrase with the version it got."""
    async with uploads:
        archive = await _build(content)
        context.records.note_write(ref.artifact, content=archive.fingerprint)
        created = await context.tenant.create_artifact(
            ref.artifact, content.spec.kind, package=ref.package, name=content.name, archive=archive.data
        )
    _note_upload(ref, archive, content, context)
    version = await _settle_version(ref, created, base="", content=content, context=context)
    return f"created {version}{await enforce_after_upload(ref, step, context)}"


async def upload(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: trio.CapacityLimiter
) -> str:
    """Replace an artifact's content in place; what runs is not touched."""
    async with uploads:
        archive = await _build(content)
        context.records.note_write(ref.artifact, content=archive.fingerprint)
        await context.tenant.update_artifact(ref.artifact, content.spec.kind, archive=archive.data)
    _note_upload(ref, archive, content, context)
    stored = await _read_back(ref, content.spec.kind, context)
    version = await _settle_version(ref, stored, base=step.base_version, content=content, context=context)
    word = "updated" if version == step.base_version else "updated to"
    return f"{word} {version}{await enforce_after_upload(ref, step, context)}"


async def save_version(ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context) -> str:
    """Save a draft that has the wanted content as a version."""
    context.records.note_write(ref.artifact, content=None)
    stored = await _read_back(ref, content.spec.kind, context)
    version = await _settle_version(ref, stored, base=step.base_version, content=content, context=context)
    written = f", {await write_changes(ref, step.changes, context)} written" if step.changes else ""
    return f"saved as {version}{written}"


async def replace_mapping(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: trio.CapacityLimiter
) -> str:
    """Delete and create a value mapping, which has no update call; the old archive is kept and put back on failure."""
    kind = content.spec.kind
    async with uploads:
        archive = await _build(content)
        old = await context.tenant.download_artifact(ref.artifact, kind)
        _check_nothing_new(ref, content, context, old)
        backup = context.records.keep_backup(ref, old)
        context.records.note_write(ref.artifact, content=archive.fingerprint)
        # Between the two calls the tenant has neither state: an interruption must wait for the second one.
        with trio.CancelScope(shield=True):
            await context.tenant.delete_artifact(ref.artifact, kind)
            try:
                created = await context.tenant.create_artifact(
                    ref.artifact, kind, package=ref.package, name=content.name, archive=archive.data
                )
            except TenantError as error:
                await _put_back(ref, content, context, old=old, backup=backup, error=error)
                raise
    _note_upload(ref, archive, content, context)
    version = await _settle_version(ref, created, base="", content=content, context=context)
    word = "replaced" if version == step.base_version else "replaced by"
    return f"{word} {version}, the old one is kept in {backup}"


def _check_nothing_new(ref: ArtifactRef, content: ArtifactContent, context: Context, old: bytes) -> None:
    """Refuse where somebody added entries after the plan was made and the policy protects them."""
    if context.settings.value_mappings is not ValueMappingPolicy.SAFE:
        return
    lost = lost_values(content, read_archive(old, artifact=ref.artifact, kind=content.spec.kind))
    if lost != ():
        raise RequestRejected(
            action=f"replace value mapping '{ref.artifact}' without loss",
            status=409,
            detail="it was changed on the tenant after the plan was made; run again to see what would be lost",
        )


async def _put_back(
    ref: ArtifactRef, content: ArtifactContent, context: Context, *, old: bytes, backup: str, error: TenantError
) -> None:
    """Create the old value mapping again; its own failure is told together with the first one."""
    name = content.name
    try:
        await context.tenant.create_artifact(
            ref.artifact, content.spec.kind, package=ref.package, name=name, archive=old
        )
    except TenantError as second:
        raise RequestRejected(
            action=f"replace value mapping '{ref.artifact}', which is now missing on the tenant (its old archive is "
            f"in {backup}; running again creates the new one)",
            status=error.status if isinstance(error, RequestRejected) else 0,
            detail=f"{error}; and putting the old one back failed as well: {second}",
        ) from error


async def _build(content: ArtifactContent) -> Archive:
    return await run_heavy(content.size, lambda: build_archive(content))


def _note_upload(ref: ArtifactRef, archive: Archive, content: ArtifactContent, context: Context) -> None:
    before = context.designs.get(ref.artifact, DesignState())
    parameters = {**content.parameters, **before.parameters}
    context.designs[ref.artifact] = DesignState(fingerprint=archive.fingerprint, parameters=parameters)


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
    ref: ArtifactRef, stored: DesigntimeArtifact, *, base: str, content: ArtifactContent, context: Context
) -> str:
    """See to it that the artifact has a saved version, the manifest's where that is higher; gives the version.

    Tenants differ: some take ``Bundle-Version`` with an upload, some keep their own, some leave a draft.
    """
    wanted = content.version
    if stored.is_draft:
        target = wanted if is_higher(wanted, base) else next_patch(base)
        await context.tenant.save_version(ref.artifact, stored.kind, target)
        stored = await _read_back(ref, stored.kind, context)
    elif is_higher(wanted, stored.version):
        stored = await _raise_version(ref, stored, wanted, context)
    context.designs.setdefault(ref.artifact, DesignState()).version = None if stored.is_draft else stored.version
    return stored.version


async def _raise_version(
    ref: ArtifactRef, stored: DesigntimeArtifact, wanted: str, context: Context
) -> DesigntimeArtifact:
    try:
        await context.tenant.save_version(ref.artifact, stored.kind, wanted)
    except RequestRejected as error:
        # The content is there and will run; only its label is not the wanted one.
        context.ledger.warnings.append(f"{ref}: stays version {stored.version} instead of {wanted}: {error}")
        return stored
    return await _read_back(ref, stored.kind, context)
