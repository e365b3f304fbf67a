"""Invoke tasks that bring SAP Cloud Integration tenants to the state a Git repository describes.

``ns`` is the Invoke namespace for another repository's ``tasks.py``; ``update``, ``deploy`` and ``orchestrate`` are the
same jobs as plain functions that return a ``Report``.
"""

from cpi_tasks.errors import CpiTasksError, InputError, TenantError
from cpi_tasks.functions import deploy, orchestrate, update
from cpi_tasks.model.report import Report
from cpi_tasks.tasks import ns

__all__ = ["CpiTasksError", "InputError", "Report", "TenantError", "deploy", "ns", "orchestrate", "update"]
