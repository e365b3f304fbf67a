"""Artifact folders as bundles a tenant understands: manifest, parameters, references, comparison, archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.content.archive import Archive, build_archive, write_unpacked
    from cpi_tasks.content.canonical import changed_paths
    from cpi_tasks.content.diff import diff_archive
    from cpi_tasks.content.download import read_archive
    from cpi_tasks.content.load import load_content, load_contents
    from cpi_tasks.content.needs import needs_elsewhere, needs_of
    from cpi_tasks.content.package_metadata import comparable_metadata, differing_metadata, given_metadata
    from cpi_tasks.content.parameters import wanted_parameters
    from cpi_tasks.content.timers import fires_on_deployment
    from cpi_tasks.content.value_mapping import lost_values

__all__ = [
    "Archive",
    "build_archive",
    "changed_paths",
    "comparable_metadata",
    "diff_archive",
    "differing_metadata",
    "fires_on_deployment",
    "given_metadata",
    "load_content",
    "load_contents",
    "lost_values",
    "needs_elsewhere",
    "needs_of",
    "read_archive",
    "wanted_parameters",
    "write_unpacked",
]

__getattr__ = on_first_use(
    __name__,
    {
        "archive": ("Archive", "build_archive", "write_unpacked"),
        "canonical": ("changed_paths",),
        "diff": ("diff_archive",),
        "download": ("read_archive",),
        "load": ("load_content", "load_contents"),
        "needs": ("needs_elsewhere", "needs_of"),
        "package_metadata": ("comparable_metadata", "differing_metadata", "given_metadata"),
        "parameters": ("wanted_parameters",),
        "timers": ("fires_on_deployment",),
        "value_mapping": ("lost_values",),
    },
)
