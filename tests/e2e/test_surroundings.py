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


@pytest.mark.parametrize("task", ["plan", "validate", "drift", "orchestrate"])
def test_a_current_folder_that_was_deleted_is_named(program: Program, task: str) -> None:
    """The project is given by ``-r``; paths in flags would have no meaning."""
    program.project.every_kind()
    program.project.save()
    line = shlex.join(program.command("-r", str(program.project.root), task, "--env", "x"))
    done = subprocess.run(
        ["/bin/bash", "-c", f"mkdir gone && cd gone && rmdir ../gone && {line}"],
        cwd=program.project.root,
        env=program.environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (4, False)
    assert "the current folder cannot be used (No such file or directory)" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_every_task_works_where_output_has_few_characters(program: Program, encoding: str) -> None:
    """No sign is needed to understand the output."""
    program.project.every_kind()
    program.project.save()
    for task in ("validate", "plan", "drift", "orchestrate"):
        assert program.run(task, "--env", "x", PYTHONIOENCODING=encoding, LC_ALL="C").code == 0
    assert program.run("runs", PYTHONIOENCODING=encoding, LC_ALL="C").code == 0
