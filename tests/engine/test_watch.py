"""The shared watcher: few looks, growing pauses, and patience with a tenant that gives no answer."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.engine.polling import Polling
from cpi_tasks.engine.watch import RuntimeWatcher
from cpi_tasks.events import DeploymentTriggered
from cpi_tasks.model.naming import ArtifactId, PollingPolicy
from cpi_tasks.model.plan import DeployAction
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.model.report import Status
from cpi_tasks.model.tenant import RuntimeArtifact
from tests.support.bench import Bench, deploy, deployment, deploys_of, outcome_of, plan_of, rejected, unavailable
from tests.support.script import Script


def moments(polling: Polling, until_s: float) -> list[float]:
    """Give the moments of all looks up to one, in seconds since the trigger."""
    found, now = [], 0.0
    while now < until_s:
        now += polling.pause_s(now)
        found.append(now)
    return found


def test_looks_start_early_and_widen() -> None:
    """Pauses grow with the time that has gone by, to the longest, which they never exceed."""
    polling = Polling(longest_s=15.0)

    assert [polling.pause_s(elapsed_s) for elapsed_s in (0.0, 2.0, 10.0, 60.0, 1000.0)] == [0.25, 0.3, 1.5, 9.0, 15.0]
    assert Polling(longest_s=0.2).pause_s(0.0) == 0.2


def test_looks_are_close_around_the_expected_moment() -> None:
    """What an artifact took the last time draws looks near it: one falls within half a second after it."""
    looks = moments(Polling(longest_s=15.0, expected_s=200.0), 250.0)

    assert min(look for look in looks if look >= 200.0) <= 200.5
    assert len(looks) < 70


def test_looks_at_short_deployments_are_closer() -> None:
    """Where a deployment takes two seconds, looks around its end are a tenth of a second apart, not a quarter."""
    short, long = (Polling(longest_s=15.0, expected_s=expected_s) for expected_s in (2.0, 20.0))

    assert (short.pause_s(2.0), long.pause_s(20.0)) == (0.1, 0.25)


def test_fixed_polling_is_literal() -> None:
    """With ``polling: fixed`` every pause is the one of the settings."""
    assert moments(Polling(longest_s=15.0, expected_s=20.0, is_fixed=True), 75.0) == [15.0, 30.0, 45.0, 60.0, 75.0]


async def test_fixed_looks_are_not_shared(bench: Bench, autojump_clock: MockClock) -> None:
    """With ``polling: fixed`` an artifact is looked at every 15 s after its own trigger, whoever else is looked at."""
    bench.settings = replace(bench.settings, polling=PollingPolicy.FIXED, deploy_delay_s=15.0, deploy_timeout_s=75.0)
    for artifact in "AB":
        bench.tenant.have(artifact)
        bench.tenant.scripts[artifact] = Script(takes_s=1e6, has_task=False)
    bench.tenant.slow["trigger B"] = [7.0]

    await bench.carry_out(plan_of(*map(deployment, "AB"), updates=False))

    looks = {artifact: [at for at in bench.tenant.at(f"look {artifact}") if at > 0.5] for artifact in "AB"}
    assert looks == {"A": [15.0, 30.0, 45.0, 60.0, 75.0], "B": [22.0, 37.0, 52.0, 67.0, 82.0]}


async def test_fixed_looks_of_the_same_moment_are_shared(bench: Bench, autojump_clock: MockClock) -> None:
    """With ``polling: fixed`` deployments triggered within a quarter of a second still share one list."""
    bench.settings = replace(bench.settings, polling=PollingPolicy.FIXED, parallel_deployments=9)
    artifacts = [f"A{number}" for number in range(9)]
    for number, artifact in enumerate(artifacts):
        bench.tenant.have(artifact)
        bench.tenant.scripts[artifact] = Script(takes_s=20.0)
        bench.tenant.slow[f"trigger {artifact}"] = [number / 40]

    report = await bench.carry_out(plan_of(*map(deployment, artifacts), updates=False))

    assert set(deploys_of(report).values()) == {"done"}
    assert (bench.tenant.count("look-all"), bench.tenant.count("look")) == (3, 0)


async def test_looks_of_a_long_deployment(bench: Bench, autojump_clock: MockClock) -> None:
    """The pauses between the looks at one deployment never exceed deployDelaySeconds, and looks are few."""
    bench.settings = replace(bench.settings, deploy_delay_s=7.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=300.0)

    await bench.deployed()

    looks = bench.tenant.at("look A")
    assert max(later - earlier for earlier, later in itertools.pairwise(looks)) <= 7.0 + 1e-6
    assert len(looks) < 80


async def test_an_end_in_sight_is_looked_at_again_soon(bench: Bench, autojump_clock: MockClock) -> None:
    """An end that one more look must confirm gets it within a second, however wide the pauses have grown."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=100.0, task_s=5.0, ends="ERROR")

    assert (await bench.deployed()).status is Status.FAILED

    before, confirmed = [at for at in bench.tenant.at("look A") if at > 100.0][:2]
    assert 0.5 < confirmed - before < 1.1


