"""(configuration, content, tenant inventory) -> Plan. Pure: nothing is read or sent here."""

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
]
