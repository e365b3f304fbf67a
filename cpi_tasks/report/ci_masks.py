"""Masks of a CI service: what it is told, it hides in everything the job prints from then on, other programs' too."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TextIO

from cpi_tasks.report.redactor import SHORTEST_SECRET

_GITHUB = "::add-mask::"
_AZURE = "##vso[task.setsecret]"


def register_masks(variables: Mapping[str, str], stream: TextIO, *, is_output: bool) -> Callable[[str], None]:
    """Give what registers a secret with the CI service whose job this is; elsewhere it does nothing.

    The service reads secrets from ``stream``, before anything else can show them: standard output where ``is_output``,
    else standard error, which only GitHub reads. Nothing goes into a file: there a secret would stay.
    """
    command = _command(variables, is_output=is_output)
    if not command or _is_file(stream):
        return _ignore
    known: set[str] = set()

    def mask(secret: str) -> None:
        # Services mask line by line; a line end in a command would also end it, and show the rest.
        new = {line.strip() for line in secret.splitlines()} - known
        lines = [line for line in sorted(new) if len(line) >= SHORTEST_SECRET]
        known.update(lines)
        with suppress(OSError, ValueError):
            stream.writelines(f"{command}{_escaped(line, command)}\n" for line in lines)
            stream.flush()

    return mask


def _command(variables: Mapping[str, str], *, is_output: bool) -> str:
    if variables.get("GITHUB_ACTIONS", "").lower() == "true":
        return _GITHUB
    if variables.get("TF_BUILD", "").lower() == "true" and is_output:
        return _AZURE
    return ""


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _escaped(line: str, command: str) -> str:
    percent = "%AZP25" if command == _AZURE else "%25"
    return line.replace("%", percent).replace("\r", "%0D")


def _ignore(_: str) -> None:
    """Tell nobody."""
