"""Earlier runs in words and as JSON."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest

from cpi_tasks.records.past import PastArtifact, PastRun
from cpi_tasks.report import Redactor, render_run, render_runs, runs_json

BEGAN, LAST = "2026-01-05T08:00:00.000+00:00", "2026-01-05T08:01:00.000+00:00"


def killed() -> PastRun:
    """Make a run that was killed half-way."""
    return PastRun(
        id="20260105T080000Z",
        started_at=BEGAN,
        last_at=LAST,
        environment="prod",
        tenant="https://t1",
        writes=3,
        open_writes=Counter({"POST /api/v1/X": 2}),
        packages={"Sales": "done: created"},
        artifacts={
            "Sales/Orders": PastArtifact(planned="create, deploy", update="done: created 1.0.0"),
            "Sales/Bills": PastArtifact(planned="update, deploy", under_way="update was under way"),
            "Sales/Later": PastArtifact(planned="create, deploy"),
        },
        warnings=["look at it"],
    )


def test_a_killed_run_is_told_artifact_by_artifact() -> None:
    """What was done, what was under way, what was not begun, and each write nobody knows of."""
    assert render_run(killed(), Redactor()).splitlines() == [
        "Run 20260105T080000Z | Environment: prod | Tenant: https://t1",
        f"Began {BEGAN}, last entry {LAST}: no end on record: it was killed, or is at work still.",
        "📦 Sales: done: created",
        "  Sales/Orders: update done: created 1.0.0",
        "  Sales/Bills: update was under way",
        "  Sales/Later: not begun (planned: create, deploy)",
        "⚠ Warning: look at it",
        "⚠ Sent without an answer on record: POST /api/v1/X; the next run looks whether it happened.",
        "⚠ Sent without an answer on record: POST /api/v1/X; the next run looks whether it happened.",
    ]


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        (0, "ended with 0 (everything asked for was done)"),
        (1, "ended with 1 (something failed)"),
        (3, "ended with 3 (the tenant was unreachable or refused the login)"),
        (4, "ended with 4 (invalid input)"),
        (5, "ended with 5 (refused)"),
        (130, "ended with 130 (interrupted)"),
        (77, "ended with 77 (unknown)"),
        (None, "no end on record: it was killed, or is at work still"),
    ],
)
def test_each_run_is_a_line(code: int | None, ending: str) -> None:
    """Id, environment, ending and writes; the last line says how to see more."""
    run = PastRun(id="r1", environment="prod", tenant="https://t1", exit_code=code, writes=1)
    assert render_runs([run], Redactor()).splitlines() == [
        f"r1  prod  {ending}; 1 write to https://t1",
        "",
        "invoke runs --run ID shows what one of them did.",
    ]


def test_no_runs_is_a_sentence() -> None:
    """Nothing is listed where nothing ran."""
    assert render_runs([], Redactor()) == "There is no record of an earlier run here.\n"


def test_a_run_that_did_not_get_far_has_gaps() -> None:
    """A journal of no line is a run, too."""
    assert render_runs([PastRun(id="r1")], Redactor()).startswith("r1  ?  no end on record")


def test_a_stream_without_signs_is_spared_them() -> None:
    """What the stream cannot encode is not sent to it."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    render_run(killed(), Redactor(), stdout=stream).encode("ascii")
    render_runs([PastRun(id="r1", environment="größe")], Redactor(), stdout=stream).encode("ascii")


def test_its_json_has_these_keys() -> None:
    """Other programs rely on each of them; a text from a journal is masked."""
    run = killed()
    run.warnings = ["hunter2"]
    (shown,) = json.loads(runs_json([run], Redactor(["hunter2"])))["runs"]
    assert shown == {
        "id": "20260105T080000Z",
        "startedAt": BEGAN,
        "lastAt": LAST,
        "environment": "prod",
        "tenant": "https://t1",
        "exitCode": None,
        "isInterrupted": False,
        "writes": 3,
        "unansweredWrites": ["POST /api/v1/X", "POST /api/v1/X"],
        "packages": {"Sales": "done: created"},
        "artifacts": {
            "Sales/Orders": {
                "planned": "create, deploy",
                "update": "done: created 1.0.0",
                "deploy": None,
                "underWay": None,
            },
            "Sales/Bills": {
                "planned": "update, deploy",
                "update": None,
                "deploy": None,
                "underWay": "update was under way",
            },
            "Sales/Later": {"planned": "create, deploy", "update": None, "deploy": None, "underWay": None},
        },
        "warnings": ["***"],
    }
