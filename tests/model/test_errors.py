"""One error out of an exception group, the same on every Python."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import trio

from cpi_tasks.errors import AuthenticationError, CpiTasksError, Refused, raised_alone
from tests.support.program import CHECKOUT


async def test_an_error_out_of_nested_nurseries_is_raised_alone() -> None:
    """Nobody gets the group, and no traceback shows it."""
    with pytest.raises(Refused, match=r"^stop$") as caught, raised_alone(CpiTasksError):
        async with trio.open_nursery(), trio.open_nursery():
            raise Refused("stop")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_of_several_errors_the_first_is_raised() -> None:
    """They mostly say the same."""
    with pytest.raises(AuthenticationError), raised_alone(CpiTasksError, OSError):
        raise ExceptionGroup("several", [ExceptionGroup("inner", [AuthenticationError("a")]), OSError("b")])


def test_a_group_with_another_error_stays_whole() -> None:
    """A fault of the program must not hide behind an expected error."""
    group = ExceptionGroup("both", [Refused("a"), ZeroDivisionError("b")])
    with pytest.raises(ExceptionGroup) as caught, raised_alone(CpiTasksError):
        raise group
    assert caught.value is group


def test_an_error_without_a_group_passes() -> None:
    """Nothing is changed about it."""
    error = Refused("a")
    with pytest.raises(Refused) as caught, raised_alone(CpiTasksError):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("file", sorted((CHECKOUT / "cpi_tasks").rglob("*.py")), ids=lambda file: file.name)
def test_nothing_else_takes_groups_apart(file: Path) -> None:
    """``raise`` inside ``except*`` raises a group before Python 3.11.4, so that the package does not use it."""
    assert not [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.TryStar)]
