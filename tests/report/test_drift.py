"""Drift in words and for machines: who made what differ, and the verdict."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from cpi_tasks.events import DriftFound
from cpi_tasks.model.drift import Aspect, DriftEntry, DriftReport
from cpi_tasks.model.naming import ArtifactKind, PackageId
from cpi_tasks.model.plan import Origin
from cpi_tasks.report import Redactor, drift_json, render_drift
from tests.report.plans import ref, shown

AT = 1795169520000


def entry(
    aspect: Aspect,
    origin: Origin,
    detail: str,
    *,
    name: str | None = "A",
    package: str = "P",
    by: str = "",
    at: int | None = None,
) -> DriftEntry:
    return DriftEntry(
        package=PackageId(package),
        ref=None if name is None else ref(name, package),
        kind=None if name is None else ArtifactKind.INTEGRATION_FLOW,
        aspect=aspect,
        origin=origin,
        detail=detail,
        by=by,
        at=at,
    )


def report(*entries: DriftEntry, total: int = 9) -> DriftReport:
    return DriftReport(environment="prod", tenant="https://t.example.com", artifacts_total=total, entries=entries)


METADATA = entry(Aspect.METADATA, Origin.FILES, "the package's Name differs", name=None)
CONTENT = entry(Aspect.CONTENT, Origin.TENANT, "content differs in a", by="anna", at=AT)
BOTH = entry(Aspect.PARAMETER, Origin.BOTH, "parameter 'k' is not as the files say", by="anna")
LOCK = entry(Aspect.LOCK, Origin.TENANT, "open in an editor by ben", at=AT)
RUNTIME = entry(Aspect.RUNTIME, Origin.UNKNOWN, "not deployed", name="B", package="Q", by="cleo", at=AT)
UNREADABLE = entry(Aspect.UNREADABLE, Origin.UNKNOWN, "refused with 500:\n\nno text", name="C", package="Q")
OWN = entry(Aspect.CONTENT, Origin.FILES, "content differs in a")


def test_differences_stand_below_their_package_and_artifact() -> None:
    """Who made it comes first; the last known hand and the time behind it, in the words that fit."""
    found = report(METADATA, CONTENT, BOTH, LOCK, RUNTIME, UNREADABLE)
    assert render_drift(found, Redactor()).splitlines() == [
        "",
        "DRIFT: prod | Tenant: https://t.example.com",
        "📦 P",
        "  ~ your change: the package's Name differs",
        "  A (integration flow)",
        "    ⚠ someone's edit: content differs in a (last changed by anna, 2026-11-20 10:12 UTC)",
        "    ⚠ changed on both sides: parameter 'k' is not as the files say (last changed by anna)",
        "    - no difference yet: open in an editor by ben (since 2026-11-20 10:12 UTC)",
        "📦 Q",
        "  B (integration flow)",
        "    ~ origin unknown: not deployed (deployed by cleo, 2026-11-20 10:12 UTC)",
        "  C (integration flow)",
        "    ✗ could not be compared: refused with 500:  no text",
        "",
        (
            "Differences: 1 by someone's edit, 1 made on both sides, 1 by your change, 1 of unknown origin, "
            "1 not comparable; 6 of 9 artifacts match the files. 1 artifact open in an editor."
        ),
        "Who made 1 difference is not known: no earlier run left a record that tells.",
        "⚠ The tenant was edited by hand. Take the edit into the files, or let a run overwrite it (onDrift).",
    ]


@pytest.mark.parametrize(
    ("found", "ending"),
    [
        (report(), ["✓ No drift: 9 artifacts and their packages are as the files say."]),
        (
            report(LOCK, total=1),
            ["✓ No drift: 1 artifact and its package are as the files say. 1 artifact open in an editor."],
        ),
        (
            report(OWN),
            [
                "Differences: 1 by your change; 8 of 9 artifacts match the files.",
                "✓ No drift: what differs are your own changes, not carried out yet.",
            ],
        ),
        (
            report(RUNTIME),
            [
                "Differences: 1 of unknown origin; 8 of 9 artifacts match the files.",
                "Who made 1 difference is not known: no earlier run left a record that tells.",
            ],
        ),
        (
            report(OWN, replace(LOCK, ref=ref("L"))),
            [
                "Differences: 1 by your change; 8 of 9 artifacts match the files. 1 artifact open in an editor.",
                "✓ No drift: what differs are your own changes, not carried out yet.",
            ],
        ),
        (report(UNREADABLE), ["Differences: 1 not comparable; 8 of 9 artifacts match the files."]),
        (
            report(BOTH),
            [
                "Differences: 1 made on both sides; 8 of 9 artifacts match the files.",
                "⚠ The tenant was edited by hand. Take the edit into the files, or let a run overwrite it (onDrift).",
            ],
        ),
    ],
)
def test_the_verdict_says_no_drift_only_where_that_is_known(found: DriftReport, ending: list[str]) -> None:
    """What could not be read, or whose origin nobody knows, is never called no drift."""
    lines = render_drift(found, Redactor()).splitlines()
    assert lines[-len(ending) :] == ending
    assert len([line for line in lines if "No drift" in line]) == sum("No drift" in line for line in ending)


def test_artifacts_of_a_package_that_could_not_be_read_do_not_pass_for_equal() -> None:
    """Nothing is known of them, so how many are without a difference is not said."""
    unread = entry(Aspect.UNREADABLE, Origin.UNKNOWN, "refused", name=None)
    assert render_drift(report(unread), Redactor()).splitlines()[2:] == [
        "📦 P",
        "  ✗ could not be compared: refused",
        "",
        "Differences: 1 not comparable; 9 artifacts looked for.",
    ]


def test_the_view_shows_what_the_report_renders() -> None:
    """A drift check on a terminal or in a log, and the text for other uses, are the same."""
    found = report(CONTENT)
    assert shown([DriftFound(report=found)]) == render_drift(found, Redactor()).splitlines()


def test_an_ascii_stream_gets_ascii() -> None:
    """Signs have their spelling for every stream."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    lines = render_drift(report(CONTENT), Redactor(), stdout=stream).splitlines()
    assert lines[2] == "* P"
    assert lines[4].startswith("    ! someone's edit: ")


