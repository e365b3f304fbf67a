"""A plan in words: for each package what will be done and why; what stays as it is is only counted."""

from __future__ import annotations

from collections.abc import Mapping

from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    Origin,
    PackageAction,
    PackagePlan,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.report.differences import field_lines, parameter_lines
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.tally import DEPLOYS, Tally, blockers, is_refused, is_unchanged, tally
from cpi_tasks.report.wording import BLANK, Line, Tone, author, names, number, warned

_MOST_ALIKE = 40
"""So many artifacts of a package that are created, deployed or noted are listed; the names of the others follow."""
_LOUD = frozenset({Tone.BAD, Tone.WARNING})
_VERBS = {
    UpdateAction.CREATE: "create",
    UpdateAction.UPDATE: "update",
    UpdateAction.CONFIGURE: "reconfigure",
    UpdateAction.REPLACE: "replace",
    UpdateAction.SAVE_VERSION: "save as a version",
    UpdateAction.UNCHANGED: "unchanged",
    UpdateAction.KEEP: "left alone",
    UpdateAction.REFUSE: "refused",
}
_SIGNS = {
    UpdateAction.CREATE: ("+", Tone.ADDITION),
    UpdateAction.UPDATE: ("~", Tone.CHANGE),
    UpdateAction.CONFIGURE: ("~", Tone.CHANGE),
    UpdateAction.REPLACE: ("±", Tone.WARNING),
    UpdateAction.SAVE_VERSION: ("~", Tone.CHANGE),
    UpdateAction.KEEP: ("-", Tone.NORMAL),
}
_PACKAGE_SIGNS = {
    PackageAction.CREATE: ("+", "create", Tone.ADDITION),
    PackageAction.UPDATE: ("~", "update metadata", Tone.CHANGE),
    PackageAction.UNCHANGED: ("=", "unchanged", Tone.NORMAL),
    PackageAction.KEEP: ("-", "metadata left alone", Tone.NORMAL),
    PackageAction.REFUSE: ("✗", "refused", Tone.BAD),
}
# What every creation says is no news.
_SELF_EVIDENT = frozenset({"", "does not exist on the tenant"})
_DRIFT_MARK = "⚠"


def plan_lines(plan: Plan, redactor: Redactor) -> list[Line]:
    """Give the whole plan: each package with the artifacts that are not simply unchanged, then a line of counts."""
    counts = tally([plan])
    title = f"PLAN: {number(counts.packages, 'package')}, {number(counts.artifacts, 'artifact')}"
    lines = [BLANK, Line(title, Tone.HEADING)]
    held_up = blockers(plan)
    quiet: dict[tuple[PackageAction, str], list[PackagePlan]] = {}
    for package in plan.packages:
        told = _artifacts(package, held_up, redactor)
        is_quiet = package.action in {PackageAction.UNCHANGED, PackageAction.KEEP} and not told
        if is_quiet:
            quiet.setdefault((package.action, package.reason), []).append(package)
        else:
            lines += [*_package(package, redactor), *told, *_unchanged(package)]
    for packages in quiet.values():
        lines.append(_quiet(packages))
    if counts.unknown_origins:
        text = f"Who made {number(counts.unknown_origins, 'difference')} is not known: no earlier run is on record."
        lines.append(Line(text, Tone.FAINT))
    return [*lines, counts_line("Plan", counts)]


def counts_line(title: str, counts: Tally) -> Line:
    """Give the one line that says what plans come to."""
    return Line(f"{title}: {counts.words()}", Tone.HEADING)


def ending_lines(plans: tuple[Plan, ...], *, warning_count: int, repeats_counts: bool) -> list[Line]:
    """Give the last words where plans are only shown: all counts together, and whether there is anything to do.

    The counts of a single plan were just said; with ``repeats_counts`` something came between.
    """
    counts = tally(plans)
    lines = [counts_line("Plan in total", counts)] if len(plans) > 1 or repeats_counts else []
    return [*([BLANK] if lines else []), *lines, BLANK, _closing(counts, warned(warning_count))]