async def test_200_in_flight(bench: Bench, autojump_clock: MockClock) -> None:
    """Two hundred deployments share their looks, and their build tasks are asked for sparingly."""
    bench.settings = replace(bench.settings, parallel_deployments=200, max_parallel_deployments=200)
    artifacts = [f"A{number}" for number in range(200)]
    for artifact in artifacts:
        bench.tenant.have(artifact)
        bench.tenant.scripts[artifact] = Script(appears_s=5.0, takes_s=20.0, task_s=15.0)

    report = await bench.carry_out(plan_of(*map(deployment, artifacts), updates=False))

    assert set(deploys_of(report).values()) == {"done"}
    assert bench.tenant.count("look") == 0
    assert bench.tenant.count("look-all") <= 30
    assert bench.tenant.count("task") <= 800


async def test_a_slow_tenant_is_left_alone_between_looks(bench: Bench, autojump_clock: MockClock) -> None:
    """After a look that took long the next one begins no sooner than after as long a rest, at most a second."""
    watcher = RuntimeWatcher(bench.tenant)
    bench.tenant.slow["look A"] = [0.4, 30.0, 0.0]

    async with trio.open_nursery() as watching:
        watching.start_soon(watcher.run)
        for _ in range(4):
            await watcher.look(ArtifactId("A"), pause_s=0.0)
        watching.cancel_scope.cancel()

    began, second, third, fourth = bench.tenant.at("look A")
    assert second - began == pytest.approx(0.8, abs=0.1)
    assert third - second == pytest.approx(31.0, abs=0.1)
    assert fourth - third == pytest.approx(0.1, abs=0.1)


async def test_later_deployments_are_expected_to_take_what_others_took(bench: Bench, autojump_clock: MockClock) -> None:
    """What the first deployments of a run took draws the looks at the next ones near their end."""
    bench.settings = replace(bench.settings, parallel_deployments=1, max_parallel_deployments=1)
    for artifact in "AB":
        bench.tenant.have(artifact)
        bench.tenant.scripts[artifact] = Script(takes_s=60.0, has_task=False)

    await bench.carry_out(plan_of(*map(deployment, "AB"), updates=False))

    late = {artifact: bench.tenant.at(f"look {artifact}")[-1] for artifact in "AB"}
    begun = {artifact: bench.tenant.at(f"trigger {artifact}")[0] for artifact in "AB"}
    assert late["A"] - begun["A"] > 64.0
    assert late["B"] - begun["B"] < 63.0


@pytest.mark.parametrize(("artifacts", "lists"), [("A", 0), ("AB", 0), ("ABC", 1)])
async def test_by_id_below_three(bench: Bench, autojump_clock: MockClock, artifacts: str, lists: int) -> None:
    """One or two that wait are read by id, three or more with one list."""
    watcher = RuntimeWatcher(bench.tenant)
    for artifact in artifacts:
        bench.tenant.run(artifact)
    seen: dict[str, RuntimeArtifact | None] = {}

    async def look(artifact: str) -> None:
        seen[artifact] = await watcher.look(ArtifactId(artifact), pause_s=1.0)

    async with trio.open_nursery() as watching:
        async with trio.open_nursery() as nursery:
            for artifact in artifacts:
                nursery.start_soon(look, artifact)
            watching.start_soon(watcher.run)
        watching.cancel_scope.cancel()

    assert seen == bench.tenant.running
    assert bench.tenant.count("look-all") == lists
    assert len(bench.tenant.calls) == (1 if lists else len(artifacts))


async def test_a_refusal_is_its_own_artifacts(bench: Bench, autojump_clock: MockClock) -> None:
    """Where two are read by id, a refusal to show one of them fails that one and not the other."""
    for artifact in "AB":
        bench.tenant.have(artifact)
        bench.tenant.scripts[artifact] = Script(takes_s=30.0)
    bench.tenant.at_each_await = lambda: bench.tenant.faults.update(
        {"look A": [rejected("forbidden")]} if trio.current_time() > 10.0 else {}
    )

    report = await bench.carry_out(plan_of(*map(deployment, "AB"), updates=False))

    assert deploys_of(report) == {"A": "failed", "B": "done"}


async def test_reading_before_the_trigger_is_shared(bench: Bench, autojump_clock: MockClock) -> None:
    """What runs before nine triggers at once is read with one list, right then."""
    artifacts = [f"{package}{number}" for package in "PQR" for number in range(3)]
    for artifact in artifacts:
        bench.tenant.have(artifact, package=artifact[0])

    await bench.carry_out(plan_of(*(deployment(a, package=a[0]) for a in artifacts), updates=False))

    before = list(itertools.takewhile(lambda name: not name.startswith("trigger"), bench.tenant.names))
    assert [name for name in before if name.startswith("look")] == ["look-all"]


