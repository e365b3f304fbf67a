"""What waits for what: it needs what it uses or ``dependsOn`` names; what it works with goes first if that can be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.config import ArtifactSpec, Position, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, DraftPolicy, Mode
from cpi_tasks.model.plan import DeployAction, Plan
from tests.planning.builders import (
    MAPPING,
    OTHER,
    SCRIPTS,
    VALUES,
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


def naming(of: ArtifactSpec, *needed: str) -> ArtifactSpec:
    """Give an artifact with ``dependsOn``."""
    place = Position(file="deploy.yml", line=15, column=9)
    return replace(of, depends_on={ArtifactId(id_): place for id_ in needed})


def direct(
    artifact: str, *, listens_to: str = "", calls: str = "", package: str = "Pack", needed: str = ""
) -> ArtifactContent:
    """Give a flow with ProcessDirect addresses (one letter each), and ``dependsOn``."""
    own = naming(spec(artifact, package=package), *needed)
    return replace(content(own), listens_to=frozenset(listens_to), calls=frozenset(calls))


def plan_all(*contents: ArtifactContent, tenant: Inventory | None = None) -> Plan:
    """Plan artifacts, each in the package that it names."""
    packages: dict[str, list[ArtifactSpec]] = {}
    for one in contents:
        packages.setdefault(one.spec.ref.package, []).append(one.spec)
    return plan([package(*specs, called=name) for name, specs in packages.items()], contents, tenant or Inventory())


def goes_after(planned: Plan) -> dict[str, set[str]]:
    """Give what every planned deployment goes after if it can, by artifact id."""
    return {
        artifact.ref.artifact: {other.artifact for other in artifact.deploy.goes_after}
        for artifact in planned.artifacts()
        if artifact.deploy is not None
    }


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


def test_a_named_artifact_is_waited_for() -> None:
    """``dependsOn`` makes any artifact wait for any other, across packages."""
    first, second = content(naming(spec("A"), "B")), content(spec("B", VALUES, package="Other"))

    assert depends_on(plan_all(first, second)) == {"A": {"B"}, "B": set()}


def test_dependencies_need_no_files() -> None:
    """Where only deployments happen and no folder was read, ``dependsOn`` still counts."""
    specs = (naming(spec("A"), "B"), spec("B"))
    planned = plan([package(*specs)], [], inventory(design("A"), design("B")), DEPLOY_ONLY)

    assert depends_on(planned) == {"A": {"B"}, "B": set()}


def test_a_named_artifact_that_runs_is_not_waited_for() -> None:
    """Nobody waits for what is proved to run, or for what the filters left out."""
    first, second = content(naming(spec("A"), "B", "Filtered")), content(spec("B"))
    tenant = inventory(design("A"), design("B"), running=[runtime("B")])

    assert depends_on(plan_all(first, second, tenant=tenant)) == {"A": set(), "B": set()}


def test_a_name_goes_before_a_use() -> None:
    """Where ``dependsOn`` and the content contradict each other, what the configuration says holds."""
    library = content(naming(spec("Lib", SCRIPTS), "Flow"))
    flow = content(spec("Flow"), references=["Lib"])

    assert depends_on(plan_all(flow, library)) == {"Flow": set(), "Lib": {"Flow"}}


def test_a_caller_goes_after_what_it_calls() -> None:
    """A flow with a ProcessDirect receiver goes after all that listen there, across packages, without needing them."""
    planned = plan_all(
        direct("Caller", calls="xy"),
        direct("One", listens_to="x", package="Other"),
        direct("Two", listens_to="xy"),
        direct("Nobody", listens_to="z"),
    )

    assert goes_after(planned) == {"Caller": {"One", "Two"}, "One": set(), "Two": set(), "Nobody": set()}
    assert not any(depends_on(planned).values())


def test_callers_of_each_other_are_cut_silently() -> None:
    """Flows that call each other in a circle can still begin: the first in the files waits for no return."""
    planned = plan_all(
        direct("A", listens_to="a", calls="b"),
        direct("B", listens_to="b", calls="c"),
        direct("C", listens_to="c", calls="a"),
    )

    assert goes_after(planned) == {"A": {"B"}, "B": {"C"}, "C": set()}
    assert planned.warnings == ()


def test_a_flow_that_calls_itself_does_not_wait() -> None:
    """An address at which the caller itself listens is no reason to wait."""
    assert goes_after(plan_all(direct("A", listens_to="a", calls="a"))) == {"A": set()}


def test_a_need_goes_before_a_call() -> None:
    """A ProcessDirect call against ``dependsOn`` is left out of the order; along with it, it is one edge only."""
    against = plan_all(direct("A", listens_to="a", needed="B"), direct("B", calls="a"))
    along = plan_all(direct("A", calls="b", needed="B"), direct("B", listens_to="b"))

    assert (depends_on(against)["A"], goes_after(against)["B"]) == ({"B"}, set())
    assert (depends_on(along)["A"], goes_after(along)["A"]) == ({"B"}, set())


def test_a_listener_that_runs_is_not_waited_for() -> None:
    """Only what this run deploys has an order."""
    tenant = inventory(design("A"), design("B"), running=[runtime("B")])

    assert goes_after(plan_all(direct("A", calls="b"), direct("B", listens_to="b"), tenant=tenant))["A"] == set()


def test_what_looks_values_up_goes_after_value_mappings() -> None:
    """A script or mapping that looks values up goes after every value mapping of the run; others do not."""
    asks = replace(content(spec("Asks")), looks_up_values=True)
    planned = plan_all(
        asks, content(spec("Other")), content(spec("One", VALUES)), content(spec("Two", VALUES, package="Far"))
    )

    assert goes_after(planned) == {"Asks": {"One", "Two"}, "Other": set(), "One": set(), "Two": set()}
    assert not any(depends_on(planned).values())
