"""What earlier runs left behind about an artifact, and the protocol by which the engine keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cpi_tasks.model.naming import ArtifactId, ArtifactRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRecord:
    """What is on record for one artifact on one tenant.

    ``uploaded`` is the content fingerprint of our last upload. ``is_pending``: something was written that has not been
    confirmed running since; ``is_triggered``: a deployment was accepted after that write. ``content`` and
    ``parameters`` are the digests of what the last deployment was triggered with; ``deployed_on`` (epoch milliseconds)
    is given once it was seen running.
    """

    uploaded: str | None = None
    is_pending: bool = False
    is_triggered: bool = False
    content: str | None = None
    parameters: str | None = None
    deployed_on: int | None = None


class Records(Protocol):
    """The records of one tenant. What is noted survives the end of this process as soon as the method returns."""

    def get(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what is on record; an empty record where there is nothing."""

    def note_write(self, artifact: ArtifactId, *, content: str | None) -> None:
        """Note, before it is sent, a write that needs a deployment (``content``: the fingerprint of an upload)."""

    def note_trigger(self, artifact: ArtifactId, *, content: str | None, parameters: str | None) -> None:
        """Note that a deployment was accepted, and of which state (digests; ``None`` where not known)."""

    def note_running(
        self, artifact: ArtifactId, *, content: str | None, parameters: str | None, deployed_on: int | None
    ) -> None:
        """Note what was seen running; this clears what was pending."""

    def digest(self, parameters: Mapping[str, str]) -> str:
        """Give a keyed digest of parameter values, comparable between runs on this machine only."""

    def keep_backup(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive that is about to be deleted from the tenant; gives the path of the file."""
