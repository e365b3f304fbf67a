"""The only place that knows HTTP: a client for SAP Cloud Integration's public OData API, and one for configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.tenant.client import TenantClient, connect
    from cpi_tasks.tenant.download import fetch

__all__ = [
    "TenantClient",
    "connect",
    "fetch",
]

__getattr__ = on_first_use(
    __name__,
    {
        "client": ("TenantClient", "connect"),
        "download": ("fetch",),
    },
)
