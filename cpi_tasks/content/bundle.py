"""An artifact folder, opened and checked, and the files of its archive as the tenant is to have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from cpi_tasks.content.capabilities import capability_ids
from cpi_tasks.content.flow import fixed_addresses, process_direct, referenced_ids, rename_references, timer_schedules
from cpi_tasks.content.folder import PROP_PATH, RESOURCES, list_files, problem_at, read_file
from cpi_tasks.content.identity import final_manifest, final_paths, final_project, own_names, symbolic_name
from cpi_tasks.content.intake import find_doubts, find_problems, read_checked
from cpi_tasks.content.manifest import MANIFEST_PATH, Manifest, ManifestError
from cpi_tasks.content.parameters import FlowParameters, read_flow_parameters
from cpi_tasks.content.value_mapping import VALUES_PATH
from cpi_tasks.errors import InputError, Problem
from cpi_tasks.foreign import MARK
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.naming import ArtifactKind
from cpi_tasks.model.version import is_osgi, parse_version
from cpi_tasks.paths import spelled_differently, why_no_folder

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One artifact's folder while it is being read.

    ``manifest`` is as the tenant is to have it, ``old_names`` are the names the artifact has in its files, ``models``
    a flow's ``.iflw`` files as on disk.
    """

    spec: ArtifactSpec
    renames: Mapping[str, str]
    files: Mapping[str, Path]
    manifest: Manifest
    old_names: frozenset[str]
    parameters: FlowParameters
    models: Mapping[str, bytes] = field(repr=False)
    doubts: tuple[Problem, ...] = ()
    """What is accepted, but may be read differently from what its author thinks."""

    def packed_files(self) -> Iterator[tuple[str, bytes]]:
        """Give path and bytes of every file of the archive, rewritten; the manifest first, then sorted by path.

        Readers of Java archives that do not seek expect the manifest first. Raises ``InputError`` at the end, with all
        that is wrong with any file: only then the files are known to be fit to be sent.
        """
        yield MANIFEST_PATH, self.manifest.for_java().to_bytes()
        problems: list[Problem] = []
        for path, target in sorted(self._targets().items(), key=lambda item: item[1]):
            if path == MANIFEST_PATH:
                continue
            data = _collect(problems, partial(self._packed, path))
            if data is not None:
                yield target, data
        if problems:
            raise InputError(problems)

    def references(self) -> frozenset[str]:
        """Give the final ids of the script collections and message mappings that are used."""
        required = capability_ids(self.manifest.get("Require-Capability") or "")
        named = (name for model in self.models.values() for name in referenced_ids(model, self.renames))
        return frozenset(required).union(self.renames.get(name, name) for name in named) - {str(self.spec.id)}

    def fixed_addresses(self) -> tuple[str, ...]:
        """Give the sender addresses written into the model."""
        return tuple(sorted({address for model in self.models.values() for address in fixed_addresses(model)}))

    def process_direct(self) -> tuple[frozenset[str], frozenset[str]]:
        """Give the ProcessDirect addresses the models listen to and those they call."""
        found = [process_direct(model, self.parameters.values) for model in self.models.values()]
        empty = frozenset[str]()
        return empty.union(*(listens for listens, _ in found)), empty.union(*(calls for _, calls in found))

    def timers(self) -> tuple[str, ...]:
        """Give the schedules of the model's timer start events."""
        return tuple(schedule for _, model in sorted(self.models.items()) for schedule in timer_schedules(model))

    def _targets(self) -> dict[str, str]:
        """Give the path in the archive for each file of it; a flow may get a ``parameters.prop`` it did not have."""
        paths = set(self.files) | ({PROP_PATH} if self.parameters.data is not None else set())
        if self.spec.kind is not ArtifactKind.MESSAGE_MAPPING:
            return {path: path for path in paths}
        return final_paths(paths, self.old_names, self.spec.id)

    def _packed(self, path: str) -> bytes:
        if path == PROP_PATH and self.parameters.data is not None:
            return self.parameters.data
        if path in self.models:
            return rename_references(self.models[path], self.renames)
        data = read_checked(self.files[path], path, self.spec.kind)
        return final_project(data, self.spec.id) if path == ".project" else data


def open_bundle(spec: ArtifactSpec, renames: Mapping[str, str]) -> Bundle:
    """Open an artifact's folder; raises ``InputError`` with everything that is wrong with it."""
    _require_folder(spec)
    files = list_files(spec.folder)
    problems = [*_what_is_missing(spec, files)]
    manifest = _collect(problems, lambda: _checked_manifest(spec, files))
    models = _collect(problems, lambda: _models(spec, files)) or {}
    parameters = _collect(problems, lambda: _parameters(spec, files, models))
    if problems or manifest is None or parameters is None:
        raise InputError([*problems, *find_problems(files, spec.kind)])
    return Bundle(
        spec=spec,
        renames=renames,
        files=files,
        manifest=final_manifest(manifest, spec, renames),
        old_names=own_names(manifest, spec.source_id, spec.id),
        parameters=parameters,
        models=models,
        doubts=tuple(find_doubts(manifest, files, spec.kind)),
    )


