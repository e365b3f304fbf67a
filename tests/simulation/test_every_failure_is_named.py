"""Whatever the tenant refuses for one artifact is in the report with its reason, and the others are done."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import trio

from cpi_tasks.errors import AuthenticationError, RequestRejected, TenantUnavailable
from cpi_tasks.model.report import Status
from tests.support.project import SCRIPT
from tests.support.world import World

FLOW = r"IntegrationDesigntimeArtifacts\(Id='Orders',Version='active'\)"
TEXT = 'The tenant says: <no> & "never"'
BODY = json.dumps({"error": {"code": "Forbidden", "message": {"lang": "en", "value": TEXT}}}).encode()


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One kind of request for the flow ``Orders`` and what is refused with it, first time and after a change."""

    method: str
    pattern: str
    is_first_run: bool
    update: str | None
    deploy: str


REFUSALS = {
    "create": Refusal(
        method="POST", pattern=r"IntegrationDesigntimeArtifacts$", is_first_run=True, update="failed", deploy="aborted"
    ),
    "list": Refusal(
        method="GET",
        pattern=r"IntegrationPackages\('Sales'\)/IntegrationDesigntimeArtifacts",
        is_first_run=False,
        update="failed",
        deploy="aborted",
    ),
    "download": Refusal(
        method="GET", pattern=rf"{FLOW}/\$value", is_first_run=False, update="failed", deploy="aborted"
    ),
    "read configurations": Refusal(
        method="GET", pattern=rf"{FLOW}/Configurations", is_first_run=False, update="failed", deploy="aborted"
    ),
    "update": Refusal(method="PUT", pattern=rf"{FLOW}$", is_first_run=False, update="failed", deploy="aborted"),
    "read back": Refusal(method="GET", pattern=rf"{FLOW}$", is_first_run=False, update="failed", deploy="aborted"),
    "write configuration": Refusal(
        method="PUT", pattern=rf"{FLOW}/\$links", is_first_run=False, update="failed", deploy="aborted"
    ),
    "deploy": Refusal(
        method="POST",
        pattern=r"DeployIntegrationDesigntimeArtifact\?Id='Orders'",
        is_first_run=False,
        update="done",
        deploy="failed",
    ),
}


async def prepared(world: World, refusal: Refusal) -> None:
    """Bring the world to the moment before the run that will be refused something."""
    world.project.flow("Stock", "Counting")
    world.project.collection("Stock", "Scripts")
    if not refusal.is_first_run:
        world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    await world.run()
    world.project.edit("Stock", "Counting", SCRIPT, b"// changed")
    if refusal.is_first_run:
        world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    world.project.override("Orders", {"Host": "b.example"})


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize("kind", REFUSALS)
async def test_what_is_refused_is_named_and_the_rest_is_done(
    world: World, autojump_clock: trio.testing.MockClock, kind: str, status: int
) -> None:
    """One artifact fails with the tenant's words and an advice; the others end as asked for, and a rerun repairs it."""
    refusal = REFUSALS[kind]
    await prepared(world, refusal)
    world.simulator.fail_next(refusal.method, refusal.pattern, status, BODY)
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses()["Orders"] == (refusal.update, refusal.deploy)
    failed = ran.update("Orders") if refusal.update == "failed" else ran.deploy("Orders")
    assert f"{status} Forbidden" in failed.reason
    assert TEXT in failed.reason
    assert failed.advice
    assert ran.deploy("Counting").status is Status.DONE
    assert not ran.deploy("Scripts").status.is_bad
    repaired = await world.run()
    assert repaired.exit_code == 0
    assert world.simulator.artifact("Orders").parameters["Host"] == "b.example"


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_a_package_that_cannot_be_read_keeps_its_artifacts_out(
    world: World, autojump_clock: trio.testing.MockClock, status: int
) -> None:
    """The package fails with the tenant's words, and so do its artifacts, visibly."""
    await prepared(world, REFUSALS["update"])
    world.simulator.fail_next("GET", r"IntegrationPackages\('Sales'\)$", status, BODY)
    ran = await world.run()

    sales = next(package for package in ran.report.packages() if package.id == "Sales")
    assert ran.exit_code == 1
    assert sales.update is not None
    assert TEXT in sales.update.reason
    assert ran.statuses() == {
        "Orders": ("failed", "aborted"),
        "Counting": ("done", "done"),
        "Scripts": ("unchanged", "unchanged"),
    }


