"""What the files alone tell about a deployment that would fail or do something else than expected. Pure."""

from cpi_tasks.validation.check import check, find_unused
from cpi_tasks.validation.folders import Folders

__all__ = ["Folders", "check", "find_unused"]