def read_manifest(file: Path) -> Manifest:
    """Read a manifest from disk; raises ``InputError``."""
    try:
        return Manifest(read_file(file).removeprefix(MARK))
    except ManifestError as error:
        column = 1 if error.line else 0
        raise InputError([Problem(file=str(file), line=error.line, column=column, message=str(error))]) from error


def _collect(problems: list[Problem], step: Callable[[], _T]) -> _T | None:
    """Do one step of the reading; what is wrong is added to ``problems``, so that the next step still gets its turn."""
    try:
        return step()
    except InputError as error:
        problems.extend(error.problems)
        return None


def _require_folder(spec: ArtifactSpec) -> None:
    why = why_no_folder(spec.folder)
    if why:
        hint = spelled_differently(spec.folder)
        message = f"the folder of {spec.kind.label} '{spec.source_id}' {why}: {spec.folder}{hint}"
        raise InputError([problem_at(spec.position, message)])


def _checked_manifest(spec: ArtifactSpec, files: Mapping[str, Path]) -> Manifest:
    """Read the manifest and check the headers that a deployment relies on."""
    shown = str(spec.folder / MANIFEST_PATH)
    if MANIFEST_PATH not in files:
        message = f"is missing: without it {spec.kind.label} '{spec.source_id}' has neither id nor version"
        raise InputError([Problem(file=shown, message=message)])
    manifest = Manifest(read_checked(files[MANIFEST_PATH], MANIFEST_PATH, spec.kind))
    version = manifest.get("Bundle-Version") or ""
    kind = manifest.get("SAP-BundleType") or spec.kind.value
    messages = []
    if not symbolic_name(manifest):
        messages.append("has no Bundle-SymbolicName")
    if not version:
        messages.append("has no Bundle-Version")
    elif not is_osgi(version):
        messages.append(f"has a Bundle-Version that is no version: '{version}'; write it like 1.0.0{_limit(version)}")
    if kind.lower() != spec.kind.value.lower():
        messages.append(f"says SAP-BundleType '{kind}', but the configuration says type '{spec.kind.value}'")
    if messages:
        raise InputError([Problem(file=shown, message=message) for message in messages])
    return manifest


def _what_is_missing(spec: ArtifactSpec, files: Mapping[str, Path]) -> Iterator[Problem]:
    """Find the file without which an artifact of its kind is none."""
    resources = [path for path in files if path.startswith(RESOURCES)]
    match spec.kind:
        case ArtifactKind.INTEGRATION_FLOW if not any(path.endswith(".iflw") for path in resources):
            message = f"integration flow '{spec.source_id}' has no model: there is no .iflw file in its folder"
            yield Problem(file=str(spec.folder / RESOURCES), message=message)
        case ArtifactKind.MESSAGE_MAPPING if not any(path.endswith(".mmap") for path in resources):
            message = f"message mapping '{spec.source_id}' has no model: there is no .mmap file in its folder"
            yield Problem(file=str(spec.folder / RESOURCES), message=message)
        case ArtifactKind.VALUE_MAPPING if VALUES_PATH not in files:
            message = f"is missing: value mapping '{spec.source_id}' has no values without it"
            yield Problem(file=str(spec.folder / VALUES_PATH), message=message)


def _models(spec: ArtifactSpec, files: Mapping[str, Path]) -> dict[str, bytes]:
    if spec.kind is not ArtifactKind.INTEGRATION_FLOW:
        return {}
    models = [path for path in files if path.startswith(RESOURCES) and path.endswith(".iflw")]
    problems: list[Problem] = []
    if len(models) > 1:
        message = f"integration flow '{spec.source_id}' has more than one model: {', '.join(models)}; keep only one"
        problems.append(Problem(file=str(spec.folder / RESOURCES), message=message))
    read = {path: _collect(problems, partial(read_checked, files[path], path, spec.kind)) for path in models}
    if problems:
        raise InputError(problems)
    return {path: data for path, data in read.items() if data is not None}


def _parameters(spec: ArtifactSpec, files: Mapping[str, Path], models: Mapping[str, bytes]) -> FlowParameters:
    if spec.kind is not ArtifactKind.INTEGRATION_FLOW:
        return FlowParameters()
    return read_flow_parameters(files, models.values(), spec.overrides)


def _limit(version: str) -> str:
    """Return the rule that a version breaks which looks like one."""
    return "" if parse_version(version) is None else ", with no number above 2147483647"
