"""YAML files, flags and variables -> ``model.config.RunConfig``, with a position for everything that is wrong.

Importing this room is cheap: the schema library is loaded when ``load`` is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.environment.certificates import read_authorities
    from cpi_tasks.environment.deploy_sources import Fetch
    from cpi_tasks.environment.loading import Loaded, load
    from cpi_tasks.environment.locate import environment_names
    from cpi_tasks.environment.process import Use, Variables, process_variables
    from cpi_tasks.environment.proxies import ProxyError, ProxyRules

__all__ = [
    "Fetch",
    "Loaded",
    "ProxyError",
    "ProxyRules",
    "Use",
    "Variables",
    "environment_names",
    "load",
    "process_variables",
    "read_authorities",
]

__getattr__ = on_first_use(
    __name__,
    {
        "certificates": ("read_authorities",),
        "deploy_sources": ("Fetch",),
        "loading": ("Loaded", "load"),
        "locate": ("environment_names",),
        "process": ("Use", "Variables", "process_variables"),
        "proxies": ("ProxyError", "ProxyRules"),
    },
)
