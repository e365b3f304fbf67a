"""``dependsOn``: ids as written -> final ids of everything that was loaded, without circles. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from cpi_tasks.environment.nodes import problem_at
from cpi_tasks.environment.specs import NamedConfig
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import ArtifactSpec, PackageSpec, Position
from cpi_tasks.model.naming import ArtifactId


def resolve_dependencies(
    configs: tuple[NamedConfig, ...], *, is_complete: bool
) -> tuple[tuple[NamedConfig, ...], tuple[Problem, ...]]:
    """Give the configurations with final ids in ``depends_on``, and a problem for each unknown one and for a circle.

    An id means the artifact of the same configuration, or the only one of that id in another. Unless ``is_complete``,
    entries had to be left out: nothing can be said of an id that is not there then.
    """
    every: dict[str, set[ArtifactId]] = {}
    for spec in (spec for config in configs for spec in _artifacts(config)):
        every.setdefault(spec.source_id, set()).add(spec.id)
    found = [_resolved(config, every, is_complete=is_complete) for config in configs]
    resolved = tuple(config for config, _ in found)
    problems = tuple(problem for _, problems in found for problem in problems)
    return resolved, problems or _circles(resolved)


def _artifacts(config: NamedConfig) -> tuple[ArtifactSpec, ...]:
    return tuple(artifact for package in config.packages for artifact in package.artifacts)


def _resolved(
    config: NamedConfig, every: Mapping[str, AbstractSet[ArtifactId]], *, is_complete: bool
) -> tuple[NamedConfig, list[Problem]]:
    own = {spec.source_id: spec.id for spec in _artifacts(config)}
    known = {source: next(iter(ids)) for source, ids in every.items() if len(ids) == 1} | own
    problems: list[Problem] = []

    def final(spec: ArtifactSpec) -> ArtifactSpec:
        found: dict[ArtifactId, Position] = {}
        for needed, position in spec.depends_on.items():
            if needed == spec.source_id:
                problems.append(problem_at(position, f"'{needed}' cannot depend on itself"))
            elif needed in known:
                found[known[needed]] = position
            elif needed in every:
                finals = ", ".join(f"'{id_}'" for id_ in sorted(every[needed]))
                problems.append(problem_at(position, f"'{needed}' is ambiguous, it may mean any of {finals}"))
            elif is_complete:
                message = f"there is no artifact '{needed}' in the configuration{did_you_mean(needed, known)}"
                problems.append(problem_at(position, message))
        return replace(spec, depends_on=found) if spec.depends_on else spec

    def of(package: PackageSpec) -> PackageSpec:
        return replace(package, artifacts=tuple(final(spec) for spec in package.artifacts))

    return replace(config, packages=tuple(of(package) for package in config.packages)), problems


def _circles(configs: tuple[NamedConfig, ...]) -> tuple[Problem, ...]:
    """Complain about the first circle, at the artifact where it closes."""
    specs = {spec.id: spec for config in configs for spec in _artifacts(config)}
    try:
        TopologicalSorter({id_: spec.depends_on.keys() for id_, spec in specs.items()}).prepare()
    except CycleError as error:
        circle: list[ArtifactId] = error.args[1]
        # graphlib names a circle from what is needed to what needs it.
        names = " → ".join(specs[id_].source_id for id_ in reversed(circle))
        first, needed = specs[circle[-1]], circle[-2]
        return (problem_at(first.depends_on[needed], f"dependsOn goes round in a circle: {names}"),)
    return ()
