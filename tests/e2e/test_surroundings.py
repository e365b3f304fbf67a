"""Closed and full standard streams: text is lost, never the exit code."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from tests.support.program import Program


def shell_code(program: Program, redirection: str, *arguments: str) -> int:
    """Run the program with a redirection of the shell and return its exit code."""
    line = f"{shlex.join(program.command(*arguments))} {redirection}"
    return subprocess.run(
        ["/bin/bash", "-c", line], cwd=program.project.root, env=program.environment(), check=False, timeout=60
    ).returncode


@pytest.mark.parametrize("home", ["", "relative", "/proc/nowhere"])
def test_without_a_home_the_lock_is_in_the_project(program: Program, home: str) -> None:
    """Containers run with a user that has no home folder; the run warns and works."""
    program.project.every_kind()
    program.project.save()
    done = program.run("orchestrate", "--env", "x", HOME=home, XDG_STATE_HOME="relative")
    assert done.code == 0, done.said
    assert "locks are kept in .cpi/locks" in done.said
    assert (program.project.root / ".cpi" / "locks").is_dir()


@pytest.mark.parametrize(
    "redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "> >(head -c 1 >/dev/null)"]
)
def test_the_exit_code_stays(program: Program, redirection: str) -> None:
    """Of a run, a plan, a check and a failure."""
    program.project.every_kind()
    program.project.save()
    assert shell_code(program, redirection, "orchestrate", "--env", "x") == 0
    assert shell_code(program, redirection, "plan", "--env", "x", "--format", "json", "--detailed-exitcode") == 0
    assert shell_code(program, redirection, "validate", "--env", "x") == 0
    assert shell_code(program, redirection, "runs") == 0
    assert shell_code(program, redirection, "plan", "--env", "none") == 4
