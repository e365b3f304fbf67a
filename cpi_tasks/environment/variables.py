"""``${NAME}`` in the scalar values of an environment file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from cpi_tasks.environment.nodes import Document, Entry, Loc, MappingNode, Node, Origin, Scalar, SequenceNode
from cpi_tasks.environment.process import Use, Variables
from cpi_tasks.environment.tenant_keys import FILE_USES
from cpi_tasks.environment.yaml_source import resolve_again
from cpi_tasks.errors import Problem

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)\})?")
_LEFT_ALONE = "configOverrides"


def expand(document: Document, variables: Variables) -> tuple[Document, tuple[Problem, ...]]:
    """Put the values of variables in, everywhere but inside ``configOverrides``.

    Every variable that is not set or cannot be used is a problem.
    """
    expansion = _Expansion(document, variables)
    root = expansion.mapping(document.root, ())
    return replace(document, root=root), tuple(expansion.problems)


@dataclass(slots=True)
class _Expansion:
    document: Document
    variables: Variables
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
        is_whole = matches[0].group() == scalar.text
        use = FILE_USES.get(loc, Use.TEXT) if is_whole else Use.TEXT
        values = self._values(names, loc, use)
        if values is None:
            return replace(scalar, text="", origin=Origin.UNSET)
        text = _REFERENCE.sub(lambda match: values.get(match.group(1), "${"), scalar.text)
        if not names:
            return replace(scalar, text=text)
        if is_whole:
            return resolve_again(scalar, text, Origin.VARIABLE)
        return replace(scalar, text=text, origin=Origin.MIXED)

    def _values(self, names: list[str | None], loc: Loc, use: Use) -> dict[str, str] | None:
        """Return the values by their names; ``None``, and problems, where one of them cannot be used."""
        values: dict[str, str] = {}
        problems = []
        for name in dict.fromkeys(names):
            if name is None:
                message = "'${' begins a variable such as ${CPI_HOST}; write '$${' for the characters themselves"
                problems.append(self.document.problem(loc, message))
            elif not self.variables.has(name):
                message = f"the environment variable {name} is not set"
                problems.append(self.document.problem(loc, message, rule="unset-variable"))
            else:
                value = self.variables.clean(name, use)
                values[name] = value.text
                if value.fault:
                    message = f"the environment variable {name} {value.fault}"
                    problems.append(self.document.problem(loc, message))
        self.problems += problems
        return None if problems else values
