"""The call that starts a deployment: refused, without an answer, or lost on its way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.report import Status
from tests.support.bench import Bench, rejected, unavailable
from tests.support.script import Script


async def test_refused_trigger(bench: Bench, autojump_clock: MockClock) -> None:
    """A deployment the tenant refuses is red at once, with its text."""
    bench.tenant.have("A")
    bench.tenant.faults["trigger"] = [rejected("wrong runtime profile")]

    outcome = await bench.deployed()

    assert (outcome.status, outcome.summary) == (Status.FAILED, "not deployed")
    assert outcome.reason == "could not do what was asked: the tenant answered 400 Bad Request: wrong runtime profile"


async def test_trigger_whose_answer_is_lost(bench: Bench, autojump_clock: MockClock) -> None:
    """A deployment that was accepted without an answer is watched and green: nothing that runs is called failed."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(appears_s=10.0, takes_s=40.0)
    bench.tenant.lost["trigger"] = [unavailable()]

    outcome = await bench.deployed()

    assert (outcome.status, outcome.summary) == (Status.DONE, "deployed 1.0.0")
    assert bench.tenant.count("trigger") == 1


@pytest.mark.parametrize(("timeout_s", "patience_s"), [(600.0, 20.0), (40.0, 10.0)])
async def test_trigger_that_got_lost_is_repeated_once(
    bench: Bench, autojump_clock: MockClock, timeout_s: float, patience_s: float
) -> None:
    """After 20 s or a quarter of the artifact's time without any sign the call is made again, and that is all."""
    bench.settings = replace(bench.settings, deploy_timeout_s=timeout_s)
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.faults["trigger"] = [unavailable()]

    outcome = await bench.deployed()

    first, second = bench.tenant.at("trigger A")
    assert outcome.status is Status.DONE
    assert second - first == pytest.approx(patience_s, abs=0.5)
    assert bench.tenant.count("note_trigger") == 1


@pytest.mark.parametrize("gives_deployed_on", [True, False])
async def test_triggers_that_never_arrived(bench: Bench, autojump_clock: MockClock, *, gives_deployed_on: bool) -> None:
    """Where both triggers had no answer and nothing shows that one was accepted, it is red soon, with that error."""
    bench.tenant.gives_deployed_on = gives_deployed_on
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.faults["trigger"] = [unavailable(), unavailable()]

    outcome = await bench.deployed()

    assert (outcome.status, outcome.reason) == (Status.FAILED, "no usable answer came from the tenant")
    assert outcome.duration_s < 120
    assert bench.tenant.count("trigger") == 2
    assert bench.tenant.count("note_trigger") == 0


async def test_a_refused_trigger_leaves_nothing_under_way(bench: Bench, autojump_clock: MockClock) -> None:
    """What the tenant refuses to deploy is not taken for a deployment under way by the next run."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.faults["trigger"] = [rejected()]

    assert (await bench.deployed()).status is Status.FAILED
    assert bench.records.get(ArtifactId("A")).unseen == 0


async def test_a_trigger_is_on_record_before_it_is_sent(bench: Bench, autojump_clock: MockClock) -> None:
    """A run that is cut off before the answer leaves behind that something may be under way, and since what ran."""
    bench.tenant.have("A")
    running = bench.tenant.run("A")
    bench.tenant.slow["trigger A"] = [60.0]

    with trio.move_on_after(30.0):
        await bench.deployed()

    record = bench.records.get(ArtifactId("A"))
    assert (record.unseen, record.ran_before, record.is_triggered) == (1, running.deployed_on, False)


async def test_a_refused_repetition_does_not_deny_the_first_call(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the repetition of an unanswered call is refused, the first may run all the same: it is not denied."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.faults["trigger"] = [unavailable(), rejected("a deployment is under way")]

    outcome = await bench.deployed()

    assert (outcome.status, outcome.summary) == (Status.FAILED, "not seen running")
    assert bench.records.get(ArtifactId("A")).unseen == 1
