"""Which configuration parameters of a flow are enforced, which differ, and which stay as a person configured them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cpi_tasks.errors import Problem
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ParameterPolicy
from cpi_tasks.model.plan import ParameterChange

_SCHEDULE = "custom:schedule"
_PLACEHOLDER = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterPlan:
    """The parameters of one flow: what is enforced, what of it must be written, and what is kept though it differs."""

    enforced: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[ParameterChange, ...] = ()
    kept: tuple[ParameterChange, ...] = ()


def plan_parameters(
    spec: ArtifactSpec, content: ArtifactContent, inventory: Inventory, policy: ParameterPolicy
) -> ParameterPlan:
    """Compare the wanted values with the tenant's.

    Where the flow does not exist yet, or the tenant does not show its parameters, all that is enforced is a change.
    """
    shown = inventory.parameters.get(spec.id)
    # A schedule may be known as one on either side only; it is left alone in both cases.
    schedules = {key for key, data_type in content.parameter_types.items() if data_type == _SCHEDULE}
    schedules |= {parameter.key for parameter in shown or () if parameter.data_type == _SCHEDULE}
    enforced = dict(spec.overrides)
    if policy is ParameterPolicy.ALL:
        enforced = {
            key: value
            for key, value in content.parameters.items()
            if key not in schedules and value and not _is_placeholder(value)
        } | enforced
    if shown is None:
        changes = tuple(ParameterChange(key=key, old=None, new=value) for key, value in enforced.items())
        return ParameterPlan(enforced=enforced, changes=changes)
    values = {parameter.key: parameter.value for parameter in shown}
    changes = tuple(
        ParameterChange(key=key, old=values.get(key), new=value)
        for key, value in enforced.items()
        if values.get(key) != value
    )
    kept = tuple(
        ParameterChange(key=key, old=values[key], new=value)
        for key, value in content.parameters.items()
        if key not in enforced and key in values and values[key] != value
    )
    return ParameterPlan(enforced=enforced, changes=changes, kept=kept)


def unknown_overrides(spec: ArtifactSpec, content: ArtifactContent, inventory: Inventory) -> tuple[Problem, ...]:
    """Give a problem for each override whose key neither the files nor the tenant know.

    Where the tenant does not show what it knows, nobody can tell, and nothing is complained about.
    """
    is_hidden = spec.id in inventory.artifacts and inventory.parameters.get(spec.id) is None
    if is_hidden or spec.ref.package in inventory.unreadable_packages:
        return ()
    known = content.known_keys | inventory.values(spec.id).keys()
    return tuple(_unknown(spec, key, sorted(known)) for key in spec.overrides if key not in known)


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


def _is_placeholder(value: str) -> bool:
    """Tell a value nobody filled in (``<Define_Host>``) from one that is XML."""
    return _PLACEHOLDER.fullmatch(value) is not None
