"""Keys that begin with ``x-``: a place for YAML anchors, ignored in every file (as in Docker Compose and OpenAPI)."""

from __future__ import annotations

from dataclasses import replace

from cpi_tasks.environment.nodes import Entry, MappingNode, Node, SequenceNode

_MARK = "x-"
_FREE_KEYS = frozenset({"configOverrides"})
"""Mappings whose keys are names that people chose, so that ``x-`` means nothing special in them."""


def without_extensions(node: MappingNode) -> MappingNode:
    """Return the mapping without the keys that begin with ``x-``, at every level; everything else keeps its place."""
    entries = {
        key: entry if key in _FREE_KEYS else Entry(mark=entry.mark, node=_reduced(entry.node))
        for key, entry in node.entries.items()
        if not key.startswith(_MARK)
    }
    return replace(node, entries=entries)


def _reduced(node: Node) -> Node:
    if isinstance(node, MappingNode):
        return without_extensions(node)
    if isinstance(node, SequenceNode):
        return replace(node, items=tuple(_reduced(item) for item in node.items))
    return node
