"""Paths as people write them in files, and what is on disk where a path leads nowhere."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path, PureWindowsPath

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOME = re.compile(r"~[^/]*(?:/|\Z)")


def with_slashes(text: str) -> str:
    """Return a path with forward slashes: Windows accepts them, and the others take a backslash for a letter."""
    return text.replace("\\", "/")


def why_unusable(text: str) -> str:
    """Return what keeps a path in a file from meaning the same on every machine, as a clause; else an empty text."""
    if _CONTROL.search(text):
        return "contains a control character; put a path with backslashes in single quotes, or use forward slashes"
    path = with_slashes(text)
    if _HOME.match(path):
        return "starts with '~', which only a shell replaces; write the path relative to the project root"
    if PureWindowsPath(path).drive and os.name != "nt":
        return "is a path of Windows; write it relative to the project root"
    return ""


def why_no_folder(folder: Path) -> str:
    """Return why a path is no folder that can be read, in a few words; empty where it is one."""
    try:
        if folder.is_dir():
            return ""
        return "is not a folder" if folder.exists() else "does not exist"
    except OSError as error:
        return f"cannot be read ({error.strerror or type(error).__name__})"
    except ValueError:
        return "does not exist"


def spelled_differently(path: Path) -> str:
    """Return ``; there is 'Sales', …`` where upper and lower case or Unicode forms alone keep a path from existing."""
    parent = path.parent
    try:
        while not parent.exists() and parent != parent.parent:
            path, parent = parent, parent.parent
        names = [entry.name for entry in os.scandir(parent)]
    except (OSError, ValueError):
        return ""
    found = next((name for name in sorted(names) if name != path.name and _key(name) == _key(path.name)), "")
    if not found:
        return ""
    if found.casefold() == path.name.casefold():
        return f"; there is '{found}', but upper and lower case count, except on most Windows and macOS machines"
    return f"; there is '{found}', whose characters are encoded differently (Unicode NFC and NFD)"


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
