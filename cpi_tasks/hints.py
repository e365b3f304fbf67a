"""Names of commands in hints: the program and the task's full name, as the person typed them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_PROGRAM = "cpi-tasks"
_typed: ContextVar[tuple[str, str]] = ContextVar("typed", default=("invoke", ""))


def command(task: str) -> str:
    """Return how to start another task: ``invoke plan``, ``invoke cpi.plan`` or ``cpi-tasks plan``."""
    program, namespace = _typed.get()
    return f"{program} {namespace}{task}"


@contextmanager
def typed_as(task: str, arguments: Sequence[str] | None = None) -> Iterator[None]:
    """Take program and namespace from the command line that started ``task`` (default: of this process)."""
    program, *typed = sys.argv if arguments is None else arguments
    name = next((each for each in typed if each == task or each.endswith(f".{task}")), task)
    token = _typed.set((_PROGRAM if Path(program).stem == _PROGRAM else "invoke", name.removesuffix(task)))
    try:
        yield
    finally:
        _typed.reset(token)
