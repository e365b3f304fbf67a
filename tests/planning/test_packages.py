"""A package's own metadata: created, changed where the configuration says so, otherwise left alone."""

from __future__ import annotations

import pytest

from cpi_tasks.errors import Problem
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import PackageId
from cpi_tasks.model.plan import PackageAction, PackagePlan
from cpi_tasks.planning.packages import plan_package
from tests.planning.builders import inventory, package, tenant_package

METADATA = {
    "Name": "Orders",
    "ShortText": "Order flows",
    "Description": "<p>All about orders</p>",
    "Version": "1.2.0",
    "Vendor": "ACME",
    "Keywords": "[a, b]",
}


def planned(result: PackagePlan | Problem) -> PackagePlan:
    assert isinstance(result, PackagePlan)
    return result


def test_a_new_package_is_called_by_its_id_where_nothing_is_given() -> None:
    """Without display name and short text, Name and ShortText of a new package are its id."""
    result = planned(plan_package(package(called="Orders"), Inventory()))

    assert result.action is PackageAction.CREATE
    assert result.metadata == {"Name": "Orders", "ShortText": "Orders"}


def test_a_new_package_gets_what_is_given() -> None:
    """Name, short text and description of a new package come from the configuration."""
    spec = package(called="Orders", name="Order handling", short_text="Order flows", description="All about orders")

    assert planned(plan_package(spec, Inventory())).metadata == {
        "Name": "Order handling",
        "ShortText": "Order flows",
        "Description": "All about orders",
    }


def test_the_short_text_of_a_new_package_is_its_name() -> None:
    """Without short text a new package's ShortText is its display name, with the prefix."""
    result = planned(plan_package(package(called="Orders", name="Order handling", prefix="DEV"), Inventory()))

    assert result.id == "DEVOrders"
    assert result.metadata == {"Name": "DEV - Order handling", "ShortText": "DEV - Order handling"}


def test_what_is_not_given_is_left_alone() -> None:
    """A package for which the configuration gives no metadata is unchanged, whatever the tenant has."""
    tenant = inventory(package=tenant_package("Orders", metadata=METADATA))

    result = planned(plan_package(package(called="Orders"), tenant))

    assert result.action is PackageAction.UNCHANGED
    assert result.metadata == {}


def test_only_what_differs_changes_and_the_rest_is_sent_as_read() -> None:
    """A PUT empties what it leaves out, so everything else goes along exactly as the tenant gave it."""
    tenant = inventory(package=tenant_package("Orders", metadata=METADATA))
    spec = package(called="Orders", name="Order handling", short_text="Order flows", description="All about orders")

    result = planned(plan_package(spec, tenant))

    assert result.action is PackageAction.UPDATE
    assert result.changed_fields == ("Name",)
    assert result.reason == "Name differs"
    assert result.metadata == {
        "Name": "Order handling",
        "ShortText": "Order flows",
        "Description": "<p>All about orders</p>",
        "Version": "1.2.0",
        "Vendor": "ACME",
        "Keywords": "[a, b]",
    }


def test_every_differing_field_is_named() -> None:
    """The reason of a metadata update lists all fields that differ."""
    tenant = inventory(package=tenant_package("Orders", metadata=METADATA))
    spec = package(called="Orders", name="Other", short_text="Other text", description="Other description")

    result = planned(plan_package(spec, tenant))

    assert result.reason == "Name, ShortText, Description differ"
    assert result.metadata["Description"] == "Other description"


