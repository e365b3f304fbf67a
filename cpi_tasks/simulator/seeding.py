"""A packages folder as teams keep it in Git -> packages and artifacts on the tenant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.simulator import archive, manifest, operations
from cpi_tasks.simulator.clock import Clock
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind, SimulatorSettings
from cpi_tasks.simulator.state import TenantState
from cpi_tasks.simulator.tenant import Simulator

_KINDS = {
    "IntegrationFlow": Kind.FLOW,
    "MessageMapping": Kind.MESSAGE_MAPPING,
    "ScriptCollection": Kind.SCRIPT_COLLECTION,
    "ValueMapping": Kind.VALUE_MAPPING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedArtifact:
    """An artifact folder that can be put on a tenant, with the version its manifest gives (else 1.0.0)."""

    folder: Path
    package_id: str
    id: str
    kind: Kind
    version: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedProblem:
    """Something in the folder that no tenant would take, and the path to look at."""

    path: Path
    message: str


@dataclass(slots=True, kw_only=True)
class Seed:
    """What a packages folder holds, read completely; with ``problems`` it must not be planted."""

    packages: list[str] = field(default_factory=list)
    artifacts: list[SeedArtifact] = field(default_factory=list)
    problems: list[SeedProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """How much was new on the tenant, and how many artifacts were there already and were left alone."""

    packages: int
    artifacts: int
    kept: int


def read_seed(folder: Path, settings: SimulatorSettings) -> Seed:
    """Read ``<package>/<artifact>/META-INF/MANIFEST.MF …`` and collect everything that a tenant would refuse.

    Hidden folders and files beside the folders are passed over.
    """
    seed = Seed()
    try:
        packages = _folders(folder)
    except OSError as error:
        seed.problems.append(SeedProblem(path=folder, message=f"cannot be read: {error.strerror}"))
        return seed
    if not packages:
        seed.problems.append(SeedProblem(path=folder, message="has no package folders"))
    reader = _Reader(seed, settings)
    for package in packages:
        reader.read_package(package)
    return seed


def plant(seed: Seed, simulator: Simulator) -> Planted:
    """Put on the tenant what is not there yet; what it has already stays as it is."""
    packages = [name for name in seed.packages if name not in simulator.packages]
    for name in packages:
        simulator.add_package(name)
    present = simulator.artifacts
    artifacts = [item for item in seed.artifacts if item.id not in present]
    for item in artifacts:
        simulator.add_artifact(item.package_id, item.id, item.kind.value, item.content, item.version)
    return Planted(packages=len(packages), artifacts=len(artifacts), kept=len(seed.artifacts) - len(artifacts))


class _Reader:
    def __init__(self, seed: Seed, settings: SimulatorSettings) -> None:
        self._seed = seed
        # Never filled: only asked what a tenant with these settings takes.
        self._tenant = TenantState(settings, Clock())
        self._homes: dict[str, Path] = {}

    def read_package(self, folder: Path) -> None:
        try:
            operations.check_package_id(self._tenant, folder.name)
        except ODataError as error:
            self._report(folder, f"'{folder.name}' is no package id a tenant takes: {error.message}")
        self._seed.packages.append(folder.name)
        try:
            for artifact in _folders(folder):
                self._read_artifact(artifact)
        except OSError as error:
            self._report(folder, f"cannot be read: {error.strerror}")

    def _read_artifact(self, folder: Path) -> None:
        path = folder / manifest.PATH
        if not path.is_file():
            self._report(folder, f"has no {manifest.PATH}, so it is no artifact")
            return
        try:
            entries = {name: file.read_bytes() for name, file in _files(folder)}
        except OSError as error:
            self._report(folder, f"cannot be read: {error.strerror}")
            return
        try:
            headers = manifest.parse(entries[manifest.PATH])
        except ODataError as error:
            self._report(path, f"a tenant refuses it: {error.message}")
            return
        bundle_type, artifact_id = manifest.get(headers, "SAP-BundleType").strip(), manifest.symbolic_name(headers)
        kind = _KINDS.get(bundle_type)
        if kind is None:
            known = ", ".join(_KINDS)
            self._report(path, f"SAP-BundleType is '{bundle_type}'; the types that tenants know are {known}")
        if not artifact_id:
            self._report(path, "Bundle-SymbolicName, the artifact's id, is missing")
        elif artifact_id in self._homes:
            self._report(path, f"artifact id '{artifact_id}' is also in '{self._homes[artifact_id]}'; ids are unique")
        else:
            self._homes[artifact_id] = folder
        if kind is not None:
            self._accept(folder, kind, artifact_id, entries)

    def _accept(self, folder: Path, kind: Kind, artifact_id: str, entries: dict[str, bytes]) -> None:
        try:
            archive.check_size(entries)
            operations.check_content(self._tenant, kind, entries, is_update=False)
            version = archive.read(entries, kind).version or operations.FIRST_VERSION
        except ODataError as error:
            self._report(folder, f"a tenant refuses it: {error.message}")
            return
        self._seed.artifacts.append(
            SeedArtifact(
                folder=folder,
                package_id=folder.parent.name,
                id=artifact_id,
                kind=kind,
                version=version,
                content=archive.pack(entries),
            )
        )

    def _report(self, path: Path, message: str) -> None:
        self._seed.problems.append(SeedProblem(path=path, message=message))


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give the files of an artifact with their paths in the archive, without what macOS leaves behind."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != ".DS_Store" and not path.name.startswith("._"):
            yield path.relative_to(folder).as_posix(), path
