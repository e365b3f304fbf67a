"""What the checks need to know of artifact folders besides their content, and how findings are made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cpi_tasks.errors import Problem
from cpi_tasks.model.config import Position
from cpi_tasks.model.finding import Finding, Rule, Severity


class Folders(Protocol):
    """Looks into artifact folders; what is not there, or cannot be read, is simply not found."""

    def has(self, file: Path) -> bool:
        """Whether there is such a file."""

    def models(self, folder: Path) -> Sequence[bytes]:
        """Give the models (``.iflw``) of an integration flow."""


def warning(rule: Rule, position: Position, message: str) -> Finding:
    """Say what could go wrong."""
    return Finding(rule=rule, severity=Severity.WARNING, problem=_problem(position, message))


def error(rule: Rule, position: Position, message: str) -> Finding:
    """Say what is certain to go wrong."""
    return Finding(rule=rule, severity=Severity.ERROR, problem=_problem(position, message))


def _problem(position: Position, message: str) -> Problem:
    return Problem(file=position.file, line=position.line, column=position.column, path=position.path, message=message)
