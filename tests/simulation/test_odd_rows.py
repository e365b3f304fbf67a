"""A row or entity of the tenant's answer that cannot be read fails what it belongs to, never the run."""

from __future__ import annotations

import json

import pytest
import trio

from cpi_tasks.model.report import Status
from cpi_tasks.simulator.faults import Fault, FaultKind
from cpi_tasks.simulator.rules import ALWAYS, FaultRule, When
from tests.support.project import PROP, PROPDEF, SCRIPT, definitions
from tests.support.world import World

FLOW = r"IntegrationDesigntimeArtifacts\(Id='Orders',Version='active'\)"
LIST = r"IntegrationPackages\('Sales'\)/IntegrationDesigntimeArtifacts"
RUNTIME = r"IntegrationRuntimeArtifacts$"
ROW = r"IntegrationRuntimeArtifacts\('Orders'\)"
ODD_LISTS = {
    "null": [None],
    "text": ["Orders"],
    "no key": [{"Name": "Orders", "ParameterValue": "x"}],
    "null key": [{"Id": None, "ParameterKey": None}],
    "key that is none": [{"Id": {}, "ParameterKey": []}],
}
ODD_ENTITIES: dict[str, object] = {
    "null": None,
    "empty": {},
    "null key": {"Id": None},
    "empty key": {"Id": ""},
    "rows": [],
}


def fail(world: World, pattern: str, answer: object, when: When = ALWAYS) -> None:
    """Answer every such request with 200 and this in the envelope."""
    fault = Fault(kind=FaultKind.STATUS, status=200, body=json.dumps({"d": answer}).encode())
    world.simulator.play(world.simulator.script(FaultRule(method="GET", pattern=pattern, when=when, fault=fault)))


async def fill(world: World) -> None:
    """Bring two packages up and change a script in each."""
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    world.project.flow("Sales", "Returns")
    world.project.flow("Stock", "Counting")
    world.project.collection("Stock", "Scripts")
    assert (await world.run()).exit_code == 0
    for package, artifact in (("Sales", "Orders"), ("Stock", "Counting")):
        world.project.edit(package, artifact, SCRIPT, b"// changed")


@pytest.mark.parametrize("name", ODD_LISTS)
async def test_an_odd_parameter_fails_its_flow_alone(
    world: World, autojump_clock: trio.testing.MockClock, name: str
) -> None:
    """Nothing can be said of the parameters of unchanged content; the others are done, and a rerun repairs it."""
    await fill(world)
    world.project.edit(
        "Sales", "Orders", SCRIPT, world.project.folder("Sales", "Returns").joinpath(SCRIPT).read_bytes()
    )
    body = json.dumps({"d": {"results": ODD_LISTS[name]}}).encode()
    world.simulator.fail_next("GET", f"{FLOW}/Configurations", 200, body, times=3)
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses() == {
        "Orders": ("failed", "aborted"),
        "Returns": ("unchanged", "unchanged"),
        "Counting": ("done", "done"),
        "Scripts": ("unchanged", "unchanged"),
    }
    assert "could not read the parameters of integration flow 'Orders'" in ran.update("Orders").reason
    assert not ran.update("Orders").is_unreachable
    assert (await world.run()).exit_code == 0


@pytest.mark.parametrize("name", ODD_LISTS)
async def test_an_odd_row_in_a_list_of_artifacts_fails_none(
    world: World, autojump_clock: trio.testing.MockClock, name: str
) -> None:
    """Whose row it is is not known: each artifact is read by itself, and those that can be read are done."""
    await fill(world)
    fail(world, LIST, {"results": ODD_LISTS[name]})
    ran = await world.run()

    assert ran.exit_code == 0
    assert (ran.update("Orders").status, ran.update("Returns").status) == (Status.DONE, Status.UNCHANGED)


