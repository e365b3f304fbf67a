"""Nothing a person configured on the tenant is overwritten unless the files ask for exactly that."""

from __future__ import annotations

import pytest
import trio

from cpi_tasks.model.report import Status
from tests.support.project import MODEL, SCRIPT, model
from tests.support.world import MakeWorld, World

VENDOR = {"Version": "2.1.0", "Vendor": "The integration team", "Keywords": "orders, invoices", "Countries": "DE"}


async def test_metadata_that_is_not_given_stays(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """One changed field of a package is written, and every other field is what a person made it."""
    world.simulator.add_package("Sales", "Sales", short_text="Short", description="Long", **VENDOR)
    world.project.package("Sales", displayName="Sales and more")
    world.project.flow("Sales", "Orders")
    ran = await world.run()

    fields = world.simulator.packages["Sales"].fields
    kept = ("Name", "ShortText", "Description", "Version", "Vendor", "Keywords", "Countries")
    assert {name: fields[name] for name in kept} == {
        "Name": "Sales and more",
        "ShortText": "Short",
        "Description": "<p>Long</p>",
        "Version": "2.1.0",
        "Vendor": "The integration team",
        "Keywords": "[orders, invoices]",
        "Countries": "[DE]",
    }
    (package,) = ran.report.packages()
    assert package.update is not None
    assert package.update.reason == "Name differs"


async def test_metadata_that_is_as_given_is_not_written(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A package that is described as it is on the tenant costs no write, though the tenant wraps descriptions."""
    world.simulator.add_package("Sales", "Sales", short_text="Short", description="Long & wide", **VENDOR)
    world.project.package("Sales", short_text="Short", description="Long & wide")
    world.project.flow("Sales", "Orders")
    ran = await world.run()

    assert [write for write in ran.writes if "IntegrationPackages" in write] == []


async def test_parameters_a_person_configured_are_kept_and_shown(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Under ``overrides`` only named keys are enforced; what differs otherwise is shown and is no change."""
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example", "Port": "443"})
    world.project.override("Orders", {"Port": "8443"})
    await world.run()
    world.simulator.set_parameter("Orders", "Host", "person.example")
    world.simulator.set_parameter("Orders", "Port", "1")
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    ran = await world.run()

    assert world.simulator.artifact("Orders").parameters == {"Host": "person.example", "Port": "8443"}
    update = ran.plan("Orders").update
    assert update is not None
    assert [(kept.key, kept.old, kept.new) for kept in update.kept] == [("Host", "person.example", "a.example")]


async def test_a_parameter_a_person_configured_is_no_reason_to_write(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A kept difference alone uploads nothing; the person's value is brought to run, since it changed the flow."""
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    await world.run()
    await trio.sleep(5)
    world.simulator.set_parameter("Orders", "Host", "person.example")
    ran = await world.run()

    assert ran.uploads == ()
    assert ran.update("Orders").status is Status.UNCHANGED
    assert world.simulator.artifact("Orders").parameters == {"Host": "person.example"}


async def test_under_the_policy_all_the_files_win(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """``all`` enforces every key of the file, but not empty values, placeholders and schedules."""
    in_file = {"Host": "a.example", "Empty": "", "Later": "<fill in>", "Timer": "fireNow=true", "Named": "<x>"}
    world.project.keys["parameterPolicy"] = "all"
    world.project.flow("Sales", "Orders", parameters=in_file, types={"Timer": "custom:schedule"})
    await world.run()
    for key in in_file:
        world.simulator.set_parameter("Orders", key, "from a person")
    world.project.override("Orders", {"Named": ""})
    await world.run()

    assert world.simulator.artifact("Orders").parameters == {
        "Host": "a.example",
        "Empty": "from a person",
        "Later": "from a person",
        "Timer": "from a person",
        "Named": "",
    }


@pytest.mark.parametrize(
    ("policy", "status", "stays"), [("fail", "failed", True), ("skip", "skipped", True), ("overwrite", "done", False)]
)
async def test_a_persons_draft_follows_its_policy(
    world: World, autojump_clock: trio.testing.MockClock, policy: str, status: str, stays: bool
) -> None:
    """Unsaved work of a person is overwritten only where the environment says so."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.keys["onDraft"] = policy
    world.simulator.edit_as_draft("Orders", {SCRIPT: b"// a person's work"})
    ran = await world.run()

    assert ran.update("Orders").status.value == status
    assert world.simulator.artifact("Orders").is_draft is stays
    if stays:
        assert ran.writes == ()
        assert SCRIPT in ran.update("Orders").reason
        assert "by person@example.com" in ran.update("Orders").reason


async def test_a_draft_that_is_ours_is_saved(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A draft that a killed run left behind is finished by the next one, without asking anybody."""
    world.behave(version_mode="draft")
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    world.simulator.fail_next("POST", "IntegrationDesigntimeArtifactSaveAsVersion", 500, b"no luck")
    failed = await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed again")
    ran = await world.run()

    assert [failed.exit_code, ran.exit_code] == [1, 0]
    assert world.simulator.artifact("Orders").is_draft is False


async def test_a_locked_artifact_is_left_to_who_has_it_open(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A lock fails the artifact and names its owner; nothing is unlocked, and the others go on."""
    world.project.every_kind()
    await world.run()
    world.simulator.lock("Orders", "somebody@example.com")
    for artifact in ("Orders", "Counting"):
        world.project.edit("Sales" if artifact == "Orders" else "Stock", artifact, SCRIPT, b"// changed")
    ran = await world.run()

    assert ran.exit_code == 1
    assert "somebody@example.com" in ran.update("Orders").reason
    assert "then rerun" in ran.update("Orders").advice
    assert ran.deploy("Orders").status is Status.ABORTED
    assert ran.deployed == ("Counting",)


async def test_in_a_read_only_package_only_parameters_are_written(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Content of a configure-only package is neither compared nor sent; overrides are written and deployed."""
    world.project.package("Sales", displayName="Sales")
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    await world.run()
    world.simulator.packages["Sales"].mode = "READ_ONLY"
    world.project.packages["Sales"]["displayName"] = "Other"
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    world.project.override("Orders", {"Host": "b.example"})
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.uploads == (
        "PUT IntegrationDesigntimeArtifacts(Id='Orders',Version='active')/$links/Configurations('Host')",
    )
    assert ran.deployed == ("Orders",)
    assert "read-only package: content is neither compared nor sent" in ran.update("Orders").reason
    assert world.simulator.packages["Sales"].name == "Sales"


async def test_an_id_that_another_package_owns_is_left_there(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """An artifact id that exists in another package fails with that package's name; the other artifact stays."""
    world.project.flow("Stock", "Orders")
    await world.run()
    before = world.simulator.artifact("Orders").archive
    world.project.packages.clear()
    world.project.flow("Sales", "Orders", files={MODEL: model()})
    world.project.flow("Sales", "Invoices")
    ran = await world.run()

    assert ran.exit_code == 1
    assert "belongs to package 'Stock'" in ran.update("Orders").reason
    assert "deploymentPrefix" in ran.update("Orders").advice
    assert ran.deploy("Orders").status is Status.ABORTED
    assert world.simulator.artifact("Orders").archive == before
    assert ran.deployed == ("Invoices",)


async def test_a_package_on_the_tenant_keeps_artifacts_that_are_not_configured(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """What the files do not name is neither deleted nor stopped, and is not in the report."""
    world = make()
    world.project.flow("Sales", "Orders")
    world.project.flow("Sales", "Invoices")
    await world.run()
    world.project.packages.clear()
    world.project.flow("Sales", "Orders", version="1.0.1", files={SCRIPT: b"// changed"})
    ran = await world.run()

    assert ran.statuses() == {"Orders": ("done", "done")}
    assert world.simulator.is_running_design_time("Invoices")
