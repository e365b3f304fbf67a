"""Write an artifact's content (create, upload, save a version), then settle its version and parameters.

Every write that needs a deployment is put on record before it is sent, so that a run cut off in between is repaired by
the next one.
"""

from __future__ import annotations

import math
from dataclasses import replace

from cpi_tasks.content import Archive, build_archive
from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.engine.keeping import keep_content, keep_known, keep_state
from cpi_tasks.engine.parameters import enforce_after_upload, write_changes
from cpi_tasks.engine.room import UploadRoom
from cpi_tasks.engine.versions import read_back, settle_version
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef
from cpi_tasks.model.plan import UpdateStep
from cpi_tasks.model.tenant import DesigntimeArtifact


async def create(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: UploadRoom
) -> str:
    """Create an artifact; gives a phrase with the version it got."""
    async with uploads.hold(content.size):
        archive = await build(content, step.version)
        note_before_write(ref, archive.fingerprint, context)
        created = await context.tenant.create_artifact(
            ref.artifact, content.spec.kind, package=ref.package, name=content.name, archive=archive.data
        )
    note_upload(ref, archive.fingerprint, content, context)
    version = await settle_new_version(ref, step, created, context)
    return f"created {version}{await enforce_after_upload(ref, step, context)}"


async def upload(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: UploadRoom
) -> str:
    """Replace an artifact's content in place; what runs is not touched. What it replaces is kept first."""
    async with uploads.hold(content.size):
        archive = await build(content, step.version)
        backup = await keep_content(ref, step, context)
        note_before_write(ref, archive.fingerprint, context)
        await context.tenant.update_artifact(ref.artifact, content.spec.kind, archive=archive.data)
    note_upload(ref, archive.fingerprint, content, context)
    stored = await read_back(ref, content.spec.kind, context)
    stored = await settle_version(ref, step, stored, context)
    keep_known(ref, stored, step, context)
    is_draft = step.before is not None and step.before.is_draft
    kept = f", the draft is kept in {backup}" if is_draft else ""
    word = "updated" if stored.version == step.base_version else "updated to"
    return f"{word} {stored.version}{await enforce_after_upload(ref, step, context)}{kept}"


async def save_version(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: UploadRoom
) -> str:
    """Save content that is as wanted as a version: a draft as it is, a saved version after one more upload.

    A version is only saved after a change (SAP Help); sending the same content again is one. Value mappings take no
    upload, and their one stored version is only given another number (terraform-provider-sap-integration-suite).
    """
    is_saved = step.before is None or not step.before.is_draft
    if is_saved and content.spec.kind is not ArtifactKind.VALUE_MAPPING:
        return await upload(ref, step, content, context, uploads)
    keep_state(ref, step, context)
    note_before_write(ref, None, context)
    stored = await read_back(ref, content.spec.kind, context)
    stored = await settle_version(ref, step, stored, context)
    if context.designs[ref.artifact].parameters is None:
        # Some tenants show the values of a draft only now.
        return f"saved as {stored.version}{await enforce_after_upload(ref, step, context)}"
    written = f", {await write_changes(ref, step.changes, context)} written" if step.changes else ""
    return f"saved as {stored.version}{written}"


async def build(content: ArtifactContent, version: str) -> Archive:
    """Pack an artifact's folder under a version; raises ``InputError`` where that is not possible any more."""
    return await run_heavy(content.size, lambda: build_archive(content, version=version or None))


def note_before_write(ref: ArtifactRef, fingerprint: str | None, context: Context) -> None:
    """Put a write on record before it is sent; what the cache knew of the artifact is true no longer."""
    context.memory.cache.forget(ref.artifact)
    context.records.note_write(ref.artifact, content=fingerprint)
    if ref.artifact in context.designs:
        context.designs[ref.artifact].read_at = -math.inf


def note_upload(ref: ArtifactRef, fingerprint: str, content: ArtifactContent, context: Context) -> None:
    """Take what was uploaded for what design time holds now; parameters it had before keep their values."""
    before = context.designs.get(ref.artifact, DesignState())
    if before.parameters is None:
        before.fingerprint, before.version = fingerprint, None
        return
    parameters = {**content.parameters, **before.parameters}
    context.designs[ref.artifact] = DesignState(fingerprint=fingerprint, parameters=parameters)


async def settle_new_version(ref: ArtifactRef, step: UpdateStep, created: DesigntimeArtifact, context: Context) -> str:
    """See to it that an artifact just created has the wanted version; gives the version.

    Some tenants answer a creation with ``1.0.0`` whatever they stored, so another version than the wanted is read back.
    """
    context.records.note_author(created.modified_by, is_certain=True)
    stored = created if created.version == step.version else await read_back(ref, created.kind, context)
    # What was replaced is gone with its versions.
    stored = await settle_version(ref, replace(step, base_version=""), stored, context)
    keep_known(ref, stored, step, context)
    return stored.version
