"""Switches that only show with certain content or at certain moments: the client ends right in each position."""

from __future__ import annotations

import pytest
import trio

from cpi_tasks.events import Event, PlanMade
from cpi_tasks.model.config import Selection
from tests.support.project import SCRIPT, values
from tests.support.world import MakeWorld

UNCHANGED = ("unchanged", "unchanged")
REFUSED = ("failed", "aborted")
DONE = ("done", "done")
EVERY_LOCK = frozenset({"update", "delete", "save", "configure", "deploy"})


@pytest.mark.parametrize(("accepts", "statuses", "exit_code"), [(True, DONE, 0), (False, REFUSED, 1)])
async def test_an_empty_value_mapping(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    accepts: bool,
    statuses: tuple[str, str],
    exit_code: int,
) -> None:
    """It runs where the tenant takes it; elsewhere the tenant's text is told and everything else runs."""
    world = make(accepts_empty_value_mapping=accepts)
    world.project.every_kind()
    world.project.edit("Sales", "Countries", "value_mapping.xml", b'<vm version="2.0"></vm>')
    ran = await world.run()

    assert ran.exit_code == exit_code
    assert ran.statuses() == {**dict.fromkeys(("Orders", "Scripts", "OrderToInvoice", "Counting"), DONE),
                              "Countries": statuses}  # fmt: skip
    assert accepts or "The value mapping has no entries" in ran.update("Countries").reason


@pytest.mark.parametrize(
    ("checks", "optional", "seen"),
    [(True, "checked", "failed"), (True, "ignored", "done"), (False, "checked", "done"), (False, "ignored", "done")],
)
async def test_a_collection_that_is_nowhere(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    checks: bool,
    optional: str,
    seen: str,
) -> None:
    """Whether a flow starts without a collection it names is up to the tenant; the report says what became of it."""
    world = make(requires_running_references=checks, optional_references=optional)
    world.project.flow("P", "F", scripts_of="Missing")
    world.project.flow("P", "G")
    ran = await world.run()

    assert ran.statuses() == {"F": ("done", seen), "G": DONE}
    assert seen == "done" or "Script collection 'Missing' not found" in ran.deploy("F").reason


@pytest.mark.parametrize("status", [409, 400, 500])
@pytest.mark.parametrize("body", ["negotiated", "empty"])
async def test_a_package_that_somebody_creates_meanwhile(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, status: int, body: str
) -> None:
    """However that is refused: the package is named, the others are brought, and the next run uses what is there."""
    world = make(duplicate_package_status=status, error_body=body)
    world.project.every_kind()

    def create(event: Event) -> None:
        if isinstance(event, PlanMade):
            world.simulator.add_package("Stock")

    ran, after = await world.run(watch=create), await world.run()

    assert [ran.exit_code, ran.update("Counting").reason] == [1, "package 'Stock' could not be created"]
    assert ran.deployed == ("Countries", "OrderToInvoice", "Orders", "Scripts")
    assert [after.exit_code, after.deployed] == [0, ("Counting",)]


@pytest.mark.parametrize("mode", ["manifest-if-higher", "keep", "draft"])
@pytest.mark.parametrize(("rule", "version"), [("any", "1.5.0"), ("not-lower", "2.0.0"), ("higher", "2.0.0")])
async def test_a_lower_version(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, mode: str, rule: str, version: str
) -> None:
    """Asked for, it is saved where the tenant lets it; elsewhere the artifact fails and what ran goes on running."""
    world = make(version_mode=mode, save_version_rule=rule)
    world.project.keys["versioning"] = "exact"
    world.project.flow("P", "F", version="2.0.0")
    world.project.flow("P", "G", version="2.0.0")
    await world.run()
    world.project.raise_version("P", "F", "1.5.0")
    ran = await world.run(Selection(allow_downgrade=True))

    assert [ran.exit_code, ran.statuses()["G"]] == [0 if rule == "any" else 1, UNCHANGED]
    assert rule == "any" or "CANNOT_UPDATE_BUNDLE" in ran.update("F").reason
    running = world.simulator.runtime("F")
    assert running is not None
    assert [running.status, running.version, world.simulator.artifact("F").version] == ["STARTED", version, version]


