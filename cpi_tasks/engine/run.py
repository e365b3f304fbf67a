"""Carry out one plan: every update first, then every deployment."""

from __future__ import annotations

from cpi_tasks.engine.brake import Brake
from cpi_tasks.engine.context import Context, Memory, known_designs
from cpi_tasks.engine.deploy import run_deploy_phase
from cpi_tasks.engine.ledger import Ledger
from cpi_tasks.engine.update import run_update_phase
from cpi_tasks.events import Emit
from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.tenant import Tenant


async def carry_out(
    plan: Plan,
    inventory: Inventory,
    *,
    tenant: Tenant,
    memory: Memory,
    settings: Settings,
    emit: Emit,
    ledger: Ledger,
    brake: Brake,
) -> None:
    """Run the phases the plan has; outcomes are in ``ledger``, also when this is cancelled half-way.

    Once ``brake`` is pulled nothing new is begun, and this ends when what is under way has ended.
    """
    context = Context(
        tenant=tenant,
        memory=memory,
        settings=settings,
        emit=emit,
        ledger=ledger,
        brake=brake,
        designs=known_designs(inventory),
    )
    if plan.updates:
        try:
            await run_update_phase(plan, context)
        finally:
            memory.cache.save()
    if plan.deploys:
        await run_deploy_phase(plan, context)
