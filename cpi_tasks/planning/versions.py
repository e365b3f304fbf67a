"""Which version an artifact is to have after a step, as ``versioning`` says, and what is worth a warning about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cpi_tasks.model.naming import SameVersionPolicy, VersionPolicy
from cpi_tasks.model.plan import ArtifactPlan, UpdateAction, UpdateStep
from cpi_tasks.model.version import is_higher, is_lower, is_same, next_patch, parse_version

_IN_PLACE = frozenset({UpdateAction.UNCHANGED, UpdateAction.CONFIGURE})


def with_version(step: UpdateStep, policy: VersionPolicy) -> UpdateStep:
    """Give the step with the version it is to end in.

    Under ``exact`` an artifact that is as wanted but for its version becomes one whose version is saved.
    """
    if step.content is None or step.action in {UpdateAction.KEEP, UpdateAction.REFUSE}:
        return step
    wanted, base = step.content.version, step.base_version
    if policy is VersionPolicy.EXACT:
        return _exact(step, wanted, base)
    if step.action in _IN_PLACE:
        return step
    if step.action is UpdateAction.CREATE:
        return replace(step, version=wanted)
    return replace(step, version=_after_writing(step, wanted, base, policy))


def _exact(step: UpdateStep, wanted: str, base: str) -> UpdateStep:
    if step.action not in _IN_PLACE:
        return replace(step, version=wanted, is_version_binding=True)
    if is_same(wanted, base):
        return step
    also = f"; {step.reason}" if step.changes else ""
    return replace(
        step,
        action=UpdateAction.SAVE_VERSION,
        reason=f"the files say version {wanted}, the tenant has the same content as {base} (versioning: exact){also}",
        version=wanted,
        is_version_binding=True,
    )


def _after_writing(step: UpdateStep, wanted: str, base: str, policy: VersionPolicy) -> str:
    if policy is VersionPolicy.KEEP and parse_version(base) is not None:
        return base
    if is_higher(wanted, base):
        return wanted
    # A saved version that stays needs no new number; a draft cannot be saved without one.
    return next_patch(base) if policy is VersionPolicy.BUMP or _saves_draft(step) else base


def without_same_version(step: UpdateStep, policy: SameVersionPolicy) -> UpdateStep:
    """Return the step; refused where it changes content under an unchanged version and ``onSameVersion`` forbids it."""
    is_changed = step.action in {UpdateAction.UPDATE, UpdateAction.REPLACE} and bool(step.paths)
    if policy is SameVersionPolicy.WARN or not is_changed or not is_same(step.version, step.base_version):
        return step
    return replace(
        step,
        action=UpdateAction.REFUSE,
        reason=f"{step.reason} under the unchanged version {step.base_version} (onSameVersion: fail)",
        advice="raise Bundle-Version in the manifest",
        content=None,
    )


def _saves_draft(step: UpdateStep) -> bool:
    return step.before is not None and step.before.is_draft and step.action is not UpdateAction.REPLACE


def version_warnings(step: UpdateStep, policy: VersionPolicy, *, allow_downgrade: bool) -> tuple[str, ...]:
    """Warn where the tenant will not have the version the files name, or changed content keeps the version it had.

    Where ``keep`` or ``bump`` ask for just that, there is nothing to warn of. A version that would go down is refused
    without ``allow_downgrade``.
    """
    if step.content is None or not step.base_version or policy is VersionPolicy.KEEP:
        return ()
    wanted, base = step.content.version, step.base_version
    if step.action in _IN_PLACE and is_higher(wanted, base):
        return (f"the files say version {wanted}, the tenant has the same content as {base}: {base} stays",)
    if step.action in _IN_PLACE and policy is VersionPolicy.MANIFEST and is_lower(wanted, base):
        return (f"the files say version {wanted}, the tenant has the same content as {base}: {_stays(wanted, base)}",)
    if step.version and is_lower(step.version, base):
        permitted = f"the version goes down from {base} to {step.version}, as --allow-downgrade permits"
        refused = f"refused: the version would go down from {base} to {step.version}; --allow-downgrade permits it"
        return (permitted if allow_downgrade else refused,)
    if step.action in {UpdateAction.UPDATE, UpdateAction.REPLACE} and policy is not VersionPolicy.BUMP:
        return _for_changed_content(step, wanted, base)
    return ()


def _for_changed_content(step: UpdateStep, wanted: str, base: str) -> tuple[str, ...]:
    if not is_same(step.version, base):
        is_as_wanted = is_same(step.version, wanted)
        return () if is_as_wanted else (f"the files say version {wanted}, the draft of {base} becomes {step.version}",)
    if is_same(wanted, base):
        return (f"content changes under the unchanged version {base}; raise Bundle-Version to tell the states apart",)
    return (f"the files say version {wanted}, the tenant has {base}: {_stays(wanted, base)}",)


def _stays(wanted: str, base: str) -> str:
    return (
        f"the tenant's version stays; to go back, set Bundle-Version above {base}, or use versioning: exact with "
        f"--allow-downgrade for {wanted}"
    )


def downgrade_refusal(artifacts: Iterable[ArtifactPlan]) -> str:
    """Give the sentence that refuses to lower versions, with every artifact concerned; empty where there is none."""
    lowered = [
        f"'{artifact.ref}' has {step.base_version}, the files say {step.version}"
        for artifact in artifacts
        if (step := artifact.update) is not None and step.writes and is_lower(step.version, step.base_version)
    ]
    if not lowered:
        return ""
    return (
        "versioning: exact would lower versions on the tenant, which is done only with --allow-downgrade: "
        f"{'; '.join(lowered)}"
    )
