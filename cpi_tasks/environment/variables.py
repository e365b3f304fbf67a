"""``${NAME}`` in the scalar values of an environment file, and the one place that reads the process environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cpi_tasks.environment.nodes import Document, Entry, Loc, MappingNode, Node, Origin, Scalar, SequenceNode
from cpi_tasks.environment.yaml_source import resolve_again
from cpi_tasks.errors import Problem

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)\})?")
_LEFT_ALONE = "configOverrides"


def process_variables() -> Mapping[str, str]:
    """Give a copy of the environment variables of this process."""
    return dict(os.environ)


def expand(document: Document, variables: Mapping[str, str]) -> tuple[Document, tuple[Problem, ...]]:
    """Put the values of variables in, everywhere but inside ``configOverrides``; every unset one is a problem."""
    expansion = _Expansion(document, variables)
    root = expansion.mapping(document.root, ())
    return replace(document, root=root), tuple(expansion.problems)


@dataclass(slots=True)
class _Expansion:
    document: Document
    variables: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def mapping(self, node: MappingNode, loc: Loc) -> MappingNode:
        entries = {
            key: entry if key == _LEFT_ALONE else Entry(mark=entry.mark, node=self.node(entry.node, (*loc, key)))
            for key, entry in node.entries.items()
        }
        return replace(node, entries=entries)

    def node(self, node: Node, loc: Loc) -> Node:
        if isinstance(node, MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, SequenceNode):
            return replace(node, items=tuple(self.node(item, (*loc, i)) for i, item in enumerate(node.items)))
        return self.scalar(node, loc)

    def scalar(self, scalar: Scalar, loc: Loc) -> Scalar:
        matches = list(_REFERENCE.finditer(scalar.text))
        if not matches:
            return scalar
        names = [match.group(1) for match in matches if match.group() != "$${"]
        if not self._are_usable(names, loc):
            return replace(scalar, text="", origin=Origin.UNSET)
        text = _REFERENCE.sub(self._value, scalar.text)
        if not names:
            return replace(scalar, text=text)
        if matches[0].group() == scalar.text:
            return resolve_again(scalar, text, Origin.VARIABLE)
        return replace(scalar, text=text, origin=Origin.MIXED)

    def _are_usable(self, names: list[str | None], loc: Loc) -> bool:
        wrong = [name for name in names if name is None or name not in self.variables]
        for name in dict.fromkeys(wrong):
            if name is None:
                message = "'${' begins a variable such as ${CPI_HOST}; write '$${' for the characters themselves"
                self.problems.append(self.document.problem(loc, message))
            else:
                message = f"the environment variable {name} is not set"
                self.problems.append(self.document.problem(loc, message, rule="unset-variable"))
        return not wrong

    def _value(self, match: re.Match[str]) -> str:
        return "${" if match.group() == "$${" else self.variables[match.group(1)]
