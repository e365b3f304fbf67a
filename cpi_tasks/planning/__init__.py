"""(configuration, content, tenant inventory) -> Plan. Pure: nothing is read or sent here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.planning.authors import with_unrecorded
    from cpi_tasks.planning.drift import find_drift
    from cpi_tasks.planning.facts import Basis
    from cpi_tasks.planning.locks import with_lock_warnings
    from cpi_tasks.planning.plan import make_plan, why_refused
    from cpi_tasks.planning.saved import SavedPlan, read_saved, save_plan, why_stale

__all__ = [
    "Basis",
    "SavedPlan",
    "find_drift",
    "make_plan",
    "read_saved",
    "save_plan",
    "why_refused",
    "why_stale",
    "with_lock_warnings",
    "with_unrecorded",
]

__getattr__ = on_first_use(
    __name__,
    {
        "authors": ("with_unrecorded",),
        "drift": ("find_drift",),
        "facts": ("Basis",),
        "locks": ("with_lock_warnings",),
        "plan": (
            "make_plan",
            "why_refused",
        ),
        "saved": (
            "SavedPlan",
            "read_saved",
            "save_plan",
            "why_stale",
        ),
    },
)
