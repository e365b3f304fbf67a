"""The trio engine: reads the tenant, carries out a plan in two phases, and knows the ``Tenant`` protocol, not HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.engine.brake import Brake
    from cpi_tasks.engine.context import Memory
    from cpi_tasks.engine.inventory import read_inventory, read_locks
    from cpi_tasks.engine.ledger import Ledger
    from cpi_tasks.engine.run import carry_out

__all__ = [
    "Brake",
    "Ledger",
    "Memory",
    "carry_out",
    "read_inventory",
    "read_locks",
]

__getattr__ = on_first_use(
    __name__,
    {
        "brake": ("Brake",),
        "context": ("Memory",),
        "inventory": (
            "read_inventory",
            "read_locks",
        ),
        "ledger": ("Ledger",),
        "run": ("carry_out",),
    },
)
