"""Where deploy configurations come from: a file, a folder of files, or a URL."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cpi_tasks.environment.addresses import AddressError, parse_address
from cpi_tasks.environment.config_login import ConfigLogin
from cpi_tasks.environment.folder_listing import list_folder
from cpi_tasks.environment.locate import display_path, read_file
from cpi_tasks.environment.nodes import Document
from cpi_tasks.environment.yaml_source import parse
from cpi_tasks.errors import DownloadError, Problem
from cpi_tasks.model.config import BasicLogin
from cpi_tasks.paths import spelled_differently

Fetch = Callable[[str, str | BasicLogin | None], bytes]
"""(URL, bearer token, user name and password, or None) -> the body. Raises ``errors.DownloadError``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The configuration files found and parsed; ``label`` names where they came from."""

    label: str
    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    is_folder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Reads what a ``deployConfig`` setting points to; ``complain`` puts a sentence at the place of the setting."""

    cwd: Path
    pattern: str
    login: ConfigLogin | None
    fetch: Fetch
    complain: Callable[[str], Problem]

    def find(self, value: str, *, folder: Path) -> Sources:
        """Read the files ``value`` stands for; a path is relative to ``folder``. Never raises for bad input."""
        if "://" in value:
            return self._download(value)
        path = folder / value
        shown = display_path(Path(os.path.normpath(path)), self.cwd)
        try:
            is_folder, exists = path.is_dir(), path.exists()
        except (OSError, ValueError):
            is_folder = exists = False
        if is_folder:
            return self._read_folder(path, shown)
        if not exists:
            message = f"there is no file or folder '{shown}'{spelled_differently(path)}"
            return Sources(label=shown, problems=(self.complain(message),))
        return _parse_all(shown, [(shown, read_file(path, shown))])

    def _read_folder(self, path: Path, shown: str) -> Sources:
        listing = list_folder(Path(os.path.normpath(path)), self.pattern)
        unreadable = tuple(
            Problem(file=display_path(folder, self.cwd), message=f"the folder could not be read: {reason}")
            for folder, reason in listing.unreadable
        )
        passed_over = tuple(f"{display_path(file, self.cwd)}: {why}" for file, why in listing.passed_over)
        if not listing.files and not unreadable:
            message = f"no file in the folder '{shown}' matches '{self.pattern}' (configPattern, for file names)"
            return Sources(label=shown, problems=(self.complain("; ".join((message, *passed_over))),))
        names = [(display_path(file, self.cwd), file) for file in listing.files]
        sources = _parse_all(shown, [(name, read_file(file, name)) for name, file in names])
        return replace(sources, problems=(*sources.problems, *unreadable), is_folder=True, warnings=passed_over)

    def _download(self, value: str) -> Sources:
        try:
            address = parse_address(value)
        except AddressError as error:
            return Sources(label="the URL", problems=(self.complain(f"the URL {error}"),))
        shown = address.without_query
        login = self.login if self.login is not None and self.login.fits(address) else None
        if login is not None and login.fault:
            return Sources(label=shown, problems=(self.complain(login.fault),))
        body: bytes | Problem
        try:
            body = self.fetch(address.url, login.value if login is not None else None)
        except DownloadError as error:
            withheld = self.login if login is None else None
            hint = f" ({withheld.keys} {_was(withheld)} to another host)" if withheld is not None else ""
            body = Problem(file=shown, message=f"{error}{hint}", rule="download")
        return _parse_all(shown, [(shown, body)])


def _was(login: ConfigLogin) -> str:
    return "was not sent: it belongs" if isinstance(login.value, str) else "were not sent: they belong"


def _parse_all(label: str, files: list[tuple[str, bytes | Problem]]) -> Sources:
    documents = []
    problems: list[Problem] = []
    for name, data in files:
        if isinstance(data, Problem):
            problems.append(data)
            continue
        parsed = parse(data, name)
        problems += parsed.problems
        if parsed.document is not None:
            documents.append(parsed.document)
    return Sources(label=label, documents=tuple(documents), problems=tuple(problems))
