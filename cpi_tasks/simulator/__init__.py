"""The embedded tenant: SAP Cloud Integration's OData API played on loopback, for trying out and for tests."""

from __future__ import annotations

from cpi_tasks.simulator.faults import ConnectionDropped, RequestRecord
from cpi_tasks.simulator.lifecycle import RuntimeArtifact
from cpi_tasks.simulator.server import running, serve
from cpi_tasks.simulator.settings import SimulatorSettings
from cpi_tasks.simulator.state import Package, StoredArtifact
from cpi_tasks.simulator.tenant import Simulator

__all__ = [
    "ConnectionDropped",
    "Package",
    "RequestRecord",
    "RuntimeArtifact",
    "Simulator",
    "SimulatorSettings",
    "StoredArtifact",
    "running",
    "serve",
]
