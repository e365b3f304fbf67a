"""A signal before, at and after the end of a run: heeded, or too late to change anything; no report is ever lost."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import Ended, Program

TASKS = """
import os
import signal

import trio

import cpi_tasks.app.show
from cpi_tasks import app, ns, report
from cpi_tasks.app.keeper import Keeper
from cpi_tasks.records import StateFolder
from cpi_tasks.report.plain import PlainView

OWNERS = {
    "run": (trio, "run"),
    "finish": (Keeper, "finish"),
    "write_report": (StateFolder, "write_report"),
    "handle": (PlainView, "handle"),
    "show_run": (app, "show_run"),
}
when, _, name = os.environ["MOMENT"].partition(" ")
owner, attribute = OWNERS[name]
call = getattr(owner, attribute)


def strike():
    for _ in range(int(os.environ["TIMES"])):
        os.kill(os.getpid(), getattr(signal, os.environ["SIGNAL"]))


def struck(*arguments, **named):
    is_it = name != "handle" or type(arguments[1]).__name__ == "RunFinished"
    if when == "before" and is_it:
        strike()
    result = call(*arguments, **named)
    if when == "after" and is_it:
        strike()
    return result


setattr(owner, attribute, struck)
"""
LATE = (
    ("before finish", "SIGTERM"),
    ("after finish", "SIGINT"),
    ("before write_report", "SIGINT"),
    ("after write_report", "SIGTERM"),
    ("before handle", "SIGTERM"),
    ("after handle", "SIGINT"),
    ("after run", "SIGTERM"),
    ("after show_run", "SIGINT"),
    ("after show_run", "SIGTERM"),
)


@pytest.fixture(autouse=True)
def default_signals() -> Iterator[None]:
    """Have programs begin as at a terminal, also where these tests are a shell's background job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def end(program: Program, moment: str, name: str, times: int = 1) -> Ended:
    """Run a small project with signals at a moment."""
    program.project.collection("Shared", "Scripts")
    program.project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    program.project.save()
    (program.project.root / "tasks.py").write_text(TASKS, encoding="utf-8")
    return program.run("orchestrate", "--env", "x", MOMENT=moment, SIGNAL=name, TIMES=str(times))


def reports(program: Program) -> list[Path]:
    return list(program.project.root.glob(".cpi/runs/*/report.json"))


@pytest.mark.parametrize(("moment", "name"), LATE)
def test_what_comes_too_late_changes_nothing(program: Program, moment: str, name: str) -> None:
    """The whole report is printed and on disk, and the code is the one that it tells."""
    ended = end(program, moment, name, times=2)

    assert "Traceback" not in ended.said
    assert "✓ All operations completed successfully: 1 artifact updated (1 created), 1 deployed." in ended.said
    (file,) = reports(program)
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (ended.code, document["exitCode"], document["isInterrupted"]) == (0, 0, False)
    assert "ended with 0" in program.run("runs", MOMENT=moment, SIGNAL=name, TIMES="0").said


@pytest.mark.parametrize(("moment", "name"), [("before show_run", "SIGINT"), ("before run", "SIGTERM")])
def test_what_comes_early_ends_the_run_before_it_begins(program: Program, moment: str, name: str) -> None:
    """Nothing was written, the code is 130, and that is said."""
    ended = end(program, moment, name)

    assert "interrupted before anything was changed; nothing was sent that changes the tenant" in ended.said
    assert "Traceback" not in ended.said
    assert (ended.code, ended.writes, reports(program)) == (130, (), [])


def test_a_second_ctrl_c_does_not_wait_for_the_run_to_begin(program: Program) -> None:
    """Where libraries take long to load nobody has to wait for them."""
    ended = end(program, "before show_run", "SIGINT", times=2)

    assert ended.said == "interrupted before anything was sent\n"
    assert (ended.code, ended.writes) == (130, ())


def test_two_ctrl_c_are_not_lost_where_the_shell_ignores_them(program: Program) -> None:
    """Nobody who would end the program stands behind the second one: the run heeds both before it begins."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    ended = end(program, "before show_run", "SIGINT", times=2)

    assert "interrupted before anything was changed; nothing was sent that changes the tenant" in ended.said
    assert (ended.code, ended.writes, reports(program)) == (130, (), [])
