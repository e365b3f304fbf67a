"""Invoke tasks that bring SAP Cloud Integration tenants to the state a Git repository describes.

``ns`` is the Invoke namespace for another repository's ``tasks.py``; ``update``, ``deploy`` and ``orchestrate`` are the
same jobs as plain functions that return a ``Report``, ``plan`` and ``drift`` look without writing.

Names are loaded when they are first used: ``invoke --list`` needs ``ns`` only.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cpi_tasks.errors import CpiTasksError, InputError, Refused, TenantError
    from cpi_tasks.functions import deploy, drift, orchestrate, plan, update
    from cpi_tasks.model.drift import DriftReport
    from cpi_tasks.model.preview import Preview
    from cpi_tasks.model.report import Report
    from cpi_tasks.tasks import ns

__all__ = [
    "CpiTasksError",
    "DriftReport",
    "InputError",
    "Preview",
    "Refused",
    "Report",
    "TenantError",
    "deploy",
    "drift",
    "ns",
    "orchestrate",
    "plan",
    "update",
]

_HOMES = {
    **dict.fromkeys(("CpiTasksError", "InputError", "Refused", "TenantError"), "cpi_tasks.errors"),
    **dict.fromkeys(("deploy", "drift", "orchestrate", "plan", "update"), "cpi_tasks.functions"),
    "DriftReport": "cpi_tasks.model.drift",
    "Preview": "cpi_tasks.model.preview",
    "Report": "cpi_tasks.model.report",
    "ns": "cpi_tasks.tasks",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cpi_tasks' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Name what is public."""
    return sorted(__all__)
