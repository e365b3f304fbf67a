"""What every part of the engine needs while it carries out one plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cpi_tasks.engine.brake import Brake
from cpi_tasks.engine.ledger import Ledger
from cpi_tasks.events import Emit
from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.records import Backups, Cache, Records
from cpi_tasks.model.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What outlives a run: deployment records, the cache of what was read, and backups of what is overwritten."""

    records: Records
    cache: Cache
    backups: Backups


@dataclass(slots=True, kw_only=True)
class DesignState:
    """Design time of one artifact as far as known: read in planning, replaced by what was written and read back.

    ``version`` is ``None`` where any version will do (a draft); ``fingerprint`` is that of the content, ``None`` where
    unknown; ``is_dated``: the tenant gives a time of its last change, ``modified_at`` (epoch milliseconds). ``read_at``
    is when that was read, by trio's clock; never, since our last write. ``parameters`` are ``None`` where they were not
    read: because the cache knows them, then there are the keyed digests of all of them together and of each, or because
    the tenant does not show them, then there is nothing.
    """

    version: str | None = None
    fingerprint: str | None = None
    is_dated: bool = True
    modified_at: int | None = None
    read_at: float = -math.inf
    parameters: Mapping[str, str] | None = field(default_factory=dict, repr=False)
    parameter_digest: str | None = None
    value_digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_cached(self) -> bool:
        """Whether parameters are known by their digests alone."""
        return self.parameters is None and self.parameter_digest is not None

    def hide_parameters(self) -> None:
        """Know nothing of the parameters, because the tenant does not show them."""
        self.parameters, self.parameter_digest, self.value_digests = None, None, {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The collaborators of one plan's execution."""

    tenant: Tenant
    memory: Memory
    settings: Settings
    emit: Emit
    ledger: Ledger
    brake: Brake
    designs: dict[ArtifactId, DesignState]

    @property
    def records(self) -> Records:
        """The deployment records."""
        return self.memory.records

    def parameter_digest(self, design: DesignState) -> str | None:
        """Give the keyed digest of a flow's parameter values; ``None`` where it cannot be known."""
        return design.parameter_digest if design.parameters is None else self.records.digest(design.parameters)

    def value_digests(self, design: DesignState) -> Mapping[str, str]:
        """Give the keyed digests of a flow's parameter values, by key."""
        return design.value_digests if design.parameters is None else self.records.digest_each(design.parameters)


def known_designs(inventory: Inventory) -> dict[ArtifactId, DesignState]:
    """Give the design-time state of every artifact as the inventory shows it."""
    states = {}
    for artifact in inventory.artifacts.values():
        is_cached = artifact.id in inventory.proved_parameters
        is_hidden = inventory.parameters.get(artifact.id, ()) is None
        states[artifact.id] = DesignState(
            version=None if artifact.is_draft else artifact.version,
            fingerprint=inventory.fingerprints.get(artifact.id),
            is_dated=artifact.modified_at is not None,
            modified_at=artifact.modified_at,
            read_at=inventory.read_at,
            parameters=None if is_cached or is_hidden else inventory.values(artifact.id),
            parameter_digest=None if is_hidden else inventory.parameter_digests.get(artifact.id),
            value_digests={} if is_hidden else inventory.value_digests.get(artifact.id, {}),
        )
    return states
