"""What the update phase does to one artifact, and why."""

from __future__ import annotations

from dataclasses import replace

from cpi_tasks.content import changed_paths, lost_values
from cpi_tasks.model.config import ArtifactSpec, Settings
from cpi_tasks.model.content import ArtifactContent, DownloadedContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactKind, DraftPolicy, ValueMappingPolicy
from cpi_tasks.model.plan import Origin, UpdateAction, UpdateStep
from cpi_tasks.model.tenant import DesigntimeArtifact
from cpi_tasks.planning.authors import Author, last_author
from cpi_tasks.planning.origins import content_origin, missing_origin
from cpi_tasks.planning.parameters import ParameterPlan, plan_parameters
from cpi_tasks.planning.versions import with_version, without_same_version
from cpi_tasks.planning.words import listed, parameters_named


def plan_update(spec: ArtifactSpec, content: ArtifactContent, inventory: Inventory, settings: Settings) -> UpdateStep:
    """Decide about one artifact's content, parameters and version, and tell who made what differs."""
    reason = inventory.unreadable_packages.get(spec.ref.package) or inventory.unreadable_artifacts.get(spec.id)
    if reason is not None:
        return UpdateStep(action=UpdateAction.REFUSE, reason=reason, advice="mend this on the tenant and run again")
    parameters = plan_parameters(spec, content, inventory, settings.parameter_policy)
    step = with_version(_decide(content, inventory, settings, parameters), settings.versioning)
    step = without_same_version(step, settings.on_same_version)
    origin = _origin(step, content, inventory)
    return replace(step, origin=origin, only_on_tenant=parameters.only_on_tenant)


def _origin(step: UpdateStep, content: ArtifactContent, inventory: Inventory) -> Origin | None:
    if step.action is UpdateAction.CREATE:
        return missing_origin(inventory, was_there=content.spec.id in inventory.baselines)
    return content_origin(content.spec.id, content, inventory) if step.paths else None


def _decide(
    content: ArtifactContent, inventory: Inventory, settings: Settings, parameters: ParameterPlan
) -> UpdateStep:
    spec = content.spec
    package = inventory.packages.get(spec.ref.package)
    before = inventory.artifacts.get(spec.id)
    if package is not None and package.is_read_only:
        return _read_only(spec, before, parameters)
    if before is None:
        return UpdateStep(
            action=UpdateAction.CREATE,
            reason="does not exist on the tenant",
            content=content,
            enforced=parameters.enforced,
        )
    downloaded = inventory.downloads[spec.id]
    paths = changed_paths(content.digest, downloaded.digest)
    if before.is_draft and (refusal := _foreign_draft(before, content, paths, inventory, settings.on_draft)):
        return refusal
    if spec.kind is ArtifactKind.VALUE_MAPPING and paths:
        return _value_mapping(content, before, downloaded, paths, settings.value_mappings)
    return _flow_or_library(content, before, downloaded, paths, parameters)


def _read_only(spec: ArtifactSpec, before: DesigntimeArtifact | None, parameters: ParameterPlan) -> UpdateStep:
    if before is None:
        return UpdateStep(
            action=UpdateAction.REFUSE,
            reason=f"package '{spec.ref.package}' is read-only on the tenant and has no artifact '{spec.id}'",
            advice="copy the package to an editable one on the tenant, or set sync: false for the artifact",
        )
    is_as_wanted = not parameters.changes
    return UpdateStep(
        action=UpdateAction.UNCHANGED if is_as_wanted else UpdateAction.CONFIGURE,
        reason="read-only package: content is neither compared nor sent"
        + ("" if is_as_wanted else f"; {_keys(parameters)}"),
        before=before,
        base_version=before.version,
        enforced=parameters.enforced,
        changes=parameters.changes,
        kept=parameters.kept,
    )


def _foreign_draft(
    before: DesigntimeArtifact,
    content: ArtifactContent,
    paths: tuple[str, ...],
    inventory: Inventory,
    on_draft: DraftPolicy,
) -> UpdateStep | None:
    """Give the step for a draft that somebody else left; ``None`` where it is ours or may be overwritten."""
    uploaded = inventory.record(content.spec.id).uploaded
    is_recorded = not paths or uploaded == inventory.downloads[before.id].digest.fingerprint
    is_ours = is_recorded or last_author(before.id, inventory, of_content=True) is Author.OWN
    if is_ours or on_draft is DraftPolicy.OVERWRITE:
        return None
    who = f" by {before.modified_by}" if before.modified_by else ""
    text = f"the tenant has an unsaved draft{who} that differs from the files in {listed(paths)}"
    if on_draft is DraftPolicy.SKIP:
        return UpdateStep(action=UpdateAction.KEEP, reason=f"{text} (onDraft: skip)", before=before, paths=paths)
    return UpdateStep(
        action=UpdateAction.REFUSE,
        reason=text,
        advice="save or discard the draft in the Web UI, or set onDraft to overwrite or skip",
        before=before,
        paths=paths,
    )


def _value_mapping(
    content: ArtifactContent,
    before: DesigntimeArtifact,
    downloaded: DownloadedContent,
    paths: tuple[str, ...],
    policy: ValueMappingPolicy,
) -> UpdateStep:
    if policy is ValueMappingPolicy.KEEP:
        reason = f"differs in {listed(paths)} and is kept (valueMappings: keep)"
        return UpdateStep(action=UpdateAction.KEEP, reason=reason, before=before, paths=paths)
    lost = lost_values(content, downloaded)
    if policy is ValueMappingPolicy.SAFE and lost != ():
        what = "cannot be told: its entries could not be read" if lost is None else listed(lost)
        return UpdateStep(
            action=UpdateAction.REFUSE,
            reason=f"value mappings have no update call; replacing it would lose what only the tenant has: {what}",
            advice="add these entries to value_mapping.xml, or set valueMappings to replace or keep",
            before=before,
            paths=paths,
        )
    note = f"; lost on the tenant: {listed(lost)}" if lost else ""
    if lost is None:
        note = "; what is lost on the tenant could not be read"
    return UpdateStep(
        action=UpdateAction.REPLACE,
        reason=f"differs in {listed(paths)}{note}",
        content=content,
        before=before,
        base_version=_saved_version(before, downloaded),
        paths=paths,
    )


def _flow_or_library(
    content: ArtifactContent,
    before: DesigntimeArtifact,
    downloaded: DownloadedContent,
    paths: tuple[str, ...],
    parameters: ParameterPlan,
) -> UpdateStep:
    if paths:
        action, reason = UpdateAction.UPDATE, f"content differs in {listed(paths)}"
    elif before.is_draft:
        action, reason = UpdateAction.SAVE_VERSION, "the tenant has the wanted content as an unsaved draft"
    elif parameters.changes:
        action, reason = UpdateAction.CONFIGURE, _keys(parameters)
    else:
        action, reason = UpdateAction.UNCHANGED, "content and parameters as wanted"
    return UpdateStep(
        action=action,
        reason=reason,
        content=content,
        before=before,
        base_version=_saved_version(before, downloaded),
        enforced=parameters.enforced,
        changes=parameters.changes,
        kept=parameters.kept,
        paths=paths,
    )


def _saved_version(before: DesigntimeArtifact, downloaded: DownloadedContent) -> str:
    return downloaded.version if before.is_draft else before.version


def _keys(parameters: ParameterPlan) -> str:
    keys = [change.key for change in parameters.changes]
    return f"{parameters_named(keys)} differ{'' if len(keys) > 1 else 's'}"
