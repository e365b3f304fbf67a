"""A tenant with a thousand artifacts in fifty packages: lists are whole, and a whole run ends well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trio

from cpi_tasks.simulator import Simulator, SimulatorSettings
from tests.support.world import make_world

PACKAGES, EACH = 50, 20
IDS = [f"Artifact{number}" for number in range(PACKAGES * EACH)]
Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the variables of this machine out of the run."""
    for name in ("CPI_ENV", "CPI_HOST", "CPI_USERNAME", "CPI_PASSWORD", "CPI_SERVICE_KEY", "CPI_TOKEN_URL"):
        monkeypatch.delenv(name, raising=False)


def furnish(simulator: Simulator, bundle: Callable[..., bytes]) -> None:
    """Put a thousand running artifacts into fifty packages."""
    for number, artifact in enumerate(IDS):
        package = f"Package{number // EACH}"
        if package not in simulator.packages:
            simulator.add_package(package)
        simulator.add_artifact(package, artifact, "ScriptCollection", bundle(artifact, "ScriptCollection"))
        simulator.set_runtime(artifact, "STARTED")


async def pages(client: httpx.AsyncClient, path: str) -> list[list[str]]:
    """Read a list to its end; give the ids of each page."""
    found = []
    link: str | None = path
    while link:
        answer = (await client.get(link)).json()["d"]
        found.append([row["Id"] for row in answer["results"]])
        link = answer.get("__next")
    return found


@pytest.mark.parametrize(("page_size", "sizes"), [(1000, [1000]), (300, [300, 300, 300, 100])])
async def test_long_lists_are_whole_on_every_page_size(
    connect: Connect,
    bundle: Callable[..., bytes],
    autojump_clock: trio.testing.MockClock,
    page_size: int,
    sizes: list[int],
) -> None:
    """A thousand rows fit on one page of the usual size; smaller pages together have each row once."""
    simulator, client = connect(page_size=page_size)
    furnish(simulator, bundle)
    async with client:
        runtime = await pages(client, "IntegrationRuntimeArtifacts")
        packages = await pages(client, "IntegrationPackages")
        inside = await pages(client, "IntegrationPackages('Package49')/ScriptCollectionDesigntimeArtifacts")
        count = (await client.get("IntegrationRuntimeArtifacts/$count")).text

    assert [len(page) for page in runtime] == sizes
    assert sorted(one for page in runtime for one in page) == sorted(IDS)
    assert packages == [[f"Package{number}" for number in range(PACKAGES)]]
    assert inside == [IDS[-EACH:]]
    assert count == "1000"


async def test_a_run_with_a_thousand_artifacts_ends_well(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Every artifact is running what design time holds, with one upload and one deployment each."""
    world = make_world(tmp_path / "repo", settings=SimulatorSettings(deploy_s=4))
    world.project.keys |= {"parallelDeployments": 3, "maxParallelDeployments": 40}
    for number, artifact in enumerate(IDS):
        package = f"Package{number // EACH}"
        if number % 5 == 0:
            world.project.flow(package, artifact, parameters={"Host": "a.example"})
        elif number % 5 == 1:
            world.project.values(package, artifact)
        else:
            world.project.collection(package, artifact)
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.deployed == tuple(sorted(IDS))
    assert len(ran.writes) == PACKAGES + 2 * len(IDS)
    assert all(world.simulator.is_running_design_time(artifact) for artifact in IDS)
    assert world.simulator.violations == []
    assert 10 < world.simulator.peak_deployments <= 40
    assert max(world.simulator.peak_deployments_by_package.values()) == 3