@pytest.mark.parametrize("status", [400, 403, 409, 500])
async def test_a_package_that_cannot_be_created_keeps_its_artifacts_out(
    world: World, autojump_clock: trio.testing.MockClock, status: int
) -> None:
    """Nothing is sent for the artifacts of a package that is not there; each of them says so."""
    world.project.flow("Sales", "Orders")
    world.project.flow("Stock", "Counting")
    world.simulator.add_package("Stock")
    world.simulator.fail_next("POST", "IntegrationPackages", status, BODY)
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses() == {"Orders": ("aborted", "aborted"), "Counting": ("done", "done")}
    assert ran.update("Orders").reason == "package 'Sales' could not be created"
    assert list(world.simulator.artifacts) == ["Counting"]


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_a_build_task_that_cannot_be_read_is_no_failure(
    world: World, autojump_clock: trio.testing.MockClock, status: int
) -> None:
    """The runtime itself tells whether an artifact runs; the task only helps."""
    world.project.flow("Sales", "Orders")
    world.simulator.fail_next("GET", "BuildAndDeployStatus", status, BODY, times=100)
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.deploy("Orders").status is Status.DONE


async def test_a_runtime_that_cannot_be_listed_ends_the_run_before_anything_is_changed(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Without knowing what runs nothing can be decided: the run ends with a reason and no write."""
    world.project.flow("Sales", "Orders")
    world.simulator.fail_next("GET", "IntegrationRuntimeArtifacts", 403, BODY, times=100)

    with pytest.raises(RequestRejected, match=r"list the runtime artifacts.*The tenant says") as caught:
        await world.run()
    assert caught.value.exit_code == 1
    assert all(request.method == "GET" for request in world.simulator.requests)


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_looks_that_are_refused_fail_what_was_waiting_for_them(
    world: World, autojump_clock: trio.testing.MockClock, status: int
) -> None:
    """A runtime that is no longer shown during the deploy phase is no success: the artifact is named."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed")
    world.simulator.fail_next("GET", r"IntegrationRuntimeArtifacts\('Orders'\)", status, BODY, times=1000)
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses() == {"Orders": ("done", "failed")}
    assert TEXT in ran.deploy("Orders").reason


async def test_a_login_that_is_refused_ends_the_run_with_exit_code_3(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A wrong password is one sentence, and exit code 3."""
    world.project.flow("Sales", "Orders")
    tenant = world.project.keys["tenant"]
    assert isinstance(tenant, dict)
    tenant["password"] = "wrong"

    with pytest.raises(AuthenticationError, match="refused the login") as caught:
        await world.run()
    assert caught.value.exit_code == 3


async def test_a_tenant_that_gives_no_usable_answer_ends_the_run_with_exit_code_3(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A gateway's page instead of an answer, again and again, is told as what it is."""
    world.project.flow("Sales", "Orders")
    world.simulator.fail_next("GET", "/api/v1", 503, b"<html><body>down for maintenance</body></html>", times=1000)

    with pytest.raises(TenantUnavailable, match="503") as caught:
        await world.run()
    assert caught.value.exit_code == 3


async def test_a_short_outage_while_writing_and_looking_is_survived(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A few 503 and 429 on reads, and a 429 on a write, cost time and nothing else."""
    world.fails_requests = True
    world.project.every_kind()
    world.simulator.fail_next("GET", "IntegrationRuntimeArtifacts", 503, times=3)
    world.simulator.fail_next("GET", "BuildAndDeployStatus", 502, times=3)
    world.simulator.fail_next("POST", "DeployIntegration", 429, headers={"Retry-After": "20"}, times=1)
    world.simulator.fail_next("POST", r"IntegrationDesigntimeArtifacts$", 429, times=2)
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.took_s > 20
