"""The findings of a check without a tenant in all their forms."""

from __future__ import annotations

import io
import json

import pytest

from cpi_tasks.errors import Problem
from cpi_tasks.model.finding import Finding, Inspection, Rule, Severity
from cpi_tasks.report import FindingsFormat, Redactor, render_findings

ERROR = Finding(
    rule=Rule.CONFIGURATION,
    severity=Severity.ERROR,
    problem=Problem(file="configs/a b.yml", line=3, column=16, path="deployRetries", message="must be 100%, at least"),
)
WARNING = Finding(
    rule=Rule.SHARED_ADDRESS,
    severity=Severity.WARNING,
    problem=Problem(file="configs/c.yml", line=7, message="collides"),
    environments=("prod", "qa"),
)
PLACELESS = Finding(
    rule=Rule.LOGIN, severity=Severity.WARNING, problem=Problem(file="CPI_HOST", message="is no host: use https")
)


def inspection(*findings: Finding) -> Inspection:
    return Inspection(environments=("dev", "prod", "qa"), artifacts=10, findings=findings)


def render(form: FindingsFormat, *findings: Finding) -> str:
    return render_findings(inspection(*findings), form, Redactor())


def test_text_is_one_line_for_each_finding_and_one_that_counts() -> None:
    """Place, severity, path, message, rule; the environments where those are not all."""
    assert render(FindingsFormat.TEXT, ERROR, WARNING, PLACELESS).splitlines() == [
        "configs/a b.yml:3:16: error: deployRetries: must be 100%, at least [configuration]",
        "configs/c.yml:7: warning: collides (only prod, qa) [shared-address]",
        "CPI_HOST: warning: is no host: use https [login]",
        "✗ 1 error, 2 warnings in environments dev, prod, qa; 10 artifacts read.",
    ]


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ((), "✓ No problems in environments dev, prod, qa; 10 artifacts read.\n"),
        ((WARNING,), "✓ No errors, 1 warning in environments dev, prod, qa; 10 artifacts read.\n"),
    ],
)
def test_the_last_line_says_how_it_ended(findings: tuple[Finding, ...], expected: str) -> None:
    """It names what was looked at, so that nobody takes a check of nothing for a clean bill."""
    assert render(FindingsFormat.TEXT, *findings).endswith(expected)


