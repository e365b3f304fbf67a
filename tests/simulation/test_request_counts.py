"""What a look at a tenant costs where nothing has changed: every request the tenant saw is counted, the login too."""

from __future__ import annotations

from collections import Counter
from unittest.mock import ANY

import trio

from tests.support.world import MakeWorld, World

EVERY_FAMILY = frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"})
PACKAGES = 20
FLOWS = 14
FLOWS_WITH_PARAMETERS = 10
ARTIFACTS = 400


def fill(world: World, packages: int = PACKAGES) -> None:
    """Configure packages of 20 artifacts each, of all four types; half of all artifacts are flows with parameters."""
    for number in range(packages):
        package = f"Package{number:02}"
        world.project.package(package, displayName=f"Package {number}", short_text="Short", description="Long")
        for i in range(FLOWS):
            parameters = {"Host": "a.example", "Port": "1"} if i < FLOWS_WITH_PARAMETERS else None
            scripts, mapping = f"Scripts{number}x0", f"Mapping{number}x0"
            flow = f"Flow{number}x{i}"
            world.project.flow(package, flow, parameters=parameters, scripts_of=scripts, mapping_of=mapping)
            if i == 0:
                world.project.override(flow, {"Host": "b.example"})
        for i in range(2):
            world.project.collection(package, f"Scripts{number}x{i}")
            world.project.mapping(package, f"Mapping{number}x{i}")
            world.project.values(package, f"Values{number}x{i}")


async def cost(world: World, verify: str = "parameters") -> tuple[int, str]:
    """Run where nothing has changed, and give how many requests that took, with the figures by kind."""
    before = world.simulator.request_count
    world.project.keys["verify"] = verify
    ran = await world.run()
    total = world.simulator.request_count - before
    assert ran.writes == (), "nothing has changed"
    assert ran.exit_code == 0
    kinds = Counter(
        f"{request.method} {request.path.rpartition('/')[2].partition('(')[0]}"
        for request in world.simulator.requests[before:]
    )
    return total, f"verify: {verify}, {total} requests: " + ", ".join(f"{n} x {kind}" for kind, n in kinds.items())


async def test_400_unchanged_artifacts_cost_few_requests(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """5 a package and one per flow with parameters; cached 5 a package; without ``.cpi/`` 1.3 an artifact more."""
    world = make(login="oauth", modified_at_families=EVERY_FAMILY)
    fill(world)
    first = await world.run()
    assert len(first.deployed) == ARTIFACTS
    flows_with_parameters = PACKAGES * FLOWS_WITH_PARAMETERS

    warm, figures = await cost(world)
    assert warm <= 5 * PACKAGES + flows_with_parameters, figures
    cached, figures = await cost(world, "cached")
    assert cached <= 5 * PACKAGES, figures
    world.forget()
    cold, figures = await cost(world)
    assert cold <= warm + 1.3 * ARTIFACTS, figures


async def test_a_family_without_a_time_of_change_costs_one_download_an_artifact_more(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """Where only flows have a time of change, only the six others of each package are downloaded again."""
    world = make(modified_at_families=frozenset({"Integration"}))
    fill(world, 4)
    await world.run()

    warm, figures = await cost(world)
    assert warm <= 4 * (5 + FLOWS_WITH_PARAMETERS + 6), figures
    cached, figures = await cost(world, "cached")
    assert cached <= 4 * (5 + 6), figures
    assert world.simulator.count("GET", r"IntegrationDesigntimeArtifacts\(.*value") == 0, "no flow is downloaded"


async def test_one_run_without_the_cache_fills_it_again(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """After the run that had no ``.cpi/``, the next one is as cheap as before, also with ``verify: cached``."""
    world = make(modified_at_families=EVERY_FAMILY)
    fill(world, 4)
    await world.run()
    warm, _ = await cost(world)
    cached, _ = await cost(world, "cached")
    world.forget()
    await cost(world)

    assert await cost(world) == (warm, ANY)
    assert await cost(world, "cached") == (cached, ANY)


async def test_verify_full_reads_every_artifact_again(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """``verify: full`` believes no cache: every content is downloaded, and nothing more than that."""
    world = make(modified_at_families=EVERY_FAMILY)
    fill(world, 4)
    await world.run()
    warm, _ = await cost(world)
    full, figures = await cost(world, "full")

    assert full == warm + 80, figures


async def test_a_plan_and_a_drift_check_cost_what_a_run_costs_and_one_request_for_the_locks(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """A nightly look is as cheap as a run that finds nothing to do."""
    world = make(modified_at_families=EVERY_FAMILY)
    fill(world, 4)
    await world.run()
    warm, _ = await cost(world)
    before = world.simulator.request_count
    plan = await world.plan()
    planned = world.simulator.request_count
    drift = await world.drift()

    assert planned - before == warm + 1
    assert world.simulator.request_count - planned == warm + 1
    assert not plan.has_changes
    assert not drift.has_differences


async def test_one_changed_flow_costs_its_own_requests_only(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """What has moved on the tenant is downloaded, the other 79 artifacts are not."""
    world = make(modified_at_families=EVERY_FAMILY)
    fill(world, 4)
    await world.run()
    warm, _ = await cost(world)
    world.simulator.edit_content("Flow0x0", {"src/main/resources/script/Main.groovy": b"// somebody's\n"})
    before = world.simulator.request_count
    plan = await world.plan()

    assert plan.has_changes
    assert world.simulator.request_count - before == warm + 1 + 1, "one for the locks, one download"