def _closing(counts: Tally, notice: str) -> Line:
    if counts.all_refused:
        what = "1 is" if counts.all_refused == 1 else f"{counts.all_refused:,} are"
        rest = "carry out the rest and fail" if counts.has_changes else "do nothing else and fail"
        text = f"✗ Nothing was written; {what} refused or held up, see above: a run would {rest} for that."
        return Line(f"{text}{notice}", Tone.BAD)
    if not counts.artifacts and not counts.has_changes:
        return Line(f"⚠ Nothing would change: the plan has no artifacts.{notice}", Tone.WARNING)
    if not counts.has_changes:
        return Line(f"✓ Nothing would change.{notice}", Tone.GOOD)
    command = {(True, False): "update", (False, True): "deploy"}.get(
        (counts.has_updates, counts.has_deploys), "orchestrate"
    )
    return Line(f"Nothing was written; run invoke {command} to carry this out.{notice}", Tone.HEADING)


def _package(package: PackagePlan, redactor: Redactor) -> list[Line]:
    sign, verb, tone = _PACKAGE_SIGNS[package.action]
    if package.action is PackageAction.UNCHANGED:
        return [Line(f"📦 {package.id}")]
    lines = [Line(f"{sign} 📦 {package.id}: {verb}{_why(package.reason, package.origin)}", tone)]
    if package.action is not PackageAction.UPDATE:
        return lines
    before = package.before.metadata if package.before is not None else {}
    fields = [(name, before.get(name), package.metadata.get(name)) for name in package.changed_fields]
    lines += field_lines(fields, redactor)
    if package.origin is not None and package.origin.is_drift:
        text = f"{_DRIFT_MARK} {package.origin.value}: the metadata on the tenant is overwritten"
        lines.append(Line(f"      {text}", Tone.WARNING))
    return lines


def _quiet(packages: list[PackagePlan]) -> Line:
    """Say in one line what all packages have in common in which nothing is done."""
    sign, verb, _ = _PACKAGE_SIGNS[packages[0].action]
    amount = sum(len(package.artifacts) for package in packages)
    why = _why(packages[0].reason, None) if packages[0].action is PackageAction.KEEP else ""
    unchanged = f"; {number(amount, 'artifact')} unchanged" if why and amount else ""
    unchanged = unchanged or (f" with {number(amount, 'artifact')}" if amount else "")
    counted = f"{len(packages):,} packages: " if len(packages) > 1 else ""
    return Line(f"{sign} 📦 {counted}{names([package.id for package in packages])}: {verb}{why}{unchanged}")


def _unchanged(package: PackagePlan) -> list[Line]:
    amount = sum(is_unchanged(artifact) and not _is_noted(artifact) for artifact in package.artifacts)
    return [Line(f"  = {number(amount, 'artifact')} unchanged", Tone.FAINT)] if amount else []


def _artifacts(package: PackagePlan, held_up: Mapping[ArtifactRef, ArtifactRef], redactor: Redactor) -> list[Line]:
    lines: list[Line] = []
    listed: dict[str, int] = {}
    more: dict[str, list[str]] = {}
    skipped: dict[str, list[str]] = {}
    for artifact in package.artifacts:
        if artifact.update is None and artifact.deploy is None:
            skipped.setdefault(artifact.skip_reason, []).append(artifact.ref.artifact)
            continue
        if is_unchanged(artifact) and not _is_noted(artifact):
            continue
        told = _artifact(artifact, held_up.get(artifact.ref), redactor)
        sign, is_loud = told[0].text.split(maxsplit=1)[0], any(line.tone in _LOUD for line in told)
        if not is_loud and sign in _FOLDED:
            listed[sign] = listed.get(sign, 0) + 1
            if listed[sign] > _MOST_ALIKE:
                more.setdefault(sign, []).append(artifact.ref.artifact)
                continue
        lines += told
    for sign, artifacts in more.items():
        lines.append(Line(f"  {sign} … and {len(artifacts):,} more {_FOLDED[sign]}: {names(artifacts)}"))
    for reason, artifacts in skipped.items():
        lines.append(Line(f"  - {names(artifacts)}: skipped{_why(reason, None)}", Tone.FAINT))
    return lines


_FOLDED = {"+": "to create", "↻": "to deploy", "=": "unchanged with differing parameters"}


