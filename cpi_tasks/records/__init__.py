"""What is kept under ``.cpi/``: deployment records, backups and kept content."""

from cpi_tasks.records.folder import StateFolder
from cpi_tasks.records.ledger import DeploymentRecords

__all__ = ["DeploymentRecords", "StateFolder"]
