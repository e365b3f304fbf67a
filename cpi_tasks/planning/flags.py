"""The flags of a saved plan: which of them it keeps, and which may be given again when it is carried out."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cpi_tasks.errors import Problem
from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode

SavedFlags = Mapping[str, str | bool | None]

_TEXTS = ("deployment_prefix", "package_filter", "artifact_filter", "config_pattern", "on_drift")
_PATHS = ("packages_dir", "deploy_config")
_SWITCHES = ("merge_configs", "force", "allow_downgrade", "strict")
_NAMES = (*_TEXTS, *_PATHS, *_SWITCHES)
_ADDED: SavedFlags = {"on_drift": None}
"""Flags that plans of earlier releases do not have, with what they mean there."""


def save_flags(selection: Selection, *, mode: Mode, root: Path, cwd: Path) -> SavedFlags:
    """Give the flags that decide what a plan says; paths relative to the project root where they are below it.

    How much is read again for it and how it is carried out (deployments at once, time-outs, folders) is no part of it.
    """
    found: dict[str, str | bool | None] = {"mode": mode.value}
    found |= {name: getattr(selection, name) for name in _TEXTS}
    found |= {name: getattr(selection, name) for name in _SWITCHES}
    for name in _PATHS:
        text = getattr(selection, name)
        found[name] = None if text is None else portable(text, root=root, cwd=cwd)
    return found


def read_flags(found: Mapping[str, object]) -> SavedFlags | None:
    """Check the flags of a file; ``None`` where they are not what ``save_flags`` gives."""
    given = {**_ADDED, **found}
    flags = {name: value for name, value in given.items() if value is None or isinstance(value, str | bool)}
    is_whole = set(flags) == {*_NAMES, "mode"}
    is_typed = all(isinstance(flags.get(name), str | None) for name in (*_TEXTS, *_PATHS))
    is_typed = is_typed and all(isinstance(flags.get(name), bool | None) for name in _SWITCHES)
    modes = {mode.value for mode in Mode}
    return flags if is_whole and is_typed and flags["mode"] in modes else None


def with_flags(
    selection: Selection, saved: SavedFlags, *, root: Path, cwd: Path
) -> tuple[Selection, tuple[Problem, ...]]:
    """Give the selection with the saved flags, and a problem for each typed one that contradicts them."""
    wanted = {name: _located(saved[name], cwd / root) if name in _PATHS else saved[name] for name in _NAMES}
    problems = []
    for name in _NAMES:
        typed = getattr(selection, name)
        if typed is None or typed is False:
            continue
        compared = portable(typed, root=root, cwd=cwd) if name in _PATHS else typed
        if compared != saved[name]:
            problems.append(_contradicts(name, "is decided by the saved plan"))
    modes = {value for _, value in selection.mode_flags}
    if modes - {saved["mode"]}:
        problems.append(_contradicts("mode", f"is {saved['mode']} in the saved plan"))
    restored = replace(
        selection,
        **wanted,  # type: ignore[arg-type] # checked by read_flags
        mode=Mode(saved["mode"]),
        mode_flags=(),
    )
    return restored, tuple(problems)


def portable(text: str, *, root: Path, cwd: Path) -> str:
    """Give a path relative to the project root where it is below it, so that another checkout finds it; or as it is.

    An address is no path and stays.
    """
    if "://" in text:
        return text
    path = Path(os.path.normpath(cwd / text))
    root = Path(os.path.normpath(cwd / root))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _located(text: str | bool | None, root: Path) -> str | bool | None:
    return os.path.normpath(root / text) if isinstance(text, str) and "://" not in text else text


def _contradicts(name: str, why: str) -> Problem:
    message = f"{why}; leave the flag out, or make a new plan"
    return Problem(file="command line", path=f"--{name.replace('_', '-')}", message=message)
