"""What is known of an artifact's content without holding it in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from cpi_tasks.errors import Problem
from cpi_tasks.model.config import ArtifactSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDigest:
    """Digests of an artifact's canonical content: what counts when two sides are compared, and nothing else.

    ``entries`` maps a canonical path (``META-INF/MANIFEST.MF``, ``src/main/resources/script/a.groovy``; a message
    mapping's own file under one fixed name) to a digest of its canonical form. ``description`` is that of
    ``metainfo.prop``; ``None`` where the file is absent.
    """

    entries: Mapping[str, str]
    description: str | None = None

    @property
    def fingerprint(self) -> str:
        """One hexadecimal digest over all entries, independent of their order and of ``description``."""
        text = "\n".join(f"{path}\0{digest}" for path, digest in sorted(self.entries.items()))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MappedValue:
    """One side of a value mapping's group; a group is a set of these."""

    agency: str
    schema: str
    value: str


MappedGroups = frozenset[frozenset[MappedValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactContent:
    """An artifact folder, read and checked; the files themselves are read again when the archive is built.

    ``parameters`` are the keys and values of ``parameters.prop`` with the overrides merged in (empty without the
    file); ``parameter_types`` the types ``parameters.propdef`` gives; ``known_keys`` every key that ``.prop``,
    ``.propdef`` or the model names. ``references`` are the final ids of the script collections and message mappings the
    artifact uses. ``fixed_addresses`` are sender addresses written into the model (two copies on a tenant collide).
    ``values`` are a value mapping's groups; ``None`` for other kinds.
    """

    spec: ArtifactSpec
    renames: Mapping[str, str]
    version: str
    name: str
    digest: ContentDigest
    parameters: Mapping[str, str] = field(repr=False)
    parameter_types: Mapping[str, str]
    known_keys: frozenset[str]
    references: frozenset[str]
    size: int = 0
    """How many bytes the files have, about; what is large is worked on in a thread."""
    fixed_addresses: tuple[str, ...] = ()
    runtime_profile: str = ""
    """``SAP-RuntimeProfile`` of the manifest; empty where it has none."""
    timers: tuple[str, ...] = ()
    """The schedules of timer start events as the model has them; ``{{key}}`` stands for a parameter's value."""
    values: MappedGroups | None = None
    listens_to: frozenset[str] = frozenset()
    """ProcessDirect addresses at which the flow takes messages, with parameters filled in from the files."""
    calls: frozenset[str] = frozenset()
    """ProcessDirect addresses to which the flow sends messages, likewise."""
    looks_up_values: bool = False
    """Whether a script or a message mapping looks something up in a value mapping."""
    doubts: tuple[Problem, ...] = ()
    """What is accepted, but may be read differently from what its author thinks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadedContent:
    """What is kept of an archive that came from the tenant: enough to compare, not the bytes.

    ``values`` is ``None`` for other kinds than value mappings and where the entries could not be read.
    """

    digest: ContentDigest
    version: str
    parameters: Mapping[str, str] = field(repr=False)
    values: MappedGroups | None = None


class DiffStatus(Enum):
    """What an upload would do to one file on the tenant."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """How one file on the tenant differs from what an upload would store, for a person to read.

    ``path`` is the canonical one, as in ``ContentDigest.entries``. ``lines`` are those of a unified diff from the
    tenant to the files, without the two lines at its head; or one remark that says why there is none: the bytes are
    no text (``is_binary``) or too many. Values of configuration parameters are never among them.
    """

    path: str
    status: DiffStatus
    lines: tuple[str, ...] = field(repr=False)
    is_binary: bool = False
