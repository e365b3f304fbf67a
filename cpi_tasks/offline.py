"""Composition root of ``invoke validate``: the files of one or all environments, checked without any network."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cpi_tasks import content, environment, report, streams, validation
from cpi_tasks.content.manifest import MANIFEST_PATH
from cpi_tasks.cwd import current_folder
from cpi_tasks.environment.locate import COMMAND_LINE, display_path
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.errors import DownloadError, InputError, Problem
from cpi_tasks.model.config import BasicLogin, DeployConfig, RunConfig, Selection, TenantAccess
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.finding import Finding, Inspection, Rule, Severity, in_order
from cpi_tasks.model.naming import ArtifactRef

_REFUSED = InputError.exit_code
_SECRET_VARIABLES = ("CPI_PASSWORD", "CPI_CLIENT_SECRET", "CPI_SERVICE_KEY")
_ONLY_FOR_RUNS = {
    "unset-variable": Rule.UNSET_VARIABLE,
    "login": Rule.LOGIN,
    "download": Rule.NOT_READ,
}
"""Problems that end a run, but say nothing against the files."""
_MODELS = "src/main/resources"

NoteSecret = Callable[[str], None]


def main(selection: Selection, *, root: Path, form: str | None = None, out: str | None = None) -> int:
    """Check the files, write the report to standard output, and give the exit code: 4 with any error, else 0.

    ``form`` is one of ``report.FindingsFormat`` (default: text). With ``out`` the report goes to that file, and text to
    standard output.
    """
    redactor = report.Redactor()
    try:
        chosen = _read_flags(form, out)
        variables = environment.process_variables()
        inspection = inspect(selection, root=root, cwd=current_folder(), variables=variables, note_secret=redactor.add)
        shown = report.FindingsFormat.TEXT if out is not None else chosen
        if shown is report.FindingsFormat.GITHUB:
            # Annotations are capped, and few people know where to find them: the log has everything.
            _say(report.render_findings(inspection, report.FindingsFormat.TEXT, redactor, stdout=sys.stdout))
        _say(report.render_findings(inspection, shown, redactor, stdout=sys.stdout))
        if out is not None:
            _write(current_folder() / out, report.render_findings(inspection, chosen, redactor))
    except InputError as error:
        _say(report.render_problems(error.problems, redactor, stdout=sys.stdout))
        return error.exit_code
    return _REFUSED if inspection.has_errors else 0


def inspect(
    selection: Selection, *, root: Path, cwd: Path, variables: Mapping[str, str], note_secret: NoteSecret
) -> Inspection:
    """Check the environment that is named, or all of the project where none is.

    ``root`` is the project root, ``cwd`` the current folder, to which the paths of all findings are relative.
    """
    root, cwd = Path(os.path.abspath(root)), Path(os.path.abspath(cwd))  # noqa: PTH100 - resolve() follows links
    for name in _SECRET_VARIABLES:
        note_secret(variables.get(name, ""))
    chosen = _choose(selection, root, variables)
    looked_at = [_look_at(each, name, root, cwd, variables) for each, name in chosen]
    for each in looked_at:
        for secret in each.secrets:
            note_secret(secret)
        if each.run is not None and isinstance(each.run.tenant, TenantAccess):
            for secret in each.run.tenant.secrets:
                note_secret(secret)
    findings = _merged(looked_at)
    is_everything = chosen[0][0] is not selection
    if is_everything:
        findings = [*findings, *_unused(looked_at)]
    return Inspection(
        environments=tuple(each.name for each in looked_at),
        artifacts=len({spec for each in looked_at for spec in each.folders_read}),
        findings=in_order(_relative(finding, cwd) for finding in findings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LookedAt:
    """One environment and what is wrong with it; ``is_complete`` where every entry of its configurations was read."""

    name: str
    run: RunConfig | None
    findings: tuple[Finding, ...]
    is_complete: bool
    folders_read: frozenset[Path] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)


def _choose(selection: Selection, root: Path, variables: Mapping[str, str]) -> list[tuple[Selection, str]]:
    """Give what to load, each with the environment's name; several where nothing names one."""
    fallbacks = [name for name, _ in selection.env_fallbacks]
    named = [selection.env, selection.orchestrator_config, _environment_named(variables), *fallbacks]
    name = next((each for each in named if each), None)
    if name is None and not selection.deploy_config:
        found = [(replace(selection, env=each), each) for each in environment.environment_names(root)]
        return found or [(selection, "none")]
    return [(selection, name or "none")]


def _environment_named(variables: Mapping[str, str]) -> str:
    return environment.Variables(variables).clean("CPI_ENV", environment.Use.VALUE).text


def _look_at(selection: Selection, name: str, root: Path, cwd: Path, variables: Mapping[str, str]) -> _LookedAt:
    cleaned = environment.Variables(variables)
    loaded = environment.load(selection, root=root, cwd=cwd, variables=cleaned, fetch=_refuse_to_fetch)
    findings = _judged(loaded.problems)
    run = loaded.run
    if run is None:
        return _LookedAt(
            name=name, run=None, findings=_with_reason(findings, name), is_complete=False, secrets=loaded.secrets
        )
    shown = f"environment {run.environment}"
    findings += [_warning(Rule.CONFIGURATION, Problem(file=shown, message=text)) for text in run.warnings]
    is_complete = not any(_leaves_out(problem) for problem in loaded.problems)
    contents: dict[ArtifactRef, ArtifactContent] = {}
    if run.settings.mode.updates:
        for config in run.configs:
            read, problems = content.load_contents(config)
            contents.update({ref: found for ref, found in read.items() if found.spec.sync})
            findings += [_error(problem) for problem in problems]
        findings += validation.check(run.configs, contents, _Disk(), is_complete=is_complete)
    return _LookedAt(
        name=run.environment,
        run=run,
        findings=tuple(findings),
        is_complete=is_complete,
        secrets=loaded.secrets,
        folders_read=frozenset(each.spec.folder for each in contents.values()),
    )


