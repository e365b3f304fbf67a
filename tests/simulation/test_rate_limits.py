"""Dropped connections, 503 and 429 are weather: the run slows down, finishes, and keeps to the limits (row 15)."""

from __future__ import annotations

import random

import httpx
import pytest
import trio.testing

from cpi_tasks.events import RequestsSlowed, TenantAnswersAgain, TenantWentAway
from cpi_tasks.simulator import Fault, FaultKind, FaultRule, OtherUsers, When
from tests.support.world import LOGINS, URL, MakeWorld, Ran, World

SECONDS = {"Retry-After": "30"}
DATE = {"Date": "Mon, 05 Jan 2026 08:00:00 GMT", "Retry-After": "Mon, 05 Jan 2026 08:00:30 GMT"}
POLL = r"IntegrationRuntimeArtifacts|BuildAndDeployStatus"
ARTIFACTS = 24


@pytest.fixture(autouse=True)
def _drawn_by_lot() -> None:
    """Let every run wait the same."""
    random.seed(15)


def fill(world: World) -> None:
    """Configure three packages with eight flows each; one parameter of each is overridden."""
    for package in range(3):
        for number in range(8):
            flow = f"Flow{package}x{number}"
            world.project.flow(f"Package{package}", flow, parameters={"Host": "a.example"})
            world.project.override(flow, {"Host": "b.example"})


def dropped(kind: FaultKind = FaultKind.RESET_BEFORE_HANDLING) -> Fault:
    return Fault(kind=kind, error=httpx.ReadError)


def check(world: World, ran: Ran) -> None:
    """Everything was deployed, once, and no more was sent in any second than the settings allow."""
    assert ran.exit_code == 0, ran.statuses()
    assert len(ran.statuses()) == ARTIFACTS
    assert set(ran.statuses().values()) == {("done", "done")}
    assert all(world.simulator.is_running_design_time(artifact) for artifact in ran.statuses())
    assert all(world.simulator.artifact(artifact).parameters["Host"] == "b.example" for artifact in ran.statuses())
    triggers = [request for request in world.simulator.requests if "/DeployIntegration" in request.path]
    assert sum(request.handled == 202 for request in triggers) == ARTIFACTS
    assert world.simulator.highest_rate("designtime") <= 9
    assert world.simulator.highest_rate("runtime") <= 45


async def bring_back(world: World) -> None:
    """Send the request that ends a planned absence."""
    login = LOGINS["basic"]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.simulator.app), auth=(login["username"], login["password"])
    ) as client:
        (await client.get(f"{URL}/api/v1/$metadata")).raise_for_status()


def refusals(world: World) -> int:
    return sum(request.status == 429 for request in world.simulator.requests)


@pytest.mark.parametrize("kind", [FaultKind.RESET_BEFORE_HANDLING, FaultKind.UNAVAILABLE, FaultKind.BAD_GATEWAY])
async def test_looks_that_fail_fail_no_artifact(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, kind: FaultKind
) -> None:
    """With every second look at the runtime dropped or answered by a gateway all artifacts are seen to start."""
    world = make(deploy_s=40)
    fill(world)
    world.simulator.play(
        world.simulator.script(FaultRule(method="GET", pattern=POLL, when=When(every=2), fault=dropped(kind)))
    )
    ran = await world.run()

    check(world, ran)
    assert any(request.fault for request in world.simulator.requests)


