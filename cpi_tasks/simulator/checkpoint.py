"""Going back to what the tenant held before: for changes that happen as a whole or not at all."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

from cpi_tasks.simulator.lifecycle import RuntimeRecord
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.state import Package, StoredArtifact, TenantState

Part = Package | StoredArtifact | RuntimeRecord


@contextmanager
def all_or_nothing(state: TenantState) -> Iterator[None]:
    """Undo every change to the tenant's content and runtime where the block ends in an ``ODataError``."""
    collections = {
        name: dict(getattr(state, name))
        for name in ("packages", "artifacts", "locks", "guidelines", "runtime", "tasks", "moves")
    }
    parts: list[Part] = [*state.packages.values(), *state.artifacts.values(), *state.runtime.values()]
    values = [(part, {item.name: _copied(getattr(part, item.name)) for item in fields(part)}) for part in parts]
    counter = copy.deepcopy(state.counter)
    try:
        yield
    except ODataError:
        for name, held in collections.items():
            getattr(state, name).clear()
            getattr(state, name).update(held)
        # The objects stay the same, because others may hold them.
        for part, attributes in values:
            for name, value in attributes.items():
                setattr(part, name, value)
        state.counter = counter
        raise


def _copied(value: object) -> object:
    """Copy containers; what they hold in the end is never changed in place."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return list(value) if isinstance(value, list) else value
