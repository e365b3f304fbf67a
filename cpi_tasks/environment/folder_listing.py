"""Which files of a folder are deploy configurations: those that match the pattern, as a shell would match it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from cpi_tasks.junk import is_junk


@dataclass(slots=True, kw_only=True)
class Listing:
    """The files in alphabetical order, what looks like one but is passed over, and folders that cannot be listed.

    Each of the latter two comes with its reason, as a clause.
    """

    files: list[Path] = field(default_factory=list)
    passed_over: list[tuple[Path, str]] = field(default_factory=list)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)


def list_folder(folder: Path, pattern: str) -> Listing:
    """Find the files below a folder whose names match ``pattern``.

    As in a shell, a leading dot must be in the pattern, hidden folders are not entered, links to folders are not
    followed; what editors and version control leave behind never counts.
    """
    listing = Listing()

    def note(error: OSError) -> None:
        listing.unreadable.append((Path(error.filename or folder), error.strerror or type(error).__name__))

    for parent, folders, names in os.walk(folder, onerror=note):
        links = [name for name in folders if Path(parent, name).is_symlink() and not is_junk(name)]
        listing.passed_over += [(Path(parent, name), "is not read, because it links to a folder") for name in links]
        folders[:] = [name for name in folders if not name.startswith(".") and not is_junk(name)]
        for name in names:
            _sort_in(Path(parent, name), pattern, listing)
    listing.files.sort(key=lambda file: file.parts)
    listing.passed_over.sort()
    return listing


def _sort_in(file: Path, pattern: str, listing: Listing) -> None:
    name = file.name
    if is_junk(name):
        return
    if not fnmatchcase(name, pattern):
        if fnmatchcase(name.lower(), pattern.lower()):
            reason = f"is not read: it matches configPattern '{pattern}' in upper and lower case alone"
            listing.passed_over.append((file, reason))
    elif name.startswith(".") and not pattern.startswith("."):
        reason = "is not read, because it is hidden; a configPattern that starts with '.' reads it"
        listing.passed_over.append((file, reason))
    else:
        listing.files.append(file)
