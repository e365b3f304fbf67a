"""The cache: what is known of a tenant's design time, in one file that may be lost or restored at any moment."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace

from cpi_tasks.errors import StateFolderError
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.records import Known
from cpi_tasks.model.tenant import DesigntimeArtifact
from cpi_tasks.records.digests import Digests
from cpi_tasks.records.files import safe_name, write_whole
from cpi_tasks.records.folder import StateFolder
from cpi_tasks.records.notes import is_texts

_FORMAT = 1
_MOST_ENTRIES = 20_000


class TenantCache:
    """What is known of one tenant (the ``Cache`` protocol over a file). It never raises: it only spares reading."""

    def __init__(self, folder: StateFolder, *, tenant: str) -> None:
        """Read what was kept of ``tenant``; a file that is missing, damaged or of another tenant knows nothing."""
        self._folder = folder
        self._tenant = tenant
        self._file = folder.path / "cache" / f"{safe_name(_host_of(tenant))}.json"
        self._digests = Digests(folder)
        self._known: dict[ArtifactId, Known] = {}
        self._is_changed = False
        self._is_on_disk = False
        with contextlib.suppress(OSError, ValueError, RecursionError, StateFolderError):
            self._load(self._file.read_text(encoding="utf-8"))

    def _load(self, text: str) -> None:
        # What cannot be written could not forget either, so it is not believed.
        if not os.access(self._file.parent, os.W_OK):
            return
        match json.loads(text):
            case {"format": format_, "tenant": tenant, "key": key, "artifacts": dict(artifacts)} if (
                format_ == _FORMAT and tenant == self._tenant
            ):
                is_our_key = key != "" and key == self._digests.known_key_id
            case _:
                return
        self._is_on_disk = True
        for artifact, fields in artifacts.items():
            known = _known(fields)
            if known is not None:
                self._known[ArtifactId(artifact)] = known if is_our_key else _without_digests(known)

    def find(self, design: DesigntimeArtifact) -> Known | None:
        """Give what is known of an artifact in exactly the state it is listed in.

        ``None`` where it moved, is a draft, or the tenant gives no time of change.
        """
        known = self._known.get(design.id)
        if known is None or not _is_state_of(known, design):
            return None
        # What is in use is the last to be dropped.
        self._known[design.id] = self._known.pop(design.id)
        return known

    def keep(self, design: DesigntimeArtifact, known: Known) -> None:
        """Keep what was read of an artifact in the state ``design`` gives; it is on disk after ``save``.

        Nothing is kept of a draft, of an artifact without a time of change, or of another state than ``design`` gives.
        """
        if not _is_state_of(known, design):
            return
        self._is_changed |= self._known.pop(design.id, None) != known
        self._known[design.id] = known

    def forget(self, artifact: ArtifactId) -> None:
        """Know nothing of an artifact any more: it is about to be written.

        The file is deleted until the next ``save``: on a tenant where a parameter write does not move the time of
        change, a run killed after the write would otherwise leave the old values behind as a proof.
        """
        if self._known.pop(artifact, None) is None:
            return
        self._is_changed = True
        if self._is_on_disk:
            # Where the file cannot be deleted now, the next save replaces it.
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
                self._is_on_disk = False

    def save(self) -> None:
        """Write the cache to disk, as a whole or not at all; nothing where nothing has changed."""
        if not self._is_changed:
            return
        # Without a cache the next run reads more. That is no reason for this one to fail.
        with contextlib.suppress(OSError, StateFolderError):
            self._folder.ensure("cache")
            write_whole(self._file, self._text().encode())
            self._is_on_disk = True
            self._is_changed = False

    def _text(self) -> str:
        # The others stay known: where this cannot be written, an older file holds what must still be forgotten.
        newest = list(self._known.items())[-_MOST_ENTRIES:]
        content = {
            "format": _FORMAT,
            "tenant": self._tenant,
            "key": self._digests.known_key_id,
            "artifacts": {artifact: _fields(known) for artifact, known in newest},
        }
        return json.dumps(content, separators=(",", ":"))


def _host_of(tenant: str) -> str:
    return tenant.rpartition("://")[2]


def _is_state_of(known: Known, design: DesigntimeArtifact) -> bool:
    if design.is_draft or design.modified_at is None:
        return False
    return (known.version, known.modified_at) == (design.version, design.modified_at)


def _without_digests(known: Known) -> Known:
    """Leave out what was digested with a key that is not there any more."""
    return replace(known, parameters=None, parameter_digest=None)


def _fields(known: Known) -> dict[str, object]:
    return {
        "version": known.version,
        "modifiedAt": known.modified_at,
        "content": known.content,
        "description": known.description,
        "parameters": None if known.parameters is None else dict(known.parameters),
        "parameterDigest": known.parameter_digest,
    }


def _known(fields: object) -> Known | None:
    match fields:
        case {
            "version": str(version),
            "modifiedAt": int(modified_at),
            "content": str(content),
            "description": str() | None as description,
            "parameters": parameters,
            "parameterDigest": str() | None as digest,
        } if parameters is None or is_texts(parameters):
            return Known(
                version=version,
                modified_at=modified_at,
                content=content,
                description=description,
                parameters=parameters,
                parameter_digest=digest,
            )
        case _:
            return None
