"""Three sides tell who made a difference: the files, the tenant, and what the last run left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.plan import Origin, PackageAction
from cpi_tasks.model.records import ArtifactRecord, Baseline
from cpi_tasks.planning.origins import combined, field_origin, parameter_origin, tell_origin
from tests.planning.builders import (
    OTHER,
    SAME,
    content,
    digest,
    inventory,
    package,
    plan,
    plan_one,
    spec,
    tenant_package,
    update_of,
)
from tests.planning.remembered import drift, left, remembering, visited

FLOW = ArtifactId("Flow")
PACK = PackageId("Pack")
SIDES = st.sampled_from(["a", "b", "c", None])


@pytest.mark.parametrize(
    ("baseline", "tenant", "files", "origin"),
    [
        ("a", "a", "b", Origin.FILES),
        ("a", "b", "a", Origin.TENANT),
        ("a", "b", "c", Origin.BOTH),
        ("a", "b", None, Origin.TENANT),
        ("a", "a", None, Origin.FILES),
        (None, "a", "b", Origin.UNKNOWN),
        ("a", None, "b", Origin.UNKNOWN),
    ],
)
def test_the_side_that_moved_made_the_difference(
    baseline: str | None, tenant: str | None, files: str | None, origin: Origin
) -> None:
    """Whoever is not as the last run left it has moved; what nobody knows is said to be unknown."""
    assert tell_origin(baseline, tenant, files) is origin


@given(SIDES, SIDES, SIDES)
def test_nobody_is_blamed_without_proof(baseline: str | None, tenant: str | None, files: str | None) -> None:
    """Drift is only said where the tenant is known to be another than the last run left."""
    is_proved = baseline is not None and tenant is not None and baseline != tenant

    assert tell_origin(baseline, tenant, files).is_drift == is_proved


@pytest.mark.parametrize(
    ("origins", "together"),
    [
        ([Origin.FILES, Origin.FILES], Origin.FILES),
        ([Origin.TENANT, Origin.FILES], Origin.BOTH),
        ([Origin.TENANT, Origin.UNKNOWN], Origin.TENANT),
        ([Origin.BOTH, Origin.FILES], Origin.BOTH),
        ([Origin.FILES, Origin.UNKNOWN], Origin.UNKNOWN),
        ([], Origin.UNKNOWN),
    ],
)
def test_drift_in_one_of_several_differences_stays_drift(origins: list[Origin], together: Origin) -> None:
    """Taken together, somebody's edit is never lost among other differences."""
    assert combined(origins) is together


@pytest.mark.parametrize(
    ("files", "tenant", "baseline", "origin"),
    [
        (OTHER, SAME, left(SAME), Origin.FILES),
        (SAME, OTHER, left(SAME), Origin.TENANT),
        ({"c": "3"}, OTHER, left(SAME), Origin.BOTH),
        (OTHER, SAME, None, Origin.UNKNOWN),
        (SAME, SAME, left(OTHER), None),
    ],
)
def test_a_step_knows_who_made_the_content_differ(
    files: Mapping[str, str], tenant: Mapping[str, str], baseline: Baseline | None, origin: Origin | None
) -> None:
    """The plan says of an update whose change it is about; of equal content there is nothing to say."""
    assert update_of(content(spec(), files), remembering(visited(tenant), baseline)).origin is origin


@pytest.mark.parametrize(
    ("record", "origin"),
    [
        (ArtifactRecord(uploaded=digest(OTHER).fingerprint, is_pending=True), Origin.FILES),
        # A later run settled with other content; somebody brought our older upload back.
        (ArtifactRecord(uploaded=digest(OTHER).fingerprint), Origin.TENANT),
    ],
)
def test_an_older_upload_that_came_back_is_somebodys_edit(record: ArtifactRecord, origin: Origin) -> None:
    """What we uploaded is ours while its run is not over; ``onDrift`` must not let a restored one through."""
    assert update_of(content(spec()), remembering(visited(OTHER, record=record), left(SAME))).origin is origin


