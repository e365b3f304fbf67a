"""Deployments triggered before ours: what is known of them, and how long their end may be taken for ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.engine.evidence import changes_when_joined, count_under_way
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.records import NOTHING_RAN, ArtifactRecord
from cpi_tasks.model.report import Status
from cpi_tasks.model.tenant import RuntimeArtifact
from tests.support.bench import Bench, deployment, outcome_of, plan_of, unavailable
from tests.support.script import Script

KILLED = ArtifactRecord(is_pending=True, unseen=1, ran_before=2_000)
EARLIER = RuntimeArtifact(id=ArtifactId("A"), version="1.0.0", status="STARTED", deployed_on=500)


def lands(bench: Bench, earlier: RuntimeArtifact, *, at: float) -> None:
    """Have what an earlier run triggered show its end, in place of what ran before, so long after our trigger."""

    def land() -> None:
        deployed = bench.tenant.deployed.get("A")
        if deployed is not None and trio.current_time() - deployed.at >= at:
            deployed.before = earlier

    bench.tenant.at_each_await = land


def runs(status: str, deployed_on: int | None) -> RuntimeArtifact:
    return replace(EARLIER, status=status, deployed_on=deployed_on)


TWICE = ArtifactRecord(unseen=2, ran_before=1_000)
ONCE = ArtifactRecord(unseen=1, ran_before=1_000)


@pytest.mark.parametrize(
    ("record", "before", "under_way", "joined"),
    [
        pytest.param(ArtifactRecord(), runs("STARTED", 1_000), 0, 0, id="nothing known"),
        pytest.param(ArtifactRecord(), None, 0, 0, id="nothing known, nothing runs"),
        pytest.param(ArtifactRecord(), runs("STARTING", 1_000), 1, 0, id="somebody's is seen starting"),
        pytest.param(ONCE, runs("STARTED", 1_000), 1, 0, id="what ran then still does"),
        pytest.param(ONCE, runs("STARTED", 2_000), 0, 0, id="something else runs"),
        pytest.param(ONCE, runs("STARTING", 2_000), 0, 0, id="it is starting: its DeployedOn is known"),
        pytest.param(ONCE, None, 0, 0, id="it was undeployed"),
        pytest.param(ONCE, runs("STARTED", None), 1, 0, id="the tenant tells no time now"),
        pytest.param(replace(ONCE, ran_before=None), runs("STARTED", 1_000), 1, 0, id="what ran then is not known"),
        pytest.param(replace(ONCE, ran_before=NOTHING_RAN), None, 1, 0, id="nothing ran then or now"),
        pytest.param(replace(ONCE, ran_before=NOTHING_RAN), runs("STARTED", 1_000), 0, 0, id="nothing ran then"),
        pytest.param(TWICE, runs("STARTED", 1_000), 2, 2, id="two, none was seen"),
        pytest.param(TWICE, runs("STARTING", 2_000), 1, 1, id="two, one was seen"),
    ],
)
def test_what_is_known(record: ArtifactRecord, before: RuntimeArtifact | None, under_way: int, joined: int) -> None:
    """What runs right before a trigger tells whether deployments on record may be under way, and how many."""
    assert count_under_way(record, before) == under_way
    assert changes_when_joined(record, before) == joined


@pytest.mark.parametrize("version", ["1.0.0", "Active"])
async def test_a_success_while_our_task_builds_is_not_ours(
    bench: Bench, autojump_clock: MockClock, version: str
) -> None:
    """Where a killed run's deployment may be under way, its success is held back until ours has ended."""
    bench.tenant.have("A", version=version)
    bench.tenant.run("A")
    bench.records.records["A"] = KILLED
    bench.tenant.scripts["A"] = Script(appears_s=20.0, task_s=20.0, takes_s=30.0)
    lands(bench, EARLIER, at=5.0)

    outcome = await bench.deployed()

    assert outcome.status is Status.DONE
    assert 30 <= outcome.duration_s <= 40
    record = bench.records.records["A"]
    assert (record.deployed_on, record.unseen) == (3_000, 0)


