"""Ids, names and texts that tenants refuse."""

from __future__ import annotations

import pytest

from tests.validation.desk import Desk


@pytest.mark.parametrize("package", ["Order_Pkg", "Order-Pkg", "Order.Pkg", "Aufträge"])
def test_package_ids_of_other_characters_are_a_warning(desk: Desk, package: str) -> None:
    """A new package may only have letters and digits; one that exists may have more."""
    desk.package = package
    assert desk.found() == ["config.yml:2 warning package-id"]
    desk.package_sync = False
    assert desk.found() == []


@pytest.mark.parametrize(("text", "expected"), [(None, []), ("Orders", []), (" ", ["config.yml:2 warning short-text"])])
def test_an_empty_short_text_is_a_warning(desk: Desk, text: str | None, expected: list[str]) -> None:
    """Not given is fine: the tenant's stays."""
    desk.short_text = text
    assert expected == desk.found()


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        ("BIMA_-_ASCX12_Flow_-_Inbound", []),
        ("com.sap.integration.Utilities", []),
        ("Order In", ["config.yml:10 warning artifact-id"]),
        ("Order;In", ["config.yml:10 warning artifact-id"]),
    ],
)
def test_artifact_ids_that_no_bundle_can_have(desk: Desk, artifact: str, expected: list[str]) -> None:
    """An id becomes the bundle's symbolic name."""
    desk.add(artifact)
    assert expected == desk.found()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("BIMA - ASCX12 Flow - Inbound_TEMPLATE", ""),
        ("_Ünter 2.0", ""),
        ("x" * 120, ""),
        ("x" * 121, "has 121 characters, more than 120"),
        ("Orders.", "ends with '.'"),
        ("2nd flow", "does not begin with a letter"),
        ("Orders (copy)", "other characters than letters"),
    ],
)
def test_artifact_names_follow_the_documented_rules(desk: Desk, name: str, reason: str) -> None:
    """At most 120 characters, the first a letter or underscore, no dot at the end."""
    desk.add(name=name)
    found = desk.check()
    assert (["artifact-name"] if reason else []) == [finding.rule.value for finding in found]
    assert all(reason in finding.problem.message for finding in found)
