"""``sync``, ``deploy``, modes and several configurations: exactly what is asked for is done, and the rest is listed."""

from __future__ import annotations

import shutil

import pytest
import trio

from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode
from cpi_tasks.model.report import Status
from tests.support.project import SCRIPT
from tests.support.world import World


@pytest.mark.parametrize("on_package", [True, False])
async def test_without_sync_nothing_is_uploaded_but_all_is_deployed(
    world: World, autojump_clock: trio.testing.MockClock, on_package: bool
) -> None:
    """``sync: false`` leaves content and parameters alone; what design time has is deployed where it does not run."""
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    await world.run()
    world.simulator.set_runtime("Orders", None)
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    world.project.override("Orders", {"Host": "b.example"})
    entry = world.project.packages["Sales"] if on_package else world.project.artifacts["Orders"]
    entry["sync"] = False
    ran = await world.run()

    assert ran.writes == ("POST DeployIntegrationDesigntimeArtifact?Id='Orders'&Version='active'",)
    assert ran.statuses() == {"Orders": ("done",)}


async def test_without_sync_the_metadata_of_a_package_is_left_alone(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """``sync: false`` on a package keeps its metadata as it is on the tenant."""
    world.project.package("Sales", displayName="Sales")
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.packages["Sales"] |= {"displayName": "Other", "sync": False}
    ran = await world.run()

    assert ran.writes == ()
    assert world.simulator.packages["Sales"].name == "Sales"


async def test_without_deploy_everything_is_uploaded_and_nothing_is_deployed(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """``deploy: false`` keeps an artifact out of the deploy phase, and it is still in the report."""
    world.project.flow("Sales", "Orders", deploy=False)
    world.project.flow("Sales", "Invoices")
    ran = await world.run()

    assert ran.deployed == ("Invoices",)
    assert ran.statuses() == {"Orders": ("done",), "Invoices": ("done", "done")}
    assert world.simulator.runtime("Orders") is None


async def test_without_either_an_artifact_is_skipped_with_its_reason(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """An artifact with neither phase needs no folder and is listed as skipped."""
    world.project.flow("Sales", "Orders")
    world.project.flow("Sales", "Invoices", sync=False, deploy=False)
    shutil.rmtree(world.project.folder("Sales", "Invoices"))
    ran = await world.run()

    assert ran.exit_code == 0
    skipped = ran.outcome("Invoices").skipped
    assert skipped is not None
    assert (skipped.status, skipped.reason) == (Status.SKIPPED, "sync and deploy are false")


async def test_updating_deploys_nothing_and_a_later_deployment_is_due(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """The two phases as two runs do what one run of both does, and a third finds nothing to do."""
    world.project.every_kind()
    updated = await world.run(Selection(mode=Mode.UPDATE_ONLY))
    deployed = await world.run(Selection(mode=Mode.DEPLOY_ONLY))
    again = await world.run()

    assert updated.deployed == ()
    assert updated.statuses() == dict.fromkeys(world.simulator.artifacts, ("done",))
    assert deployed.uploads == ()
    assert deployed.statuses() == dict.fromkeys(world.simulator.artifacts, ("done",))
    assert again.writes == ()


async def test_a_changed_parameter_is_deployed_by_a_later_run_of_the_deploy_phase(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """What the update phase wrote in one run, the deploy phase of the next brings to run."""
    world.project.every_kind()
    await world.run()
    world.project.override("Counting", {"Receiver Host": "d.example"})
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    ran = await world.run(Selection(mode=Mode.DEPLOY_ONLY))

    assert ran.deployed == ("Counting",)
    assert world.simulator.is_running_design_time("Counting")


async def test_deploying_needs_no_folders(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """The deploy phase alone works from the tenant's design time; a folder that is not there does not matter."""
    world.project.every_kind()
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    shutil.rmtree(world.project.root / "packages")
    ran = await world.run(Selection(mode=Mode.DEPLOY_ONLY))

    assert ran.exit_code == 0
    assert len(ran.deployed) == 5


async def test_deploying_what_the_tenant_does_not_have_fails_with_advice(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """An artifact that was never uploaded is named, and the others are deployed."""
    world.project.flow("Sales", "Orders")
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    world.project.flow("Sales", "Invoices")
    ran = await world.run(Selection(mode=Mode.DEPLOY_ONLY))

    assert ran.exit_code == 1
    assert ran.deploy("Invoices").reason == "package 'Sales' on the tenant has no integration flow 'Invoices' to deploy"
    assert ran.deploy("Invoices").advice == "run update first, or check the id and the deployment prefix"
    assert ran.deployed == ("Orders",)


async def test_a_failure_in_one_configuration_does_not_keep_the_next_from_running(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Files that are not merged run one after another, each with both phases; one failure is enough for exit code 1."""
    world.project.flow("Sales", "Orders")
    world.project.flow("Stock", "Counting")
    world.project.configs = {"a": ["Sales"], "b": ["Stock"]}
    world.behave(failing=frozenset({"Orders"}))
    ran = await world.run()

    assert ran.exit_code == 1
    assert [part.source.rpartition("/")[2] for part in ran.report.parts] == ["a.yml", "b.yml"]
    assert ran.deploy("Counting").status is Status.DONE


async def test_flows_wait_for_what_they_use_also_in_another_package(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A tenant that builds a flow only once its collection and mapping run gets them in that order."""
    world.behave(requires_started_references=True, deploy_s=40)
    world.project.flow("Sales", "Orders", scripts_of="Scripts", mapping_of="OrderToInvoice")
    world.project.collection("Common", "Scripts")
    world.project.mapping("Common", "OrderToInvoice")
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.took_s < 120


async def test_deploying_alone_keeps_the_order_too(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """The deploy phase alone takes the order from the folders, where there are any."""
    world.behave(requires_started_references=True, deploy_s=40)
    world.project.flow("Sales", "Orders", scripts_of="Scripts")
    world.project.collection("Common", "Scripts")
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    ran = await world.run(Selection(mode=Mode.DEPLOY_ONLY))

    assert ran.exit_code == 0


async def test_no_deployment_starts_before_every_update_has_ended(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """All uploads of all packages come before the first deployment."""
    for number in range(6):
        world.project.flow(f"Package{number % 3}", f"Flow{number}")
    ran = await world.run()

    first = next(index for index, write in enumerate(ran.writes) if write.startswith("POST Deploy"))
    assert {write.partition("?")[0] for write in ran.writes[first:]} == {"POST DeployIntegrationDesigntimeArtifact"}
    assert len(ran.writes) - first == 6