async def test_answers_lost_anywhere_cost_nothing_but_time(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """With every fifth connection cut before or after the request was handled nothing is created or deployed twice."""
    world = make(deploy_s=20)
    fill(world)
    world.simulator.play(
        world.simulator.script(
            FaultRule(
                method="POST", pattern="Deploy", when=When(every=4), fault=dropped(FaultKind.RESET_AFTER_HANDLING)
            ),
            FaultRule(method="GET", when=When(every=5), fault=dropped()),
            FaultRule(method="PUT", when=When(every=5), fault=dropped()),
            FaultRule(
                pattern="IntegrationDesigntimeArtifacts|IntegrationPackages",
                when=When(every=5),
                fault=dropped(FaultKind.RESET_AFTER_HANDLING),
            ),
        )
    )
    ran = await world.run()

    check(world, ran)
    created = [request.handled for request in world.simulator.requests if request.method == "POST"]
    assert all(200 <= handled < 300 for handled in created), "no creation was sent again"


@pytest.mark.parametrize("headers", [SECONDS, DATE], ids=["seconds", "date"])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("pattern", ["DesigntimeArtifacts", POLL], ids=["updating", "polling"])
async def test_retry_after_is_kept(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, pattern: str, status: int, headers: dict[str, str]
) -> None:
    """After a 429 or 503 with ``Retry-After`` nothing of that family is sent before, and one line tells of it."""
    world = make(deploy_s=20)
    world.fails_requests = True
    fill(world)
    fault = Fault(kind=FaultKind.STATUS, status=status, headers=headers)
    world.simulator.play(world.simulator.script(FaultRule(pattern=pattern, when=When(nth=12), fault=fault)))
    ran = await world.run()

    check(world, ran)
    (refused,) = (request for request in world.simulator.requests if request.fault)
    family = [request.time for request in world.simulator.requests if request.family == refused.family]
    assert min(time for time in family if time > refused.time) - refused.time == pytest.approx(30.0, abs=0.01)
    (told,) = (event for event in ran.events if isinstance(event, RequestsSlowed))
    assert (told.status, told.pause_s) == (status, 30.0)


async def test_429_without_a_word_on_when(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """Twenty refusals in a row without ``Retry-After`` are waited through with growing pauses."""
    world = make(deploy_s=20)
    world.fails_requests = True
    fill(world)
    fault = Fault(kind=FaultKind.TOO_MANY_REQUESTS)
    world.simulator.play(world.simulator.script(FaultRule(when=When(first=20), fault=fault)))
    ran = await world.run()

    check(world, ran)
    assert refusals(world) == 20
    assert len([event for event in ran.events if isinstance(event, RequestsSlowed)]) <= 5


async def test_the_published_limits_are_met_without_a_refusal(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """Alone on a tenant with SAP's limits a run draws no 429 and uses nine of ten requests while it updates."""
    world = make(designtime_tenant_rate=15, runtime_tenant_rate=120)
    fill(world)
    ran = await world.run()

    check(world, ran)
    assert refusals(world) == 0
    times = [request.time for request in world.simulator.requests if request.family == "designtime"]
    assert len(times) / (times[-1] - times[0]) > 0.9 * 9


@pytest.mark.parametrize(("others", "share"), [(8.0, 0.1), (12.0, 0.2), (14.0, 0.35)])
@pytest.mark.parametrize("retry_after_s", [None, 2])
async def test_others_share_the_tenants_limit(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, others: float, share: float, retry_after_s: int | None
) -> None:
    """Where others leave a part of the tenant's limit the run finds its place: few refusals, few lines, all done."""
    world = make(designtime_tenant_rate=15, runtime_tenant_rate=120, retry_after_s=retry_after_s)
    world.fails_requests = True
    fill(world)
    world.simulator.play(world.simulator.script(OtherUsers(designtime=others, runtime=100)))
    ran = await world.run()

    check(world, ran)
    sent = sum(request.family == "designtime" for request in world.simulator.requests)
    left_over = 15 - others
    assert ran.took_s < 2 * sent / left_over + 20
    assert refusals(world) < share * sent
    told = [event for event in ran.events if isinstance(event, RequestsSlowed)]
    assert len(told) <= 2 * (1 + ran.took_s // 60)


async def test_a_tenant_that_is_away_for_a_minute(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """The run waits as one where it was, tells so once, and goes on; the time away fails no deployment."""
    world = make(deploy_s=30)
    world.project.keys["deployTimeoutSeconds"] = 60
    fill(world)
    world.simulator.play(
        world.simulator.script(
            FaultRule(when=When(first=14, after_s=30), fault=dropped(FaultKind.CLOSED_BEFORE_HANDLING))
        )
    )
    ran = await world.run()

    check(world, ran)
    story = [event for event in ran.events if isinstance(event, TenantWentAway | TenantAnswersAgain)]
    assert [type(event) for event in story] == [TenantWentAway, TenantAnswersAgain]
    assert isinstance(story[1], TenantAnswersAgain)
    assert story[1].after_s > 45.0


@pytest.mark.parametrize("kind", [FaultKind.CLOSED_BEFORE_HANDLING, FaultKind.UNAVAILABLE, FaultKind.TOO_MANY_REQUESTS])
@pytest.mark.parametrize("after_s", [2.0, 12.0], ids=["updating", "deploying"])
async def test_a_tenant_that_stays_away(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, kind: FaultKind, after_s: float
) -> None:
    """When the budget is spent the run ends with 3, soon, with every artifact in the report; a rerun repairs it."""
    world = make(deploy_s=30)
    world.fails_requests = True
    fill(world)
    away = When(after_s=after_s, before=r"request GET /\$metadata")
    world.simulator.play(world.simulator.script(FaultRule(pattern=r"^(?!.*metadata)", when=away, fault=dropped(kind))))
    ran = await world.run()

    assert ran.exit_code == 3
    assert len(ran.statuses()) == ARTIFACTS
    # Each family of requests is refused, and given up, by itself: the tenant does answer.
    budgets = 2 if kind is FaultKind.TOO_MANY_REQUESTS else 1
    assert ran.took_s < after_s + budgets * 300 + 30
    assert sum(bool(request.fault) for request in world.simulator.requests) < 90
    await bring_back(world)
    assert (await world.run()).exit_code == 0