@pytest.mark.parametrize("name", ODD_ENTITIES)
async def test_an_odd_entity_fails_its_artifact_alone(
    world: World, autojump_clock: trio.testing.MockClock, name: str
) -> None:
    """Read by itself as well, the artifact fails, and no other of its package."""
    await fill(world)
    world.project.edit("Sales", "Returns", SCRIPT, b"// changed")
    fault = Fault(kind=FaultKind.STATUS, status=200, body=b'{"d":{"results":[null]}}')
    single = Fault(kind=FaultKind.STATUS, status=200, body=json.dumps({"d": ODD_ENTITIES[name]}).encode())
    rules = (
        FaultRule(method="GET", pattern=LIST, fault=fault),
        FaultRule(method="GET", pattern=f"{FLOW}$", fault=single),
    )
    world.simulator.play(world.simulator.script(*rules))
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses() == {
        "Orders": ("failed", "aborted"),
        "Returns": ("done", "done"),
        "Counting": ("done", "done"),
        "Scripts": ("unchanged", "unchanged"),
    }
    assert "could not read integration flow 'Orders'" in ran.update("Orders").reason


@pytest.mark.parametrize("name", ODD_LISTS)
async def test_an_odd_runtime_row_fails_no_other(
    world: World, autojump_clock: trio.testing.MockClock, name: str
) -> None:
    """What runs is asked for one by one, before and while deploying."""
    await fill(world)
    fail(world, RUNTIME, {"results": ODD_LISTS[name]})
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.deployed == ("Counting", "Orders")


async def test_an_odd_runtime_entity_fails_its_artifact_alone(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Without knowing what ran before, no deployment could be told from the one before it."""
    await fill(world)
    odd = Fault(kind=FaultKind.STATUS, status=200, body=b'{"d":{"results":[0]}}')
    rules = [
        FaultRule(method="GET", pattern=RUNTIME, fault=odd),
        FaultRule(method="GET", pattern=ROW, fault=Fault(kind=FaultKind.STATUS, status=200, body=b'{"d":{}}')),
    ]
    world.simulator.play(world.simulator.script(*rules))
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.deployed == ("Counting",)
    assert ran.statuses()["Orders"] == ("failed", "aborted")
    assert "could not read runtime artifact 'Orders'" in ran.update("Orders").reason


async def test_an_odd_runtime_row_while_deploying(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A row that goes bad after planning is worked around as well."""
    world.project.flow("Sales", "Orders")
    world.project.flow("Sales", "Returns")
    world.project.flow("Stock", "Counting")
    fail(world, RUNTIME, {"results": [{"Id": "Orders"}, {"Name": "?"}]}, When(after="triggered *"))
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.deployed == ("Counting", "Orders", "Returns")


@pytest.mark.parametrize("name", ODD_ENTITIES)
async def test_an_odd_package_fails_that_package_alone(
    world: World, autojump_clock: trio.testing.MockClock, name: str
) -> None:
    """The other package is done."""
    await fill(world)
    fail(world, r"IntegrationPackages\('Sales'\)$", ODD_ENTITIES[name])
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses()["Orders"] == ("failed", "aborted")
    assert ran.statuses()["Counting"] == ("done", "done")


async def test_an_archive_that_is_none_fails_its_artifact_alone(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """The same holds for content that cannot be read."""
    await fill(world)
    fault = Fault(kind=FaultKind.STATUS, status=200, body=b"no archive")
    world.simulator.play(world.simulator.script(FaultRule(method="GET", pattern=rf"{FLOW}/\$value", fault=fault)))
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses()["Orders"] == ("failed", "aborted")
    assert ran.statuses()["Counting"] == ("done", "done")


@pytest.mark.parametrize("is_shown", [True, False])
async def test_a_tenant_that_has_an_empty_key_is_repaired_by_good_files(
    world: World, autojump_clock: trio.testing.MockClock, *, is_shown: bool
) -> None:
    """An upload of another tool brought it there; whether its row has an empty key or none, the files replace it."""
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"}, version="1.0.1")
    assert (await world.run()).exit_code == 0
    world.simulator.edit_content(
        "Orders", {PROP: b"== Sender ==\nHost=a.example\n", PROPDEF: definitions(["Host"], {})}
    )
    assert "" in world.simulator.artifact("Orders").parameters
    if not is_shown:
        rows = [{"ParameterKey": None, "ParameterValue": "= Sender =="}, {"ParameterKey": "Host"}]
        fail(world, f"{FLOW}/Configurations", {"results": rows}, When(before="request PUT Orders"))
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.statuses()["Orders"] == ("done", "done")
    assert dict(world.simulator.artifact("Orders").parameters) == {"Host": "a.example"}
    again = await world.run()
    assert (again.exit_code, again.writes) == (0, ())