def _is_noted(artifact: ArtifactPlan) -> bool:
    update = artifact.update
    return bool(artifact.warnings) or (update is not None and bool(update.kept or update.only_on_tenant))


def _artifact(artifact: ArtifactPlan, blocker: ArtifactRef | None, redactor: Redactor) -> list[Line]:
    sign, tone = _sign(artifact)
    lines = [Line(f"  {sign} {artifact.ref.artifact} ({artifact.kind.label}): {_intention(artifact)}", tone)]
    update, deploy = artifact.update, artifact.deploy
    advice = {step.advice: None for step in (update, deploy) if step is not None and step.advice}
    lines += [Line(f"      what to do: {text}") for text in advice]
    if update is not None:
        lines += _details(update, redactor)
    if blocker is not None:
        lines.append(Line(f"      ✗ will not be deployed: it needs {blocker.artifact}, see there", Tone.BAD))
    elif deploy is not None and deploy.fires_timer and deploy.action in DEPLOYS and not is_refused(artifact):
        lines.append(Line("      ⚠ its timer fires as soon as it is deployed", Tone.WARNING))
    return lines + [Line(f"      ⚠ {text}", Tone.WARNING) for text in artifact.warnings]


def _sign(artifact: ArtifactPlan) -> tuple[str, Tone]:
    if is_refused(artifact):
        return "✗", Tone.BAD
    update, deploy = artifact.update, artifact.deploy
    if update is not None and update.writes:
        return _SIGNS[update.action]
    if deploy is not None and deploy.action in DEPLOYS:
        return "↻", Tone.CHANGE
    if update is not None and update.action is UpdateAction.KEEP:
        return _SIGNS[update.action]
    return "=", Tone.NORMAL


def _intention(artifact: ArtifactPlan) -> str:
    update, deploy = artifact.update, artifact.deploy
    first = "" if update is None else _update_words(update)
    if deploy is None:
        return first
    if update is not None and update.action is UpdateAction.REFUSE:
        return f"{first}; not deployed"
    if update is not None and update.writes and deploy.action is DeployAction.DEPLOY:
        return f"{first}, then deploy"
    second = {
        DeployAction.DEPLOY: "deploy",
        DeployAction.WATCH: "watch",
        DeployAction.RUNNING: "running",
        DeployAction.REFUSE: "refused to deploy",
    }[deploy.action]
    if is_unchanged(artifact):
        return first or second
    return f"{first}; {second}{_why(deploy.reason, None)}" if first else f"{second}{_why(deploy.reason, None)}"


def _update_words(update: UpdateStep) -> str:
    # That content is as wanted needs no reason; what else there is to say about it (a read-only package) is said.
    reason = "" if update.action is UpdateAction.UNCHANGED and update.content is not None else update.reason
    return f"{_VERBS[update.action]}{_version(update)}{_why(reason, update.origin)}"


def _version(update: UpdateStep) -> str:
    if update.action is UpdateAction.CREATE:
        version = update.version or ("" if update.content is None else update.content.version)
        return f" {version}" if version else ""
    if not update.writes or update.version in {"", update.base_version}:
        return ""
    return f" {update.base_version} → {update.version}" if update.base_version else f" to {update.version}"


def _why(reason: str, origin: Origin | None) -> str:
    words = [] if reason in _SELF_EVIDENT else [reason]
    words += [origin.value] if origin is Origin.FILES else []
    return f" ({'; '.join(words)})" if words else ""


def _details(update: UpdateStep, redactor: Redactor) -> list[Line]:
    lines = []
    is_creation = update.action is UpdateAction.CREATE
    if not is_creation and any(path not in update.reason for path in update.paths):
        lines.append(Line(f"      files: {names(update.paths)}"))
    if update.origin is not None and update.origin.is_drift:
        before = update.before
        who = "" if before is None else author(before.modified_by, before.modified_at)
        verb = "is overwritten" if update.writes else "stays"
        text = f"{_DRIFT_MARK} {update.origin.value}{who}: the content on the tenant {verb}"
        lines.append(Line(f"      {text}", Tone.WARNING))
    lines += parameter_lines(update, redactor)
    if update.only_on_tenant:
        lines.append(Line(f"      only on the tenant, kept: {names(update.only_on_tenant)}"))
    return lines
