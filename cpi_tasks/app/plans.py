"""Reading the tenant and deciding: one plan for each deploy configuration, with what it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cpi_tasks import engine, planning
from cpi_tasks.app.prepare import Contents, Prepared, tenant_name
from cpi_tasks.errors import InputError, Problem, Refused
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
    settings = prepared.config.settings
    inventories = [
        await engine.read_inventory(
            client, part, prepared.contents[part.source], settings=settings, memory=memory, emit=emit
        )
        for part in prepared.config.configs
    ]
    inventories = planning.with_unrecorded(inventories)
    found: list[Planned] = []
    for part, inventory in zip(prepared.config.configs, inventories, strict=True):
        contents = prepared.contents[part.source]
        plan = planning.make_plan(part, contents, inventory, settings, earlier=[one.plan for one in found])
        found.append(Planned(config=part, contents=contents, inventory=inventory, plan=plan))
    return tuple(found)


def check_allowed(planned: Sequence[Planned], prepared: Prepared) -> None:
    """Raise ``Refused`` where a plan would do what the settings forbid: overwrite drift, take a version down."""
    reasons = planning.why_refused([one.plan for one in planned], prepared.config.settings)
    if reasons:
        raise Refused("\n".join(("nothing was sent that changes the tenant:", *reasons)))


def why_stale(saved: planning.SavedPlan, planned: Sequence[Planned], prepared: Prepared) -> tuple[str, ...]:
    """Say why a run now would not do exactly what a saved plan says; empty where it would."""
    return planning.why_stale(saved, basis_of(planned), config=prepared.config, tenant=tenant_name(prepared.config))


def basis_of(planned: Sequence[Planned]) -> tuple[planning.Basis, ...]:
    """Give what plans were made from, as a saved plan needs it."""
    return tuple(
        planning.Basis(plan=one.plan, config=one.config, contents=one.contents, inventory=one.inventory)
        for one in planned
    )


def read_saved(file: Path) -> planning.SavedPlan:
    """Read the file of a saved plan; raises ``InputError`` where it is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problem = Problem(file=str(file), path="--plan", message=f"the saved plan cannot be read: {why}")
        raise InputError([problem]) from error
    return planning.read_saved(text, str(file))
