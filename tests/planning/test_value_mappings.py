"""Value mappings have no update call: what happens where they differ is the policy's business."""

from __future__ import annotations

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.content import MappedGroups
from cpi_tasks.model.naming import ValueMappingPolicy
from cpi_tasks.model.plan import UpdateAction, UpdateStep
from tests.planning.builders import (
    OTHER,
    VALUES,
    content,
    design,
    download,
    group,
    inventory,
    plan_one,
    spec,
    update_of,
)


def mapped(files: MappedGroups, tenant: MappedGroups | None, policy: ValueMappingPolicy) -> UpdateStep:
    of = content(spec("Codes", VALUES), {"value_mapping.xml": "files"}, values=files)
    held = download({"value_mapping.xml": "tenant"}, values=tenant)
    settings = Settings(value_mappings=policy)
    return update_of(of, inventory(design("Codes", VALUES), downloads={"Codes": held}), settings)


GERMANY, FRANCE = group(ERP="DE", CRM="Germany"), group(ERP="FR", CRM="France")


def test_a_value_mapping_is_replaced_where_nothing_is_lost() -> None:
    """Under ``safe`` every entry of the tenant must be in the files."""
    step = mapped(frozenset({GERMANY, FRANCE}), frozenset({GERMANY}), ValueMappingPolicy.SAFE)

    assert (step.action, step.reason) == (UpdateAction.REPLACE, "differs in value_mapping.xml")
    assert step.base_version == "1.0.0"


def test_a_value_mapping_with_entries_of_its_own_fails_and_lists_them() -> None:
    """Under ``safe`` what only the tenant has protects it."""
    step = mapped(frozenset({GERMANY}), frozenset({GERMANY, FRANCE}), ValueMappingPolicy.SAFE)

    assert step.action is UpdateAction.REFUSE
    assert step.reason.endswith("would lose what only the tenant has: CRM/Country 'France' <-> ERP/Country 'FR'")
    assert "valueMappings" in step.advice


def test_a_value_mapping_that_cannot_be_read_fails_under_safe() -> None:
    """Where nobody can tell what would be lost, nothing is replaced."""
    step = mapped(frozenset({GERMANY}), None, ValueMappingPolicy.SAFE)

    assert step.action is UpdateAction.REFUSE
    assert step.reason.endswith("its entries could not be read")


def test_replace_says_what_is_lost() -> None:
    """Under ``replace`` the plan names the entries that only the tenant has."""
    step = mapped(frozenset({GERMANY}), frozenset({FRANCE}), ValueMappingPolicy.REPLACE)

    assert step.action is UpdateAction.REPLACE
    assert step.reason == (
        "differs in value_mapping.xml; lost on the tenant: CRM/Country 'France' <-> ERP/Country 'FR'"
    )


def test_replace_says_when_it_cannot_tell_what_is_lost() -> None:
    """Under ``replace`` entries that cannot be read are not passed over in silence."""
    step = mapped(frozenset({GERMANY}), None, ValueMappingPolicy.REPLACE)

    assert step.action is UpdateAction.REPLACE
    assert step.reason == "differs in value_mapping.xml; what is lost on the tenant could not be read"


def test_keep_leaves_a_differing_value_mapping_alone() -> None:
    """Under ``keep`` the tenant's mapping stays, and the report says so."""
    step = mapped(frozenset({GERMANY}), frozenset({FRANCE}), ValueMappingPolicy.KEEP)

    assert (step.action, step.reason) == (
        UpdateAction.KEEP,
        "differs in value_mapping.xml and is kept (valueMappings: keep)",
    )


@pytest.mark.parametrize("policy", list(ValueMappingPolicy))
def test_an_equal_value_mapping_is_unchanged(policy: ValueMappingPolicy) -> None:
    """No policy touches a mapping that is as wanted."""
    of = content(spec("Codes", VALUES), values=frozenset({GERMANY}))

    step = update_of(of, inventory(design("Codes", VALUES)), Settings(value_mappings=policy))

    assert step.action is UpdateAction.UNCHANGED


def test_a_foreign_draft_of_a_value_mapping_is_protected_before_its_entries() -> None:
    """``valueMappings: replace`` does not speak for somebody's unsaved draft."""
    of = content(spec("Codes", VALUES), OTHER, values=frozenset({GERMANY}))
    tenant = inventory(design("Codes", VALUES, version="Active"))

    step = update_of(of, tenant, Settings(value_mappings=ValueMappingPolicy.REPLACE))

    assert step.action is UpdateAction.REFUSE
    assert "draft" in step.reason


def test_a_lower_version_of_a_value_mapping_draws_a_warning() -> None:
    """Also where a mapping is created anew the tenant's higher version stays, and the plan says so."""
    of = content(spec("Codes", VALUES), OTHER, version="1.0.0", values=frozenset({GERMANY}))
    held = download(version="1.0.3", values=frozenset())

    planned = plan_one(of, inventory(design("Codes", VALUES, version="1.0.3"), downloads={"Codes": held}))

    assert planned.warnings == (
        (
            "the files say version 1.0.0, the tenant has 1.0.3: the tenant's version stays; to go back, "
            "set Bundle-Version above 1.0.3, or use versioning: exact with --allow-downgrade for 1.0.0"
        ),
    )
