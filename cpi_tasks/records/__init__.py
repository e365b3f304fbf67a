"""What is kept under ``.cpi/``: deployment records, the cache, run folders with backups and kept content."""

from cpi_tasks.records.backups import RunBackups, ScratchArchives
from cpi_tasks.records.cache import TenantCache
from cpi_tasks.records.folder import StateFolder
from cpi_tasks.records.ledger import DeploymentRecords

__all__ = ["DeploymentRecords", "RunBackups", "ScratchArchives", "StateFolder", "TenantCache"]
