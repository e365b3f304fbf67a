"""Errors as a caller meets them: as Invoke's own way to end a task."""

from __future__ import annotations

import pytest
from invoke.exceptions import Exit

from cpi_tasks.errors import InputError, Problem, RunFailed


def test_an_error_ends_a_task_of_invoke() -> None:
    """Invoke prints the sentence and takes the exit code."""
    error = InputError([Problem(file="a.yml", line=1, column=2, message="is wrong")])
    assert isinstance(error, Exit)
    assert (error.code, error.message) == (4, "a.yml:1:2: is wrong")


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ([], "the run was interrupted"),
        (["a: b"], "1 failure:\na: b"),
        ([str(n) for n in range(12)], "12 failures:\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\nand 2 more; see the report"),
    ],
)
def test_what_a_failed_run_says(failures: list[str], said: str) -> None:
    """How many things failed and the first ten of them."""
    error = RunFailed(failures, exit_code=3)
    assert (str(error), error.exit_code, error.code) == (said, 3, 3)
