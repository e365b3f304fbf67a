"""A plan in words: for each package what will be done and why; what stays as it is is only counted."""

from __future__ import annotations

from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.wording import BLANK, Line, Tone, names, number, shown_value

_MOST_PARAMETERS = 10
_DEPLOYS = frozenset({DeployAction.DEPLOY, DeployAction.WATCH})


def plan_lines(plan: Plan, redactor: Redactor) -> list[Line]:
    """Give the whole plan: a line of totals, then each package with the artifacts that are not simply unchanged."""
    lines = [BLANK, Line(f"PLAN: {_totals(plan)}", Tone.HEADING)]
    for package in plan.packages:
        lines += _package(package, redactor)
    return lines


def _totals(plan: Plan) -> str:
    artifacts = list(plan.artifacts())
    updates = sum(a.update is not None and a.update.writes for a in artifacts)
    deploys = sum(a.deploy is not None and a.deploy.action in _DEPLOYS for a in artifacts)
    words = [
        f"{updates:,} to update" if plan.updates else "no update phase",
        f"{deploys:,} to deploy" if plan.deploys else "no deploy phase",
        f"{sum(map(_is_unchanged, artifacts)):,} unchanged",
    ]
    refused, skipped = sum(map(_is_refused, artifacts)), sum(a.update is None and a.deploy is None for a in artifacts)
    words += [f"{refused:,} refused"] if refused else []
    words += [f"{skipped:,} skipped"] if skipped else []
    return f"{number(len(plan.packages), 'package')}, {number(len(artifacts), 'artifact')}: {', '.join(words)}"


def _is_unchanged(artifact: ArtifactPlan) -> bool:
    steps = [step for step in (artifact.update, artifact.deploy) if step is not None]
    return bool(steps) and all(step.action in {UpdateAction.UNCHANGED, DeployAction.RUNNING} for step in steps)


def _is_refused(artifact: ArtifactPlan) -> bool:
    steps = (artifact.update, artifact.deploy)
    return any(step is not None and step.action in {UpdateAction.REFUSE, DeployAction.REFUSE} for step in steps)


def _package(package: PackagePlan, redactor: Redactor) -> list[Line]:
    unchanged = sum(map(_is_unchanged, package.artifacts))
    fields = f"; fields: {', '.join(package.changed_fields)}" if package.changed_fields else ""
    is_refused = package.action is PackageAction.REFUSE
    text = f"{'✗ ' if is_refused else ''}📦 {package.id}: {package.action.value}"
    if package.action is not PackageAction.UNCHANGED:
        text += f" ({package.reason}{fields})" if package.reason else ""
    if unchanged:
        text += f"; {number(unchanged, 'artifact')} unchanged"
    lines = [Line(text, Tone.BAD if is_refused else Tone.NORMAL)]
    skipped: dict[str, list[str]] = {}
    for artifact in package.artifacts:
        has_kept = artifact.update is not None and bool(artifact.update.kept)
        if artifact.update is None and artifact.deploy is None:
            skipped.setdefault(artifact.skip_reason, []).append(artifact.ref.artifact)
        elif has_kept or not _is_unchanged(artifact):
            lines += _artifact(artifact, redactor)
    for reason, artifacts in skipped.items():
        lines.append(Line(f"  {names(artifacts)}: {_because('skip', reason)}", Tone.FAINT))
    return lines


def _artifact(artifact: ArtifactPlan, redactor: Redactor) -> list[Line]:
    is_refused = _is_refused(artifact)
    mark = "✗ " if is_refused else ""
    tone = Tone.BAD if is_refused else Tone.NORMAL
    lines = [Line(f"  {mark}{artifact.ref.artifact} ({artifact.kind.label}): {_intention(artifact)}", tone)]
    advice = {step.advice: None for step in (artifact.update, artifact.deploy) if step is not None and step.advice}
    lines += [Line(f"      what to do: {text}") for text in advice]
    if artifact.update is not None:
        lines += _details(artifact.update, redactor)
    return lines


def _intention(artifact: ArtifactPlan) -> str:
    words = []
    if artifact.update is not None:
        words.append(_because(artifact.update.action.value, artifact.update.reason))
    if artifact.deploy is not None:
        action = artifact.deploy.action
        verb = "refuse to deploy" if action is DeployAction.REFUSE else action.value
        words.append(_because(verb, artifact.deploy.reason))
    return "; ".join(words)


def _because(action: str, reason: str) -> str:
    return f"{action} ({reason})" if reason and reason != action else action


def _details(update: UpdateStep, redactor: Redactor) -> list[Line]:
    lines = []
    if update.paths and update.action is not UpdateAction.CREATE:
        lines.append(Line(f"      files: {names(update.paths)}"))
    if update.writes and update.action is not UpdateAction.CREATE:
        lines += _parameters("set", update.changes, redactor)
    return lines + _parameters("kept", update.kept, redactor)


def _parameters(verb: str, changes: tuple[ParameterChange, ...], redactor: Redactor) -> list[Line]:
    lines = []
    for change in changes[:_MOST_PARAMETERS]:
        old, new = shown_value(change, change.old, redactor), shown_value(change, change.new, redactor)
        lines.append(Line(f"      {verb}: {change.key}, tenant value {old}, file value {new}"))
    if len(changes) > _MOST_PARAMETERS:
        lines.append(Line(f"      {verb}: … and {len(changes) - _MOST_PARAMETERS} more"))
    return lines
