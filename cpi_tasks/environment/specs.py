"""Checked entries, prefix and filters -> the specs a run works on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cpi_tasks.environment.deploy_config import ArtifactEntry, ConfigFile, PackageEntry
from cpi_tasks.environment.filters import Filters
from cpi_tasks.environment.kinds import kind_in_manifest
from cpi_tasks.environment.nodes import problem_at
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackagesFolder, PackageSpec, Position
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId

_REFERENCED_KINDS = frozenset({ArtifactKind.SCRIPT_COLLECTION, ArtifactKind.MESSAGE_MAPPING})


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedConfig:
    """One configuration with final ids, nothing filtered yet."""

    source: str
    prefix: str
    packages: tuple[PackageSpec, ...]

    @property
    def renames(self) -> dict[str, str]:
        """Script collections and message mappings: ids as written -> final ids."""
        return {
            artifact.source_id: artifact.id
            for package in self.packages
            for artifact in package.artifacts
            if artifact.kind in _REFERENCED_KINDS
        }


def package_id(prefix: str, source_id: str) -> PackageId:
    """``PFX<id>``: tenants allow only letters and digits in new package ids."""
    return PackageId(prefix + source_id)


def artifact_id(prefix: str, source_id: str) -> ArtifactId:
    """``PFX_<id>``."""
    return ArtifactId(f"{prefix}_{source_id}" if prefix else source_id)


def package_name(prefix: str, name: str) -> str:
    """``PFX - <name>``."""
    return f"{prefix} - {name}" if prefix else name


def name_config(
    file: ConfigFile, *, prefix: str, packages_folder: Path, missing: Problem | None = None
) -> tuple[NamedConfig, tuple[Problem, ...]]:
    """Apply the prefix to everything in a configuration; an artifact whose type nothing names is left out.

    ``missing`` says that there is no ``packages_folder``; it stands for every manifest that would have named a type.
    """
    found = [_package(file, entry, prefix, packages_folder, missing) for entry in file.packages]
    named = NamedConfig(source=file.source, prefix=prefix, packages=tuple(package for package, _ in found))
    return named, tuple(problem for _, problems in found for problem in problems)


def find_duplicates(configs: Iterable[NamedConfig]) -> tuple[Problem, ...]:
    """Complain about every final id that is used a second time in anything that was loaded."""
    problems: list[Problem] = []
    seen: dict[tuple[str, str], Position] = {}
    for what, final, position in (use for config in configs for use in _uses(config)):
        first = seen.setdefault((what, final), position)
        if first is not position:
            message = f"the {what} id '{final}' is used twice, first at {first.file}:{first.line}:{first.column}"
            problems.append(problem_at(position, message))
    return tuple(problems)


def merge(configs: tuple[NamedConfig, ...], source: str) -> tuple[NamedConfig, tuple[Problem, ...]]:
    """Make one configuration of several; references that the files' different prefixes make ambiguous are problems."""
    prefixes = {config.prefix for config in configs}
    merged = NamedConfig(
        source=source,
        prefix=prefixes.pop() if len(prefixes) == 1 else "",
        packages=tuple(package for config in configs for package in config.packages),
    )
    problems: list[Problem] = []
    final: dict[str, ArtifactSpec] = {}
    for artifact in (artifact for package in merged.packages for artifact in package.artifacts):
        if artifact.kind not in _REFERENCED_KINDS:
            continue
        other = final.setdefault(artifact.source_id, artifact)
        if other.id != artifact.id:
            message = (
                f"'{artifact.source_id}' becomes '{artifact.id}' here and '{other.id}' at {other.position.file}:"
                f"{other.position.line}, so references to it are ambiguous; set mergeConfigs to false"
            )
            problems.append(problem_at(artifact.position, message))
    return merged, tuple(problems)


def select(
    configs: tuple[NamedConfig, ...], filters: Filters, packages_folder: PackagesFolder | None
) -> tuple[DeployConfig, ...]:
    """Apply the filters; references still follow the renaming of everything that was loaded."""
    every: dict[str, set[str]] = {}
    for config in configs:
        for source, final in config.renames.items():
            every.setdefault(source, set()).add(final)
    unambiguous = {source: next(iter(final)) for source, final in every.items() if len(final) == 1}
    selected = (_select_one(config, filters, {**unambiguous, **config.renames}) for config in configs)
    return tuple(replace(config, packages_folder=packages_folder) for config in selected)


