"""One deploy configuration document -> its packages and artifacts, checked one by one, and its own settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cpi_tasks.environment import schema
from cpi_tasks.environment.nodes import Document, Loc, SequenceNode, is_null, is_unset
from cpi_tasks.environment.settings import Layer
from cpi_tasks.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactEntry:
    """A valid artifact entry and its place."""

    loc: Loc
    keys: schema.ArtifactKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageEntry:
    """A valid package entry, its place and its valid artifacts."""

    loc: Loc
    keys: schema.PackageKeys
    artifacts: tuple[ArtifactEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """One deploy configuration as written: ids without prefix, nothing filtered."""

    source: str
    document: Document
    packages: tuple[PackageEntry, ...]
    prefix: str | None = None
    section: Layer | None = None


def read_config_file(document: Document, *, root: Path) -> tuple[ConfigFile | None, tuple[Problem, ...]]:
    """Check a deploy configuration file; what is valid of it is kept."""
    checked = schema.check(schema.ConfigFileKeys, document, ())
    keys = checked.keys
    if keys is None:
        return None, checked.problems
    problems = list(checked.problems)
    packages: tuple[PackageEntry, ...] = ()
    if is_null(document.node(("packages",))):
        problems.append(document.problem((), "the file has no 'packages', so it deploys nothing"))
    else:
        packages, found = read_packages(document)
        problems += found
    section, found = _read_section(document, root)
    problems += found
    if section is not None and keys.deployment_prefix and section.keys.deployment_prefix:
        problems += _compare_prefixes(keys.deployment_prefix, section)
    file = ConfigFile(
        source=document.file, document=document, packages=packages, prefix=keys.deployment_prefix, section=section
    )
    return file, tuple(problems)


def read_packages(document: Document) -> tuple[tuple[PackageEntry, ...], tuple[Problem, ...]]:
    """Check the list ``packages`` of a document; invalid entries are left out, each with its problems."""
    node = document.node(("packages",))
    if not isinstance(node, SequenceNode):
        return (), _not_a_list(document, ("packages",))
    entries: list[PackageEntry] = []
    problems: list[Problem] = []
    for index in range(len(node.items)):
        loc: Loc = ("packages", index)
        checked = schema.check(schema.PackageKeys, document, loc)
        artifacts, found = _read_artifacts(document, loc)
        problems += [*checked.problems, *found]
        if checked.keys is not None:
            entries.append(PackageEntry(loc=loc, keys=checked.keys, artifacts=artifacts))
    return tuple(entries), tuple(problems)


def _read_artifacts(document: Document, package: Loc) -> tuple[tuple[ArtifactEntry, ...], tuple[Problem, ...]]:
    node = document.node((*package, "artifacts"))
    if is_null(node):
        return (), ()
    if not isinstance(node, SequenceNode):
        return (), _not_a_list(document, (*package, "artifacts"))
    entries: list[ArtifactEntry] = []
    problems: list[Problem] = []
    for index in range(len(node.items)):
        loc = (*package, "artifacts", index)
        checked = schema.check(schema.ArtifactKeys, document, loc)
        problems += checked.problems
        if checked.keys is None or "type" in checked.broken:
            continue
        entries.append(ArtifactEntry(loc=loc, keys=checked.keys))
    return tuple(entries), tuple(problems)


def _read_section(document: Document, root: Path) -> tuple[Layer | None, tuple[Problem, ...]]:
    if is_null(document.node(("orchestrator",))):
        return None, ()
    checked = schema.check(schema.SettingKeys, document, ("orchestrator",))
    if checked.keys is None:
        return None, checked.problems
    layer = Layer(document=document, loc=("orchestrator",), folder=root, keys=checked.keys, broken=checked.broken)
    return layer, checked.problems


def _compare_prefixes(prefix: str, section: Layer) -> tuple[Problem, ...]:
    if section.keys.deployment_prefix == prefix:
        return ()
    return (section.problem("deploymentPrefix", "differs from the deploymentPrefix at the top of the same file"),)


def _not_a_list(document: Document, loc: Loc) -> tuple[Problem, ...]:
    if is_unset(document.node(loc)):
        return ()
    return (document.problem(loc, "must be a list"),)
