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
    program, *typed = (sys.argv if arguments is None else arguments) or [""]
    found = [at for at, each in enumerate(typed) if each == task or each.endswith(f".{task}")]
    # A word after an option may be its value: others come first.
    found.sort(key=lambda at: at > 0 and typed[at - 1].startswith("-"))
    name = typed[found[0]] if found else task
    token = _typed.set((_PROGRAM if Path(program).stem == _PROGRAM else "invoke", name.removesuffix(task)))
    try:
        yield
    finally:
        _typed.reset(token)