def test_machines_get_everything_and_null_where_nothing_is_known() -> None:
    """Keys are stable; a package's metadata has no artifact; locks and the unreadable are counted apart."""
    assert json.loads(drift_json(report(METADATA, CONTENT, LOCK, RUNTIME, UNREADABLE), Redactor())) == {
        "formatVersion": 1,
        "environment": "prod",
        "tenant": "https://t.example.com",
        "hasDifferences": True,
        "unrecorded": [],
        "counts": {"artifacts": 9, "tenant": 1, "both": 0, "files": 1, "unknown": 1, "locked": 1, "unreadable": 1},
        "entries": [
            {
                "package": "P", "artifact": None, "kind": None, "aspect": "metadata", "origin": "files",
                "detail": "the package's Name differs", "by": None, "at": None,
            },
            {
                "package": "P", "artifact": "A", "kind": "IntegrationFlow", "aspect": "content", "origin": "tenant",
                "detail": "content differs in a", "by": "anna", "at": AT,
            },
            {
                "package": "P", "artifact": "A", "kind": "IntegrationFlow", "aspect": "lock", "origin": "tenant",
                "detail": "open in an editor by ben", "by": None, "at": AT,
            },
            {
                "package": "Q", "artifact": "B", "kind": "IntegrationFlow", "aspect": "runtime", "origin": "unknown",
                "detail": "not deployed", "by": "cleo", "at": AT,
            },
            {
                "package": "Q", "artifact": "C", "kind": "IntegrationFlow", "aspect": "unreadable",
                "origin": "unknown", "detail": "refused with 500:\n\nno text", "by": None, "at": None,
            },
        ],
    }  # fmt: skip


def test_a_lock_alone_is_no_difference_for_machines_either() -> None:
    """An editor that is open has changed nothing yet."""
    found = json.loads(drift_json(report(LOCK), Redactor()))
    assert (found["hasDifferences"], found["counts"]["locked"]) == (False, 1)
