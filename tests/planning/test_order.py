"""What waits for what: script collections and message mappings go before the flows that use them."""

from __future__ import annotations

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactKind, DraftPolicy, Mode
from cpi_tasks.model.plan import DeployAction
from tests.planning.builders import (
    MAPPING,
    OTHER,
    SCRIPTS,
    content,
    depends_on,
    design,
    inventory,
    package,
    plan,
    plan_with_library,
    runtime,
    spec,
)

DEPLOY_ONLY = Settings(mode=Mode.DEPLOY_ONLY)


def test_a_flow_waits_for_a_new_script_collection_of_another_package() -> None:
    """What is created is deployed before what uses it, across packages."""
    library = content(spec("Lib", SCRIPTS, package="Libs"))

    assert depends_on(plan_with_library(library, inventory())) == {"Flow": {"Lib"}, "Lib": set()}


@pytest.mark.parametrize("kind", [SCRIPTS, MAPPING])
def test_a_flow_waits_for_what_is_written(kind: ArtifactKind) -> None:
    """A changed script collection or message mapping goes first."""
    library = content(spec("Lib", kind, package="Libs"), OTHER)
    tenant = inventory(design("Lib", kind), running=[runtime("Lib")])

    assert depends_on(plan_with_library(library, tenant))["Flow"] == {"Lib"}


def test_a_flow_waits_for_what_is_deployed_though_unchanged() -> None:
    """A library that does not run yet goes first even where nothing of it is written."""
    library = content(spec("Lib", SCRIPTS, package="Libs"))

    assert depends_on(plan_with_library(library, inventory(design("Lib", SCRIPTS))))["Flow"] == {"Lib"}


def test_a_flow_waits_for_a_deployment_that_is_watched() -> None:
    """A library that is still starting is waited for."""
    library = content(spec("Lib", SCRIPTS, package="Libs"))
    tenant = inventory(design("Lib", SCRIPTS), running=[runtime("Lib", status="STARTING")])

    assert depends_on(plan_with_library(library, tenant))["Flow"] == {"Lib"}


def test_a_flow_does_not_wait_for_what_runs() -> None:
    """A library proved to run is no reason to wait."""
    library = content(spec("Lib", SCRIPTS, package="Libs"))
    tenant = inventory(design("Lib", SCRIPTS), running=[runtime("Lib")])

    assert depends_on(plan_with_library(library, tenant)) == {"Flow": set(), "Lib": set()}


def test_a_flow_depends_on_what_is_written_and_not_deployed() -> None:
    """Should the write of a library with ``deploy: false`` fail, what uses it must not be deployed."""
    library = content(spec("Lib", SCRIPTS, package="Libs", deploy=False), OTHER)
    tenant = inventory(design("Lib", SCRIPTS), running=[runtime("Lib")])

    assert depends_on(plan_with_library(library, tenant))["Flow"] == {"Lib"}


def test_a_flow_depends_on_a_library_whose_update_is_refused() -> None:
    """A failure known beforehand keeps what depends on it out of the deploy phase."""
    library = content(spec("Lib", SCRIPTS, package="Libs", deploy=False), OTHER)
    tenant = inventory(design("Lib", SCRIPTS, version="Active"))

    assert depends_on(plan_with_library(library, tenant))["Flow"] == {"Lib"}


def test_a_flow_depends_on_a_library_whose_deployment_is_refused() -> None:
    """A library that is missing on the tenant keeps what uses it out as well."""
    library = content(spec("Lib", SCRIPTS, package="Libs"))

    planned = plan_with_library(library, inventory(design("Flow")), DEPLOY_ONLY)

    assert depends_on(planned) == {"Flow": {"Lib"}, "Lib": set()}
    assert [one.deploy.action for one in planned.artifacts() if one.deploy] == [
        DeployAction.DEPLOY,
        DeployAction.REFUSE,
    ]


def test_a_flow_does_not_depend_on_what_it_does_not_use() -> None:
    """Neither the other artifacts of its package nor libraries of others are waited for."""
    flow, library = content(spec("Flow"), references=["Elsewhere"]), content(spec("Lib", SCRIPTS))

    planned = plan([package(flow.spec, library.spec)], [flow, library], Inventory())

    assert depends_on(planned) == {"Flow": set(), "Lib": set()}


def test_a_library_may_wait_for_another_one() -> None:
    """A message mapping that uses a script collection waits for it like a flow."""
    one = content(spec("Lib", SCRIPTS))
    two = content(spec("Map", MAPPING), references=["Lib"])
    flow = content(spec("Flow"), references=["Map"])

    planned = plan([package(flow.spec, two.spec, one.spec)], [one, two, flow], Inventory())

    assert depends_on(planned) == {"Flow": {"Map"}, "Map": {"Lib"}, "Lib": set()}


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_artifacts_that_use_each_other_do_not_wait_for_ever(length: int) -> None:
    """A circle of references is opened at one place, so that a deployment can begin."""
    names = [f"Lib{number}" for number in range(length)]
    libraries = [
        content(spec(name, SCRIPTS), references=[names[(number + 1) % length]]) for number, name in enumerate(names)
    ]

    waits = depends_on(plan([package(*(one.spec for one in libraries))], libraries, Inventory()))

    assert sum(len(needed) for needed in waits.values()) == length - 1
    free = {name for name, needed in waits.items() if not needed}
    while len(free) < length:
        ready = {name for name, needed in waits.items() if needed <= free} - free
        assert ready
        free |= ready


def test_a_draft_that_is_skipped_is_not_waited_for() -> None:
    """A library left alone as somebody's draft has no deployment that one could wait for."""
    library = content(spec("Lib", SCRIPTS, package="Libs"), OTHER)
    tenant = inventory(design("Lib", SCRIPTS, version="Active"))

    planned = plan_with_library(library, tenant, Settings(on_draft=DraftPolicy.SKIP))

    assert depends_on(planned) == {"Flow": set()}
