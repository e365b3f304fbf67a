"""Scripted deployments: every fate by name, per artifact and per deployment, under a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import DeploymentRule, Duration, Ending, Fate, Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
RUNTIME_F = "IntegrationRuntimeArtifacts('F')"


class Bench:
    """A tenant with the flows F and G, whose deployments take 30 s where nothing else is said."""

    def __init__(self, connect: Connect, flow: Build, *rules: DeploymentRule, seed: int = 0) -> None:
        """Begin to play."""
        self.simulator, self.client = connect(deploy_s=30.0, error_information_delay_s=5.0)
        self.simulator.add_package("P")
        for name in "FG":
            self.simulator.add_artifact("P", name, "Integration", flow(name))
        self.simulator.play(Simulator.script(*rules, seed=seed))
        self.task = ""

    async def deploy(self, name: str = "F") -> None:
        """Trigger a deployment."""
        self.task = (await self.client.post(f"DeployIntegrationDesigntimeArtifact?Id='{name}'&Version='active'")).text

    async def look(self, name: str = "F") -> tuple[str, str]:
        """Give the runtime's status and the task's."""
        task = (await self.client.get(f"BuildAndDeployStatus(TaskId='{self.task}')")).json()["d"]["Status"]
        answer = await self.client.get(f"IntegrationRuntimeArtifacts('{name}')")
        return (answer.json()["d"]["Status"] if answer.status_code == 200 else "-"), task

    async def after(self, *seconds: float) -> list[tuple[str, str]]:
        """Deploy F and look so many seconds after the trigger."""
        await self.deploy()
        begin = trio.current_time()
        seen = []
        for moment in seconds:
            await trio.sleep_until(begin + moment)
            seen.append(await self.look())
        return seen

    async def error_information(self) -> int:
        """Ask for the text and give the status."""
        return (await self.client.get(f"{RUNTIME_F}/ErrorInformation/$value")).status_code


def rule(artifact: str = "F", *, nth: int | None = None, first: int | None = None, **fate: object) -> DeploymentRule:
    return DeploymentRule(artifact=artifact, nth=nth, first=first, fate=Fate(**fate))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fate", "seen"),
    [
        (Fate(ends=Ending.STARTED), [("STARTING", "SUCCESS"), ("STARTED", "SUCCESS"), ("STARTED", "SUCCESS")]),
        (Fate(ends=Ending.BUILD_FAILS), [("-", "FAIL"), ("ERROR", "FAIL"), ("ERROR", "FAIL")]),
        (Fate(ends=Ending.FAILS_LATE), [("STARTING", "SUCCESS"), ("ERROR", "SUCCESS"), ("ERROR", "SUCCESS")]),
        (Fate(ends=Ending.NEVER_APPEARS), [("-", "DEPLOYING")] * 3),
        (Fate(ends=Ending.STAYS_STARTING), [("STARTING", "SUCCESS")] * 3),
        (Fate(task_hangs=True), [("STARTING", "DEPLOYING"), ("STARTED", "DEPLOYING"), ("STARTED", "DEPLOYING")]),
        (Fate(duration=Duration(least=15)), [("STARTING", "SUCCESS"), ("STARTED", "SUCCESS"), ("STARTED", "SUCCESS")]),
    ],
)
async def test_deployments_end_as_scripted(
    connect: Connect, flow: Build, autojump_clock: MockClock, fate: Fate, seen: list[tuple[str, str]]
) -> None:
    """Runtime and task tell what the fate says, at 10, 30 and 10,000 seconds; other artifacts are left alone."""
    bench = Bench(connect, flow, DeploymentRule(artifact="F", fate=fate))
    assert await bench.after(10.001, 30.001, 10_000) == seen
    await bench.deploy("G")
    await trio.sleep(31)
    assert await bench.look("G") == ("STARTED", "SUCCESS")


async def test_the_old_version_lingers(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """The task has succeeded and the runtime still shows what was there."""
    bench = Bench(connect, flow, rule(old_version_s=20.0))
    bench.simulator.set_runtime("F", "STARTED", version="0.9.0", deployed_on=1760000000000)
    assert await bench.after(11, 19) == [("STARTED", "SUCCESS")] * 2
    shown = bench.simulator.runtime("F")
    assert shown is not None
    assert (shown.version, shown.deployed_on) == ("0.9.0", 1760000000000)
    await trio.sleep(2)
    assert await bench.look() == ("STARTING", "SUCCESS")
    await trio.sleep(10)
    assert [(item.status, item.version) for item in bench.simulator.history("F")] == [
        ("STARTED", "0.9.0"),
        ("STARTING", "1.0.0"),
        ("STARTED", "1.0.0"),
    ]


async def test_error_information_comes_after_looks_or_seconds(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """Counted from the ERROR; the settings speak where the script does not."""
    fails = Ending.BUILD_FAILS
    bench = Bench(
        connect,
        flow,
        rule(nth=1, ends=fails, error_looks=3),
        rule(nth=2, ends=fails, error_s=60.0),
        rule(nth=3, ends=fails, error="no luck today"),
    )
    await bench.after(31)
    assert [await bench.error_information() for _ in range(4)] == [204, 204, 204, 200]
    await bench.after(31)
    assert [await bench.error_information() for _ in range(4)] == [204, 204, 204, 204]
    await trio.sleep(60)
    assert await bench.error_information() == 200
    await bench.after(31)
    assert [await bench.error_information() for _ in range(2)] == [204, 204]
    await trio.sleep(5)
    assert await bench.error_information() == 200
    assert "no luck today" in (await bench.client.get(f"{RUNTIME_F}/ErrorInformation/$value")).text


async def test_a_deployment_may_fail_once_and_then_work(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """Each artifact's deployments are counted by themselves; the id may have wildcards."""
    bench = Bench(connect, flow, rule("[FG]", first=1, ends=Ending.BUILD_FAILS))
    seen = []
    for name in "FFG":
        await bench.deploy(name)
        await trio.sleep(31)
        seen.append((await bench.look(name))[0])
    assert seen == ["ERROR", "STARTED", "ERROR"]


