"""A plan in words: for each package what will be done and why; what stays as it is is only counted."""

from __future__ import annotations

from collections.abc import Mapping

from cpi_tasks.events import PlanFinished
from cpi_tasks.hints import command
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
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
from cpi_tasks.report.wording import BLANK, Line, Tone, names, number, unknown_makers, warned

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
        lines.append(unknown_makers(counts.unknown_origins))
    return [*lines, counts_line("Plan", counts)]


def counts_line(title: str, counts: Tally) -> Line:
    """Give the one line that says what plans come to."""
    return Line(f"{title}: {counts.words()}", Tone.HEADING)


def ending_lines(event: PlanFinished, *, warning_count: int, repeats_counts: bool) -> list[Line]:
    """Give the last words where plans are only shown: all counts together, and whether there is anything to do.

    The counts of a single plan were just said; with ``repeats_counts`` something came between.
    """
    counts, has_several, notice = tally(event.plans), len(event.plans) > 1, warned(warning_count)
    title = "Plan in total" if has_several else "Plan"
    lines = [BLANK, counts_line(title, counts)] if has_several or repeats_counts else []
    refused = Line(f"✗ Nothing was written; a run would be refused (exit code 5).{notice}", Tone.BAD)
    return [*lines, BLANK, refused if event.is_refused else _closing(counts, notice)]


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
    task = {(True, False): "update", (False, True): "deploy"}.get(
        (counts.has_updates, counts.has_deploys), "orchestrate"
    )
    hint = command(task)
    return Line(f"Nothing was written; run {hint} to carry this out.{notice}", Tone.HEADING)


def _package(package: PackagePlan, redactor: Redactor) -> list[Line]:
    sign, verb, tone = _PACKAGE_SIGNS[package.action]
    if package.action is PackageAction.UNCHANGED:
        return [Line(f"📦 {package.id}")]
    if package.action is PackageAction.KEEP:
        return [Line(f"{sign} 📦 {package.id}: {package.reason or verb}", tone)]
    if package.action is PackageAction.CREATE:
        lines = [Line(f"{sign} 📦 {package.id}: {verb}{_why(package.reason, None)}", tone)]
        return [*lines, *_deleted(package.origin, "deleted on the tenant since the last run")]
    lines = [Line(f"{sign} 📦 {package.id}: {verb}{_why(package.reason, package.origin)}", tone)]
    return lines + (field_lines(package, redactor) if package.action is PackageAction.UPDATE else [])


def _deleted(origin: Origin | None, what: str) -> list[Line]:
    """Say that something is created again that somebody took away."""
    return [Line(f"      ⚠ {what}", Tone.WARNING)] if origin is not None and origin.is_drift else []


def _quiet(packages: list[PackagePlan]) -> Line:
    """Say in one line what all packages have in common in which nothing is done."""
    first, listed = packages[0], names([package.id for package in packages])
    sign, verb, _ = _PACKAGE_SIGNS[first.action]
    amount = number(sum(len(package.artifacts) for package in packages), "artifact")
    has_artifacts = any(package.artifacts for package in packages)
    if first.action is PackageAction.UNCHANGED:
        what, contents = verb, f", with {amount}"
    else:
        what, contents = first.reason or verb, f"; {amount} unchanged"
    contents = contents if has_artifacts else ""
    if len(packages) == 1:
        return Line(f"{sign} 📦 {listed}: {what}{contents}")
    what = what if what == verb else f"({what})"
    # What they have in common goes first: the names may be many.
    return Line(f"{sign} 📦 {len(packages):,} packages {what}{contents}: {listed}")


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
    second = _deploy_words(deploy)
    if is_unchanged(artifact):
        return first or second
    return f"{first}; {second}" if first else second


def _deploy_words(deploy: DeployStep) -> str:
    if deploy.action is DeployAction.RUNNING:
        return deploy.reason or "running"
    verbs = {DeployAction.DEPLOY: "deploy", DeployAction.WATCH: "watch", DeployAction.REFUSE: "refused to deploy"}
    return f"{verbs[deploy.action]}{_why(deploy.reason, None)}"


def _update_words(update: UpdateStep) -> str:
    # That content is as wanted needs no reason; what else there is to say about it (a read-only package) is said.
    reason = "" if update.action is UpdateAction.UNCHANGED and update.content is not None else update.reason
    origin = None if update.action is UpdateAction.CREATE else update.origin
    return f"{_VERBS[update.action]}{_version(update)}{_why(reason, origin)}"


def _version(update: UpdateStep) -> str:
    if update.action is UpdateAction.CREATE:
        version = update.version or ("" if update.content is None else update.content.version)
        return f" {version}" if version else ""
    if not update.writes or update.version in {"", update.base_version}:
        return ""
    return f" {update.base_version} → {update.version}" if update.base_version else f" to {update.version}"


def _why(reason: str, origin: Origin | None) -> str:
    words = [] if reason in _SELF_EVIDENT else [reason]
    if origin is not None and origin is not Origin.UNKNOWN:
        words.append(f"⚠ {origin.value}" if origin.is_drift else origin.value)
    return f" ({'; '.join(words)})" if words else ""


def _details(update: UpdateStep, redactor: Redactor) -> list[Line]:
    lines = []
    if update.action is UpdateAction.CREATE:
        lines = _deleted(update.origin, "deleted on the tenant, or moved to another package, since the last run")
    elif unnamed := [path for path in update.paths if path not in update.reason]:
        label = "files" if len(unnamed) == len(update.paths) else "more files"
        lines = [Line(f"      {label}: {names(unnamed)}")]
    lines += parameter_lines(update, redactor)
    if update.only_on_tenant:
        lines.append(Line(f"      only on the tenant, kept: {names(update.only_on_tenant)}"))
    return lines
