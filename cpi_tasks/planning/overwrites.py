"""What a run would overwrite of what somebody changed on the tenant, and what ``onDrift`` makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cpi_tasks.model.naming import DriftPolicy
from cpi_tasks.model.plan import ArtifactPlan, PackagePlan, UpdateAction
from cpi_tasks.planning.words import in_brackets, last_change, listed, parameters_named

_CONTENT_ACTIONS = frozenset({UpdateAction.UPDATE, UpdateAction.REPLACE})


def with_drift_warning(artifact: ArtifactPlan, policy: DriftPolicy) -> ArtifactPlan:
    """Give an artifact's plan with one warning more where it overwrites somebody's change and that is to be told."""
    lost = _overwritten(artifact)
    if policy is not DriftPolicy.WARN or not lost:
        return artifact
    warning = (
        f"somebody changed this on the tenant since the last run{in_brackets(_last_change(artifact))}: {lost}, "
        "is overwritten; what was there is kept in the run's backup"
    )
    return replace(artifact, warnings=(*artifact.warnings, warning))


def package_warnings(packages: Iterable[PackagePlan], policy: DriftPolicy) -> tuple[str, ...]:
    """Warn of every package whose metadata somebody changed on the tenant and which is overwritten."""
    if policy is not DriftPolicy.WARN:
        return ()
    return tuple(
        f"package '{package.id}': somebody changed its metadata on the tenant since the last run: "
        f"{listed(package.drifted_fields)} {'is' if len(package.drifted_fields) == 1 else 'are'} overwritten; what was "
        "there is kept in the run's backup"
        for package in packages
        if package.drifted_fields
    )


def record_warnings(unrecorded: Sequence[str], policy: DriftPolicy) -> tuple[str, ...]:
    """Warn once where the record is behind, because then nobody can tell whose change is overwritten."""
    if not unrecorded:
        return ()
    consequence = {
        DriftPolicy.FAIL: "so onDrift: fail stops only for edits that the tenant shows under another login",
        DriftPolicy.WARN: "so only edits that the tenant shows under another login are listed",
        DriftPolicy.OVERWRITE: "so edits by others are not told from them",
    }[policy]
    text = (
        "the record in .cpi/ is behind: the tenant shows changes by this login that it does not have, in "
        f"{listed(unrecorded)}; {consequence}, and what is overwritten is kept in the run's backup. Keep .cpi/cache, "
        ".cpi/records and .cpi/key after every run, also after a failed one"
    )
    return (text,)


def drift_refusal(packages: Iterable[PackagePlan]) -> str:
    """Give the sentence that refuses to overwrite anybody's changes; empty where there are none."""
    found = []
    for package in packages:
        if package.drifted_fields:
            found.append(f"package '{package.id}': {listed(package.drifted_fields)}")
        found += [
            f"'{artifact.ref}': {lost}{in_brackets(_last_change(artifact))}"
            for artifact in package.artifacts
            if (lost := _overwritten(artifact))
        ]
    if not found:
        return ""
    return (
        "this run would overwrite what somebody changed on the tenant since the last run; take the changes into the "
        "files, or rerun with --on-drift warn (--force does not permit it) to overwrite them (they are kept in the "
        f"run's backup): {'; '.join(found)}"
    )


def _overwritten(artifact: ArtifactPlan) -> str:
    """Say what of somebody's changes a step overwrites; empty where it overwrites nothing of the kind."""
    step = artifact.update
    if step is None or not step.writes:
        return ""
    parts = []
    if step.action in _CONTENT_ACTIONS and step.origin is not None and step.origin.is_drift:
        is_draft = step.before is not None and step.before.is_draft
        parts.append(f"{'an unsaved draft' if is_draft else 'content'} that differs in {listed(step.paths)}")
    keys = [change.key for change in step.changes if change.origin.is_drift]
    if keys:
        parts.append(parameters_named(keys))
    return " and ".join(parts)


def _last_change(artifact: ArtifactPlan) -> str:
    before = None if artifact.update is None else artifact.update.before
    change = "" if before is None else last_change(before.modified_by, before.modified_at)
    return f"last changed {change}" if change else ""
