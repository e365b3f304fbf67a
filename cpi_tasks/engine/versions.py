"""See to it that what was written has the version the plan says; tenants differ in what they make of an upload.

Some take ``Bundle-Version`` with an upload, some keep their own version, some leave a draft (flashpipe, cpictl): so the
version is read back after every write, and saved where it is not the wanted one.
"""

from __future__ import annotations

from cpi_tasks.engine.context import Context, DesignState
from cpi_tasks.errors import RequestRejected
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef, VersionPolicy
from cpi_tasks.model.plan import UpdateStep
from cpi_tasks.model.tenant import DesigntimeArtifact
from cpi_tasks.model.version import in_full, is_higher, is_same, next_patch

_NOT_KEPT = "the tenant did not keep it"


async def read_back(ref: ArtifactRef, kind: ArtifactKind, context: Context) -> DesigntimeArtifact:
    """Read an artifact after writing it; raises ``RequestRejected`` where it is not there any more."""
    stored = await context.tenant.read_artifact(ref.artifact, kind)
    if stored is None:
        raise RequestRejected(
            action=f"find {kind.label} '{ref.artifact}' again after writing it",
            status=404,
            detail="somebody may have deleted it meanwhile",
            advice="rerun, which creates it again",
        )
    return stored


async def settle_version(
    ref: ArtifactRef, step: UpdateStep, stored: DesigntimeArtifact, context: Context
) -> DesigntimeArtifact:
    """Save a version where the tenant left a draft or another version than the wanted; gives what is stored then.

    A version that is not taken draws a warning, and raises ``RequestRejected`` where the files insist on it.
    """
    if stored.is_draft:
        stored = await _save_draft(ref, step, stored, context)
    elif step.version and _must_be_saved(step, stored):
        stored = await _save_as(ref, stored, step.version, step, context)
    design = context.designs.setdefault(ref.artifact, DesignState())
    design.version, design.modified_at = None if stored.is_draft else stored.version, stored.modified_at
    context.records.note_author(stored.modified_by, is_certain=False)
    return stored


def _must_be_saved(step: UpdateStep, stored: DesigntimeArtifact) -> bool:
    if is_same(stored.version, step.version):
        return False
    # What is new had no version before that could go down: some tenants call it 1.0.0 whatever the files say.
    return step.is_version_binding or not step.base_version or is_higher(step.version, stored.version)


async def _save_draft(
    ref: ArtifactRef, step: UpdateStep, draft: DesigntimeArtifact, context: Context
) -> DesigntimeArtifact:
    """Save a draft under the wanted version, or under the next one where no tenant must take the wanted number.

    What a tenant makes of saving under the number that is there already is not known.
    """
    wanted, base = step.version, step.base_version
    is_kept = context.settings.versioning is VersionPolicy.KEEP and bool(base)
    if step.is_version_binding or is_higher(wanted, base):
        return await _save_as(ref, draft, wanted, step, context)
    if is_kept:
        try:
            await context.tenant.save_version(ref.artifact, draft.kind, base)
        except RequestRejected:
            saved = draft
        else:
            saved = await read_back(ref, draft.kind, context)
        if not saved.is_draft:
            return saved
        target = next_patch(base)
        saved = await _save_as(ref, draft, target, step, context)
        if is_same(saved.version, target):
            _warn(ref, target, base, "the tenant saves no draft under a number it has already", context)
        return saved
    return await _save_as(ref, draft, next_patch(base), step, context)


async def _save_as(
    ref: ArtifactRef, stored: DesigntimeArtifact, target: str, step: UpdateStep, context: Context
) -> DesigntimeArtifact:
    why = _NOT_KEPT
    try:
        await context.tenant.save_version(ref.artifact, stored.kind, in_full(target))
    except RequestRejected as error:
        if step.is_version_binding or stored.is_draft:
            raise
        # The content is there and will run; only its label is not the wanted one.
        why = str(error)
    else:
        stored = await read_back(ref, stored.kind, context)
    is_taken = is_same(stored.version, target)
    if not is_taken and step.is_version_binding:
        raise RequestRejected(
            action=f"give {stored.kind.label} '{ref.artifact}' version {target}",
            status=409,
            detail=f"it took the call but shows version {stored.version}",
            advice="save the version in the Web UI, or set versioning to manifest, then rerun",
        )
    if not is_taken:
        _warn(ref, stored.version, target, why, context)
    return stored


def _warn(ref: ArtifactRef, stored: str, wanted: str, why: str, context: Context) -> None:
    context.ledger.warnings.append(f"{ref}: stays version {stored} instead of {wanted}: {why}")
