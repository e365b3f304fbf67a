"""The embedded tenant: SAP Cloud Integration's OData API played on loopback, for trying out and for tests.

The names are imported when they are first used, because pytest loads the plugin of this room in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cpi_tasks.simulator.certificate import Certificate, make_certificate
    from cpi_tasks.simulator.fates import DeploymentRule, Duration, Ending, Fate
    from cpi_tasks.simulator.faults import AnswerStalled, ConnectionDropped, Fault, FaultKind
    from cpi_tasks.simulator.history import StateChange
    from cpi_tasks.simulator.life import Action, ActionKind
    from cpi_tasks.simulator.lifecycle import RuntimeArtifact
    from cpi_tasks.simulator.limits import OtherUsers
    from cpi_tasks.simulator.playing import Happening
    from cpi_tasks.simulator.request_log import RequestRecord, Violation
    from cpi_tasks.simulator.rules import FaultRule, LifeRule, When
    from cpi_tasks.simulator.script import FaultScript
    from cpi_tasks.simulator.seeding import Planted, Seed, SeedProblem, plant, read_seed
    from cpi_tasks.simulator.server import running, serve
    from cpi_tasks.simulator.settings import SimulatorSettings
    from cpi_tasks.simulator.state import Package, StoredArtifact
    from cpi_tasks.simulator.tenant import Simulator
    from cpi_tasks.simulator.traffic import SeenRequest
    from cpi_tasks.simulator.window import Window

_HOMES = {
    "Action": "life",
    "ActionKind": "life",
    "AnswerStalled": "faults",
    "Certificate": "certificate",
    "ConnectionDropped": "faults",
    "DeploymentRule": "fates",
    "Duration": "fates",
    "Ending": "fates",
    "Fate": "fates",
    "Fault": "faults",
    "FaultKind": "faults",
    "FaultRule": "rules",
    "FaultScript": "script",
    "Happening": "playing",
    "LifeRule": "rules",
    "OtherUsers": "limits",
    "Package": "state",
    "Planted": "seeding",
    "RequestRecord": "request_log",
    "RuntimeArtifact": "lifecycle",
    "Seed": "seeding",
    "SeedProblem": "seeding",
    "SeenRequest": "traffic",
    "Simulator": "tenant",
    "SimulatorSettings": "settings",
    "StateChange": "history",
    "StoredArtifact": "state",
    "Violation": "request_log",
    "When": "rules",
    "Window": "window",
    "make_certificate": "certificate",
    "plant": "seeding",
    "read_seed": "seeding",
    "running": "server",
    "serve": "server",
}

__all__ = [
    "Action",
    "ActionKind",
    "AnswerStalled",
    "Certificate",
    "ConnectionDropped",
    "DeploymentRule",
    "Duration",
    "Ending",
    "Fate",
    "Fault",
    "FaultKind",
    "FaultRule",
    "FaultScript",
    "Happening",
    "LifeRule",
    "OtherUsers",
    "Package",
    "Planted",
    "RequestRecord",
    "RuntimeArtifact",
    "Seed",
    "SeedProblem",
    "SeenRequest",
    "Simulator",
    "SimulatorSettings",
    "StateChange",
    "StoredArtifact",
    "Violation",
    "When",
    "Window",
    "make_certificate",
    "plant",
    "read_seed",
    "running",
    "serve",
]


def __getattr__(name: str) -> object:
    """Import the module a public name lives in."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{home}"), name)
