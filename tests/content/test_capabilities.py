"""Capability headers are split outside quotes only, and changed by whole ids only."""

from __future__ import annotations

from cpi_tasks.content.capabilities import canonical_capabilities, capability_ids, rename_capabilities

REQUIRED = (
    'scriptcollection.SC;resolution:=optional;source:String="a,scriptcollection.SC;b",'
    " messagemapping.SC_long;resolution:=optional"
)


def test_ids_are_found_outside_quotes() -> None:
    """A comma or a name inside quotes is part of a value."""
    assert list(capability_ids(REQUIRED)) == ["SC", "SC_long"]


def test_only_whole_ids_are_renamed() -> None:
    """An id that begins with a renamed one, quoted text and blanks stay as they are."""
    assert rename_capabilities(REQUIRED, {"SC": "QA_SC"}) == REQUIRED.replace(
        "scriptcollection.SC;res", "scriptcollection.QA_SC;res"
    )


def test_other_capabilities_are_left_alone() -> None:
    """Only script collections and message mappings have ids here."""
    header = "osgi.service;filter:=SC,SC"

    assert rename_capabilities(header, {"SC": "QA_SC", "service;filter:=SC": "x"}) == header


def test_the_canonical_form_knows_no_order() -> None:
    """Order and repetition of clauses and of their parts do not count; a version only where it is asked for."""
    assert canonical_capabilities("b.X;v=2;u=1, a.Y,a.Y", keep_versions=True) == ["a.Y", "b.X;u=1;v=2"]
    assert canonical_capabilities('a.Y;version:Version="1.0.0"', keep_versions=False) == ["a.Y"]
    assert canonical_capabilities('a.Y;version:Version="1.0.0"', keep_versions=True) == ['a.Y;version:Version="1.0.0"']
