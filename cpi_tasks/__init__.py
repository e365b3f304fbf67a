"""Invoke tasks that bring SAP Cloud Integration tenants to the state a Git repository describes.

``ns`` is the Invoke namespace for another repository's ``tasks.py``; ``update``, ``deploy`` and ``orchestrate`` are the
same jobs as plain functions that return a ``Report``, ``plan`` and ``drift`` look without writing.

Names are loaded when they are first used: ``invoke --list`` needs ``ns`` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.errors import CpiTasksError, DriftDetected, InputError, Refused, RunFailed, TenantError
    from cpi_tasks.functions import deploy, drift, orchestrate, plan, update
    from cpi_tasks.model.drift import DriftReport
    from cpi_tasks.model.preview import Preview
    from cpi_tasks.model.report import Report
    from cpi_tasks.tasks import ns

__all__ = [
    "CpiTasksError",
    "DriftDetected",
    "DriftReport",
    "InputError",
    "Preview",
    "Refused",
    "Report",
    "RunFailed",
    "TenantError",
    "deploy",
    "drift",
    "ns",
    "orchestrate",
    "plan",
    "update",
]

__getattr__ = on_first_use(
    __name__,
    {
        "errors": ("CpiTasksError", "DriftDetected", "InputError", "Refused", "RunFailed", "TenantError"),
        "functions": ("deploy", "drift", "orchestrate", "plan", "update"),
        "model.drift": ("DriftReport",),
        "model.preview": ("Preview",),
        "model.report": ("Report",),
        "tasks": ("ns",),
    },
)


def __dir__() -> list[str]:
    """Name what is public."""
    return sorted(__all__)