async def test_what_stood_there_while_our_task_built_is_not_ours(bench: Bench, autojump_clock: MockClock) -> None:
    """A tenant may go on showing the earlier success after our build, and ours fail then."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.records.records["A"] = KILLED
    bench.tenant.scripts["A"] = Script(appears_s=40.0, task_s=20.0, takes_s=41.0, ends="ERROR")
    lands(bench, EARLIER, at=5.0)

    assert Status.FAILED is (await bench.deployed()).status


async def test_without_any_deployed_on(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the tenant gives no DeployedOn, that an earlier end was never seen is enough to wait for our task."""
    bench.tenant.gives_deployed_on = False
    bench.tenant.have("A")
    bench.tenant.run("A", version="0.9.0")
    bench.records.records["A"] = replace(KILLED, ran_before=None)
    bench.tenant.scripts["A"] = Script(appears_s=20.0, task_s=20.0, takes_s=30.0, ends="ERROR")
    lands(bench, replace(EARLIER, deployed_on=None), at=5.0)

    assert Status.FAILED is (await bench.deployed()).status


@pytest.mark.parametrize("has_task", [True, False])
@pytest.mark.parametrize("ends", ["STARTED", "ERROR"])
@pytest.mark.parametrize(("timeout_s", "ample_s"), [(600.0, 60.0), (100.0, 50.0)])
async def test_nothing_is_held_longer_than_ample_time(
    bench: Bench, autojump_clock: MockClock, *, has_task: bool, ends: str, timeout_s: float, ample_s: float
) -> None:
    """Where our task hangs or there is none, our own end counts after 60 s or half of the artifact's time."""
    bench.settings = replace(bench.settings, deploy_timeout_s=timeout_s)
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.records.records["A"] = KILLED
    bench.tenant.scripts["A"] = Script(takes_s=2.0, task_s=1e6, has_task=has_task, ends=ends)

    outcome = await bench.deployed()

    assert outcome.status is {"STARTED": Status.DONE, "ERROR": Status.FAILED}[ends]
    assert ample_s <= outcome.duration_s <= ample_s + 2 + 15
    # The ERROR may have been the earlier one's, and ours be under way.
    assert bench.records.records["A"].unseen == {"STARTED": 0, "ERROR": 1}[ends]


async def test_an_error_while_the_task_hangs(bench: Bench, autojump_clock: MockClock) -> None:
    """An ERROR waits for our task though nothing is known of an earlier deployment, and is red after ample time."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(takes_s=2.0, task_s=1e6, ends="ERROR")

    outcome = await bench.deployed()

    assert outcome.reason == "ended in ERROR: Script file 'a.groovy' not found"
    assert 60 <= outcome.duration_s <= 77


@pytest.mark.parametrize(("task_s", "takes_s", "at_most_s"), [(1.0, 2.0, 4.0), (20.0, 21.0, 33.0)])
async def test_an_error_whose_task_has_ended_is_red_soon(
    bench: Bench, autojump_clock: MockClock, task_s: float, takes_s: float, at_most_s: float
) -> None:
    """A deployment that fails after its build is red one look later."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(appears_s=takes_s, takes_s=takes_s, task_s=task_s, ends="ERROR")

    outcome = await bench.deployed()

    assert outcome.status is Status.FAILED
    assert outcome.duration_s < at_most_s


async def test_what_was_undeployed_is_under_way_no_more(bench: Bench, autojump_clock: MockClock) -> None:
    """What is STOPPING is waited for; where nothing runs then, nothing of an earlier run's is under way."""
    bench.tenant.have("A")
    bench.tenant.run("A", status="STOPPING")
    bench.records.records["A"] = KILLED
    bench.tenant.scripts["A"] = Script(takes_s=2.0, task_s=1e6)

    def stop() -> None:
        if trio.current_time() >= 5:
            bench.tenant.running.pop("A", None)

    bench.tenant.at_each_await = stop
    outcome = await bench.deployed()

    assert outcome.status is Status.DONE
    assert outcome.duration_s < 15


