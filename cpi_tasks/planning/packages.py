"""What happens to a package's own metadata."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from cpi_tasks.errors import Problem
from cpi_tasks.model.config import PackageSpec
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.plan import PackageAction, PackagePlan
from cpi_tasks.model.tenant import IntegrationPackage

_LEGAL_NEW_ID = re.compile(r"[A-Za-z0-9]+")
_WHOLE_PARAGRAPH = re.compile(r"\s*<p>((?:(?!</?p>).)*|\s*<p>.*</p>\s*)</p>\s*", re.DOTALL | re.IGNORECASE)


def plan_package(spec: PackageSpec, inventory: Inventory) -> PackagePlan | Problem:
    """Decide about a package's metadata; a ``Problem`` where the tenant would refuse the id of a new package."""
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
    wanted = _wanted_fields(spec)
    changed = tuple(name for name, value in wanted.items() if not _is_same(name, before, value))
    if not changed:
        return PackagePlan(id=spec.id, action=PackageAction.UNCHANGED, reason="metadata as wanted")
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


def _wanted_fields(spec: PackageSpec) -> Mapping[str, str]:
    given = {"Name": spec.name, "ShortText": spec.short_text, "Description": spec.description}
    return {name: value for name, value in given.items() if value is not None}


def _is_same(name: str, before: IntegrationPackage, value: str) -> bool:
    stored = before.metadata.get(name, "")
    if name == "Description":
        return _plain(stored) == _plain(value)
    return stored.strip() == value.strip()


def _plain(text: str) -> str:
    """Reduce a description to what counts: tenants wrap plain text in paragraphs, deeper with each round trip."""
    while match := _WHOLE_PARAGRAPH.fullmatch(text):
        text = match.group(1)
    return " ".join(html.unescape(text).split())
