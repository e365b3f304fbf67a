"""YAML files, flags and variables -> ``RunConfig``: the stages in their order, and all problems of all of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.environment import schema, specs
from cpi_tasks.environment.config_login import ConfigLoginFound, read_config_login
from cpi_tasks.environment.dependencies import resolve_dependencies
from cpi_tasks.environment.deploy_config import ConfigFile, read_config_file, read_packages
from cpi_tasks.environment.deploy_sources import Fetch, Finder
from cpi_tasks.environment.filters import Filters, read_filters
from cpi_tasks.environment.locate import Located, display_path, locate, read_file
from cpi_tasks.environment.nodes import Document, is_null
from cpi_tasks.environment.process import Variables
from cpi_tasks.environment.proxies import ProxyRules
from cpi_tasks.environment.settings import (
    DEFAULT_PATTERN,
    Layer,
    Layers,
    check_proof,
    find_disagreements,
    read_flags,
    resolve,
)
from cpi_tasks.environment.tenant_access import read_tenant
from cpi_tasks.environment.variables import expand
from cpi_tasks.environment.yaml_source import Parsed, command_line, parse
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import DeployConfig, PackagesFolder, RunConfig, Selection, Settings
from cpi_tasks.paths import spelled_differently, why_no_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What could be built, and everything that is wrong; with problems, ``run`` is only good for further checks.

    ``run`` is ``None`` where nothing useful could be built. With problems in the ``tenant`` section its address is
    empty; entries that are wrong are left out of its packages.
    """

    run: RunConfig | None
    problems: tuple[Problem, ...]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What the environment file holds that no output may show, besides the tenant's login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Environment:
    """A parsed environment file."""

    document: Document
    layer: Layer
    keys: schema.EnvironmentKeys
    config_login: ConfigLoginFound
    is_expanded: bool
    """Whether every variable it names is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The deploy configurations of a run, as written; ``is_complete`` unless entries had to be left out."""

    label: str
    files: tuple[ConfigFile, ...]
    problems: tuple[Problem, ...]
    is_complete: bool = False
    warnings: tuple[str, ...] = ()


def load(
    selection: Selection,
    *,
    root: Path,
    cwd: Path,
    variables: Variables,
    fetch: Fetch,
    proxies: ProxyRules | None = None,
) -> Loaded:
    """Read and check everything that describes a run. Never raises for bad input; problems are gathered and sorted.

    ``root`` is the project root (paths in files), ``cwd`` the current folder (paths in flags), ``variables`` the
    process environment, ``fetch`` downloads a deploy configuration and may raise ``DownloadError``. ``proxies`` chooses
    the proxies of the tenant; without it nothing is going to be sent.
    """
    root, cwd = Path(os.path.abspath(root)), Path(os.path.abspath(cwd))  # noqa: PTH100 - resolve() follows links
    flags = read_flags(selection, cwd=cwd)
    located = locate(selection, root=root, cwd=cwd, variables=variables)
    if isinstance(located, Problem):
        return _loaded(None, [*flags.problems, located, *variables.problems])
    environment, found = _read_environment(located, root=root, cwd=cwd, variables=variables)
    gathered = [*flags.problems, *found]
    if environment is None:
        return _loaded(None, [*gathered, *variables.problems])
    tenant = read_tenant(environment.document, root=root, variables=variables, proxies=proxies)
    gathered += tenant.problems
    reader = _ConfigReader(root=root, cwd=cwd, fetch=fetch, flags=flags.layer, flag_config=flags.deploy_config)
    files = reader.read(environment)
    gathered += files.problems
    sections = tuple(file.section for file in files.files if file.section is not None)
    layers = Layers(layers=(flags.layer, environment.layer, *sections))
    settings = resolve(
        layers, force=selection.force, allow_downgrade=selection.allow_downgrade, strict=selection.strict
    )
    gathered += check_proof(layers, settings)
    builder = _ConfigBuilder(layers=layers, given=Layers(layers=layers.layers[:2]), settings=settings)
    configs, found = builder.build(files, root=root)
    gathered += (*found, *variables.problems)
    secrets = environment.config_login.secrets
    if not configs:
        return _loaded(None, gathered, secrets)
    run = RunConfig(
        root=root,
        environment=located.name,
        environment_origin=located.origin,
        environment_file=located.path,
        settings=settings,
        tenant=tenant.tenant,
        configs=configs,
        warnings=(*variables.warnings, *tenant.warnings, *files.warnings),
        run_dir=flags.run_dir,
    )
    return _loaded(run, gathered, secrets)


