"""References to what this run does not deploy: absent on the tenant too they are a warning, or an error if strict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.errors import InputError
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, Position, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, Mode
from cpi_tasks.model.plan import Plan
from cpi_tasks.planning import make_plan
from tests.planning.builders import OTHER, content, design, inventory, package, plan, runtime, spec

STRICT = Settings(is_strict=True)
NOWHERE = "needs 'Lib', which does not exist on the tenant; nor does this run deploy it first"
IDLE = "needs 'Lib', which is not deployed on the tenant; nor does this run deploy it first"


def naming(of: ArtifactSpec, needed: str) -> ArtifactSpec:
    return replace(of, depends_on={ArtifactId(needed): Position(file="deploy.yml", line=15, column=23)})


def knowing(tenant: Inventory, **elsewhere: bool) -> Inventory:
    """Give a tenant with what was found of artifacts outside the configuration: whether design time has them."""
    return replace(tenant, elsewhere={ArtifactId(id_): is_there for id_, is_there in elsewhere.items()})


def planned(one: ArtifactContent, tenant: Inventory, settings: Settings | None = None) -> Plan:
    return plan([package(one.spec)], [one], tenant, settings or Settings())


@pytest.mark.parametrize(("is_there", "expected"), [(False, NOWHERE), (True, IDLE)])
def test_an_absent_reference_is_a_warning(*, is_there: bool, expected: str) -> None:
    """What a flow uses and nobody has is told, with what the tenant knows of it; the plan is made all the same."""
    flow = content(spec("Flow"), references=["Lib"])

    assert planned(flow, knowing(inventory(), Lib=is_there)).warnings == (f"integration flow 'Flow' {expected}",)


def test_strict_makes_it_an_error_at_its_place() -> None:
    """Under ``--strict`` every such reference is a problem: a name at its own place, a use at that of the artifact."""
    flow = content(naming(spec("Flow"), "Named"), references=["Lib"])

    with pytest.raises(InputError) as caught:
        planned(flow, knowing(inventory(), Lib=False, Named=True), STRICT)

    assert [str(problem) for problem in caught.value.problems] == [
        f"deploy.yml:12:7: packages.0.artifacts.0: integration flow 'Flow' {NOWHERE}",
        f"deploy.yml:15:23: integration flow 'Flow' {IDLE.replace('Lib', 'Named')}",
    ]


@pytest.mark.parametrize("settings", [Settings(), STRICT])
def test_what_runs_on_the_tenant_is_there(settings: Settings) -> None:
    """A reference to what somebody else deployed is fine, in whatever state it is."""
    flow = content(spec("Flow"), references=["Lib"])
    tenant = knowing(inventory(running=[runtime("Lib", status="ERROR")]))

    assert planned(flow, tenant, settings).warnings == ()


def test_what_the_tenant_would_not_tell_is_not_held_against_anybody() -> None:
    """Where looking was refused nothing is known, so nothing is said."""
    assert planned(content(spec("Flow"), references=["Lib"]), inventory(), STRICT).warnings == ()


def test_what_is_not_deployed_is_not_complained_about() -> None:
    """A flow that runs as wanted has what it needs, and one that is only updated does not start."""
    runs = content(spec("Flow"), references=["Lib"])
    only_updated = Settings(mode=Mode.UPDATE_ONLY, is_strict=True)
    tenant = knowing(inventory(design("Flow"), running=[runtime("Flow")]), Lib=False)

    assert planned(runs, tenant, STRICT).warnings == ()
    assert planned(content(spec("Flow"), OTHER, references=["Lib"]), tenant, only_updated).warnings == ()


def test_what_an_earlier_configuration_deploys_is_there() -> None:
    """Of several configurations a later one may need what an earlier one deploys, but not the other way round."""
    library, flow = content(spec("Lib")), content(spec("Flow"), references=["Lib"])
    tenant = knowing(inventory(), Lib=False)
    first = planned(library, inventory())
    config = DeployConfig(source="second.yml", prefix="", packages=(package(flow.spec),), renames={})

    assert make_plan(config, {flow.spec.ref: flow}, tenant, STRICT, earlier=[first]).warnings == ()
    with pytest.raises(InputError):
        make_plan(config, {flow.spec.ref: flow}, tenant, STRICT)
