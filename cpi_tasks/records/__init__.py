"""What is kept under ``.cpi/``: deployment records, the cache, run folders with backups and kept content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.records.backups import RunBackups, ScratchArchives
    from cpi_tasks.records.cache import TenantCache
    from cpi_tasks.records.folder import StateFolder
    from cpi_tasks.records.journal import InBackground, RunJournal
    from cpi_tasks.records.ledger import DeploymentRecords
    from cpi_tasks.records.lock import lock_folder, tenant_lock
    from cpi_tasks.records.lossy import LossyBackups, LossyRecords
    from cpi_tasks.records.past import PastRun, read_run, read_runs

__all__ = [
    "DeploymentRecords",
    "InBackground",
    "LossyBackups",
    "LossyRecords",
    "PastRun",
    "RunBackups",
    "RunJournal",
    "ScratchArchives",
    "StateFolder",
    "TenantCache",
    "lock_folder",
    "read_run",
    "read_runs",
    "tenant_lock",
]

__getattr__ = on_first_use(
    __name__,
    {
        "backups": (
            "RunBackups",
            "ScratchArchives",
        ),
        "cache": ("TenantCache",),
        "folder": ("StateFolder",),
        "journal": (
            "InBackground",
            "RunJournal",
        ),
        "ledger": ("DeploymentRecords",),
        "lock": (
            "lock_folder",
            "tenant_lock",
        ),
        "lossy": (
            "LossyBackups",
            "LossyRecords",
        ),
        "past": (
            "PastRun",
            "read_run",
            "read_runs",
        ),
    },
)
