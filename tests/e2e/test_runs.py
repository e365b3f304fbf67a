"""``invoke runs``: what it says of runs that ended, were refused, or were killed."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.program import Program, read_until


@pytest.fixture
def small(program: Program) -> Program:
    """Give a project with two artifacts."""
    program.project.flow("Sales", "Orders", parameters={"Host": "value-of-a-host.example"})
    program.project.collection("Stock", "Scripts")
    program.project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    program.project.save()
    return program


def run_folders(program: Program) -> list[Path]:
    return sorted((program.project.root / ".cpi/runs").iterdir())


def test_there_may_be_no_runs_yet(small: Program) -> None:
    """That is a sentence and no error; JSON is an empty list."""
    ended = small.run("runs")
    assert (ended.code, ended.said) == (0, "There is no record of an earlier run here.\n")
    assert json.loads(small.run("runs", "--format", "json").said) == {"formatVersion": 1, "runs": []}
    assert not (small.project.root / ".cpi").exists()


def test_a_run_is_told_as_it_was(small: Program) -> None:
    """Packages, artifacts and both steps, without asking the tenant; its files are private and have no values."""
    assert small.run("orchestrate", "--env", "x").code == 0
    (folder,) = run_folders(small)
    seen = len(small.simulator.requests)
    text = small.run("runs", "--run", folder.name)
    machine = json.loads(small.run("runs", "--run", folder.name, "--format", "json").said)

    assert text.code == 0
    assert "ended with 0 (everything asked for was done)" in text.said
    assert re.search(
        r"^  Sales/Orders: update done: created 1\.0\.0; deploy done: deployed 1\.0\.0$", text.said, re.MULTILINE
    )
    (run,) = machine["runs"]
    assert (run["exitCode"], run["environment"], run["unansweredWrites"]) == (0, "x", [])
    assert run["artifacts"]["Stock/Scripts"]["deploy"] == "done: deployed 1.0.0"
    assert len(small.simulator.requests) == seen
    for name in ("journal.jsonl", "report.json"):
        content = (folder / name).read_text(encoding="utf-8")
        small.outputs.append(content)
        assert "value-of-a-host" not in content
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
def test_a_killed_run_is_told_as_far_as_it_got(small: Program, settings: SimulatorSettings) -> None:
    """After ``kill -9`` what was done, what goes on, and that there is no end; the lock is free."""
    process = small.start("orchestrate", "--env", "x")
    read_until(process, "deploying Orders")
    process.kill()
    process.communicate(timeout=60)
    (folder,) = run_folders(small)
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"at":"2026-01-05T08:00:00.000+00:00","event":"deploy')
    told = small.run("runs", "--run", folder.name).said

    assert "no end on record: it was killed, or is at work still" in told
    assert re.search(r"^  Sales/Orders: update done: created 1\.0\.0; its deployment was accepted", told, re.MULTILINE)
    assert f"{folder.name}  x  no end on record" in small.run("runs").said
    assert small.run("update", "--env", "x").code == 0
    assert len(run_folders(small)) == 2


def test_runs_that_ended_before_their_plan_have_an_end(small: Program) -> None:
    """A login that is refused ends with 3, and nobody is told that the run was killed."""
    assert small.run("orchestrate", "--env", "x", CPI_PASSWORD="wrong-one").code == 3
    assert "ended with 3 (the tenant was unreachable or refused the login); 0 writes" in small.run("runs").said


def test_a_run_folder_of_ones_own_is_looked_at(small: Program) -> None:
    """``--run-dir`` names it for runs and for looking at them."""
    assert small.run("orchestrate", "--env", "x", "--run-dir", "kept").code == 0
    assert "ended with 0" in small.run("runs", "--run-dir", "kept").said
    assert "no record" in small.run("runs").said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "yaml"], "must be text or json, not 'yaml'"),
        (["--run", "none"], "there is no run 'none'"),
        (["--run", ".."], "there is no run '..'"),
        (["--run", "../../etc"], "there is no run '../../etc'"),
        (["--run", "/"], "there is no run '/'"),
    ],
)
def test_wrong_flags_end_with_4(small: Program, arguments: list[str], message: str) -> None:
    """The sentence says what is wrong."""
    ended = small.run("runs", *arguments)
    assert ended.code == 4
    assert message in ended.said
    assert "Traceback" not in ended.said
