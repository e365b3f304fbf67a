"""Plans for machines: one JSON document whose keys other programs may rely on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cpi_tasks.model.content import FileDiff
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
    Origin,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.report.differences import masked_diff_lines
from cpi_tasks.report.drift import ORIGIN_NAMES
from cpi_tasks.report.redactor import MASK, Redactor, dumped
from cpi_tasks.report.tally import Tally, blockers, tally
from cpi_tasks.report.wording import is_secret

FORMAT_VERSION = 1
_Diffs = Mapping[ArtifactRef, Sequence[FileDiff]]
_Json = Mapping[str, object]


def plan_json(
    plans: Sequence[Plan],
    redactor: Redactor,
    *,
    environment: str,
    tenant: str,
    refusals: Sequence[str] = (),
    diffs: _Diffs | None = None,
) -> str:
    """Give plans as one JSON object, in the order of the files; the same plans always give the same text.

    Keys are only ever added; ``formatVersion`` changes with anything else. What is not known is null, never left out.

    - ``formatVersion``, ``environment``, ``tenant``, ``hasChanges`` (whether a run would write, deploy or watch
      anything), ``hasRefusals``, ``refusals`` (why a run would be refused as a whole), ``warnings``;
    - ``counts``: ``packages`` and ``artifacts``, each with ``total`` and one number for each kind of action;
    - ``packages[]``: ``source`` (the deploy configuration), ``id``, ``action``, ``reason``, ``origin``, ``fields[]`` of
      ``name``, ``old``, ``new``;
    - ``artifacts[]``: ``package``, ``id``, ``kind``, ``source``, ``update`` and ``deploy`` (null where there is no such
      step), ``skipReason``, ``warnings``, ``diffs`` (null unless asked for) of ``path``, ``status``, ``isBinary``,
      ``lines``;
    - ``update``: ``action``, ``reason``, ``advice``, ``origin`` of the content's difference or of a
      creation, ``fromVersion``, ``toVersion``, ``paths``, ``parameters[]`` and ``kept[]`` of ``key``, ``origin``,
      ``secret``, ``old``, ``new`` (both masked where ``secret``), ``onlyOnTenant``;
    - ``deploy``: ``action``, ``reason``, ``advice``, ``version``, ``runningVersion``, ``dependsOn``, ``heldUpBy`` (a
      refused artifact), ``firesTimer``.

    Origins are ``files``, ``tenant``, ``both`` and ``unknown``.
    """
    counts = tally(plans)
    document = {
        "formatVersion": FORMAT_VERSION,
        "environment": redactor.mask(environment),
        "tenant": redactor.mask(tenant),
        "hasChanges": counts.has_changes,
        "hasRefusals": bool(refusals) or counts.all_refused > 0,
        "refusals": [redactor.mask(text) for text in refusals],
        "warnings": [redactor.mask(text) for plan in plans for text in plan.warnings],
        "counts": _counts(counts),
        "packages": [_package(package, plan, redactor) for plan in plans for package in plan.packages],
        "artifacts": [artifact for plan in plans for artifact in _artifacts(plan, diffs, redactor)],
    }
    return dumped(document)


def _counts(counts: Tally) -> _Json:
    packages, updates, deploys = counts.package_actions, counts.updates, counts.deploys
    return {
        "packages": {
            "total": counts.packages,
            "create": packages[PackageAction.CREATE],
            "update": packages[PackageAction.UPDATE],
            "unchanged": packages[PackageAction.UNCHANGED],
            "keep": packages[PackageAction.KEEP],
            "refuse": packages[PackageAction.REFUSE],
        },
        "artifacts": {
            "total": counts.artifacts,
            "create": updates[UpdateAction.CREATE],
            "update": updates[UpdateAction.UPDATE],
            "configure": updates[UpdateAction.CONFIGURE],
            "replace": updates[UpdateAction.REPLACE],
            "saveVersion": updates[UpdateAction.SAVE_VERSION],
            "deploy": deploys[DeployAction.DEPLOY],
            "watch": deploys[DeployAction.WATCH],
            "unchanged": counts.unchanged,
            "keep": counts.left_alone,
            "skip": counts.skipped,
            "refuse": counts.refused,
            "heldUp": counts.blocked,
        },
    }


def _package(package: PackagePlan, plan: Plan, redactor: Redactor) -> _Json:
    before = package.before.metadata if package.before is not None else {}
    return {
        "source": redactor.mask(plan.source),
        "id": redactor.mask(package.id),
        "action": _action(package.action),
        "reason": redactor.mask(package.reason),
        "origin": _origin(package.origin),
        "fields": [
            {
                "name": redactor.mask(name),
                "old": _text(before.get(name), redactor),
                "new": _text(package.metadata.get(name), redactor),
            }
            for name in package.changed_fields
        ],
    }


def _artifacts(plan: Plan, diffs: _Diffs | None, redactor: Redactor) -> Iterator[_Json]:
    held_up = blockers(plan)
    for artifact in plan.artifacts():
        yield {
            "package": redactor.mask(artifact.ref.package),
            "id": redactor.mask(artifact.ref.artifact),
            "kind": artifact.kind.value,
            "source": redactor.mask(plan.source),
            "update": None if artifact.update is None else _update(artifact.update, redactor),
            "deploy": None if artifact.deploy is None else _deploy(artifact, artifact.deploy, held_up, redactor),
            "skipReason": redactor.mask(artifact.skip_reason),
            "warnings": [redactor.mask(text) for text in artifact.warnings],
            "diffs": None if diffs is None else [_diff(diff, redactor) for diff in diffs.get(artifact.ref, ())],
        }


def _update(update: UpdateStep, redactor: Redactor) -> _Json:
    before = update.before
    old = update.base_version or (before.version if before is not None else "")
    # A new artifact has its manifest's version where the step names no other.
    new = update.version or (update.content.version if before is None and update.content is not None else old)
    return {
        "action": _action(update.action),
        "reason": redactor.mask(update.reason),
        "advice": redactor.mask(update.advice),
        "origin": _origin(update.origin),
        "fromVersion": _text(old or None, redactor),
        "toVersion": _text(new or None, redactor),
        "paths": [redactor.mask(path) for path in update.paths],
        "parameters": [_parameter(change, redactor) for change in update.changes],
        "kept": [_parameter(change, redactor) for change in update.kept],
        "onlyOnTenant": [redactor.mask(key) for key in update.only_on_tenant],
    }


def _parameter(change: ParameterChange, redactor: Redactor) -> _Json:
    secret = is_secret(change)
    return {
        "key": redactor.mask(change.key),
        "origin": _origin(change.origin),
        "secret": secret,
        "old": MASK if secret and change.old else _text(change.old, redactor),
        "new": MASK if secret and change.new else _text(change.new, redactor),
    }


def _deploy(
    artifact: ArtifactPlan, deploy: DeployStep, held_up: Mapping[ArtifactRef, ArtifactRef], redactor: Redactor
) -> _Json:
    blocker = held_up.get(artifact.ref)
    if artifact.update is not None and artifact.update.action is UpdateAction.REFUSE:
        blocker = artifact.ref
    return {
        "action": _action(deploy.action),
        "reason": redactor.mask(deploy.reason),
        "advice": redactor.mask(deploy.advice),
        "version": _text(deploy.version, redactor),
        "runningVersion": _text(None if deploy.before is None else deploy.before.version, redactor),
        "dependsOn": [redactor.mask(str(ref)) for ref in sorted(deploy.depends_on)],
        "heldUpBy": None if blocker is None else redactor.mask(str(blocker)),
        "firesTimer": deploy.fires_timer,
    }


def _diff(diff: FileDiff, redactor: Redactor) -> _Json:
    return {
        "path": redactor.mask(diff.path),
        "status": diff.status.value,
        "isBinary": diff.is_binary,
        "lines": [redactor.mask(line) for line in masked_diff_lines(diff)],
    }


def _action(action: PackageAction | UpdateAction | DeployAction) -> str:
    return "saveVersion" if action is UpdateAction.SAVE_VERSION else action.value


def _origin(origin: Origin | None) -> str | None:
    return None if origin is None else ORIGIN_NAMES[origin]


def _text(text: str | None, redactor: Redactor) -> str | None:
    return None if text is None else redactor.mask(text)
