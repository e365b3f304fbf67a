"""YAML text -> a tree of nodes that remember where and how they were written.

The tree is built from the parser's events instead of its objects, because three things must survive that a plain load
loses: the position of every key and value, the text of scalars as written, and keys given twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml
from yaml.resolver import Resolver

from cpi_tasks.environment.extensions import without_extensions
from cpi_tasks.environment.nodes import Document, Entry, MappingNode, Mark, Node, Origin, Scalar, SequenceNode, is_null
from cpi_tasks.environment.yaml_text import UnreadableError, decode, explain, name_invisible
from cpi_tasks.errors import Problem

MAX_DEPTH = 40
MAX_PROBLEMS = 1_000
MAX_NODES = 250_000
MAX_BORROWED_NODES = 100_000
"""How many nodes aliases may stand for in one file; real files stay far below, alias bombs pass it at once."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = Resolver()
_TAG_PREFIX = "tag:yaml.org,2002:"
_SECOND_DOCUMENT = "a second YAML document starts here; give each document a file of its own"
_QUOTE_TAG = "put a text that begins with '!' in quotes"
_SCALAR_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "merge", "value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The outcome of parsing one file: ``document`` is ``None`` where its text gives no mapping."""

    document: Document | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Built:
    """A node with its number of nodes and levels once every alias is followed."""

    node: Node
    size: int
    height: int


@dataclass(slots=True)
class _Builder:
    file: str
    events: Iterator[yaml.Event]
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, _Built] = field(default_factory=dict)
    borrowed: int = 0
    nodes: int = 0

    def build(self) -> Node | None:
        """Read one document; ``None`` where the file holds none."""
        root: Node | None = None
        start = Mark(0, 0)
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                start = _mark(event)
            if isinstance(event, yaml.NodeEvent):
                node = self._node(event, 0).node
                if not is_null(node) and not is_null(root):
                    raise UnreadableError(start, _SECOND_DOCUMENT)
                # Between '---' and '---' there may be nothing but comments.
                root = node if is_null(root) else root
        return root

    def _node(self, event: yaml.Event, depth: int) -> _Built:
        if depth > MAX_DEPTH:
            raise UnreadableError(_mark(event), f"nested more than {MAX_DEPTH} levels deep")
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise UnreadableError(_mark(event), f"the file holds more than {MAX_NODES} keys and values")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            built = _Built(_scalar(event), 1, 0)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self._sequence(event, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            built = self._mapping(event, depth)
        else:
            raise UnreadableError(_mark(event), "this is not valid YAML")
        if event.anchor is not None:
            self.anchors[event.anchor] = built
        return built

    def _alias(self, event: yaml.AliasEvent, depth: int) -> _Built:
        built = self.anchors.get(event.anchor or "")
        if built is None:
            hint = "put a text that begins with '*' in quotes"
            raise UnreadableError(_mark(event), f"the alias *{event.anchor} has no complete anchor before it; {hint}")
        self.borrowed += built.size
        if self.borrowed > MAX_BORROWED_NODES:
            raise UnreadableError(_mark(event), "the aliases of this file stand for far too many values")
        if depth + built.height > MAX_DEPTH:
            raise UnreadableError(_mark(event), f"nested more than {MAX_DEPTH} levels deep")
        return built

    def _sequence(self, event: yaml.SequenceStartEvent, depth: int) -> _Built:
        _check_tag(event, "seq")
        items: list[_Built] = []
        while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(inner, depth + 1))
        node = SequenceNode(mark=_mark(event), items=tuple(item.node for item in items))
        return _Built(node, *_measure(items))

    def _mapping(self, event: yaml.MappingStartEvent, depth: int) -> _Built:
        _check_tag(event, "map")
        entries: dict[str, Entry] = {}
        merged: list[MappingNode] = []
        values: list[_Built] = []
        while not isinstance(inner := next(self.events), yaml.MappingEndEvent):
            key = self._key(inner, depth)
            value = self._node(next(self.events), depth + 1)
            values.append(value)
            if key.tag == "merge":
                merged += _merge_sources(key, value.node)
            elif key.text in entries:
                first = entries[key.text].mark.line
                self._report(key.mark, f"the key '{key.text}' is given twice (first in line {first})")
            else:
                entries[key.text] = Entry(mark=key.mark, node=value.node)
        complete: dict[str, Entry] = {}
        for source in reversed(merged):
            complete.update(source.entries)
        complete.update(entries)
        return _Built(MappingNode(mark=_mark(event), entries=complete), *_measure(values))

    def _key(self, event: yaml.Event, depth: int) -> Scalar:
        node = self._node(event, depth + 1).node
        if not isinstance(node, Scalar):
            message = (
                "a key must be plain text, not a list or a mapping; put a text that begins with '{' or '[' in quotes"
            )
            raise UnreadableError(_mark(event), message)
        return node

    def _report(self, mark: Mark, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(file=self.file, line=mark.line, column=mark.column, message=message))


