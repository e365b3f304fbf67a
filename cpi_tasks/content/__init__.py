"""Artifact folders as bundles a tenant understands: manifest, parameters, references, comparison, archives."""

from cpi_tasks.content.archive import Archive, build_archive, write_unpacked
from cpi_tasks.content.canonical import changed_paths
from cpi_tasks.content.download import read_archive
from cpi_tasks.content.load import load_content, load_contents
from cpi_tasks.content.value_mapping import lost_values

__all__ = [
    "Archive",
    "build_archive",
    "changed_paths",
    "load_content",
    "load_contents",
    "lost_values",
    "read_archive",
    "write_unpacked",
]
