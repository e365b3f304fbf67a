"""The findings of a check without a tenant, for people and for the programs that show them beside the code."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from pathlib import PurePath
from typing import IO
from urllib.parse import quote

from cpi_tasks.errors import Problem
from cpi_tasks.model.finding import Finding, Inspection, Rule, Severity
from cpi_tasks.report.redactor import Redactor, dumped
from cpi_tasks.report.wording import Outlet, names, number

JSON_VERSION = 1
"""Raised when a key of the JSON report is removed or changes its meaning; new keys do not raise it."""
MOST_ANNOTATIONS = 10
"""GitHub shows so many annotations of a kind for each step and drops the rest."""
_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_NO_FILE = "tasks.py"
"""Stands for what has no file (flags, variables): code scanning and Code Quality refuse results without one."""
_GITLAB_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}
_ABOUT_THIS_MACHINE = frozenset({Rule.LOGIN, Rule.UNSET_VARIABLE, Rule.NOT_READ, Rule.NOT_CHECKED})
_FILE_ALONE = re.compile(r"\S+\.\w+")
_Json = Mapping[str, object]


class FindingsFormat(Enum):
    """The forms of the report; the value is what ``--format`` takes."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"


def render_findings(
    inspection: Inspection, form: FindingsFormat, redactor: Redactor, *, stdout: IO[str] | None = None
) -> str:
    """Give the report in one form, redacted; lines of text are fit for ``stdout`` where that is given."""
    clean = replace(inspection, findings=tuple(_cleaned(finding, redactor) for finding in inspection.findings))
    outlet = Outlet(stdout, redactor)
    render: dict[FindingsFormat, Callable[[], str]] = {
        FindingsFormat.TEXT: lambda: _lines(_text(clean), outlet),
        FindingsFormat.JSON: lambda: dumped(_json(clean)),
        FindingsFormat.SARIF: lambda: dumped(_sarif(clean)),
        FindingsFormat.GITHUB: lambda: "".join(f"::{outlet.fit(command)}\n" for command in _github(clean)),
        FindingsFormat.GITLAB: lambda: dumped(_gitlab(clean)),
    }
    return render[form]()


def _cleaned(finding: Finding, redactor: Redactor) -> Finding:
    problem = finding.problem
    cleaned = replace(
        problem,
        file=redactor.clean(problem.file),
        path=redactor.clean(problem.path),
        message=redactor.clean(problem.message),
    )
    return replace(finding, problem=cleaned)


def _lines(lines: Iterable[str], outlet: Outlet) -> str:
    return "".join(f"{outlet.fit(line)}\n" for line in lines)


def _text(inspection: Inspection) -> list[str]:
    """Give ``file:line:column: severity: path: message [rule]`` for each finding, then what it comes to."""
    lines = []
    for finding in inspection.findings:
        problem = finding.problem
        place = ":".join([problem.file, *(str(count) for count in (problem.line, problem.column) if count)])
        lines.append(f"{place}: {finding.severity.value}: {_said(finding)} [{finding.rule.value}]")
    return [*lines, _closing(inspection)]


def _said(finding: Finding) -> str:
    """Give path and message, with the environments where those are not all."""
    problem = finding.problem
    said = f"{problem.path}: {problem.message}" if problem.path else problem.message
    is_plain = len(finding.environments) == 1 and PurePath(problem.file).stem == finding.environments[0]
    return f"{said} (only {names(finding.environments)})" if finding.environments and not is_plain else said


def _closing(inspection: Inspection) -> str:
    errors, warnings = len(inspection.of(Severity.ERROR)), len(inspection.of(Severity.WARNING))
    what = "environment" if len(inspection.environments) == 1 else "environments"
    where = f"in {what} {names(inspection.environments)}; {number(inspection.artifacts, 'artifact')} read."
    if errors:
        return f"✗ {number(errors, 'error')}, {number(warnings, 'warning')} {where}"
    return f"✓ No errors, {number(warnings, 'warning')} {where}" if warnings else f"✓ No problems {where}"


def _json(inspection: Inspection) -> _Json:
    return {
        "version": JSON_VERSION,
        "environments": list(inspection.environments),
        "artifacts": inspection.artifacts,
        "counts": {severity.value: len(inspection.of(severity)) for severity in Severity},
        "findings": [
            {
                "rule": finding.rule.value,
                "severity": finding.severity.value,
                "file": finding.problem.file,
                "line": finding.problem.line or None,
                "column": finding.problem.column or None,
                "path": finding.problem.path,
                "message": finding.problem.message,
                "environments": list(finding.environments or inspection.environments),
            }
            for finding in inspection.findings
        ],
    }