def parse(data: bytes, file: str) -> Parsed:
    """Parse the bytes of one file whose top level must be a mapping; ``file`` is how problems name it.

    Keys that begin with ``x-`` are left out. Never raises for bad text: everything wrong with it comes back as problems
    with line and column.
    """
    try:
        text = decode(data)
        builder = _Builder(file, yaml.parse(text, Loader=_LOADER))
        root = _require_mapping(builder.build(), text)
    except UnreadableError as error:
        return _failed(file, error.mark, str(error))
    except yaml.MarkedYAMLError as error:
        return _failed(file, *explain(error, text))
    except yaml.YAMLError:
        return _failed(file, Mark(0, 0), "this is not valid YAML: it contains characters that are not allowed")
    document = Document(file=file, root=without_extensions(root))
    return Parsed(document=document, problems=tuple(builder.problems))


def resolve_again(scalar: Scalar, text: str, origin: Origin) -> Scalar:
    """Give ``scalar`` another text, with the type that text has as a plain YAML scalar."""
    tag = _plain_tag(text, (True, False)).removeprefix(_TAG_PREFIX)
    return replace(scalar, text=text, tag=tag if tag in _SCALAR_TAGS else "str", origin=origin)


def command_line(values: Mapping[str, str], names: Mapping[str, str]) -> Document:
    """Present flags as a document, so that they are checked like a file; ``names`` gives the flag of each key."""
    nowhere = Mark(0, 0)
    entries = {
        key: Entry(
            mark=nowhere,
            node=Scalar(mark=nowhere, text=text, written=text, tag="str", origin=Origin.FLAG),
        )
        for key, text in values.items()
    }
    return Document(file="command line", root=MappingNode(mark=nowhere, entries=entries), names=names)


def _require_mapping(root: Node | None, text: str) -> MappingNode:
    if root is None or is_null(root):
        raise UnreadableError(Mark(0, 0), "the file has only comments" if "#" in text else "the file is empty")
    if not isinstance(root, MappingNode):
        hint = name_invisible(root.text) if isinstance(root, Scalar) else ""
        raise UnreadableError(root.mark, f"the file must hold keys and values, not {root.kind}{hint}")
    return root


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    tag = event.tag
    if tag == "!" and not event.style:
        raise UnreadableError(_mark(event), f"'!' is a YAML tag here; {_QUOTE_TAG}")
    if tag is None or tag == "!":
        tag = _plain_tag(event.value, event.implicit)
    short = tag.removeprefix(_TAG_PREFIX)
    if short not in _SCALAR_TAGS:
        raise UnreadableError(_mark(event), f"the tag '{tag}' is not supported; {_QUOTE_TAG}")
    short = "str" if short == "value" else short
    return Scalar(mark=_mark(event), text=event.value, written=event.value, tag=short, origin=Origin.FILE)


def _plain_tag(text: str, implicit: tuple[bool, bool]) -> str:
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, implicit)  # type: ignore[no-untyped-call]
    return tag


def _check_tag(event: yaml.NodeEvent, expected: str) -> None:
    tag = getattr(event, "tag", None)
    if tag not in {None, "!", _TAG_PREFIX + expected}:
        raise UnreadableError(_mark(event), f"the tag '{tag}' is not supported; {_QUOTE_TAG}")


def _measure(parts: list[_Built]) -> tuple[int, int]:
    return 1 + sum(part.size for part in parts), 1 + max((part.height for part in parts), default=0)


def _merge_sources(key: Scalar, node: Node) -> list[MappingNode]:
    candidates = node.items if isinstance(node, SequenceNode) else (node,)
    sources = [candidate for candidate in candidates if isinstance(candidate, MappingNode)]
    if len(sources) != len(candidates):
        raise UnreadableError(key.mark, "'<<' needs a mapping or a list of mappings")
    # Later sources must not win over earlier ones: the caller takes them in the opposite order.
    return sources


def _mark(event: yaml.Event) -> Mark:
    if event.start_mark is None:
        return Mark(0, 0)
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _failed(file: str, mark: Mark, message: str) -> Parsed:
    problem = Problem(file=file, line=mark.line, column=mark.column, message=message)
    return Parsed(document=None, problems=(problem,))