async def test_the_first_rule_that_speaks_of_a_point_is_heard(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """One rule may give the time, another the end."""
    slow = Duration(least=300)
    bench = Bench(connect, flow, rule(nth=1, ends=Ending.FAILS_LATE), rule("*", ends=Ending.STARTED, duration=slow))
    assert await bench.after(299, 301) == [("STARTING", "SUCCESS"), ("ERROR", "SUCCESS")]
    assert await bench.after(301) == [("STARTED", "SUCCESS")]


@pytest.mark.parametrize(
    ("duration", "least", "most"),
    [
        (Duration(least=42), 42, 42),
        (Duration(kind="uniform", least=10, most=20), 10, 20),
        (Duration(kind="heavy-tail", least=5, most=600), 5, 600),
    ],
)
async def test_durations_are_drawn_by_seed_and_not_by_order(
    connect: Connect, flow: Build, autojump_clock: MockClock, duration: Duration, least: float, most: float
) -> None:
    """The same seed gives each deployment its time, whoever is triggered first; another seed another time."""

    async def taken(order: str, seed: int) -> dict[str, list[float]]:
        bench = Bench(connect, flow, rule("*", duration=duration), seed=seed)
        for name in order * 20:
            await bench.deploy(name)
            await trio.sleep(1000)
        found: dict[str, list[float]] = {}
        for name in "FG":
            calls = [task for task in bench.simulator._state.tasks.values() if task.artifact_id == name]
            found[name] = [task.duration_ms / 1000 for task in calls]
        return found

    first = await taken("FG", seed=3)
    assert first == await taken("GF", seed=3)
    assert all(least <= value <= most for values in first.values() for value in values)
    if least < most:
        assert first != await taken("FG", seed=4)
        assert len(set(first["F"] + first["G"])) > 30


def test_the_heavy_tail_is_heavy() -> None:
    """Half of the deployments take little more than the least time, a few take very long."""
    duration = Duration(kind="heavy-tail", least=5, most=600)
    drawn = sorted(duration.draw(Random(number)) for number in range(1000))  # noqa: S311 - no secret
    assert drawn[500] < 10
    assert drawn[-10] > 100
    assert drawn[-1] <= 600


def test_wrong_fates_are_refused() -> None:
    """All mistakes at once."""
    with pytest.raises(SimulatorError) as caught:
        Simulator.script(
            rule(nth=0, old_version_s=-1.0),
            rule(duration=Duration(kind="uniform", least=5, most=1)),
            rule(duration=Duration(kind="heavy-tail", least=0, most=1)),
            rule(duration=Duration(least=-1)),
        )
    assert [line.partition(": ")[2] for line in str(caught.value).splitlines()[1:]] == [
        "nth must be at least 1",
        "old_version_s must not be negative",
        "duration uniform needs a longest time that is not below the least",
        "duration heavy-tail needs a least time above 0",
        "duration must not be negative",
    ]
