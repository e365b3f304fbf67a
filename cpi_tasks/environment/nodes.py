"""The tree a YAML file becomes: scalars keep their text, everything keeps its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from cpi_tasks.errors import Problem
from cpi_tasks.model.config import Position

Loc = tuple[str | int, ...]
"""The way to a value: keys and indices from the top of the file."""

_SHOWN_LENGTH = 60


class Mark(NamedTuple):
    """Line and column, both from 1; 0 where there is none."""

    line: int
    column: int


class Origin(Enum):
    """Where the text of a scalar came from; only text written in a file has a YAML type of its own."""

    FILE = "file"
    FLAG = "flag"
    VARIABLE = "variable"
    MIXED = "mixed"
    UNSET = "unset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One value. ``text`` is what counts, ``written`` what the file says (before variables were put in)."""

    mark: Mark
    text: str = field(repr=False)
    written: str = field(repr=False)
    tag: str
    origin: Origin

    @property
    def kind(self) -> str:
        """What it is, in a sentence."""
        return "a single value"

    @property
    def shown(self) -> str:
        """The value for a message: never what a variable holds."""
        written = self.written if len(self.written) <= _SHOWN_LENGTH else self.written[:_SHOWN_LENGTH] + "…"
        return f"'{written}'" if self.origin in {Origin.FILE, Origin.FLAG} else f"the value of '{written}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceNode:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]

    @property
    def kind(self) -> str:
        """What it is, in a sentence."""
        return "a list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value of a mapping, with the place of its key."""

    mark: Mark
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingNode:
    """Keys, as written, and their values in the order of the file."""

    mark: Mark
    entries: Mapping[str, Entry]

    @property
    def kind(self) -> str:
        """What it is, in a sentence."""
        return "a mapping"


Node = Scalar | SequenceNode | MappingNode


def is_null(node: Node | None) -> bool:
    """Whether there is no value: the key is absent, or written without one."""
    return node is None or (isinstance(node, Scalar) and node.tag == "null" and node.origin is Origin.FILE)


def is_unset(node: Node | None) -> bool:
    """Whether the value would have come from a variable that is not set."""
    return isinstance(node, Scalar) and node.origin is Origin.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One input file, or the command line, as a tree; ``names`` are other spellings of its top keys for messages."""

    file: str
    root: MappingNode
    names: Mapping[str, str] = field(default_factory=dict)

    def node(self, loc: Loc) -> Node | None:
        """Find a value; ``None`` where there is none at that place."""
        node: Node | None = self.root
        for step in loc:
            node = _step(node, step)
        return node

    def position(self, loc: Loc, *, at_key: bool = False) -> Position:
        """Give the place of a value, or of its key; of what encloses it where it does not exist."""
        mark = self.root.mark
        node: Node | None = self.root
        for step in loc:
            if at_key and isinstance(node, MappingNode) and step in node.entries:
                mark = node.entries[str(step)].mark
                node = node.entries[str(step)].node
                continue
            node = _step(node, step)
            if node is None:
                break
            mark = node.mark
        return Position(file=self.file, line=mark.line, column=mark.column, path=self._path(loc))

    def problem(self, loc: Loc, message: str, *, at_key: bool = False, rule: str = "") -> Problem:
        """Say what is wrong with the value (or key) at ``loc``."""
        return problem_at(self.position(loc, at_key=at_key), message, rule=rule)

    def _path(self, loc: Loc) -> str:
        if not loc:
            return ""
        return ".".join([self.names.get(str(loc[0]), str(loc[0])), *map(str, loc[1:])])


def problem_at(position: Position, message: str, *, rule: str = "") -> Problem:
    """Say what is wrong at a known position."""
    return Problem(
        file=position.file,
        line=position.line,
        column=position.column,
        path=position.path,
        message=message,
        rule=rule,
    )


def _step(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, MappingNode) and step in node.entries:
        return node.entries[str(step)].node
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None