def _loaded(run: RunConfig | None, problems: list[Problem], secrets: tuple[str, ...] = ()) -> Loaded:
    return Loaded(run=run, problems=tuple(sorted(set(problems))), secrets=secrets)


def _read_environment(
    located: Located, *, root: Path, cwd: Path, variables: Variables
) -> tuple[_Environment | None, tuple[Problem, ...]]:
    parsed = _parse_environment(located, cwd)
    if parsed.document is None:
        return None, parsed.problems
    document, unset = expand(parsed.document, variables)
    checked = schema.check(schema.EnvironmentKeys, document, ())
    keys = checked.keys or schema.EnvironmentKeys()
    config_login = read_config_login(document, keys, checked.broken)
    problems = (*parsed.problems, *unset, *checked.problems, *config_login.problems)
    layer = Layer(document=document, loc=(), folder=root, keys=keys, broken=checked.broken)
    environment = _Environment(
        document=document, layer=layer, keys=keys, config_login=config_login, is_expanded=not unset
    )
    return environment, problems


def _parse_environment(located: Located, cwd: Path) -> Parsed:
    if located.path is None:
        return Parsed(document=command_line({}, {}), problems=())
    shown = display_path(Path(os.path.normpath(located.path)), cwd)
    data = read_file(located.path, shown)
    if isinstance(data, Problem):
        return Parsed(document=None, problems=(data,))
    return parse(data, shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ConfigReader:
    """Finds and reads the deploy configurations of a run."""

    root: Path
    cwd: Path
    fetch: Fetch
    flags: Layer
    flag_config: str | None

    def read(self, environment: _Environment) -> _Files:
        """Read them from the flag, from ``deployConfig``, or from the environment file itself."""
        document = environment.document
        is_inline = not is_null(document.node(("packages",)))
        chosen = self._choose(environment)
        if is_inline and chosen is not None:
            given = "--deploy-config" if chosen[1] is self.flags else "'deployConfig'"
            problem = document.problem(("packages",), f"cannot be combined with {given}; keep one", at_key=True)
            return _Files(label=document.file, files=(), problems=(problem,))
        if is_inline:
            packages, problems = read_packages(document)
            file = ConfigFile(source=document.file, document=document, packages=packages)
            is_complete = environment.is_expanded and not problems
            if is_complete and not packages:
                problems = (document.problem(("packages",), "there is no package in the list"),)
            return _Files(label=document.file, files=(file,), problems=problems, is_complete=is_complete)
        if chosen is not None:
            return self._read_sources(environment, *chosen)
        is_reported = "deployConfig" in environment.layer.broken | self.flags.broken
        message = "the deploy configuration is missing: set 'deployConfig', use --deploy-config, or write 'packages'"
        missing = () if is_reported else (document.problem((), message),)
        return _Files(label=document.file, files=(), problems=missing)

    def _choose(self, environment: _Environment) -> tuple[str, Layer] | None:
        if self.flag_config:
            return self.flag_config, self.flags
        if environment.keys.deploy_config:
            return environment.keys.deploy_config, environment.layer
        return None

    def _read_sources(self, environment: _Environment, value: str, layer: Layer) -> _Files:
        if "://" in value and not environment.config_login.is_usable:
            # Without its login the download would only fail a second time for the same reason.
            return _Files(label=environment.document.file, files=(), problems=())
        pattern = Layers(layers=(self.flags, environment.layer)).value(lambda keys: keys.config_pattern)
        finder = Finder(
            cwd=self.cwd,
            pattern=pattern or DEFAULT_PATTERN,
            login=environment.config_login.login,
            fetch=self.fetch,
            complain=lambda message: layer.problem("deployConfig", message),
        )
        sources = finder.find(value, folder=layer.folder)
        problems = list(sources.problems)
        files: list[ConfigFile] = []
        warnings = list(sources.warnings)
        for document in sources.documents:
            file, found = read_config_file(document, root=self.root)
            problems += found
            files += [file] if file is not None else []
            if file is not None and file.section is not None and file.section.keys.config_pattern:
                warnings.append(f"{file.source}: configPattern has no effect here, the files are chosen before")
        if not problems and not any(file.packages for file in files):
            problems.append(layer.problem("deployConfig", f"there is no package in {sources.label}"))
        return _Files(
            label=sources.label,
            files=tuple(files),
            problems=tuple(problems),
            is_complete=not problems,
            warnings=tuple(warnings),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ConfigBuilder:
    """Turns the files into configurations with final ids; ``given`` are flags and environment file alone."""

    layers: Layers
    given: Layers
    settings: Settings

    def build(self, files: _Files, *, root: Path) -> tuple[tuple[DeployConfig, ...], tuple[Problem, ...]]:
        """Name, merge and filter; no configuration comes back where nothing of them could be checked further."""
        found = self.layers.first(lambda keys: keys.packages_dir)
        folder = found[1].folder / found[0] if found is not None else root
        missing = self._find_missing_folder(found, folder)
        found_names = [
            specs.name_config(file, prefix=self._prefix(file), packages_folder=folder, missing=missing)
            for file in files.files
        ]
        untyped = [problem for _, problems in found_names for problem in problems]
        named, unresolved = resolve_dependencies(
            tuple(config for config, _ in found_names), is_complete=files.is_complete and not untyped
        )
        problems = [*untyped, *specs.find_duplicates(named), *unresolved]
        if self.layers.value(lambda keys: keys.merge_configs) and len(named) > 1:
            merged, ambiguous = specs.merge(named, f"{files.label} ({len(named)} files merged)")
            sections = [file.section for file in files.files if file.section is not None]
            problems += [*ambiguous, *find_disagreements(sections)]
            named = (merged,)
        filters = read_filters(self.layers)
        place = None
        if found is not None:
            position = found[1].document.position((*found[1].loc, "packagesDir"))
            place = PackagesFolder(path=folder, position=position)
        configs = specs.select(named, filters, place)
        # Wrong entries are missing from the specs, so only faultless files can tell that a name matches nothing.
        if files.is_complete and not untyped:
            problems += _check_filters(filters, named, configs)
        if missing in untyped:
            # What there is of artifacts could not be checked any further.
            return (), tuple(problems)
        if found is None and self._needs_folder(configs):
            problems += self._missing_folder()
            return (), tuple(problems)
        return configs, tuple(problems)

    def _find_missing_folder(self, found: tuple[str, Layer] | None, folder: Path) -> Problem | None:
        """Return the problem that there is no such folder, where artifacts are read from it."""
        why = why_no_folder(folder) if found is not None and self.settings.mode.updates else ""
        if found is None or not why:
            return None
        message = f"the folder of the packages {why}: {folder}{spelled_differently(folder)}"
        return found[1].problem("packagesDir", message)

    def _prefix(self, file: ConfigFile) -> str:
        prefix = self.given.value(lambda keys: keys.deployment_prefix)
        if prefix is None:
            prefix = file.prefix or self.layers.value(lambda keys: keys.deployment_prefix)
        return prefix or ""

    def _needs_folder(self, configs: tuple[DeployConfig, ...]) -> bool:
        artifacts = (artifact for config in configs for package in config.packages for artifact in package.artifacts)
        return self.settings.mode.updates and any(artifact.sync for artifact in artifacts)

    def _missing_folder(self) -> tuple[Problem, ...]:
        if self.layers.is_broken("packagesDir"):
            return ()
        message = "packagesDir is missing: it names the folder with the artifacts (--packages-dir sets it too)"
        environment = self.given.layers[1]
        return (environment.document.problem((), message),)


def _check_filters(
    filters: Filters, named: tuple[specs.NamedConfig, ...], configs: tuple[DeployConfig, ...]
) -> tuple[Problem, ...]:
    packages = {package.source_id: str(package.id) for config in named for package in config.packages}
    artifacts = {
        artifact.source_id: str(artifact.id)
        for config in named
        for package in config.packages
        for artifact in package.artifacts
    }
    problems = (*filters.packages.find_unmatched(packages), *filters.artifacts.find_unmatched(artifacts))
    place = filters.problem_place
    if not problems and place is not None and not any(config.packages for config in configs):
        layer, key = place
        return (layer.problem(key, "the filters together leave nothing to do"),)
    return problems
