"""Reading the tenant and deciding: one plan for each deploy configuration, with what it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpi_tasks import engine, planning
from cpi_tasks.app.prepare import Contents, Prepared
from cpi_tasks.errors import Refused
from cpi_tasks.events import Emit, WarningRaised
from cpi_tasks.model.config import DeployConfig
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One deploy configuration, what its folders hold, what the tenant has, and what is to be done about it."""

    config: DeployConfig
    contents: Contents
    inventory: Inventory
    plan: Plan


async def make_plans(prepared: Prepared, client: Tenant, memory: engine.Memory, emit: Emit) -> tuple[Planned, ...]:
    """Read the tenant and plan every configuration; raises ``InputError`` for what only the tenant could show."""
    for warning in prepared.config.warnings:
        emit(WarningRaised(text=warning))
    found: list[Planned] = []
    for part in prepared.config.configs:
        contents, settings = prepared.contents[part.source], prepared.config.settings
        inventory = await engine.read_inventory(client, part, contents, settings=settings, memory=memory, emit=emit)
        plan = planning.make_plan(part, contents, inventory, settings, earlier=[one.plan for one in found])
        found.append(Planned(config=part, contents=contents, inventory=inventory, plan=plan))
    return tuple(found)


def check_allowed(planned: Sequence[Planned], prepared: Prepared) -> None:
    """Raise ``Refused`` where a plan would do what the settings forbid: overwrite drift, take a version down."""
    reasons = planning.why_refused([one.plan for one in planned], prepared.config.settings)
    if reasons:
        raise Refused("\n".join(("nothing was sent that changes the tenant:", *reasons)))