@pytest.mark.parametrize(
    ("on_record", "origin"), [("Flow", Origin.TENANT), ("Another", Origin.FILES), (None, Origin.UNKNOWN)]
)
def test_a_creation_knows_whether_something_was_deleted(on_record: str | None, origin: Origin) -> None:
    """What the last run left and is gone was deleted, what it did not leave is new; without a record nobody can tell.

    Plan and drift say the same.
    """
    of = content(spec())
    known = replace(inventory(), baselines={} if on_record is None else {ArtifactId(on_record): left()})

    assert update_of(of, known).origin is origin
    assert [entry.origin for entry in drift(of, known)] == [origin]


@pytest.mark.parametrize(
    ("on_record", "origin"), [("Pack", Origin.TENANT), ("Another", Origin.FILES), (None, Origin.UNKNOWN)]
)
def test_a_packages_creation_knows_whether_it_was_deleted(on_record: str | None, origin: Origin) -> None:
    """The same holds for packages."""
    left_there = {} if on_record is None else {PackageId(on_record): {"Name": "Pack"}}
    known = replace(Inventory(), package_baselines=left_there)
    of = content(spec(sync=False, deploy=False))

    (planned,) = plan([package()], [], known).packages

    assert (planned.action, planned.origin) == (PackageAction.CREATE, origin)
    assert [entry.origin for entry in drift(of, known)] == [origin]


@pytest.mark.parametrize(
    ("was", "now", "files", "origin"),
    [
        ({"host": "a"}, {"host": "a"}, "b", Origin.FILES),
        ({"host": "a"}, {"host": "x"}, "a", Origin.TENANT),
        ({"host": "a"}, {"host": "x"}, "b", Origin.BOTH),
        ({}, {"host": "x"}, "b", Origin.UNKNOWN),
        ({"host": "a"}, {}, "a", Origin.TENANT),
        ({"host": "a"}, {}, "b", Origin.BOTH),
        ({}, {}, "b", Origin.FILES),
    ],
)
def test_a_parameter_has_an_author(was: Mapping[str, str], now: Mapping[str, str], files: str, origin: Origin) -> None:
    """One that the tenant lacks is new in the files, or was taken away there since the last run."""
    of = content(spec(overrides={"host": files}), parameters={"host": files})
    tenant = remembering(visited(parameters=now), left(parameters=was), [of])

    assert parameter_origin(FLOW, "host", tenant) is origin
    assert [change.origin for change in update_of(of, tenant).changes] == [origin]


def test_hidden_parameters_have_no_author() -> None:
    """What the tenant does not show may be as the last run left it or not."""
    tenant = replace(remembering(visited(), left(parameters={"host": "a"})), parameters={FLOW: None})

    assert parameter_origin(FLOW, "host", tenant) is Origin.UNKNOWN


@pytest.mark.parametrize(
    ("package_left", "origin"),
    [
        ({"ShortText": "theirs"}, Origin.FILES),
        ({"ShortText": "ours"}, Origin.TENANT),
        ({"ShortText": "old"}, Origin.BOTH),
        (None, Origin.UNKNOWN),
    ],
)
def test_a_packages_field_has_an_author(package_left: Mapping[str, str] | None, origin: Origin) -> None:
    """Fields are told apart like contents; those that somebody changed are listed for ``onDrift``."""
    named = package(short_text="ours")
    held = inventory(package=tenant_package(metadata={"ShortText": "theirs"}))
    tenant = remembering(held, None, packages=[named], package_left=package_left)

    (planned,) = plan([named], [], tenant).packages

    assert field_origin(PACK, "ShortText", tenant) is origin
    assert planned.origin is origin
    assert planned.drifted_fields == (("ShortText",) if origin.is_drift else ())


def only_on_tenant(of: ArtifactContent, *keys: str) -> tuple[str, ...]:
    update = plan_one(of, visited(parameters=dict.fromkeys(keys, "x"))).update
    assert update is not None
    return update.only_on_tenant


def test_parameters_that_only_the_tenant_has_are_reported_and_never_removed() -> None:
    """They are named in order and are no change; what the model, the definition or the file names is none of them."""
    of = content(spec(), parameters={"host": "x"}, known=["in the model"])

    assert only_on_tenant(of, "zone", "host", "in the model", "area") == ("area", "zone")
    assert update_of(of, visited(parameters={"zone": "x", "host": "x"})).changes == ()
