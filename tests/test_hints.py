"""Hints name commands as the person typed them."""

from __future__ import annotations

import pytest

from cpi_tasks.hints import command, typed_as


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["/usr/bin/invoke", "plan", "--env", "x"], "invoke runs"),
        (["/usr/bin/inv", "cpi.plan"], "invoke cpi.runs"),
        (["/usr/bin/inv", "-r", "x", "a.b.plan"], "invoke a.b.runs"),
        (["C:/bin/cpi-tasks.exe", "plan"], "cpi-tasks runs"),
        (["caller.py"], "invoke runs"),
        ([], "invoke runs"),
        (["inv", "-e", "x.plan", "cpi.plan"], "invoke cpi.runs"),
    ],
)
def test_program_and_namespace(arguments: list[str], hint: str) -> None:
    """The program, and the namespace that the task was called with."""
    with typed_as("plan", arguments):
        assert command("runs") == hint
