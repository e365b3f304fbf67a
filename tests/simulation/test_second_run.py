"""A second run does nothing, however the tenant behaves; what cannot be proved to run is deployed, and says so."""

from __future__ import annotations

from itertools import cycle, product

import pytest
import trio

from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import ParameterPolicy
from tests.support.world import MakeWorld, World

FLOWS = frozenset({"Integration"})
EVERY_FAMILY = frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"})
FAMILIES = {"no-times": frozenset[str](), "flow-times": FLOWS, "all-times": EVERY_FAMILY}
NOT_PROVABLE = "not provable: the tenant gives no time of change and .cpi/ has no record of this state"
NO_TIME = "not provable: the tenant gives no time of deployment"
# Every tenant behaviour that has to do with proof is combined with every other; logins and the rest go round.
PROOFS = product(("manifest-if-higher", "keep", "draft"), FAMILIES, (True, False), (True, False), (True, False))
WIRES = cycle(product(("always", "basic", "never"), ("any", "not-json"), ("basic", "oauth"), (True, False)))
BEHAVIOURS = [(*proof, *wire) for proof, wire in zip(PROOFS, WIRES, strict=False)]


@pytest.mark.parametrize(
    ("version_mode", "families", "moves", "has_deployed_on", "has_tasks", "csrf", "accept", "login", "takes_values"),
    BEHAVIOURS,
)
async def test_a_second_run_does_nothing(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    version_mode: str,
    families: str,
    moves: bool,
    has_deployed_on: bool,
    has_tasks: bool,
    csrf: str,
    accept: str,
    login: str,
    takes_values: bool,
) -> None:
    """The first run brings everything up, the second uploads nothing, and deploys only where no time tells anything."""
    world = make(
        login=login,
        version_mode=version_mode,
        modified_at_families=FAMILIES[families],
        parameter_write_moves_modified_at=moves,
        gives_deployed_on=has_deployed_on,
        gives_task_id_for_all=has_tasks,
        enforce_csrf=csrf,
        error_information_accept=accept,
        put_takes_file_values=takes_values,
    )
    world.project.flow("Sales", "Orders", scripts_of="Scripts", parameters={"Host": "a.example"}, version="1.0.3")
    world.project.override("Orders", {"Host": "b.example"})
    world.project.collection("Sales", "Scripts")
    world.project.values("Sales", "Countries")
    first = await world.run()
    second = await world.run()

    assert first.statuses() == dict.fromkeys(world.simulator.artifacts, ("done", "done"))
    assert second.exit_code == 0
    assert second.uploads == ()
    if has_deployed_on:
        assert second.writes == ()
    else:
        assert {second.deploy(artifact).reason for artifact in second.deployed} == {NO_TIME}
        assert second.deployed == ("Countries", "Orders", "Scripts")


@pytest.mark.parametrize("version_mode", ["manifest-if-higher", "keep", "draft"])
@pytest.mark.parametrize("families", FAMILIES)
@pytest.mark.parametrize("moves", [True, False])
async def test_after_changes_a_run_does_nothing_either(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, version_mode: str, families: str, moves: bool
) -> None:
    """Content, a version and a parameter are changed, which deploys exactly these; the run after that does nothing."""
    world = make(
        version_mode=version_mode,
        modified_at_families=FAMILIES[families],
        parameter_write_moves_modified_at=moves,
        deploy_s=20,
    )
    world.project.every_kind()
    await world.run()
    world.project.edit("Sales", "Scripts", "src/main/resources/script/Shared.groovy", b"def shared() { 2 }\n")
    world.project.raise_version("Sales", "Scripts", "1.2.0")
    world.project.edit("Sales", "Orders", "src/main/resources/script/Main.groovy", b"// changed\n")
    world.project.override("Counting", {"Receiver Host": "d.example"})
    changing = await world.run()
    after = await world.run()

    assert changing.deployed == ("Counting", "Orders", "Scripts")
    assert changing.exit_code == 0
    assert world.simulator.artifact("Scripts").version == "1.2.0"
    assert after.writes == ()


async def test_without_records_what_the_tenant_dates_is_left_alone_and_the_rest_is_deployed(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Flows have a time of change; the other families are deployed again, with the reason shown."""
    world.project.every_kind()
    await world.run()
    world.forget()
    ran = await world.run()

    assert ran.uploads == ()
    assert ran.deployed == ("Countries", "OrderToInvoice", "Scripts")
    assert {ran.deploy(artifact).reason for artifact in ran.deployed} == {NOT_PROVABLE}
    assert ran.deploy("Orders").reason == "runs 1.0.0, deployed after its last change"


async def test_a_version_that_only_the_files_raise_is_no_change(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """``Bundle-Version`` alone is not content: nothing is uploaded and nothing restarts."""
    world.project.every_kind()
    await world.run()
    world.project.raise_version("Sales", "Orders", "1.5.0")
    ran = await world.run()

    assert ran.writes == ()


async def test_a_filtered_run_with_a_prefix_leaves_references_as_a_full_run_made_them(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Filters do not change what a flow's references are renamed to, so a filtered run changes nothing."""
    world.project.every_kind()
    world.project.keys["deploymentPrefix"] = "DEV"
    await world.run()
    before = world.simulator.artifact("DEV_Orders").archive
    ran = await world.run(Selection(artifact_filter="Orders"))

    assert ran.statuses() == {"DEV_Orders": ("unchanged", "unchanged")}
    assert ran.writes == ()
    assert world.simulator.artifact("DEV_Orders").archive == before
    assert world.simulator.artifact("DEV_Orders").content.headers["Require-Capability"] == (
        'scriptcollection.DEV_Scripts;resolution:=optional;bundleType:String="ScriptCollection",'
        'messagemapping.DEV_OrderToInvoice;resolution:=optional;bundleType:String="MessageMapping"'
    )


async def test_two_prefixes_live_side_by_side(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """The same content under two prefixes and under none: each is complete, and none touches the others."""
    world.project.every_kind()
    for prefix in ("", "DEV", "QA2"):
        await world.run(Selection(deployment_prefix=prefix))
    again = [await world.run(Selection(deployment_prefix=prefix)) for prefix in ("", "DEV", "QA2")]

    assert [ran.writes for ran in again] == [(), (), ()]
    assert sorted(world.simulator.packages) == ["DEVSales", "DEVStock", "QA2Sales", "QA2Stock", "Sales", "Stock"]
    assert world.simulator.packages["DEVSales"].name == "DEV - Sales"
    assert len(world.simulator.artifacts) == 15


async def test_under_the_policy_all_a_second_run_does_nothing(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Enforcing every parameter of the files is no reason to write what is there."""
    world.project.every_kind()
    world.project.keys["parameterPolicy"] = ParameterPolicy.ALL.value
    await world.run()
    ran = await world.run()

    assert ran.writes == ()


async def test_force_deploys_everything_and_uploads_nothing(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """``--force`` is about deployments: all of them, and no upload."""
    world.project.every_kind()
    await world.run()
    ran = await world.run(Selection(force=True))

    assert ran.uploads == ()
    assert ran.deployed == ("Counting", "Countries", "OrderToInvoice", "Orders", "Scripts")
    assert {ran.deploy(artifact).reason for artifact in ran.deployed} == {"--force"}