@pytest.mark.parametrize("deletes", [True, False])
async def test_more_entries_where_what_is_deployed_cannot_be_deleted(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    deletes: bool,
) -> None:
    """A mapping that must not be deleted while it runs stays whole and running, and the report says why."""
    world = make(deletes_deployed=deletes)
    world.project.every_kind()
    await world.run()
    before = world.simulator.artifact("Countries").archive
    groups = values({"ERP/Country": "DE", "CRM/Country": "Germany"}, {"ERP/Country": "FR", "CRM/Country": "France"})
    world.project.edit("Sales", "Countries", "value_mapping.xml", groups)
    ran = await world.run()

    assert [ran.exit_code, ran.statuses()["Countries"]] == ([0, DONE] if deletes else [1, REFUSED])
    assert (world.simulator.artifact("Countries").archive == before) is not deletes
    assert deletes or "Cannot delete the artifact Countries as it is deployed" in ran.update("Countries").reason
    assert world.simulator.is_running_design_time("Countries")


@pytest.mark.parametrize(
    ("blocked", "exit_code"),
    [
        (frozenset[str](), 0),
        (frozenset({"save"}), 0),
        (frozenset({"update"}), 1),
        (frozenset({"configure"}), 1),
        (frozenset({"deploy"}), 1),
        (EVERY_LOCK, 1),
    ],
)
@pytest.mark.parametrize(("may_read", "forbidden"), [(True, "empty"), (False, "empty"), (False, "null-message")])
async def test_whatever_a_lock_refuses(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    blocked: frozenset[str],
    exit_code: int,
    may_read: bool,
    forbidden: str,
) -> None:
    """What is not refused is done; who holds the lock is named where that can be read; afterwards all of it arrives."""
    world = make(lock_blocks=blocked, may_read_locks=may_read, forbidden_body=forbidden)
    world.project.every_kind()
    await world.run()
    world.simulator.lock("Orders", "jane")
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    world.project.override("Orders", {"Host": "d.example"})
    locked = await world.run()
    world.simulator.unlock("Orders")
    after = await world.run()

    assert [locked.exit_code, after.exit_code] == [exit_code, 0]
    reasons = [step.reason for step in locked.outcome("Orders").steps if step.status.value == "failed"]
    assert len(reasons) == exit_code
    assert all("Cannot update the artifact as it is locked" in reason for reason in reasons)
    assert all(("jane" in reason) is may_read for reason in reasons)
    assert world.simulator.artifact("Orders").parameters == {"Host": "d.example"}
    assert world.simulator.is_running_design_time("Orders")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("accepted", "did not appear on the runtime within a minute"),
        ("refused", "the tenant answered 400 Bad Request without a text"),
    ],
)
async def test_what_belongs_to_another_runtime(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, rule: str, reason: str
) -> None:
    """Whether it is refused at once or never shows up here: it is no success, nobody waits long, and the others run."""
    world = make(other_runtime_trigger=rule)
    world.project.flow("P", "F", parameters={"SAP_ProfileId": "integrationcell"})
    world.project.flow("P", "G")
    ran = await world.run()

    assert [ran.exit_code, ran.statuses()] == [1, {"F": ("done", "failed"), "G": DONE}]
    assert reason in ran.deploy("F").reason
    assert ran.took_s < 90
    assert rule == "refused" or "SAP_ProfileId" in ran.deploy("F").advice


async def test_the_profile_that_a_tenant_adds_may_be_set_for_a_new_flow(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """Without the override the flow never runs here; with it, the value is written after the creation, and it runs."""
    world = make(added_profile="integrationcell")
    world.project.flow("P", "F")
    world.project.flow("P", "G")
    world.project.override("F", {"SAP_ProfileId": "iflmap"})
    ran = await world.run()
    again = await world.run()

    assert [ran.exit_code, ran.statuses()] == [1, {"F": DONE, "G": ("done", "failed")}]
    assert "SAP_ProfileId" in ran.deploy("G").advice
    assert world.simulator.artifact("F").parameters["SAP_ProfileId"] == "iflmap"
    for artifact in ("F", "G"):
        update = again.plan(artifact).update
        assert update is not None
        assert update.only_on_tenant == ()


async def test_what_somebody_is_just_undeploying(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """The tenant refuses to deploy it meanwhile, so that is waited for, and then it runs again."""
    world = make(stop_s=100.0)
    world.project.every_kind()
    await world.run()
    world.simulator.undeploy("Orders")
    ran = await world.run()

    assert [ran.exit_code, ran.uploads, ran.deployed] == [0, (), ("Orders",)]
    assert world.simulator.is_running_design_time("Orders")
    assert [request.status for request in world.simulator.requests if "DeployIntegration" in request.path] == [202] * 3
