"""Backups: what a run is about to overwrite, kept first as ``<package>/<artifact>.zip`` and ``.json``.

Every file is there as a whole or not at all, and none is ever overwritten: a second one of the same kind is numbered.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cpi_tasks.model.naming import ArtifactRef, PackageId
from cpi_tasks.model.tenant import DesigntimeArtifact, IntegrationPackage
from cpi_tasks.records.files import RUN_NEED, make_private, marked_name, safe_name, told, write_whole
from cpi_tasks.records.folder import StateFolder

_PACKAGE_FILE = "package"
# Names that this module gives itself: a package's own file, and the numbers of second files.
_RESERVED = re.compile(rf"{_PACKAGE_FILE}|.*\.([2-9]|[1-9][0-9]+)", re.IGNORECASE)
_SCRATCH_NEED = "hold downloaded archives until the end of a run: free some space, or set TMPDIR to another folder"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RunBackups:
    """The backups of one run, below its folder (the ``Backups`` protocol); raises ``StateFolderError``."""

    def __init__(self, folder: StateFolder) -> None:
        """Remember the folder; nothing is made before something is kept."""
        self._path = folder.run_folder / "backup"
        self._shelf = _Shelf(self._path, lambda package: folder.ensure_run("backup", package), need=RUN_NEED)

    def keep_archive(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive; gives the path of the file. A second one of the same artifact gets a name of its own."""
        return self._shelf.add(ref.package, ref.artifact, ".zip", archive)

    def archive(self, ref: ArtifactRef) -> str:
        """Give the path of the archive kept first for an artifact; empty where there is none."""
        return self._shelf.first(ref, ".zip")

    def keep_state(self, design: DesigntimeArtifact, ref: ArtifactRef, parameters: Mapping[str, str] | None) -> str:
        """Keep version, time and author of the last change, and parameter values; gives the path of the file.

        Values are written in clear, because they are needed to restore them: the file is its owner's only.
        """
        state = {
            "package": ref.package,
            "kind": design.kind.value,
            "id": design.id,
            "version": design.version,
            "name": design.name,
            "modifiedAt": None if design.modified_at is None else _iso(design.modified_at),
            "modifiedBy": design.modified_by,
            "parameters": None if parameters is None else dict(parameters),
        }
        return self._shelf.add(ref.package, ref.artifact, ".json", _json(state))

    def keep_package(self, package: IntegrationPackage) -> str:
        """Keep a package's metadata; gives the path of the file."""
        return self._shelf.add(
            package.id,
            None,
            ".json",
            _json({"id": package.id, "name": package.name, "metadata": dict(package.metadata)}),
        )

    def drop(self, ref: ArtifactRef) -> None:
        """Delete what was kept of an artifact that is not overwritten after all, and folders that are empty then."""
        self._shelf.drop(ref)
        _remove_empty(self._path, self._path.parent)


class ScratchArchives:
    """Archives in a private temporary folder, for plans that write nothing (the ``Backups`` protocol).

    A context manager that deletes the folder at its end; raises ``StateFolderError``.
    """

    def __init__(self) -> None:
        """Make the folder."""
        with told("temporary folders", _SCRATCH_NEED):
            self._folder = tempfile.TemporaryDirectory(prefix="cpi-tasks-", ignore_cleanup_errors=True)
        path = Path(self._folder.name)
        self._shelf = _Shelf(path, lambda package: _made(path / package), need=_SCRATCH_NEED)

    def __enter__(self) -> Self:
        """Give this."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Delete everything."""
        self._folder.cleanup()

    def keep_archive(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive until the end; gives the path of the file."""
        return self._shelf.add(ref.package, ref.artifact, ".zip", archive)

    def archive(self, ref: ArtifactRef) -> str:
        """Give the path of the archive kept first for an artifact; empty where there is none."""
        return self._shelf.first(ref, ".zip")

    def keep_state(self, design: DesigntimeArtifact, ref: ArtifactRef, parameters: Mapping[str, str] | None) -> str:
        """Keep nothing: nothing is overwritten."""
        del design, ref, parameters
        return ""

    def keep_package(self, package: IntegrationPackage) -> str:
        """Keep nothing: nothing is overwritten."""
        del package
        return ""

    def drop(self, ref: ArtifactRef) -> None:
        """Delete an artifact's archives before the end."""
        self._shelf.drop(ref)


class _Shelf:
    """Files below one folder, with a folder for each package; no two ids share a file, also where case is ignored."""

    def __init__(self, path: Path, make: Callable[[str], Path], *, need: str) -> None:
        """Remember the folder; ``make`` makes the one of a package and gives its path."""
        self._path = path
        self._make = make
        self._need = need
        self._ids: dict[tuple[str, str], str] = {}

    def add(self, package: PackageId, stem: str | None, suffix: str, data: bytes) -> str:
        """Keep data under the first free name and give its path; what is there already is not kept twice."""
        folder = self._name("", package)
        stem = _PACKAGE_FILE if stem is None else self._name(folder, stem)
        with told(self._path, self._need):
            made = self._make(folder)
            for file in _numbered(made, stem, suffix):
                if not file.exists():
                    write_whole(file, data)
                    break
                if file.read_bytes() == data:
                    break
        return str(file)

    def first(self, ref: ArtifactRef, suffix: str) -> str:
        """Give the path of the first file of a kind; empty where there is none."""
        file = next(self._files(ref, suffix), None)
        return "" if file is None else str(file)

    def drop(self, ref: ArtifactRef) -> None:
        """Delete an artifact's files, and the package's folder where it is empty then."""
        with told(self._path, self._need):
            for suffix in (".zip", ".json"):
                for file in list(self._files(ref, suffix)):
                    file.unlink(missing_ok=True)
        _remove_empty(self._path / self._name("", ref.package))

    def _files(self, ref: ArtifactRef, suffix: str) -> Iterator[Path]:
        folder = self._name("", ref.package)
        numbered = _numbered(self._path / folder, self._name(folder, ref.artifact), suffix)
        return itertools.takewhile(Path.exists, numbered)

    def _name(self, folder: str, id_: str) -> str:
        name = safe_name(id_)
        # A name with a mark may be somebody's id as well.
        while _RESERVED.fullmatch(name) or self._ids.setdefault((folder, name.casefold()), id_) != id_:
            name = marked_name(name)
        return name


def _numbered(folder: Path, stem: str, suffix: str) -> Iterator[Path]:
    yield folder / f"{stem}{suffix}"
    for number in itertools.count(2):
        yield folder / f"{stem}.{number}{suffix}"


def _remove_empty(*folders: Path) -> None:
    # A folder that is not empty is refused, each system in its own words; those around it are not empty either.
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _made(folder: Path) -> Path:
    make_private(folder)
    return folder


def _iso(milliseconds: int) -> str:
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: Mapping[str, object]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
