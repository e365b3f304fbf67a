"""The tasks of this repository: those it publishes, nothing else."""

from cpi_tasks import ns

__all__ = ["ns"]
