"""Composition root: puts the rooms together under the only ``trio.run`` and maps the end to an exit code."""

from __future__ import annotations

from cpi_tasks.app.execute import execute, execute_drift, execute_plan
from cpi_tasks.app.past import show_runs
from cpi_tasks.app.prepare import prepare
from cpi_tasks.app.preview import find_drift, preview
from cpi_tasks.app.reach import Reach, reach_tenant
from cpi_tasks.app.run import Terms, run
from cpi_tasks.app.show import Looks, Orders, show_drift, show_plan, show_run
from cpi_tasks.model.preview import Preview

__all__ = [
    "Looks",
    "Orders",
    "Preview",
    "Reach",
    "Terms",
    "execute",
    "execute_drift",
    "execute_plan",
    "find_drift",
    "prepare",
    "preview",
    "reach_tenant",
    "run",
    "show_drift",
    "show_plan",
    "show_run",
    "show_runs",
]
