"""Names of commands in hints: the program, and the task as the loaded collection of tasks names it."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task

_PROGRAM = "cpi-tasks"


def command(task: str) -> str:
    """Return how to start another task: ``invoke plan``, ``invoke cpi.plan`` or ``cpi-tasks plan``."""
    if Path(sys.argv[0] if sys.argv else "").stem == _PROGRAM:
        return f"{_PROGRAM} {task}"
    from invoke.main import program  # noqa: PLC0415 - only hints need it

    # Invoke sets both once it has loaded the tasks and read the command line.
    collection: Collection | None = getattr(program, "collection", None)
    typed = [context.name or "" for context in getattr(program, "tasks", ())]
    return f"invoke {task if collection is None else name_in(collection, task, typed)}"


def name_in(collection: Collection, task: str, typed: Container[str] = ()) -> str:
    """Return the name of one of this package's tasks in another repository's collection.

    Where the collection has the task more than once, the namespace of the tasks on the command line decides. The
    plain name is returned where the collection does not have the task.
    """
    ours = [(name, found.__name__) for name, found in _own_tasks(collection)]
    names = [name for name, own in ours if own == task]
    namespaces = {_namespace(name) for name, _ in ours if name in typed}
    return next((name for name in names if _namespace(name) in namespaces), names[0] if names else task)


def _own_tasks(collection: Collection) -> Iterator[tuple[str, Task[Any]]]:
    for name in collection.task_names:
        found = collection[name]
        if found.__module__.partition(".")[0] == __package__:
            yield name, found


def _namespace(name: str) -> str:
    return name.rpartition(".")[0]