def test_text_fits_a_stream_without_signs() -> None:
    """An ASCII terminal gets ASCII."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    shown = render_findings(inspection(), FindingsFormat.TEXT, Redactor(), stdout=stdout)
    assert shown.startswith("+ No problems")


def test_json_has_a_version_counts_and_all_findings() -> None:
    """The object that scripts read; what is not known is null."""
    assert json.loads(render(FindingsFormat.JSON, ERROR, PLACELESS)) == {
        "version": 1,
        "environments": ["dev", "prod", "qa"],
        "artifacts": 10,
        "counts": {"error": 1, "warning": 1},
        "findings": [
            {
                "rule": "configuration",
                "severity": "error",
                "file": "configs/a b.yml",
                "line": 3,
                "column": 16,
                "path": "deployRetries",
                "message": "must be 100%, at least",
                "environments": ["dev", "prod", "qa"],
            },
            {
                "rule": "login",
                "severity": "warning",
                "file": "CPI_HOST",
                "line": None,
                "column": None,
                "path": "",
                "message": "is no host: use https",
                "environments": ["dev", "prod", "qa"],
            },
        ],
    }


def test_sarif_has_one_run_with_rules_and_results() -> None:
    """What SARIF 2.1.0 requires, and what code scanning needs to show a result."""
    log = json.loads(render(FindingsFormat.SARIF, ERROR, WARNING, PLACELESS, WARNING))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert [rule["id"] for rule in rules] == ["configuration", "login", "shared-address"]
    assert all(rule["shortDescription"]["text"] for rule in rules)
    results = run["results"]
    assert [result["level"] for result in results] == ["error", "warning", "warning", "warning"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    assert results[0]["message"] == {"text": "deployRetries: must be 100%, at least"}
    assert results[0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "configs/a%20b.yml"},
                "region": {"startLine": 3, "startColumn": 16},
            }
        }
    ]
    assert results[1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}
    fingerprints = [result["partialFingerprints"]["cpiTasksFinding/v1"] for result in results]
    assert len(set(fingerprints)) == len(fingerprints)


def test_sarif_gives_what_has_no_file_a_place_all_the_same() -> None:
    """Code scanning refuses a log in which one result has no location."""
    (result,) = json.loads(render(FindingsFormat.SARIF, PLACELESS))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "tasks.py"}, "region": {"startLine": 1}}
    assert result["message"]["text"] == "CPI_HOST: is no host: use https"


def test_sarif_of_nothing_is_a_run_without_results() -> None:
    """An upload of it closes the alerts of the one before."""
    assert json.loads(render(FindingsFormat.SARIF))["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("environments/x.yml", "environments/x.yml"),
        ("config.yml", "config.yml"),
        ("/elsewhere/ü.yml", "file:///elsewhere/%C3%BC.yml"),
        ("command line", "tasks.py"),
        ("the Invoke setting cpi.env", "tasks.py"),
        ("https://config.example.com/c.yml", "tasks.py"),
    ],
)
def test_places_are_files_of_the_repository_or_none(file: str, expected: str) -> None:
    """Relative references stay relative; what is no file is not passed off as one."""
    finding = Finding(rule=Rule.CONTENT, severity=Severity.ERROR, problem=Problem(file=file, message="is wrong"))
    (result,) = json.loads(render(FindingsFormat.SARIF, finding))["runs"][0]["results"]
    assert expected == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_github_commands_are_escaped() -> None:
    """Nothing of a message or a file name can end the command or begin another one."""
    tricky = Problem(file="a:b,c%.yml", line=1, column=2, message="50% of\n::error::it: a, b")
    finding = Finding(rule=Rule.CONTENT, severity=Severity.ERROR, problem=tricky)
    assert render(FindingsFormat.GITHUB, finding, WARNING).splitlines() == [
        "::error file=a%3Ab%2Cc%25.yml,line=1,col=2,title=cpi-tasks%3A content::50%25 of ::error::it: a, b",
        ("::warning file=configs/c.yml,line=7,title=cpi-tasks%3A shared-address::collides (only prod, qa)"),
    ]


def test_github_gets_ten_of_a_kind_and_how_many_more() -> None:
    """GitHub drops the eleventh silently; what is about this machine does not crowd out what is about the files."""
    errors = [
        Finding(rule=Rule.CONTENT, severity=Severity.ERROR, problem=Problem(file="a.yml", line=n, message="wrong"))
        for n in range(1, 13)
    ]
    lines = render(FindingsFormat.GITHUB, *[PLACELESS] * 10, *errors, WARNING).splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert sum(line.startswith("::warning ") for line in lines) == 10
    assert any("collides" in line for line in lines)
    assert lines[-1] == "::notice title=cpi-tasks validate::3 more; the log lists all"


def test_gitlab_gets_a_code_quality_report() -> None:
    """Every entry has what GitLab requires; two alike have different fingerprints."""
    report = json.loads(render(FindingsFormat.GITLAB, ERROR, PLACELESS, PLACELESS))
    assert len({entry.pop("fingerprint") for entry in report}) == 3
    assert report[:2] == [
        {
            "description": "deployRetries: must be 100%, at least",
            "check_name": "configuration",
            "severity": "major",
            "location": {"path": "configs/a b.yml", "lines": {"begin": 3}},
        },
        {
            "description": "CPI_HOST: is no host: use https",
            "check_name": "login",
            "severity": "minor",
            "location": {"path": "tasks.py", "lines": {"begin": 1}},
        },
    ]


def test_a_fingerprint_does_not_depend_on_the_line() -> None:
    """A finding that moves down is not a new one."""
    moved = Finding(
        rule=ERROR.rule,
        severity=ERROR.severity,
        problem=Problem(file="configs/a b.yml", line=99, path="deployRetries", message="must be 100%, at least"),
    )
    (one,) = json.loads(render(FindingsFormat.GITLAB, ERROR))
    (other,) = json.loads(render(FindingsFormat.GITLAB, moved))
    assert one["fingerprint"] == other["fingerprint"]


@pytest.mark.parametrize("form", list(FindingsFormat))
def test_no_form_shows_a_secret_or_a_control_character(form: FindingsFormat) -> None:
    """Files, paths and messages all go through the redactor."""
    problem = Problem(file="hunter2/x.yml", line=1, path="tenant.hunter2", message="'hunter2\x1b[31m' is wrong")
    finding = Finding(rule=Rule.CONTENT, severity=Severity.ERROR, problem=problem)
    shown = render_findings(inspection(finding), form, Redactor(["hunter2"]))
    assert "***" in shown
    assert not [part for part in ("hunter2", "\x1b", "u001b") if part in shown]


def test_every_rule_is_described() -> None:
    """Names in kebab case, one sentence each."""
    assert all(rule.description.endswith(".") for rule in Rule)
    assert all(rule.value == rule.name.lower().replace("_", "-") for rule in Rule)