def _select_one(config: NamedConfig, filters: Filters, renames: Mapping[str, str]) -> DeployConfig:
    packages = tuple(kept for package in config.packages if (kept := _filtered(package, filters)) is not None)
    total = sum(len(package.artifacts) for package in config.packages)
    return DeployConfig(
        source=config.source,
        prefix=config.prefix,
        packages=packages,
        renames=renames,
        filtered_out=total - sum(len(package.artifacts) for package in packages),
    )


def _filtered(package: PackageSpec, filters: Filters) -> PackageSpec | None:
    if not filters.packages.keeps(package.source_id):
        return None
    if filters.artifacts.layer is None:
        return package
    artifacts = tuple(each for each in package.artifacts if filters.artifacts.keeps(each.source_id))
    return replace(package, artifacts=artifacts) if artifacts else None


def _uses(config: NamedConfig) -> Iterable[tuple[str, str, Position]]:
    for package in config.packages:
        yield "package", package.id, package.position
        for artifact in package.artifacts:
            yield "artifact", artifact.id, artifact.position


def _package(
    file: ConfigFile, entry: PackageEntry, prefix: str, packages_folder: Path, missing: Problem | None
) -> tuple[PackageSpec, list[Problem]]:
    keys = entry.keys
    final = package_id(prefix, keys.integration_suite_id)
    folder = packages_folder / keys.package_dir
    artifacts: list[ArtifactSpec] = []
    problems: list[Problem] = []
    for each in entry.artifacts:
        kind = each.keys.type or kind_in_manifest(folder / each.keys.artifact_dir)
        if isinstance(kind, str):
            message = f"is not given, and {kind}; add type: IntegrationFlow, or what else it is"
            problems.append(missing or file.document.problem((*each.loc, "type"), message))
            continue
        if each.keys.config_overrides and kind is not ArtifactKind.INTEGRATION_FLOW:
            message = f"only integration flows have parameters to override, not a {kind.label}"
            problems.append(file.document.problem((*each.loc, "configOverrides"), message, at_key=True))
        artifacts.append(_artifact(file, each, kind, prefix=prefix, package=final, folder=folder, of=entry))
    spec = PackageSpec(
        id=final,
        source_id=keys.integration_suite_id,
        folder=folder,
        name=package_name(prefix, keys.display_name) if keys.display_name else None,
        creation_name=package_name(prefix, keys.display_name or keys.integration_suite_id),
        description=keys.description,
        short_text=keys.short_text,
        sync=keys.sync is not False,
        deploy=keys.deploy is not False,
        artifacts=tuple(artifacts),
        position=file.document.position((*entry.loc, "integrationSuiteId")),
    )
    return spec, problems


def _artifact(
    file: ConfigFile,
    entry: ArtifactEntry,
    kind: ArtifactKind,
    *,
    prefix: str,
    package: PackageId,
    folder: Path,
    of: PackageEntry,
) -> ArtifactSpec:
    keys = entry.keys
    overrides = keys.config_overrides or {}
    loc = (*entry.loc, "configOverrides")
    return ArtifactSpec(
        ref=ArtifactRef(package=package, artifact=artifact_id(prefix, keys.artifact_id)),
        source_id=keys.artifact_id,
        kind=kind,
        folder=folder / keys.artifact_dir,
        display_name=keys.display_name,
        sync=keys.sync is not False and of.keys.sync is not False,
        deploy=keys.deploy is not False and of.keys.deploy is not False,
        overrides=overrides,
        position=file.document.position((*entry.loc, "artifactId")),
        override_positions={key: file.document.position((*loc, key), at_key=True) for key in overrides},
        depends_on={
            ArtifactId(needed): file.document.position((*entry.loc, "dependsOn", number))
            for number, needed in enumerate(keys.depends_on or ())
        },
    )
