"""What every part of the engine needs while it carries out one plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cpi_tasks.engine.ledger import Ledger
from cpi_tasks.events import Emit
from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.records import Records
from cpi_tasks.model.tenant import Tenant


@dataclass(slots=True, kw_only=True)
class DesignState:
    """Design time of one artifact as far as known: read in planning, replaced by what was written and read back.

    ``version`` is ``None`` where any version will do (a draft); ``fingerprint`` is that of the content, ``None`` where
    unknown.
    """

    version: str | None = None
    fingerprint: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The collaborators of one plan's execution."""

    tenant: Tenant
    records: Records
    settings: Settings
    emit: Emit
    ledger: Ledger
    designs: dict[ArtifactId, DesignState]


def known_designs(inventory: Inventory) -> dict[ArtifactId, DesignState]:
    """Give the design-time state of every artifact as the inventory shows it."""
    states = {}
    for artifact in inventory.artifacts.values():
        download = inventory.downloads.get(artifact.id)
        states[artifact.id] = DesignState(
            version=None if artifact.is_draft else artifact.version,
            fingerprint=None if download is None else download.digest.fingerprint,
            parameters=inventory.values(artifact.id),
        )
    return states
