"""Looks that have nothing new to tell wake nobody, and still fall when they are due."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.engine.polling import Polling
from cpi_tasks.engine.watch import News, RuntimeWatcher
from cpi_tasks.errors import RequestRejected
from cpi_tasks.model.naming import ArtifactId, ArtifactKind
from cpi_tasks.model.report import Status
from cpi_tasks.model.tenant import RuntimeArtifact
from tests.support.bench import Bench, deployment, plan_of, rejected
from tests.support.script import Script

NEVER = 1e9


async def news_of(
    bench: Bench, *, tell_from: float = NEVER, until: float = NEVER
) -> tuple[float, RuntimeArtifact | None]:
    """Wait for news of A beyond what runs now; gives the moment they were told, and what was seen."""
    news = News(
        known=bench.tenant.seen("A"), tell_from=tell_from, until=until, polling=Polling(longest_s=5.0), since=0.0
    )
    watcher = RuntimeWatcher(bench.tenant)
    async with trio.open_nursery() as watching:
        watching.start_soon(watcher.run)
        try:
            seen = await watcher.look_for(news, ArtifactId("A"))
            return trio.current_time(), seen
        finally:
            watching.cancel_scope.cancel()


async def test_only_another_state_is_told(bench: Bench, autojump_clock: MockClock) -> None:
    """Looks widen as ever while the old state is shown; the first one that shows another is told."""
    before = bench.tenant.run("A")
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(appears_s=30.0, takes_s=1e6)
    await bench.tenant.trigger_deployment(ArtifactId("A"), ArtifactKind.INTEGRATION_FLOW)

    at, seen = await news_of(bench)

    looks = bench.tenant.at("look A")
    pauses = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert 30.0 < at < 35.0
    assert seen is not None
    assert (before.status, seen.status) == ("STARTED", "STARTING")
    assert at == pytest.approx(looks[-1], abs=0.1)
    assert pauses[0] == pytest.approx(0.25, abs=0.1)
    assert pauses[-1] == pytest.approx(4.0, abs=0.7)


async def test_the_next_look_is_told_from_a_moment_on(bench: Bench, autojump_clock: MockClock) -> None:
    """From ``tell_from`` on the next look is told whatever it shows, but it does not fall earlier for that."""
    bench.tenant.run("A")

    at, seen = await news_of(bench, tell_from=10.0)

    looks = bench.tenant.at("look A")
    assert (seen, len([look for look in looks if look >= 10.0])) == (bench.tenant.running["A"], 1)
    assert 10.2 < at < 12.0


async def test_a_look_falls_at_the_end(bench: Bench, autojump_clock: MockClock) -> None:
    """A last look is due when the time is over."""
    bench.tenant.run("A")

    at, _ = await news_of(bench, tell_from=10.0, until=10.0)

    assert at == pytest.approx(10.0, abs=0.1)


async def test_a_refusal_is_told(bench: Bench, autojump_clock: MockClock) -> None:
    """A refusal to show the artifact is news."""
    bench.tenant.faults["look A"] = [None, None, rejected("forbidden")]  # type: ignore[list-item]

    with pytest.RaisesGroup(pytest.RaisesExc(RequestRejected, match="forbidden")):
        await news_of(bench)

    assert bench.tenant.count("look") == 3


async def test_a_list_of_many_wakes_those_with_news(bench: Bench, autojump_clock: MockClock) -> None:
    """Of a hundred deployments each costs a few steps, however many looks the slowest of them takes."""
    artifacts = [f"A{number}" for number in range(100)]
    for number, artifact in enumerate(artifacts):
        bench.tenant.have(artifact)
        bench.tenant.scripts[artifact] = Script(takes_s=60.0 + number, has_task=False)
    bench.settings = replace(bench.settings, parallel_deployments=100, max_parallel_deployments=100)
    steps = Steps()
    trio.lowlevel.add_instrument(steps)

    await bench.carry_out(plan_of(*map(deployment, artifacts), updates=False))

    trio.lowlevel.remove_instrument(steps)
    assert bench.tenant.count("look-all") > 35
    assert steps.number / len(artifacts) < 25


async def test_what_nothing_tells_counts_after_ample_time(bench: Bench, autojump_clock: MockClock) -> None:
    """Without DeployedOn and a task nothing is ever news: the wanted version counts after a minute all the same."""
    bench.tenant.gives_deployed_on = False
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(ends="UNCHANGED", has_task=False)

    outcome = await bench.deployed()

    assert outcome.status is Status.DONE
    assert 60.0 <= (outcome.duration_s or 0.0) < 76.0


class Steps(trio.abc.Instrument):
    """Counts the steps of all tasks."""

    def __init__(self) -> None:
        """Begin with none."""
        self.number = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count one."""
        del task
        self.number += 1
