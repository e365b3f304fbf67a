"""YAML files, flags and variables -> ``model.config.RunConfig``, with a position for everything that is wrong.

Importing this room is cheap: the schema library is loaded when ``load`` is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.environment.locate import environment_names
from cpi_tasks.environment.variables import process_variables

if TYPE_CHECKING:
    from cpi_tasks.environment.certificates import read_authorities
    from cpi_tasks.environment.deploy_sources import Fetch
    from cpi_tasks.environment.loading import Loaded, load

__all__ = ["Fetch", "Loaded", "environment_names", "load", "process_variables", "read_authorities"]


def __getattr__(name: str) -> object:
    """Bring in what needs the schema library, or those for TLS, on first use."""
    if name == "read_authorities":
        from cpi_tasks.environment import certificates  # noqa: PLC0415 - see the module's docstring

        return certificates.read_authorities
    if name in {"Fetch", "Loaded", "load"}:
        from cpi_tasks.environment import deploy_sources, loading  # noqa: PLC0415 - see the module's docstring

        return deploy_sources.Fetch if name == "Fetch" else getattr(loading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
