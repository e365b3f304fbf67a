"""What the runtime shows after an undeployment, and what may be deployed meanwhile: sources disagree, so it is set."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
RUNTIME_F = "IntegrationRuntimeArtifacts('F')"
DEPLOY_F = "DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'"


def _running(connect: Connect, flow: Build, **settings: object) -> tuple[Simulator, httpx.AsyncClient]:
    simulator, client = connect(stop_s=30.0, deploy_s=30.0, **settings)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.set_runtime("F", "STARTED")
    return simulator, client


async def _status(client: httpx.AsyncClient) -> str:
    answer = await client.get(RUNTIME_F)
    return str(answer.json()["d"]["Status"]) if answer.status_code == 200 else str(answer.status_code)


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ("stopping", ["STOPPING", "STOPPING", "STOPPING", "404"]),
        ("gone", ["404", "404", "404", "404"]),
        ("old-first", ["STARTED", "STARTED", "STOPPING", "404"]),
    ],
)
@pytest.mark.parametrize("by", ["api", "hand"])
async def test_what_an_undeployment_shows(
    connect: Connect, flow: Build, autojump_clock: MockClock, rule: str, seen: list[str], by: str
) -> None:
    """STOPPING (SAP Help), gone at once (flashpipe's cmd_test.go), or the old state for a while (landscaper)."""
    simulator, client = _running(connect, flow, undeployment=rule)
    if by == "api":
        assert (await client.delete(RUNTIME_F)).status_code == 202
    else:
        simulator.undeploy("F")
    shown = []
    for moment in (0.0, 9.0, 11.0, 31.0):
        await trio.sleep_until(moment)
        shown.append(await _status(client))
    assert shown == seen


async def test_what_still_shows_its_old_state_is_undeployed_only_once(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """A second undeployment is answered like one of something that is not deployed (SAP Help: STOPPING)."""
    _, client = _running(connect, flow, undeployment="old-first")
    assert [(await client.delete(RUNTIME_F)).status_code for _ in range(2)] == [202, 404]


@pytest.mark.parametrize("accepts", [False, True])
@pytest.mark.parametrize("rule", ["stopping", "old-first"])
async def test_deploying_what_is_being_undeployed(
    connect: Connect, flow: Build, autojump_clock: MockClock, rule: str, *, accepts: bool
) -> None:
    """Refused (SAP Help: STOPPING cannot be redeployed), or accepted (flashpipe undeploys and then deploys at once)."""
    simulator, client = _running(connect, flow, undeployment=rule, deploys_while_stopping=accepts)
    await client.delete(RUNTIME_F)
    answer = await client.post(DEPLOY_F)
    assert answer.status_code == (202 if accepts else 400)
    await trio.sleep(31)
    assert await _status(client) == ("STARTED" if accepts else "404")
    assert simulator.is_running_design_time("F") is accepts


async def test_what_is_gone_at_once_is_deployed_again_at_once(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """Nothing is STOPPING there, so nothing is refused (flashpipe's cmd_test.go)."""
    _, client = _running(connect, flow, undeployment="gone")
    await client.delete(RUNTIME_F)
    assert (await client.post(DEPLOY_F)).status_code == 202
    await trio.sleep(31)
    assert await _status(client) == "STARTED"
