"""Value mappings are sets of groups; what a replacement would lose is told in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.content import load_content, lost_values
from cpi_tasks.content.value_mapping import canonical_values, read_groups
from cpi_tasks.content.xml import UnreadableXml
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.content import ContentDigest, DownloadedContent, MappedValue
from cpi_tasks.model.naming import ArtifactKind


def entry(agency: str, schema: str, value: str) -> str:
    return f"<entry><agency>{agency}</agency><schema>{schema}</schema><value>{value}</value></entry>"


def group(*entries: str, name: str = "g") -> str:
    return f'<group id="{name}">{"".join(entries)}</group>'


def vm(*groups: str) -> bytes:
    return f'<vm version="2.0">{"".join(groups)}</vm>'.encode()


DE = entry("ERP", "Country", "DE")
GERMANY = entry("CRM", "CountryCode", "Germany")
FRANCE = entry("CRM", "CountryCode", "France")


def downloaded(data: bytes | None) -> DownloadedContent:
    groups = None if data is None else read_groups(data)
    return DownloadedContent(digest=ContentDigest(entries={}), version="1.0.0", parameters={}, values=groups)


def test_groups_are_read_as_sets() -> None:
    """A group is a set of agency, schema and value."""
    assert read_groups(vm(group(DE, GERMANY))) == {
        frozenset(
            {
                MappedValue(agency="ERP", schema="Country", value="DE"),
                MappedValue(agency="CRM", schema="CountryCode", value="Germany"),
            }
        )
    }


def test_order_layout_and_group_ids_do_not_count() -> None:
    """A tenant may give the same groups in another order, layout and with other ids."""
    one = vm(group(DE, GERMANY, name="1"), group(FRANCE, name="2"))
    other = vm(group(FRANCE, name="x"), group(GERMANY, DE, name="y")).replace(b"><", b">\r\n  <")

    assert canonical_values(one) == canonical_values(other)


@pytest.mark.parametrize(
    "other",
    [
        vm(group(DE, FRANCE)),
        vm(group(DE), group(GERMANY)),
        vm(group(DE, GERMANY)).replace(b"<entry>", b'<entry isDefault="true">', 1),
        vm(group(DE, entry("CRM", "CountryCode", " Germany"))),
    ],
)
def test_every_other_difference_counts(other: bytes) -> None:
    """Values, grouping, marks on entries and blanks inside values are content."""
    assert canonical_values(vm(group(DE, GERMANY))) != canonical_values(other)


@pytest.mark.parametrize("data", [b"", b"<vm>", b"<html/>", b'<!DOCTYPE vm [<!ENTITY a "b">]><vm>&a;</vm>'])
def test_what_is_no_value_mapping_is_refused(data: bytes) -> None:
    """Broken, foreign and entity-carrying documents are not read."""
    with pytest.raises(UnreadableXml):
        read_groups(data)


@pytest.mark.parametrize(
    ("files", "tenant", "expected"),
    [
        (vm(group(DE, GERMANY)), vm(group(DE, GERMANY)), ()),
        (vm(group(DE, GERMANY, FRANCE)), vm(group(DE, GERMANY)), ()),
        (vm(group(DE)), vm(group(DE, GERMANY)), ("CRM/CountryCode 'Germany' <-> ERP/Country 'DE'",)),
        (vm(group(DE), group(GERMANY)), vm(group(DE, GERMANY)), ("CRM/CountryCode 'Germany' <-> ERP/Country 'DE'",)),
        (vm(), vm(group(FRANCE), group()), ("CRM/CountryCode 'France'",)),
        (vm(), None, None),
    ],
)
def test_losses_are_the_groups_no_local_group_contains(
    files: bytes,
    tenant: bytes | None,
    expected: tuple[str, ...] | None,
    make_folder: Callable[..., Path],
    make_spec: Callable[..., ArtifactSpec],
) -> None:
    """A tenant's group is kept if one group of the files has all of it; unreadable values cannot be told."""
    kind = ArtifactKind.VALUE_MAPPING
    local = load_content(make_spec(make_folder("VM", kind, {"value_mapping.xml": files}), kind), {})

    assert lost_values(local, downloaded(tenant)) == expected
