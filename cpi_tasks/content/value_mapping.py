"""``value_mapping.xml``: groups of values that mean the same for different agencies."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from cpi_tasks.content.xml import UnreadableXml, canonical_xml, child_text, local_name, parse_xml, readable_xml
from cpi_tasks.model.content import ArtifactContent, DownloadedContent, MappedGroups, MappedValue

VALUES_PATH = "value_mapping.xml"
_WITHOUT = frozenset({("group", "id")})


def read_groups(data: bytes) -> MappedGroups:
    """Give the groups of a value mapping; raises ``UnreadableXml`` where the file is no value mapping."""
    groups = _parse(data)
    return frozenset(
        frozenset(
            MappedValue(
                agency=child_text(entry, "agency"),
                schema=child_text(entry, "schema"),
                value=child_text(entry, "value"),
            )
            for entry in group
            if local_name(entry) == "entry"
        )
        for group in groups
        if local_name(group) == "group"
    )


def canonical_values(data: bytes) -> str:
    """Give a form that does not depend on order, layout and group ids; raises as ``read_groups``."""
    return canonical_xml(_parse(data), without=_WITHOUT)


def readable_groups(data: bytes) -> list[str]:
    """Give the groups and their values as sorted lines for a person; raises as ``read_groups``."""
    lines: list[str] = []
    for group in sorted(sorted(group) for group in read_groups(data) if group):
        rows = (f"{value.agency} | {value.schema} | {value.value}" for value in group)
        lines += ["group", *("  " + row.replace("\n", "\\n") for row in rows)]
    return lines


def readable_values(data: bytes) -> list[str]:
    """Give everything that counts in a value mapping as lines of XML; raises as ``read_groups``."""
    return readable_xml(_parse(data), without=_WITHOUT)


def lost_values(local: ArtifactContent, tenant: DownloadedContent) -> tuple[str, ...] | None:
    """Give the entries that replacing the tenant's value mapping by the files would lose, as readable texts.

    A group of the tenant is kept if some group of the files has all of its values. ``None``: the tenant's entries could
    not be read, so nobody can tell.
    """
    if tenant.values is None:
        return None
    kept = local.values or frozenset()
    lost = (group for group in tenant.values if group and not any(group <= other for other in kept))
    return tuple(sorted(" <-> ".join(_readable(value) for value in sorted(group)) for group in lost))


def _readable(value: MappedValue) -> str:
    return f"{value.agency}/{value.schema} '{value.value}'"


def _parse(data: bytes) -> Element:
    root = parse_xml(data)
    if local_name(root) != "vm":
        raise UnreadableXml(f"its root element is '{local_name(root)}', not 'vm'")
    return root
