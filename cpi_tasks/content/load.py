"""All artifacts of a deploy configuration, read and checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cpi_tasks.content.bundle import Bundle, open_bundle, read_manifest
from cpi_tasks.content.canonical import CanonicalDigest
from cpi_tasks.content.folder import problem_at
from cpi_tasks.content.identity import own_names
from cpi_tasks.content.intake import read_checked
from cpi_tasks.content.manifest import MANIFEST_PATH
from cpi_tasks.content.value_mapping import VALUES_PATH, read_groups
from cpi_tasks.errors import InputError, Problem
from cpi_tasks.model.config import ArtifactSpec, DeployConfig
from cpi_tasks.model.content import ArtifactContent, ContentDigest, MappedGroups
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef
from cpi_tasks.paths import spelled_differently, why_no_folder

# Scripts use the ValueMappingApi, message mappings a function of that name (SAP Help, value mappings).
_CODE_SUFFIXES = (".groovy", ".gsh", ".js", ".mmap")
_LOOK_UP = re.compile(rb"getMappedValue|value_?mapping|valuemap", re.IGNORECASE)
_SHARED_KINDS = frozenset({ArtifactKind.SCRIPT_COLLECTION, ArtifactKind.MESSAGE_MAPPING})


def load_contents(config: DeployConfig) -> tuple[dict[ArtifactRef, ArtifactContent], tuple[Problem, ...]]:
    """Read every artifact of a configuration.

    Gives what could be read and, sorted and each once, the problems of all others that are to be synchronised; nothing
    is raised for those. What is only to be deployed serves the order of deployments, and need not be there. A package
    folder that is missing is one problem, not one for each of its artifacts; so is the folder of all packages.
    """
    missing = _find_missing_root(config)
    if missing is not None:
        return {}, (missing,)
    renames = {**_other_names(config), **config.renames}
    contents: dict[ArtifactRef, ArtifactContent] = {}
    problems: set[Problem] = set()
    for package in config.packages:
        specs = [spec for spec in package.artifacts if spec.sync or spec.deploy]
        why = why_no_folder(package.folder) if specs else ""
        if why and not any(spec.sync for spec in specs):
            continue
        if why:
            hint = spelled_differently(package.folder)
            message = f"the folder of package '{package.source_id}' {why}: {package.folder}{hint}"
            problems.add(problem_at(package.position, message))
            continue
        for spec in specs:
            try:
                contents[spec.ref] = load_content(spec, renames)
            except InputError as error:
                problems.update(error.problems if spec.sync else ())
    return contents, tuple(sorted(problems))


def _find_missing_root(config: DeployConfig) -> Problem | None:
    """Return the problem that the folder of all packages is not there, where anything of it is needed."""
    root = config.packages_folder
    is_needed = any(spec.sync for package in config.packages for spec in package.artifacts)
    why = why_no_folder(root.path) if root is not None and is_needed else ""
    if root is None or not why:
        return None
    return problem_at(root.position, f"the folder of the packages {why}: {root.path}{spelled_differently(root.path)}")


def load_content(spec: ArtifactSpec, renames: Mapping[str, str]) -> ArtifactContent:
    """Read one artifact's folder; ``renames`` maps ids as used in the files to final ids. Raises ``InputError``."""
    bundle = open_bundle(spec, renames)
    digest, looks_up_values = _digest(bundle)
    listens_to, calls = bundle.process_direct()
    return ArtifactContent(
        spec=spec,
        renames=renames,
        version=bundle.manifest.get("Bundle-Version") or "",
        name=bundle.manifest.get("Bundle-Name") or str(spec.id),
        values=_groups(bundle),
        digest=digest,
        parameters=bundle.parameters.values,
        parameter_types=bundle.parameters.types,
        known_keys=bundle.parameters.known_keys,
        references=bundle.references(),
        size=sum(file.stat().st_size for file in bundle.files.values()),
        fixed_addresses=bundle.fixed_addresses(),
        runtime_profile=(bundle.manifest.get("SAP-RuntimeProfile") or "").strip(),
        timers=bundle.timers(),
        listens_to=listens_to,
        calls=calls,
        looks_up_values=looks_up_values,
        doubts=bundle.doubts,
    )


def _digest(bundle: Bundle) -> tuple[ContentDigest, bool]:
    """Give the digest of what an upload would store, and whether anything there looks up a value mapping."""
    digest = CanonicalDigest(bundle.spec.id, bundle.spec.kind)
    looks_up_values = False
    for path, data in bundle.packed_files():
        digest.add(path, data)
        is_code = path.endswith(_CODE_SUFFIXES)
        looks_up_values = looks_up_values or (is_code and _LOOK_UP.search(data) is not None)
    return digest.result(), looks_up_values


def _groups(bundle: Bundle) -> MappedGroups | None:
    if bundle.spec.kind is not ArtifactKind.VALUE_MAPPING:
        return None
    return read_groups(read_checked(bundle.files[VALUES_PATH], VALUES_PATH, bundle.spec.kind))


def _other_names(config: DeployConfig) -> dict[str, str]:
    """Give names that collections and mappings have in their own manifests, other than those of the configuration.

    Flows may refer to them by these. A name that two artifacts share says nothing and is left out.
    """
    found: dict[str, set[str]] = {}
    for spec in (spec for package in config.packages for spec in package.artifacts if spec.kind in _SHARED_KINDS):
        for name in _names_in_manifest(spec):
            found.setdefault(name, set()).add(spec.id)
    return {name: ids.pop() for name, ids in found.items() if len(ids) == 1}


def _names_in_manifest(spec: ArtifactSpec) -> Iterator[str]:
    """Give the names in one manifest; none where it cannot be read, which is a problem of that artifact alone."""
    try:
        manifest = read_manifest(spec.folder / MANIFEST_PATH)
    except InputError:
        return
    yield from own_names(manifest, spec.source_id, spec.id)