async def test_somebody_elses_deployment_that_is_seen_starting(bench: Bench, autojump_clock: MockClock) -> None:
    """On a tenant that takes DeployedOn at the end, what was STARTING before our trigger ends as if it were ours."""
    bench.tenant.have("A", version="1.0.0")
    bench.tenant.run("A", status="STARTING")
    bench.tenant.scripts["A"] = Script(appears_s=20.0, task_s=20.0, takes_s=30.0, ends="ERROR")
    lands(bench, EARLIER, at=5.0)

    assert Status.FAILED is (await bench.deployed()).status


@pytest.mark.parametrize("is_lost_twice", [True, False])
async def test_a_sign_of_an_earlier_deployment_is_none_of_ours(
    bench: Bench, autojump_clock: MockClock, *, is_lost_twice: bool
) -> None:
    """What a killed run triggered does not show that our trigger arrived: it is repeated, and red if lost again."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.records.records["A"] = KILLED
    bench.tenant.faults["trigger"] = [unavailable()] * (2 if is_lost_twice else 1)

    def land() -> None:
        if trio.current_time() >= 5:
            bench.tenant.running["A"] = EARLIER

    bench.tenant.at_each_await = land
    outcome = await bench.deployed()

    assert bench.tenant.count("trigger") == 2
    assert outcome.status is (Status.FAILED if is_lost_twice else Status.DONE)
    assert is_lost_twice or bench.records.records["A"].deployed_on == 3_000


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        (
            Script(takes_s=98.0, task_s=1e6),
            Status.FAILED,
            "it may be a deployment triggered earlier; the end of this one was not seen",
        ),
        (Script(takes_s=110.0, task_s=105.0), Status.DONE, "seen late"),
    ],
)
async def test_last_look(bench: Bench, autojump_clock: MockClock, script: Script, status: Status, reason: str) -> None:
    """At the end of its time a success counts only if our task had ended before the last look."""
    bench.settings = replace(bench.settings, deploy_timeout_s=100.0)
    for artifact in ("A", "Slow"):
        bench.tenant.have(artifact)
    bench.tenant.run("A")
    bench.records.records["A"] = KILLED
    bench.tenant.scripts["A"] = replace(script, appears_s=90.0)
    bench.tenant.scripts["Slow"] = Script(takes_s=60.0)
    bench.tenant.slow["trigger Slow"] = [75.0]

    report = await bench.carry_out(plan_of(deployment("A"), deployment("Slow"), updates=False))

    outcome = outcome_of(report, "A").deploy
    assert outcome is not None
    assert outcome.status is status
    assert reason in outcome.reason


async def test_a_failed_build_says_nothing_of_an_earlier_deployment(bench: Bench, autojump_clock: MockClock) -> None:
    """After our task's FAIL none of ours is under way, but the killed run's may be; what was written stays pending."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.records.records["A"] = KILLED
    bench.tenant.scripts["A"] = Script(appears_s=1e6, takes_s=1e6, task_s=1.0, task_ends="FAIL")

    assert Status.FAILED is (await bench.deployed()).status

    record = bench.records.records["A"]
    assert (record.is_pending, record.is_triggered, record.unseen, record.ran_before) == (True, False, 1, 2_000)


async def test_what_is_noted_at_the_trigger(bench: Bench, autojump_clock: MockClock) -> None:
    """A run that did not see the end leaves on record what ran before, for the next one."""
    bench.settings = replace(bench.settings, deploy_timeout_s=20.0)
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(takes_s=500.0)

    assert Status.FAILED is (await bench.deployed()).status

    record = bench.records.records["A"]
    assert (record.is_pending, record.is_triggered, record.unseen, record.ran_before) == (True, True, 1, 2_000)