async def test_outage_while_looking_fails_nothing(bench: Bench, autojump_clock: MockClock) -> None:
    """No answers for four minutes fail no artifact, and are not charged to its time of 75 s."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=290.0, task_s=1.0)
    bench.tenant.at_each_await = lambda: bench.tenant.faults.update(
        {"look": [unavailable()] if 30.0 <= trio.current_time() < 270.0 else []}
    )

    outcome = await bench.deployed()

    assert (outcome.status, outcome.summary) == (Status.DONE, "deployed 1.0.0")


async def test_throttled_look_is_not_charged(bench: Bench, autojump_clock: MockClock) -> None:
    """A look the tenant made wait for a minute is not charged to an artifact's time of 75 s."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=120.0)
    bench.tenant.slow["look A"] = [0.0, 0.0, 60.0]

    assert (await bench.deployed()).status is Status.DONE


async def test_outage_without_end(bench: Bench, autojump_clock: MockClock) -> None:
    """A tenant that stays silent is not waited for for ever: after five minutes the artifact is red with the reason."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=60.0)
    bench.tenant.at_each_await = lambda: bench.tenant.faults.update(
        {"look": [unavailable()] if bench.tenant.deployed else []}
    )

    outcome = await bench.deployed()

    assert (outcome.status, outcome.reason) == (Status.FAILED, "no usable answer came from the tenant")
    assert 300 <= outcome.duration_s <= 320


async def test_undeployment_is_waited_out(bench: Bench, autojump_clock: MockClock) -> None:
    """Where somebody undeploys, also since planning, the trigger waits until that has ended."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    inventory = bench.inventory()
    bench.tenant.run("A", status="STOPPING")

    def end_it() -> None:
        if trio.current_time() >= 20:
            bench.tenant.running.clear()

    bench.tenant.at_each_await = end_it

    report = await bench.carry_out(plan_of(deployment("A"), updates=False), inventory)

    assert deploys_of(report) == {"A": "done"}
    assert 20 <= bench.tenant.at("trigger A")[0] <= 36


async def test_watched_deployment_is_not_triggered(bench: Bench, autojump_clock: MockClock) -> None:
    """A deployment already under way is watched to its end, not triggered again."""
    bench.tenant.have("A")
    starting = bench.tenant.run("A", status="STARTING")

    def end_it() -> None:
        if trio.current_time() >= 20:
            bench.tenant.running["A"] = replace(starting, status="STARTED")

    bench.tenant.at_each_await = end_it
    step = replace(deploy(DeployAction.WATCH), before=starting)

    report = await bench.carry_out(plan_of(deployment("A", step=step), updates=False))

    outcome = outcome_of(report, "A").deploy
    assert outcome is not None
    assert (outcome.status, outcome.summary) == (Status.DONE, "deployed 1.0.0")
    assert bench.tenant.count("trigger") == 0
    assert sum(isinstance(event, DeploymentTriggered) for event in bench.events) == 1


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (ArtifactRecord(is_pending=True, is_triggered=True, content="then", parameters="p"), ("then", "p")),
        (ArtifactRecord(content="older", parameters="p"), (None, None)),
    ],
    ids=["ours", "somebody else's"],
)
async def test_watched_deployment_is_recorded_as_triggered(
    bench: Bench, autojump_clock: MockClock, before: ArtifactRecord, expected: tuple[str | None, str | None]
) -> None:
    """A joined deployment runs what design time held at its trigger, which this run has not seen."""
    bench.tenant.have("A")
    starting = bench.tenant.run("A", status="STARTING")
    bench.records.records["A"] = before

    def end_it() -> None:
        bench.tenant.running["A"] = replace(starting, status="STARTED")

    bench.tenant.at_each_await = end_it
    step = replace(deploy(DeployAction.WATCH), before=starting)

    await bench.carry_out(plan_of(deployment("A", step=step), updates=False))

    record = bench.records.records["A"]
    assert (record.content, record.parameters) == expected
    assert not record.is_pending


async def test_look_needs_no_deployed_on(bench: Bench, autojump_clock: MockClock) -> None:
    """On a tenant without DeployedOn a seen STARTING proves the new deployment."""
    bench.tenant.gives_deployed_on = False
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(appears_s=5.0, takes_s=30.0, has_task=False)

    outcome = await bench.deployed()

    assert outcome.status is Status.DONE
    assert outcome.duration_s >= 30


async def test_building_task_denies_an_undated_presence(bench: Bench, autojump_clock: MockClock) -> None:
    """Without DeployedOn the old deployment is not taken for the new one while our task still builds."""
    bench.tenant.gives_deployed_on = False
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(ends="UNCHANGED", task_s=1e6)

    outcome = await bench.deployed()

    assert outcome.status is Status.FAILED
