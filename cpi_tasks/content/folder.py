"""Artifact folders on disk: which files belong to an artifact, found and read without leaving the folder."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.errors import InputError, Problem
from cpi_tasks.junk import is_junk
from cpi_tasks.model.config import Position

RESOURCES = "src/main/resources/"
DESCRIPTION_PATH = "metainfo.prop"
PROP_PATH = f"{RESOURCES}parameters.prop"
_FOLDERS = ("META-INF/", RESOURCES)
_FILES = frozenset({DESCRIPTION_PATH, ".project", "value_mapping.xml"})
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f\\]")


def belongs(path: str) -> bool:
    """Return whether a file (relative, forward slashes) is part of an artifact; what tools leave behind never is."""
    return (path in _FILES or path.startswith(_FOLDERS)) and not is_junk(path)


def _leads_to_content(path: str) -> bool:
    """Whether a folder is on the way to one whose files belong."""
    return any(wanted.startswith(f"{path}/") for wanted in _FOLDERS)


def list_files(folder: Path) -> dict[str, Path]:
    """Give an artifact's files, relative path with forward slashes to path on disk, sorted.

    Raises ``InputError`` with all of: entries that cannot be read or are no files, links that leave the folder, lead
    nowhere or in circles, names that are not Unicode or that no archive can have, and names that count as one.
    """
    walk = _Walk(root=folder.resolve())
    walk.visit_folder("", folder, walk.root)
    walk.problems += _clashes(walk.files)
    if walk.problems:
        raise InputError(walk.problems)
    return dict(sorted(walk.files.items()))


def differing_in_case(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Return pairs of paths that only upper and lower case tell apart: one of each is lost on Windows and macOS."""
    first: dict[str, str] = {}
    for path in sorted(paths):
        other = first.setdefault(path.casefold(), path)
        if other != path:
            yield other, path


def _clashes(files: Mapping[str, Path]) -> Iterator[Problem]:
    """Find names that are one and the same in Unicode, and a second manifest: Java finds it in any case."""
    first: dict[str, str] = {}
    for path, file in sorted(files.items()):
        other = first.setdefault(unicodedata.normalize("NFC", path), path)
        if other != path:
            message = "has the same name as another file, encoded differently (Unicode NFC and NFD); delete one of them"
            yield Problem(file=str(file), message=message)
    for other, path in differing_in_case(path for path in files if path.startswith("META-INF/")):
        message = f"differs from {other} in upper and lower case only, and Java reads either; delete one of them"
        yield Problem(file=str(files[path]), message=message)


def read_file(file: Path) -> bytes:
    """Read a whole file; raises ``InputError`` that names it."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError([Problem(file=str(file), message=f"cannot be read: {_reason(error)}")]) from error


def problem_at(position: Position, message: str) -> Problem:
    """Give a problem at a place in a configuration file."""
    return Problem(file=position.file, line=position.line, column=position.column, path=position.path, message=message)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One walk through a folder: what was found and what is wrong; ``_open`` are the real folders on the way."""

    root: Path
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _open: list[Path] = field(default_factory=list)

    def visit_folder(self, path: str, folder: Path, real: Path) -> None:
        """Take in everything below a folder that belongs; ``real`` is where it is when links are followed."""
        self._open.append(real)
        for found in self._entries(folder):
            below = f"{path}{found.name}"
            if belongs(below) and _NOT_IN_NAMES.search(found.name):
                self._complain(
                    folder / found.name, "has a backslash or control character in its name; tenants refuse such names"
                )
            elif belongs(below) or _leads_to_content(below):
                self._visit(below, folder / found.name, found)
        self._open.pop()

    def _visit(self, path: str, entry: Path, found: os.DirEntry[str]) -> None:
        # What the list of a folder tells of its entries is not asked of each of them again.
        try:
            if found.is_symlink():
                self._visit_link(path, entry)
            elif found.is_dir():
                self.visit_folder(f"{path}/", entry, self._open[-1] / found.name)
            else:
                self._visit_file(path, entry, is_file=found.is_file())
        except OSError as error:
            self._complain(entry, f"cannot be read: {_reason(error)}")

    def _visit_link(self, path: str, link: Path) -> None:
        """Follow a link to something that exists inside the artifact's folder."""
        try:
            target = link.resolve(strict=True)
        except (OSError, RuntimeError):
            self._complain(link, "is a link that leads nowhere")
            return
        if not target.is_relative_to(self.root):
            self._complain(link, "is a link that leaves the artifact's folder; put the content itself there")
        elif target in self._open:
            self._complain(link, "is a link to a folder that contains it")
        elif target.is_dir():
            self.visit_folder(f"{path}/", link, target)
        else:
            self._visit_file(path, link, is_file=target.is_file())

    def _visit_file(self, path: str, entry: Path, *, is_file: bool) -> None:
        if not is_file:
            self._complain(entry, "is neither a file nor a folder")
        elif belongs(path):
            self._add(path, entry)

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                return sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self._complain(folder, f"cannot be read: {_reason(error)}")
            return []

    def _add(self, path: str, entry: Path) -> None:
        try:
            path.encode()
        except UnicodeEncodeError:
            self._complain(entry, "has a name that is not UTF-8")
            return
        self.files[path] = entry

    def _complain(self, entry: Path, message: str) -> None:
        shown = str(entry).encode(errors="replace").decode()
        self.problems.append(Problem(file=shown, message=message))
