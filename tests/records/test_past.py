"""What is known of an earlier run from its journal: how far it got, and what became of its writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cpi_tasks.errors import StateFolderError
from cpi_tasks.events import (
    ArtifactUpdated,
    ArtifactUpdateStarted,
    DeploymentTriggered,
    Event,
    RunStarted,
    WriteBegins,
)
from cpi_tasks.model.naming import ArtifactKind
from cpi_tasks.model.plan import UpdateAction
from cpi_tasks.records import read_run, read_runs
from cpi_tasks.records.past import PastRun
from tests.records.builders import journal_of, outcome, planned, ref

FLOW = ref("P", "A")
KIND = ArtifactKind.INTEGRATION_FLOW
CREATE = "/api/v1/IntegrationDesigntimeArtifacts"


def begins(target: str = CREATE) -> dict[str, object]:
    return {"event": "write begins", "method": "POST", "target": target}


def ended(result: str, target: str = CREATE) -> dict[str, object]:
    return {"event": "write ended", "method": "POST", "target": target, "result": result}


def read(root: Path, *lines: dict[str, object] | str) -> PastRun:
    """Write a journal of entries and other lines, and read it."""
    folder = root / "r1"
    folder.mkdir()
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (folder / "journal.jsonl").write_text(text, encoding="utf-8", errors="surrogateescape")
    past = read_run(root, "r1")
    assert past is not None
    return past


def recorded(root: Path, *events: Event, torn: bytes = b"") -> PastRun:
    """Have a run's journal take events, cut it off in a line, and read it."""
    journal = journal_of(root)
    for event in events:
        journal.note(event)
    journal.close()
    with journal.file.open("ab") as file:
        file.write(torn)
    (past,) = read_runs(root / ".cpi" / "runs")
    assert read_run(root / ".cpi" / "runs", "r1") == past
    return past


def test_a_killed_run_is_told_as_far_as_it_got(tmp_path: Path) -> None:
    """A journal that just ends, in the middle of a line, tells what was done, under way, and not certain."""
    past = recorded(
        tmp_path,
        RunStarted(environment="prod", environment_origin="--env", tenant="https://t1", login="Basic"),
        planned(FLOW),
        ArtifactUpdateStarted(ref=FLOW, kind=KIND, action=UpdateAction.CONFIGURE),
        WriteBegins(method="PUT", target="/api/v1/Flow"),
        torn=b'{"at":"2026-01-05T08:00:00","event":"updat',
    )

    assert (past.environment, past.tenant, past.exit_code) == ("prod", "https://t1", None)
    assert past.unanswered_writes == ("PUT /api/v1/Flow",)
    assert past.artifacts["P/A"].under_way == "configure was under way"


def test_what_is_done_is_not_under_way(tmp_path: Path) -> None:
    """Each artifact has its last state."""
    past = recorded(
        tmp_path,
        planned(FLOW),
        ArtifactUpdated(ref=FLOW, kind=KIND, outcome=outcome()),
        DeploymentTriggered(ref=FLOW, kind=KIND),
    )

    assert past.artifacts["P/A"].update == "done: configured"
    assert past.artifacts["P/A"].under_way == "its deployment was accepted"


def test_there_may_be_no_runs(tmp_path: Path) -> None:
    """Without a folder there is nothing to tell, and that is no error."""
    assert read_runs(tmp_path / ".cpi" / "runs") == ()
    assert read_run(tmp_path / ".cpi" / "runs", "r1") is None


def test_writes_side_by_side_are_all_kept_in_mind(tmp_path: Path) -> None:
    """The answer to one write says nothing of another, also where both go to the same place."""
    past = read(
        tmp_path, begins(), begins("/api/v1/X"), begins(), ended("201"), begins("/api/v1/Y"), ended("200", "/api/v1/Y")
    )

    assert past.writes == 4
    assert past.unanswered_writes == (f"POST {CREATE}", "POST /api/v1/X")


@pytest.mark.parametrize(
    ("result", "is_known"),
    [
        ("201", True),
        ("503", True),
        ("202, cut short", True),
        ("ConnectError", True),
        ("ConnectTimeout", True),
        ("certificate refused", True),
        ("cancelled", False),
        ("ReadError", False),
        ("ReadTimeout", False),
        ("TooSlowError", False),
        ("RemoteProtocolError", False),
    ],
)
def test_only_an_answer_tells_what_became_of_a_write(tmp_path: Path, result: str, *, is_known: bool) -> None:
    """A status, or that there was no connection, settles a write; that it was cut off or got no answer does not."""
    past = read(tmp_path, begins(), ended(result))

    assert (past.unanswered_writes == ()) is is_known


@pytest.mark.parametrize(("code", "unanswered"), [(0, 0), (1, 1), (3, 1), (130, 1)])
def test_a_green_run_has_found_out_itself(tmp_path: Path, code: int, unanswered: int) -> None:
    """A lost answer was looked behind by the run where everything is done in the end."""
    past = read(tmp_path, begins(), ended("ReadError"), {"event": "run finished", "exitCode": code})

    assert len(past.unanswered_writes) == unanswered
    assert past.exit_code == code


def test_an_answer_too_many_is_no_credit(tmp_path: Path) -> None:
    """The token's request is none of the writes, and its answer answers nothing else."""
    past = read(tmp_path, ended("200", "/oauth/token"), ended("200"), begins())

    assert past.unanswered_writes == (f"POST {CREATE}",)


@pytest.mark.parametrize(
    "garbage",
    [
        *(
            "",
            "\0\0\0",
            "[]",
            "null",
            "7",
            '{"event":"updated","pack',
            "{" * 5000,
            "[" * 100_000,
            "\udcff\udcfe",
            "NaN",
        ),
        *('{"event": 7}', '{"event":"plan","artifacts":[1,{"package":2}]}', '{"event":"run finished","exitCode":"x"}'),
    ],
)
def test_garbage_is_passed_over(tmp_path: Path, garbage: str) -> None:
    """What a kill or a bad disk left between two lines hides neither of them."""
    warning: dict[str, object] = {"event": "warning", "text": "before"}
    past = read(tmp_path, warning, garbage, {**warning, "text": "after"})

    assert past.warnings == ["before", "after"]
    assert past.exit_code is None


def test_runs_are_listed_in_their_order(tmp_path: Path) -> None:
    """The newest is the last; files and folders without a journal are no runs."""
    for run in ("20260105T080001Z", "20260105T080000Z"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "journal.jsonl").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()

    assert [run.id for run in read_runs(tmp_path)] == ["20260105T080000Z", "20260105T080001Z"]


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """The sentence names it and what to do."""
    (tmp_path / "runs").touch()

    assert read_run(tmp_path / "runs", "r1") is None
    with pytest.raises(StateFolderError, match="runs: Not a directory; "):
        read_runs(tmp_path / "runs")
