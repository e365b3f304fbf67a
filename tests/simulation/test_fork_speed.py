"""Row 16 of the known defects of flashpipe's orchestrator: packages one after another, a token for each artifact."""

from __future__ import annotations

from collections import Counter

import trio.testing

from cpi_tasks.simulator import Simulator, SimulatorSettings
from tests.support.world import MakeWorld, World

PACKAGES, EACH = 10, 20


def two_hundred(make: MakeWorld) -> World:
    """Make 200 flows in 10 packages whose deployments take 2 s, 5 at once in each; request rates out of the way."""
    world = make(login="oauth")
    world.simulator = Simulator(SimulatorSettings(deploy_s=2.0))
    world.project.keys |= {
        "parallelDeployments": 5,
        "maxParallelDeployments": 50,
        "requestsPerSecond": {"designtime": 5000, "runtime": 5000},
    }
    for package in range(PACKAGES):
        for number in range(EACH):
            world.project.flow(f"Package{package}", f"Flow{package}x{number}")
    return world


async def test_row_16_packages_side_by_side_one_token_and_few_requests(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """200 new artifacts take little more than the 8 s their deployments must take, with one login for all of them."""
    world = two_hundred(make)
    ran = await world.run()

    seen = Counter(request.path == "/oauth/token" for request in world.simulator.requests)
    assert ran.exit_code == 0
    assert seen[True] == 1
    assert seen[False] <= 5 * PACKAGES * EACH
    assert ran.took_s <= 8.0 * 1.2
    assert max(world.simulator.peak_deployments_by_package.values()) == 5


async def test_row_16_updates_of_packages_overlap(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """All packages are begun before the first is through with its artifacts."""
    world = two_hundred(make)
    ran = await world.run()

    packages = [at for at, write in enumerate(ran.writes) if write.startswith("POST IntegrationPackages")]
    artifacts = [at for at, write in enumerate(ran.writes) if write.startswith("POST IntegrationDesigntimeArtifacts")]
    assert (len(packages), len(artifacts)) == (PACKAGES, PACKAGES * EACH)
    assert packages[-1] < artifacts[EACH]
