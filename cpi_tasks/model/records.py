"""What earlier runs left behind about an artifact, and the protocol by which the engine keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cpi_tasks.model.naming import ArtifactId, ArtifactRef, PackageId
from cpi_tasks.model.tenant import DesigntimeArtifact, IntegrationPackage

NOTHING_RAN = 0
"""Stands for a ``DeployedOn`` where nothing was deployed."""

NOT_KNOWN = 0
"""Stands for a ``ModifiedAt`` that nobody read when a deployment was triggered."""

# Where nobody knows how long an artifact's deployments take: hardly ever longer than that.
_LONG_DEPLOYMENT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRecord:
    """What is on record for one artifact on one tenant.

    ``uploaded`` is the content fingerprint of our last upload. ``is_pending``: something was written that has not been
    confirmed running since; ``is_triggered``: a deployment was accepted after that write. ``content`` and
    ``parameters`` are the digests of what the last deployment was triggered with; ``deployed_on`` (epoch milliseconds)
    is given once it was seen running, ``took_s`` how long that took from the trigger on, the last time it was known.
    ``modified_at`` is the time of change (epoch milliseconds) that design time showed at that trigger; where it shows
    another one later, something was changed after what was deployed had been read. It is ``NOT_KNOWN`` where nobody
    read it, and ``None`` where the tenant gives none or the record is an earlier release's.
    ``unseen``: how many deployments were sent whose end nobody saw, whatever was written since; ``ran_before``: the
    ``DeployedOn`` of what ran when the first of them was triggered (``NOTHING_RAN``; ``None``: not known).
    """

    uploaded: str | None = None
    is_pending: bool = False
    is_triggered: bool = False
    content: str | None = None
    parameters: str | None = None
    deployed_on: int | None = None
    took_s: float | None = None
    modified_at: int | None = None
    unseen: int = 0
    ran_before: int | None = None

    def has_last_change(self, *, deployed_on: int | None, modified_at: int | None) -> bool | None:
        """Return whether what runs was built after the last change, by times; ``None`` where no time tells.

        ``deployed_on`` is that of what runs, ``modified_at`` what design time shows now. A tenant takes the content at
        the trigger and the time of deployment later: a change made in between looks older than what runs and is not
        part of it. So the order of the two times counts only where this record says nothing.
        """
        if deployed_on is None or modified_at is None:
            return None
        if self.modified_at is None:
            return deployed_on > modified_at
        if self.deployed_on == deployed_on:
            return self.modified_at == modified_at
        if self.deployed_on is not None and self.modified_at == modified_at and deployed_on > self.deployed_on:
            # Somebody else deployed what was not changed since our own deployment.
            return True
        # Somebody else deployed something newer: a change older than a deployment takes was there at the trigger.
        longest_s = _LONG_DEPLOYMENT_S if self.took_s is None else 2 * self.took_s
        return deployed_on - modified_at > longest_s * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """An artifact on the tenant as the last run left it: with this, a later change has an author.

    ``content`` is the fingerprint, ``version`` the saved version (``None`` for a draft); ``parameters`` are keyed
    digests of all values, by key. ``modified_at`` is the time of change (epoch milliseconds) that design time showed.
    """

    content: str | None = None
    version: str | None = None
    modified_at: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the cache knows of an artifact on the tenant in one version and time of change (epoch milliseconds).

    ``description`` is a digest of ``metainfo.prop``'s; ``parameters`` are keyed digests of all values, by key, and
    ``parameter_digest`` the one of all together; ``None`` where they were not read in that state.
    """

    version: str
    modified_at: int
    content: str
    description: str | None = None
    parameters: Mapping[str, str] | None = None
    parameter_digest: str | None = None


class Cache(Protocol):
    """What is known of one tenant's design time, so that what has not moved is not read again; safe to lose."""

    def find(self, design: DesigntimeArtifact) -> Known | None:
        """Give what is known of an artifact in exactly the state it is listed in.

        ``None`` where it moved, is a draft, or the tenant gives no time of change.
        """

    def keep(self, design: DesigntimeArtifact, known: Known) -> None:
        """Keep what was read of an artifact in the state ``design`` gives; it is on disk after ``save``."""

    def forget(self, artifact: ArtifactId) -> None:
        """Know nothing of an artifact any more: it is about to be written."""

    def save(self) -> None:
        """Write the cache to disk, as a whole or not at all."""


class Backups(Protocol):
    """What a run is about to overwrite, kept first: archives as they came, parameters, versions, metadata."""

    def keep_archive(self, ref: ArtifactRef, archive: bytes) -> str:
        """Keep an archive; gives the path of the file. A second one of the same artifact gets a name of its own."""

    def archive(self, ref: ArtifactRef) -> str:
        """Give the path of the archive kept first for an artifact; empty where there is none."""

    def keep_state(self, design: DesigntimeArtifact, ref: ArtifactRef, parameters: Mapping[str, str] | None) -> str:
        """Keep version, time and author of the last change, and parameter values; gives the path of the file."""

    def keep_package(self, package: IntegrationPackage) -> str:
        """Keep a package's metadata; gives the path of the file."""

    def drop(self, ref: ArtifactRef) -> None:
        """Delete what was kept of an artifact that is not overwritten after all."""


class Records(Protocol):
    """The records of one tenant. What is noted survives the end of this process as soon as the method returns."""

    def get(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what is on record; an empty record where there is nothing."""

    def note_write(self, artifact: ArtifactId, *, content: str | None) -> None:
        """Note, before it is sent, a write that needs a deployment (``content``: the fingerprint of an upload)."""

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

    def note_unseen(self, artifact: ArtifactId, *, unseen: int, ran_before: int | None) -> None:
        """Note how many deployments may be under way: before a trigger is sent, and again where it was refused."""

    def note_failed(self, artifact: ArtifactId, *, under_way: int, ran_before: int | None) -> None:
        """Note that a deployment was seen to fail: what was pending stays so, but no deployment of it is under way.

        ``under_way`` and ``ran_before`` tell of others that may be.
        """

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

    def digest(self, parameters: Mapping[str, str]) -> str:
        """Give a keyed digest of parameter values, comparable where the same ``.cpi/`` is kept only."""

    def digest_each(self, parameters: Mapping[str, str]) -> Mapping[str, str]:
        """Give a keyed digest of each value, by key; equal values of two keys have different digests."""

    def baseline(self, artifact: ArtifactId) -> Baseline | None:
        """Give how the last run left an artifact; ``None`` where nothing (or with another key) is on record."""

    def note_settled(self, artifact: ArtifactId, baseline: Baseline) -> None:
        """Note how this run leaves an artifact."""

    def own_names(self) -> frozenset[str]:
        """Return the names, case-folded, under which the tenant shows what our own login does."""

    def note_author(self, name: str, *, is_certain: bool) -> None:
        """Note the name that the tenant showed after a write of ours.

        ``is_certain``: it cannot be that of somebody who wrote meanwhile.
        """

    def package_baseline(self, package: PackageId) -> Mapping[str, str] | None:
        """Give keyed digests of a package's metadata fields as the last run left them."""

    def note_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Note a package's metadata as this run leaves it; only keyed digests are kept."""