def _sarif(inspection: Inspection) -> _Json:
    """Give a log of SARIF 2.1.0 (OASIS) as GitHub's code scanning takes it."""
    rules = [rule for rule in Rule if any(finding.rule is rule for finding in inspection.findings)]
    driver = {
        "name": "cpi-tasks validate",
        "rules": [{"id": rule.value, "shortDescription": {"text": rule.description}} for rule in rules],
    }
    results = [
        {
            "ruleId": finding.rule.value,
            "ruleIndex": rules.index(finding.rule),
            "level": finding.severity.value,
            "message": {"text": _placed_text(finding)},
            "locations": [{"physicalLocation": _physical(finding.problem)}],
            "partialFingerprints": {"cpiTasksFinding/v1": fingerprint},
        }
        for finding, fingerprint in _fingerprinted(inspection.findings)
    ]
    # Lines and columns count characters, as YAML's do; SARIF's own default are UTF-16 code units.
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _physical(problem: Problem) -> _Json:
    region = {"startLine": problem.line or 1}
    if problem.column:
        region["startColumn"] = problem.column
    uri = _path(problem)
    # An absolute path is no relative reference: it needs its scheme.
    quoted = f"file://{quote(uri)}" if uri.startswith("/") else quote(uri)
    return {"artifactLocation": {"uri": quoted}, "region": region}


def _github(inspection: Inspection) -> list[str]:
    """Give workflow commands without their ``::``, at most ten of a kind, then how many there are besides."""
    lines = []
    left = 0
    for severity in Severity:
        # Those that are about this machine go last: they must not crowd out what is wrong with the files.
        findings = sorted(inspection.of(severity), key=lambda finding: finding.rule in _ABOUT_THIS_MACHINE)
        left += len(findings[MOST_ANNOTATIONS:])
        lines += [_command(finding) for finding in findings[:MOST_ANNOTATIONS]]
    if left:
        lines.append(f"notice title=cpi-tasks validate::{_escaped(f'{left:,} more; the log lists all')}")
    return lines


def _command(finding: Finding) -> str:
    problem = finding.problem
    properties = {"file": _path(problem), "line": str(problem.line or 1)}
    if problem.column:
        properties["col"] = str(problem.column)
    properties["title"] = f"cpi-tasks: {finding.rule.value}"
    listed = ",".join(f"{key}={_escaped_property(value)}" for key, value in properties.items())
    return f"{finding.severity.value} {listed}::{_escaped(_placed_text(finding))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _gitlab(inspection: Inspection) -> list[_Json]:
    """Give a report for GitLab's Code Quality."""
    return [
        {
            "description": _placed_text(finding),
            "check_name": finding.rule.value,
            "fingerprint": fingerprint,
            "severity": _GITLAB_SEVERITIES[finding.severity],
            "location": {"path": _path(finding.problem), "lines": {"begin": finding.problem.line or 1}},
        }
        for finding, fingerprint in _fingerprinted(inspection.findings)
    ]


def _fingerprinted(findings: Iterable[Finding]) -> list[tuple[Finding, str]]:
    """Give each finding a digest that stays the same when lines move; equal ones are told apart by their number."""
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        problem = finding.problem
        text = f"{finding.rule.value}\0{problem.file}\0{problem.path}\0{problem.message}"
        result.append((finding, hashlib.sha256(f"{text}\0{seen[text]}".encode()).hexdigest()))
        seen[text] += 1
    return result


def _is_file(problem: Problem) -> bool:
    """Whether the place is a file and not a flag, a variable or a URL; names alone must look like file names."""
    if "://" in problem.file:
        return False
    return bool(problem.line) or "/" in problem.file or _FILE_ALONE.fullmatch(problem.file) is not None


def _path(problem: Problem) -> str:
    return problem.file.replace("\\", "/") if _is_file(problem) else _NO_FILE


def _placed_text(finding: Finding) -> str:
    """Give the sentence for a reader who sees the file beside it; what has no file is named."""
    return _said(finding) if _is_file(finding.problem) else f"{finding.problem.file}: {_said(finding)}"
