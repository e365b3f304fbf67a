"""Deployment records: one line of JSON for each thing noted, the newest line of a kind counts.

Appending is atomic enough to survive a kill at any moment: a line cut short is ignored when the file is read again.
A file that has grown is rewritten in short form before the first note of a run. Who only reads leaves it as it is:
another run may be noting meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.records import ArtifactRecord, Baseline
from cpi_tasks.records.digests import Digests
from cpi_tasks.records.files import append, told, write_whole
from cpi_tasks.records.folder import StateFolder
from cpi_tasks.records.logins import OwnNames
from cpi_tasks.records.notes import (
    Notes,
    SettledArtifact,
    SettledPackage,
    artifact_line,
    author_line,
    package_line,
    record_line,
)

_LINES_PER_NOTE = 4
_LINES_ALWAYS_FINE = 80


class DeploymentRecords:
    """The records of one tenant (the ``Records`` protocol over a file); raises ``StateFolderError``."""

    def __init__(self, folder: StateFolder, *, tenant: str, login: str = "") -> None:
        """Read the records of ``tenant`` from ``folder``; no file is made before something is noted.

        ``login`` is the user name or client id that the tenant is used with.
        """
        self._folder = folder
        self._file = folder.records_file(tenant)
        self._digests = Digests(folder)
        self._is_there = False
        self._notes, lines = self._read()
        self._login = login
        self._own_names = OwnNames(login, self._notes.authors.get(login, {}))
        self._is_long = lines > max(_LINES_PER_NOTE * len(self._notes), _LINES_ALWAYS_FINE)

    def get(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what is on record; an empty record where there is nothing."""
        return self._notes.records.get(artifact, ArtifactRecord())

    def note_write(self, artifact: ArtifactId, *, content: str | None) -> None:
        """Note, before it is sent, a write that needs a deployment (``content``: the fingerprint of an upload)."""
        old = self.get(artifact)
        self._note(artifact, replace(old, uploaded=content or old.uploaded, is_pending=True, is_triggered=False))

    def note_trigger(
        self,
        artifact: ArtifactId,
        *,
        content: str | None,
        parameters: str | None,
        modified_at: int | None = None,
        under_way: int = 0,
        ran_before: int | None = None,
    ) -> None:
        """Note that a deployment was accepted, and of which state (digests; ``None`` where not known).

        ``under_way``: how many others, accepted earlier, may not have ended; ``ran_before`` as on record.
        """
        old = self.get(artifact)
        triggered = ArtifactRecord(
            uploaded=old.uploaded,
            is_pending=True,
            is_triggered=True,
            content=content,
            parameters=parameters,
            took_s=old.took_s,
            modified_at=modified_at,
            unseen=under_way + 1,
            ran_before=ran_before,
        )
        self._note(artifact, triggered)

    def note_unseen(self, artifact: ArtifactId, *, unseen: int, ran_before: int | None) -> None:
        """Note how many deployments may be under way: before a trigger is sent, and again where it was refused."""
        self._note(artifact, replace(self.get(artifact), unseen=unseen, ran_before=ran_before if unseen else None))

    def note_failed(self, artifact: ArtifactId, *, under_way: int, ran_before: int | None) -> None:
        """Note that a deployment was seen to fail: what was pending stays so, but no deployment of it is under way.

        ``under_way`` and ``ran_before`` tell of others that may be.
        """
        old = self.get(artifact)
        failed = replace(old, is_triggered=False, unseen=under_way, ran_before=ran_before if under_way else None)
        self._note(artifact, failed)

    def note_running(
        self,
        artifact: ArtifactId,
        *,
        content: str | None,
        parameters: str | None,
        deployed_on: int | None,
        modified_at: int | None = None,
        took_s: float | None = None,
    ) -> None:
        """Note what was seen running, and after how long (``None``: not known); this clears what was pending."""
        old = self.get(artifact)
        seen = ArtifactRecord(
            uploaded=old.uploaded,
            content=content,
            parameters=parameters,
            deployed_on=deployed_on,
            modified_at=modified_at,
            took_s=old.took_s if took_s is None else round(took_s, 1),
        )
        self._note(artifact, seen)

    def digest(self, parameters: Mapping[str, str]) -> str:
        """Give a keyed digest of parameter values, comparable where the same ``.cpi/`` is kept only."""
        return self._digests.of_all(parameters)

    def digest_each(self, parameters: Mapping[str, str]) -> Mapping[str, str]:
        """Give a keyed digest of each value, by key; equal values of two keys have different digests."""
        return self._digests.of_each(parameters)

    def baseline(self, artifact: ArtifactId) -> Baseline | None:
        """Give how the last run left an artifact; ``None`` where nothing is on record.

        Digests made with another key (it was lost and made anew) are left out: they would look like somebody's edit.
        """
        settled = self._notes.artifacts.get(artifact)
        if settled is None:
            return None
        if settled.baseline.parameters and settled.key != self._digests.known_key_id:
            return replace(settled.baseline, parameters={})
        return settled.baseline

    def note_settled(self, artifact: ArtifactId, baseline: Baseline) -> None:
        """Note how this run leaves an artifact; nothing is written where that is on record already."""
        own = replace(baseline, parameters=dict(baseline.parameters))
        settled = SettledArtifact(baseline=own, key=self._digests.key_id if own.parameters else "")
        if settled != self._notes.artifacts.get(artifact):
            self._append(artifact_line(artifact, settled))
            self._notes.artifacts[artifact] = settled

    def own_names(self) -> frozenset[str]:
        """Return the names, case-folded, under which the tenant shows what our own login does."""
        return self._own_names.all()

    def note_author(self, name: str, *, is_certain: bool) -> None:
        """Note the name that the tenant showed after a write of ours; nothing is written where it says nothing new.

        ``is_certain``: it cannot be that of somebody who wrote meanwhile.
        """
        folded = name.casefold()
        weight = self._own_names.weigh(folded, is_certain=is_certain)
        if weight is not None:
            self._append(author_line(self._login, folded, weight))
            self._notes.authors.setdefault(self._login, {})[folded] = weight

    def package_baseline(self, package: PackageId) -> Mapping[str, str] | None:
        """Give keyed digests of a package's metadata fields as the last run left them.

        ``None`` where nothing is on record, or only with another key.
        """
        settled = self._notes.packages.get(package)
        return None if settled is None or settled.key != self._digests.known_key_id else settled.metadata

    def note_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Note a package's metadata as this run leaves it; only keyed digests are kept."""
        settled = SettledPackage(metadata=self._digests.of_each(metadata), key=self._digests.key_id)
        if settled != self._notes.packages.get(package):
            self._append(package_line(package, settled))
            self._notes.packages[package] = settled

    def _note(self, artifact: ArtifactId, record: ArtifactRecord) -> None:
        if record != self.get(artifact):
            self._append(record_line(artifact, record))
            self._notes.records[artifact] = record

    def _append(self, line: str) -> None:
        if not self._is_there:
            self._folder.ensure("records")
            self._is_there = True
        if self._is_long:
            # Read once more: what counts is what is in the file now.
            notes, _ = self._read()
            with told(self._folder.path):
                write_whole(self._file, notes.lines().encode())
            self._is_long = False
        with told(self._folder.path):
            try:
                append(self._file, line.encode())
            except FileNotFoundError:
                # Somebody cleaned up while this run is under way.
                self._folder.ensure("records")
                append(self._file, line.encode())

    def _read(self) -> tuple[Notes, int]:
        """Give what the file holds and how many lines it took."""
        notes = Notes()
        with told(self._folder.path):
            try:
                text = self._file.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                return notes, 0
        lines = [line for line in text.splitlines() if line]
        for line in lines:
            notes.take(line)
        return notes, len(lines)