def _refuse_to_fetch(_url: str, _login: str | BasicLogin | None) -> bytes:
    raise DownloadError("was not read, so its packages and artifacts were not checked: validate works offline")


def _judged(problems: Sequence[Problem]) -> list[Finding]:
    """Give what is wrong with the files as errors; what only a run needs as warnings, all about the login as one."""
    findings = []
    logins = [problem for problem in problems if problem.rule == "login"]
    for problem in problems:
        rule = _ONLY_FOR_RUNS.get(problem.rule)
        if rule is None:
            findings.append(Finding(rule=Rule.CONFIGURATION, severity=Severity.ERROR, problem=problem))
        elif rule is not Rule.LOGIN or len(logins) == 1:
            findings.append(_warning(rule, problem))
    if len(logins) > 1:
        message = "host and login are not given here; a run takes them from CPI_* variables or from 'tenant'"
        findings.append(_warning(Rule.LOGIN, replace(logins[0], message=message)))
    return findings


def _error(problem: Problem) -> Finding:
    return Finding(rule=Rule.CONTENT, severity=Severity.ERROR, problem=problem)


def _warning(rule: Rule, problem: Problem) -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, problem=problem)


def _with_reason(findings: Sequence[Finding], name: str) -> tuple[Finding, ...]:
    """Add that the rest was not looked at, where nothing else says so: silence would pass for a clean bill."""
    if any(finding.severity is Severity.ERROR or finding.rule is Rule.NOT_READ for finding in findings):
        return tuple(findings)
    message = "its packages and artifacts were not checked, because of variables that are not set here"
    return (*findings, _warning(Rule.NOT_CHECKED, Problem(file=f"environment {name}", message=message)))


def _leaves_out(problem: Problem) -> bool:
    """Whether a problem may have kept an entry of the configurations from being read."""
    if problem.rule == "unset-variable":
        return problem.path.startswith("packages.")
    return problem.rule != "login"


class _Disk:
    """The artifact folders on disk; what cannot be read was reported when the artifact was loaded."""

    def has(self, file: Path) -> bool:
        return file.is_file()

    def models(self, folder: Path) -> Sequence[bytes]:
        try:
            return [file.read_bytes() for file in sorted((folder / _MODELS).rglob("*.iflw"))]
        except OSError:
            return ()


def _merged(looked_at: Sequence[_LookedAt]) -> list[Finding]:
    """Give what several environments share once; the others name their environments."""
    by_finding: dict[Finding, list[str]] = {}
    for each in looked_at:
        for finding in dict.fromkeys(each.findings):
            by_finding.setdefault(finding, []).append(each.name)
    everywhere = len(looked_at)
    return [
        finding if len(found_in) == everywhere else replace(finding, environments=tuple(found_in))
        for finding, found_in in by_finding.items()
    ]


def _unused(looked_at: Sequence[_LookedAt]) -> tuple[Finding, ...]:
    """Look for artifact folders beside configured ones that no environment has; only where all of all were read."""
    runs = [each.run for each in looked_at if each.run is not None and each.is_complete]
    configs = [config for run in runs for config in run.configs]
    if len(runs) < len(looked_at) or any(config.filtered_out for config in configs):
        return ()
    return validation.find_unused(_manifests(configs), configs)


def _manifests(configs: Iterable[DeployConfig]) -> list[Path]:
    folders = {package.folder for config in configs for package in config.packages}
    found: list[Path] = []
    for folder in folders:
        try:
            found += [child / MANIFEST_PATH for child in folder.iterdir() if (child / MANIFEST_PATH).is_file()]
        except OSError:
            continue
    return found


def _relative(finding: Finding, cwd: Path) -> Finding:
    """Name files as a user would type them, and as programs that know the repository do."""
    problem = finding.problem
    is_path = Path(problem.file).is_absolute()
    shown = display_path(Path(os.path.normpath(problem.file)), cwd) if is_path else problem.file
    message = problem.message.replace(f"{cwd}{os.sep}", "")
    return replace(finding, problem=replace(problem, file=shown, message=message))


def _read_flags(form: str | None, out: str | None) -> report.FindingsFormat:
    """Check the flags that no other task has; raises ``InputError``."""
    problems = []
    known = {each.value: each for each in report.FindingsFormat}
    chosen = known.get(form) if form is not None else report.FindingsFormat.TEXT
    if chosen is None:
        message = f"'{form}' is not one of {', '.join(known)}{did_you_mean(form or '', known)}"
        problems.append(Problem(file=COMMAND_LINE, path="--format", message=message))
    if out is not None and not out.strip():
        problems.append(Problem(file=COMMAND_LINE, path="--out", message="must not be empty"))
    if problems or chosen is None:
        raise InputError(problems)
    return chosen


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not possible here"
        message = f"the report could not be written to '{file}': {reason}"
        raise InputError([Problem(file=COMMAND_LINE, path="--out", message=message)]) from error


def _say(text: str) -> None:
    streams.write(sys.stdout, text)