def test_an_empty_description_that_is_given_empties_the_tenants() -> None:
    """An empty text is given, not absent: it takes the place of the tenant's."""
    tenant = inventory(package=tenant_package("Orders", metadata=METADATA))

    result = planned(plan_package(package(called="Orders", description=""), tenant))

    assert result.changed_fields == ("Description",)
    assert result.metadata["Description"] == ""


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ("<p>All about orders</p>", "All about orders"),
        ("<p>All about orders</p>", "All about orders\n"),
        ("<p><p>All about orders</p></p>", "All about orders"),
        ("<p>\n<p> <p>All about orders</p></p>\n</p>\n", "All about orders"),
        ("<P>All about orders</P>", "All about orders"),
        ("<p>Orders &amp; returns &lt;b2b&gt;</p>", "Orders & returns <b2b>"),
        ("<p>first line\nsecond line</p>", "first line\n\nsecond line\n"),
        ("<p>one</p><p>two</p>", "<p>one</p><p>two</p>"),
        ("<p><p>one</p><p>two</p></p>", "<p>one</p><p>two</p>"),
        ("<p>All about orders</p>", "<p>All about orders</p>"),
        ("<ul><li>orders</li></ul>", "<ul><li>orders</li></ul>\n"),
        ("<p></p>", ""),
        ("", ""),
    ],
)
def test_descriptions_that_mean_the_same_are_no_difference(stored: str, given: str) -> None:
    """The tenant's paragraphs, escapes and blanks around a description cause no update."""
    tenant = inventory(package=tenant_package("Orders", metadata={**METADATA, "Description": stored}))

    assert planned(plan_package(package(called="Orders", description=given), tenant)).action is PackageAction.UNCHANGED


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ("<p>All about orders</p>", "All about order"),
        ("<p>one</p><p>two</p>", "<p>one two</p>"),
        ("<p>one</p><p>two</p>", "one</p><p>two"),
        ("<p>orders</p>", ""),
        ("", "orders"),
    ],
)
def test_descriptions_that_differ_are_a_difference(stored: str, given: str) -> None:
    """What is left after the paragraphs are taken off counts."""
    tenant = inventory(package=tenant_package("Orders", metadata={**METADATA, "Description": stored}))

    assert planned(plan_package(package(called="Orders", description=given), tenant)).changed_fields == ("Description",)


def test_blanks_around_a_name_or_short_text_are_no_difference() -> None:
    """The line end of a YAML block scalar does not cause an update."""
    tenant = inventory(package=tenant_package("Orders", metadata=METADATA))

    result = planned(plan_package(package(called="Orders", name="Orders\n", short_text="Order flows\n"), tenant))

    assert result.action is PackageAction.UNCHANGED


def test_sync_false_leaves_the_metadata_alone() -> None:
    """A package with ``sync: false`` is neither created nor changed."""
    spec = package(called="Orders", name="Other", sync=False)

    for tenant in (Inventory(), inventory(package=tenant_package("Orders", metadata=METADATA))):
        result = planned(plan_package(spec, tenant))

        assert result.action is PackageAction.KEEP
        assert result.reason == "sync is false: metadata is left alone"
        assert result.metadata == {}


def test_a_read_only_package_is_left_alone_and_says_so() -> None:
    """Metadata of a read-only package is neither compared nor sent."""
    tenant = inventory(package=tenant_package("Orders", metadata=METADATA, is_read_only=True))

    result = planned(plan_package(package(called="Orders", name="Other"), tenant))

    assert result.action is PackageAction.KEEP
    assert "read-only" in result.reason


def test_a_package_the_tenant_does_not_show_is_refused_with_its_reason() -> None:
    """What could not be read is neither created nor changed."""
    tenant = Inventory(
        unreadable_packages={PackageId("Orders"): "could not read package 'Orders': the tenant answered 403"}
    )

    result = planned(plan_package(package(called="Orders", name="Other"), tenant))

    assert result.action is PackageAction.REFUSE
    assert result.reason == "could not read package 'Orders': the tenant answered 403"


@pytest.mark.parametrize("bad", ["my_orders", "my-orders", "my.orders", "Bestellungenü", "my orders"])
def test_a_new_package_whose_id_a_tenant_refuses_is_a_problem(bad: str) -> None:
    """Letters and digits only: anything else in a new id is told before anything is sent, with its place."""
    result = plan_package(package(called=bad), Inventory())

    assert isinstance(result, Problem)
    assert (result.file, result.line, result.column) == ("deploy.yml", 3, 5)
    assert result.path == "packages.0.integrationSuiteId"
    assert f"'{bad}'" in result.message
    assert "letters and digits" in result.message


def test_a_prefix_with_an_underscore_is_a_problem_for_a_new_package_only() -> None:
    """``DEV_Orders`` cannot be created, but where it exists it is worked on."""
    spec = package(called="Orders", prefix="DEV_")
    tenant = inventory(package=tenant_package("DEV_Orders", metadata=METADATA))

    assert isinstance(plan_package(spec, Inventory()), Problem)
    assert planned(plan_package(spec, tenant)).action is PackageAction.UNCHANGED


@pytest.mark.parametrize("existing", ["my_orders", "my-orders", "com.acme.orders"])
def test_an_existing_package_may_have_any_id(existing: str) -> None:
    """An id that could not be created any more is fine where the package is there."""
    tenant = inventory(package=tenant_package(existing, metadata=METADATA))

    assert planned(plan_package(package(called=existing), tenant)).action is PackageAction.UNCHANGED
