"""What happens to a package's own metadata."""

from __future__ import annotations

import re
from dataclasses import replace

from cpi_tasks.content import differing_metadata, given_metadata
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import PackageSpec
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.plan import PackageAction, PackagePlan
from cpi_tasks.planning.origins import combined, field_origin, missing_origin

_LEGAL_NEW_ID = re.compile(r"[A-Za-z0-9]+")


def plan_package(spec: PackageSpec, inventory: Inventory) -> PackagePlan | Problem:
    """Decide about a package's metadata; a ``Problem`` where the tenant would refuse the id of a new package."""
    planned = _decide(spec, inventory)
    if isinstance(planned, Problem):
        return planned
    if planned.action is PackageAction.CREATE:
        was_there = spec.id in inventory.package_baselines
        return replace(planned, origin=missing_origin(inventory, was_there=was_there))
    origins = {name: field_origin(spec.id, name, inventory) for name in planned.changed_fields}
    return replace(
        planned,
        before=inventory.packages.get(spec.id),
        origin=combined(origins.values()) if origins else None,
        drifted_fields=tuple(name for name, origin in origins.items() if origin.is_drift),
    )


def _decide(spec: PackageSpec, inventory: Inventory) -> PackagePlan | Problem:
    before = inventory.packages.get(spec.id)
    if not spec.sync:
        return PackagePlan(id=spec.id, action=PackageAction.KEEP, reason="sync is false: metadata is left alone")
    if spec.id in inventory.unreadable_packages:
        return PackagePlan(id=spec.id, action=PackageAction.REFUSE, reason=inventory.unreadable_packages[spec.id])
    if before is None:
        return _creation(spec)
    if before.is_read_only:
        reason = "read-only on the tenant: metadata and content are neither compared nor sent"
        return PackagePlan(id=spec.id, action=PackageAction.KEEP, reason=reason)
    changed = differing_metadata(spec, before.metadata)
    if not changed:
        return PackagePlan(id=spec.id, action=PackageAction.UNCHANGED, reason="metadata as wanted")
    wanted = given_metadata(spec)
    return PackagePlan(
        id=spec.id,
        action=PackageAction.UPDATE,
        reason=f"{', '.join(changed)} differ{'s' if len(changed) == 1 else ''}",
        changed_fields=changed,
        metadata={**before.metadata, **{name: wanted[name] for name in changed}},
    )


def _creation(spec: PackageSpec) -> PackagePlan | Problem:
    if not _LEGAL_NEW_ID.fullmatch(spec.id):
        return Problem(
            file=spec.position.file,
            line=spec.position.line,
            column=spec.position.column,
            path=spec.position.path,
            message=f"package '{spec.id}' does not exist on the tenant and cannot be created: new package ids may have "
            "letters and digits only (a prefix with an underscore works only where every package exists already)",
        )
    fields = {"Name": spec.creation_name, "ShortText": spec.short_text or spec.creation_name}
    if spec.description:
        fields["Description"] = spec.description
    return PackagePlan(id=spec.id, action=PackageAction.CREATE, reason="does not exist on the tenant", metadata=fields)
