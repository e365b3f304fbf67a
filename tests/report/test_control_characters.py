"""Texts of a tenant and of files move no cursor and give no command, wherever they are shown."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest

from cpi_tasks.errors import Problem, TenantUnavailable
from cpi_tasks.events import DiffMade, DriftFound, Event
from cpi_tasks.model.content import DiffStatus, FileDiff
from cpi_tasks.model.drift import Aspect, DriftEntry, DriftReport
from cpi_tasks.model.finding import Finding, Inspection, Rule, Severity
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import Origin
from cpi_tasks.report import (
    FindingsFormat,
    Redactor,
    drift_json,
    render_drift,
    render_error,
    render_findings,
    render_problems,
)
from tests.report.plans import shown

HOSTILE = "::stop-commands::x\x1b]0;title\x07\x1b[2J\rb\u202ec\n::stop-commands::x\n  ##vso[task.setvariable]y\x9b1m"
REF = ArtifactRef(package=PackageId(HOSTILE), artifact=ArtifactId(HOSTILE))
PROBLEM = Problem(file=HOSTILE, line=3, column=1, path=HOSTILE, message=HOSTILE)
FOUND = Inspection(
    environments=("x",),
    artifacts=1,
    findings=(Finding(rule=Rule.CONTENT, severity=Severity.ERROR, problem=PROBLEM),),
)
DRIFT = DriftReport(
    environment=HOSTILE,
    tenant=HOSTILE,
    artifacts_total=1,
    entries=(
        DriftEntry(
            package=REF.package,
            ref=REF,
            kind=ArtifactKind.INTEGRATION_FLOW,
            aspect=Aspect.CONTENT,
            origin=Origin.TENANT,
            detail=HOSTILE,
            by=HOSTILE,
        ),
    ),
)
DIFF = FileDiff(
    path=HOSTILE,
    status=DiffStatus.CHANGED,
    lines=("@@ -1 +1 @@", f" {HOSTILE}", f"-{HOSTILE}", f"+{HOSTILE}", HOSTILE),
)


def assert_harmless(text: str) -> None:
    """Assert that nothing but line ends controls anything, and that no CI service finds a command."""
    categories = {unicodedata.category(character) for character in text.replace("\n", "")}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert "##vso[" not in text
    assert not re.search(r"^\s*::stop", text, re.MULTILINE)


@pytest.mark.parametrize("event", [DiffMade(ref=REF, diffs=(DIFF,)), DriftFound(report=DRIFT)])
def test_what_a_run_shows(event: Event) -> None:
    """Diffs and drift reports, line by line."""
    text = "\n".join(shown([event], Redactor()))
    assert "stop-commands" in text
    assert_harmless(text)


@pytest.mark.parametrize("form", FindingsFormat)
def test_what_a_check_shows(form: FindingsFormat) -> None:
    """Findings in every form; GitHub is given our own command, whose text is no second one."""
    text = render_findings(FOUND, form, Redactor())
    assert "stop-commands" in text
    assert_harmless(text)
    if form is FindingsFormat.GITHUB:
        assert re.fullmatch(r"::error [^\n]*\n", text)


def test_what_ends_a_run() -> None:
    """Errors, problems and reports."""
    assert_harmless(render_drift(DRIFT, Redactor()))
    assert_harmless(render_error(TenantUnavailable(HOSTILE), Redactor()))
    assert_harmless(render_problems([PROBLEM], Redactor()))


def test_documents_keep_the_text() -> None:
    """In JSON all of it is escaped, and a program that reads it gets what was there."""
    text = drift_json(DRIFT, Redactor())
    assert_harmless(text)
    assert json.loads(text)["tenant"] == HOSTILE
