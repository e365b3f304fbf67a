"""Which configuration parameters of a flow are enforced, which differ, and which stay as a person configured them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from cpi_tasks.content import wanted_parameters
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ParameterPolicy, is_added_by_tenant
from cpi_tasks.model.plan import ParameterChange
from cpi_tasks.planning.origins import parameter_origin

_SCHEDULE = "custom:schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterPlan:
    """The parameters of one flow: what is enforced, what of it must be written, and what is kept though it differs.

    ``only_on_tenant`` are keys that the tenant shows and the artifact's files do not know, without those that tenants
    add by themselves.
    """

    enforced: Mapping[str, str] = field(default_factory=dict, repr=False)
    changes: tuple[ParameterChange, ...] = ()
    kept: tuple[ParameterChange, ...] = ()
    only_on_tenant: tuple[str, ...] = ()


def plan_parameters(
    spec: ArtifactSpec, content: ArtifactContent, inventory: Inventory, policy: ParameterPolicy
) -> ParameterPlan:
    """Compare the wanted values with the tenant's.

    Where the flow does not exist yet, or the tenant does not show its parameters, all that is enforced is a change;
    where it is proved that the flow has every wanted value, nothing is.
    """
    shown = inventory.parameters.get(spec.id)
    schedules = frozenset(parameter.key for parameter in shown or () if parameter.data_type == _SCHEDULE)
    enforced = wanted_parameters(spec, content, policy, schedules)
    if spec.id in inventory.proved_parameters:
        return ParameterPlan(enforced=enforced)
    values = inventory.values(spec.id)

    def difference(key: str, new: str) -> ParameterChange:
        return ParameterChange(key=key, old=values.get(key), new=new, origin=parameter_origin(spec.id, key, inventory))

    return ParameterPlan(
        enforced=enforced,
        changes=tuple(difference(key, new) for key, new in enforced.items() if values.get(key) != new),
        kept=tuple(
            difference(key, new)
            for key, new in content.parameters.items()
            if key not in enforced and key in values and values[key] != new
        ),
        only_on_tenant=tuple(sorted(key for key in values.keys() - content.known_keys if not is_added_by_tenant(key))),
    )


def coming_values(content: ArtifactContent, inventory: Inventory, enforced: Mapping[str, str]) -> Mapping[str, str]:
    """Give the values a flow will have: the enforced ones, then what the tenant has, then the files' for new keys."""
    return {**content.parameters, **inventory.values(content.spec.id), **enforced}


def unknown_overrides(spec: ArtifactSpec, content: ArtifactContent, inventory: Inventory) -> tuple[Problem, ...]:
    """Give a problem for each override whose key neither the files nor the tenant know.

    Where the tenant does not show what it knows, or the flow is not there yet and the key is one that tenants add by
    themselves, nobody can tell, and nothing is complained about.
    """
    is_hidden = spec.id in inventory.artifacts and inventory.parameters.get(spec.id) is None
    if is_hidden or spec.ref.package in inventory.unreadable_packages:
        return ()
    known = content.known_keys | inventory.values(spec.id).keys()
    is_new = spec.id not in inventory.artifacts
    return tuple(
        _unknown(spec, key, sorted(known))
        for key in spec.overrides
        if key not in known and not (is_new and is_added_by_tenant(key))
    )


def _unknown(spec: ArtifactSpec, key: str, known: list[str]) -> Problem:
    position = spec.override_positions.get(key, spec.position)
    close = difflib.get_close_matches(key, known, n=1)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    return Problem(
        file=position.file,
        line=position.line,
        column=position.column,
        path=position.path,
        message=f"integration flow '{spec.source_id}' has no parameter '{key}'{hint}",
    )
