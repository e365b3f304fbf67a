"""Records and backups of a run that goes on to its end where the disk takes no more.

Whoever is told so must send no more writes: what is not on record could not be repaired, nor restored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from cpi_tasks.errors import StateFolderError
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.tenant import DesigntimeArtifact, IntegrationPackage
from cpi_tasks.records.backups import RunBackups
from cpi_tasks.records.folder import StateFolder
from cpi_tasks.records.ledger import DeploymentRecords

Notice = Callable[[StateFolderError], None]
"""Takes notice of what could not be kept; may raise."""


class LossyRecords(DeploymentRecords):
    """Records that are true for this run and kept for the next as long as the disk takes them; raise nothing then."""

    def __init__(self, folder: StateFolder, *, tenant: str, login: str = "", notice: Notice) -> None:
        """Read the records of ``tenant``; what cannot be noted later is told to ``notice``."""
        super().__init__(folder, tenant=tenant, login=login)
        self._notice = notice

    def _append(self, line: str) -> None:
        with _noticed(self._notice):
            super()._append(line)


class LossyBackups(RunBackups):
    """Backups that give no path, and raise nothing, where a file cannot be kept."""

    def __init__(self, folder: StateFolder, *, notice: Notice) -> None:
        """Remember the folder; what cannot be kept is told to ``notice``."""
        super().__init__(folder)
        self._notice = notice

    def keep_archive(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive; gives the path of the file, or an empty text."""
        with _noticed(self._notice):
            return super().keep_archive(ref, archive)
        return ""

    def keep_state(self, design: DesigntimeArtifact, ref: ArtifactRef, parameters: Mapping[str, str] | None) -> str:
        """Keep version, last change and parameter values; gives the path of the file, or an empty text."""
        with _noticed(self._notice):
            return super().keep_state(design, ref, parameters)
        return ""

    def keep_package(self, package: IntegrationPackage) -> str:
        """Keep a package's metadata; gives the path of the file, or an empty text."""
        with _noticed(self._notice):
            return super().keep_package(package)
        return ""


@contextmanager
def _noticed(notice: Notice) -> Iterator[None]:
    try:
        yield
    except StateFolderError as error:
        notice(error)
