"""Protected environments: nobody changes them by mistake, neither in a pipeline nor at a terminal."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.program import Program
from tests.support.project import SCRIPT
from tests.support.terminal import at_a_terminal

PROMPT = "Environment 'x' is protected. Type its name to carry this out:"
PUT = "PUT IntegrationDesigntimeArtifacts(Id='Orders',Version='active')"


@pytest.fixture
def settled(program: Program) -> Program:
    """Give the program with a protected environment in which one script is to be updated."""
    program.project.every_kind()
    program.project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    program.project.save()
    assert program.run("orchestrate", "--env", "x").code == 0
    program.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    program.project.keys["protected"] = True
    program.project.save()
    return program


def test_a_protected_environment_is_not_changed_unasked(settled: Program) -> None:
    """Where nobody can be asked, a run ends with 5 before it sends anything; ``--yes`` answers; looking is free."""
    seen = len(settled.simulator.requests)
    refused = settled.run("orchestrate", "--env", "x")
    assert (refused.code, len(settled.simulator.requests)) == (5, seen)
    assert "environment 'x' is protected and nobody can be asked here; nothing was sent" in refused.said
    assert [settled.run(task, "--env", "x").code for task in ("plan", "drift")] == [0, 0]
    done = settled.run("orchestrate", "--env", "x", "--yes")
    assert (done.code, settled.simulator.is_running_design_time("Orders")) == (0, True)
    assert PUT in done.writes
    assert "Environment 'x' is protected; confirmed by --yes." in done.said
    assert "Type its name" not in done.said


def test_at_a_terminal_its_name_is_asked_for(settled: Program) -> None:
    """After the plan was shown; with the name typed the run goes on."""
    code, said = at_a_terminal(settled, [(PROMPT, lambda _, terminal: os.write(terminal, b"x\n"))])
    assert code == 0, said
    assert 0 < said.index("Plan: 1 to update") < said.index(PROMPT) < said.index("PHASE 1")
    assert settled.simulator.is_running_design_time("Orders")


def test_another_answer_changes_nothing(settled: Program) -> None:
    """It ends with 5: a person who hesitates has not agreed."""
    before = settled.simulator.artifact("Orders").archive
    code, said = at_a_terminal(settled, [(PROMPT, lambda _, terminal: os.write(terminal, b"yes\n"))])
    assert code == 5, said
    assert "its name was not typed; nothing was sent that changes the tenant" in said
    assert settled.simulator.artifact("Orders").archive == before


def test_ctrl_c_while_it_asks_ends_with_130(settled: Program) -> None:
    """Nobody has to answer, and the screen has no traceback."""
    code, said = at_a_terminal(settled, [(PROMPT, lambda process, _: process.send_signal(signal.SIGINT))])
    assert code == 130, said
    assert "interrupted before anything was changed; nothing was sent that changes the tenant" in said
    assert "Traceback" not in said
