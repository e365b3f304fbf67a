"""Artifact folders on disk: which files belong to an artifact, found and read without leaving the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.errors import InputError, Problem
from cpi_tasks.model.config import Position

RESOURCES = "src/main/resources/"
_FOLDERS = ("META-INF/", RESOURCES)
_FILES = frozenset({"metainfo.prop", ".project", "value_mapping.xml"})
_JUNK = frozenset({".DS_Store", "Thumbs.db"})


def belongs(path: str) -> bool:
    """Whether a file (relative, forward slashes) is part of an artifact; what desktops leave behind never is."""
    if any(part in _JUNK or part.startswith("._") for part in path.split("/")):
        return False
    return path in _FILES or path.startswith(_FOLDERS)


def list_files(folder: Path) -> dict[str, Path]:
    """Give an artifact's files, relative path with forward slashes to path on disk, sorted.

    Raises ``InputError`` with all of: entries that cannot be read or are no files, links that leave the folder, lead
    nowhere or in circles, and names that are not Unicode.
    """
    walk = _Walk(root=folder.resolve())
    for name in sorted(_FILES):
        walk.visit(name, folder / name)
    for name in _FOLDERS:
        walk.visit(name.rstrip("/"), folder / name)
    if walk.problems:
        raise InputError(walk.problems)
    return dict(sorted(walk.files.items()))


def read_file(file: Path) -> bytes:
    """Read a whole file; raises ``InputError`` that names it."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError([Problem(file=str(file), message=f"cannot be read: {_reason(error)}")]) from error


def why_no_folder(folder: Path) -> str:
    """Say in a few words why a path is no folder that can be read; empty where it is one."""
    try:
        if folder.is_dir():
            return ""
        return "is not a folder" if folder.exists() else "does not exist"
    except OSError as error:
        return f"cannot be read ({_reason(error)})"


def problem_at(position: Position, message: str) -> Problem:
    """Give a problem at a place in a configuration file."""
    return Problem(file=position.file, line=position.line, column=position.column, path=position.path, message=message)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One walk through a folder: what was found and what is wrong; ``_open`` are the real folders above."""

    root: Path
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _open: list[Path] = field(default_factory=list)

    def visit(self, path: str, entry: Path) -> None:
        """Take in one entry that may exist; a folder with everything below it that belongs."""
        try:
            if os.path.lexists(entry) and self._is_sound_link(entry):
                if entry.is_dir():
                    self._visit_folder(path, entry)
                elif not entry.is_file():
                    self._complain(entry, "is neither a file nor a folder")
                elif belongs(path):
                    self._add(path, entry)
        except OSError as error:
            self._complain(entry, f"cannot be read: {_reason(error)}")

    def _is_sound_link(self, entry: Path) -> bool:
        """Whether an entry is no link, or one to something that exists inside the folder."""
        if not entry.is_symlink():
            return True
        try:
            target = entry.resolve(strict=True)
        except (OSError, RuntimeError):
            self._complain(entry, "is a link that leads nowhere")
            return False
        return self._is_inside(entry, target)

    def _is_inside(self, entry: Path, target: Path) -> bool:
        if target.is_relative_to(self.root):
            return True
        self._complain(entry, "is a link that leaves the artifact's folder; put the content itself there")
        return False

    def _visit_folder(self, path: str, entry: Path) -> None:
        # Resolving asks for every folder above, so it is done where a link may be on the way only.
        real = self._open[-1] / entry.name if self._open and not entry.is_symlink() else entry.resolve()
        # Asked again: "src" or "src/main" may be the link.
        if not self._is_inside(entry, real):
            return
        if real in self._open:
            self._complain(entry, "is a link to a folder that contains it")
            return
        self._open.append(real)
        for name in self._names(entry):
            below = f"{path}/{name}"
            if belongs(below):
                self.visit(below, entry / name)
        self._open.pop()

    def _names(self, entry: Path) -> Iterator[str]:
        try:
            yield from sorted(os.listdir(entry))  # noqa: PTH208 - names only, no path objects for thousands of files
        except OSError as error:
            self._complain(entry, f"cannot be read: {_reason(error)}")

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
