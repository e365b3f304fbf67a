"""Replace a value mapping, which has no update call, by delete and create, so that it is never lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import trio

from cpi_tasks.content import Archive, lost_values, read_archive
from cpi_tasks.engine.content_writes import build, note_before_write, note_upload, settle_new_version
from cpi_tasks.engine.context import Context
from cpi_tasks.engine.keeping import keep_state
from cpi_tasks.engine.room import UploadRoom
from cpi_tasks.errors import RequestRejected, TenantError, TenantUnavailable
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactRef, ValueMappingPolicy
from cpi_tasks.model.plan import UpdateStep
from cpi_tasks.model.tenant import ENDS_WHAT_BEGAN, DesigntimeArtifact


@dataclass(frozen=True, slots=True, kw_only=True)
class _Old:
    """The value mapping as it was: its name, its archive and the file that keeps it."""

    name: str
    archive: bytes = field(repr=False)
    backup: str


async def replace_mapping(
    ref: ArtifactRef, step: UpdateStep, content: ArtifactContent, context: Context, uploads: UploadRoom
) -> str:
    """Delete and create a value mapping; the old archive is kept on disk before and put back where that fails."""
    kind = content.spec.kind
    async with uploads.hold(content.size):
        archive = await build(content, step.version)
        data = await context.tenant.download_artifact(ref.artifact, kind)
        _check_nothing_new(ref, content, context, data)
        name = content.name if step.before is None else step.before.name
        old = _Old(name=name, archive=data, backup=context.memory.backups.keep_archive(ref, data))
        keep_state(ref, step, context)
        note_before_write(ref, archive.fingerprint, context)
        # Between the two calls the tenant has neither state: an interruption must wait for the second one.
        with trio.CancelScope(shield=True):
            await _delete(ref, content, context, old)
            with _come_what_may():
                created = await _create(ref, content, context, archive, old)
    note_upload(ref, archive.fingerprint, content, context)
    version = await settle_new_version(ref, step, created, context)
    word = "replaced" if version == step.base_version else "replaced by"
    return f"{word} {version}, the old one is kept in {old.backup}"


@contextmanager
def _come_what_may() -> Iterator[None]:
    """Have writes of the block sent also where they cannot be put on record any more."""
    token = ENDS_WHAT_BEGAN.set(True)
    try:
        yield
    finally:
        ENDS_WHAT_BEGAN.reset(token)


def _check_nothing_new(ref: ArtifactRef, content: ArtifactContent, context: Context, old: bytes) -> None:
    """Refuse where somebody added entries after the plan was made and the policy protects them."""
    if context.settings.value_mappings is not ValueMappingPolicy.SAFE:
        return
    lost = lost_values(content, read_archive(old, artifact=ref.artifact, kind=content.spec.kind))
    if lost != ():
        raise RequestRejected(
            action=f"replace value mapping '{ref.artifact}' without loss",
            status=409,
            detail="it was changed on the tenant after the plan was made",
            advice="rerun to see what would be lost",
        )


async def _delete(ref: ArtifactRef, content: ArtifactContent, context: Context, old: _Old) -> None:
    """Delete; where no answer came it is looked whether the mapping is gone, because then it must be created."""
    kind = content.spec.kind
    try:
        await context.tenant.delete_artifact(ref.artifact, kind)
    except TenantUnavailable as error:
        try:
            is_there = await context.tenant.read_artifact(ref.artifact, kind) is not None
        except TenantError as second:
            raise TenantUnavailable(
                f"{error}; whether value mapping '{ref.artifact}' is still on the tenant cannot be told ({second}); "
                f"its old archive is in {old.backup}, and running again creates the new one"
            ) from error
        if is_there:
            raise


async def _create(
    ref: ArtifactRef, content: ArtifactContent, context: Context, archive: Archive, old: _Old
) -> DesigntimeArtifact:
    """Create the new mapping, or the old one again where that fails; both failures are told together."""
    tenant, kind = context.tenant, content.spec.kind
    try:
        return await tenant.create_artifact(
            ref.artifact, kind, package=ref.package, name=content.name, archive=archive.data
        )
    except TenantError as error:
        try:
            # A creation without an answer may have happened all the same.
            found = await tenant.read_artifact(ref.artifact, kind) if isinstance(error, TenantUnavailable) else None
            if found is None:
                await tenant.create_artifact(
                    ref.artifact, kind, package=ref.package, name=old.name, archive=old.archive
                )
        except TenantError as second:
            verb = "may be" if isinstance(second, TenantUnavailable) else "is now"
            # A tenant that is away is the failure of the whole run, not of this mapping.
            is_away = isinstance(error, TenantUnavailable) and isinstance(second, TenantUnavailable)
            raise (TenantUnavailable if is_away else TenantError)(
                f"could not replace value mapping '{ref.artifact}', which {verb} missing on the tenant (its old "
                f"archive is in {old.backup}; running again creates the new one): {error}; and putting the old one "
                f"back failed as well: {second}"
            ) from error
        if found is not None:
            return found
        raise TenantError(
            f"could not replace value mapping '{ref.artifact}'; the old one was put back: {error}"
        ) from error
