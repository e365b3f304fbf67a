"""Signals in whole runs: what goes on, what is begun no more, and what is on disk before the wait and after it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import trio
import trio.testing

from cpi_tasks import app
from cpi_tasks.app.interruption import Heed
from cpi_tasks.app.run import Confirm
from cpi_tasks.errors import Interrupted
from cpi_tasks.events import (
    DeploymentTriggered,
    Event,
    InterruptionBegan,
    PlanMade,
    RequestFinished,
    RunFinished,
    WriteBegins,
)
from cpi_tasks.model.config import Selection
from cpi_tasks.model.report import Report
from cpi_tasks.records import read_runs
from tests.support.world import MakeWorld, World

Moment = Callable[[Event], bool]


@dataclass(slots=True)
class Hand:
    """Sends signals to a run in this process, as the operating system would."""

    heed: Heed | None = None
    events: list[Event] = field(default_factory=list)
    look: Callable[[], None] = lambda: None
    """Called right after each signal was heeded."""
    confirm: Confirm | None = None

    async def watch(self, _: trio.Nursery, heed: Heed) -> None:
        """Stand in for the receiver of signals."""
        self.heed = heed
        await trio.lowlevel.checkpoint()

    async def run(
        self, world: World, sends: Mapping[float, signal.Signals], *, at: Moment, is_attended: bool = False
    ) -> Report:
        """Run, and send signals so many seconds after an event."""
        world.project.save()
        begun = trio.Event()

        def emit(event: Event) -> None:
            self.events.append(event)
            if at(event):
                begun.set()

        async def send_all() -> None:
            await begun.wait()
            start = trio.current_time()
            for after_s, number in sends.items():
                await trio.sleep_until(start + after_s)
                assert self.heed is not None
                self.heed(number)
                self.look()

        terms = world._terms(emit)
        terms = replace(terms, is_attended=is_attended, confirm=self.confirm or terms.confirm)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_all)
            report = await app.run(Selection(env="x"), world.project.root, terms)
            assert begun.is_set()
            nursery.cancel_scope.cancel()
        return report


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """Give the hand that sends signals."""
    hand = Hand()
    monkeypatch.setattr(sys.modules["cpi_tasks.app.run"], "watch_signals", hand.watch)
    return hand


@pytest.fixture
def slow(make: MakeWorld) -> World:
    """Give three flows, deployed one after another, each of which takes 20 s."""
    world = make(deploy_s=20)
    world.project.keys |= {"parallelDeployments": 1, "interruptGraceSeconds": 7}
    for name in ("One", "Two", "Three"):
        world.project.flow("Orders", name)
    return world


def is_triggered(event: Event) -> bool:
    return isinstance(event, DeploymentTriggered)


def saved_report(world: World) -> dict[str, object]:
    (file,) = world.project.root.glob(".cpi/runs/*/report.json")
    document = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def deploys(report: Report) -> dict[str, str]:
    """Give summary and reason of each deployment."""
    found = {str(one.ref.artifact): one.deploy for one in report.artifacts()}
    return {name: f"{step.summary}: {step.reason}" for name, step in found.items() if step is not None}


async def test_one_ctrl_c_of_a_person_waits_for_what_is_under_way(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock
) -> None:
    """Without limit: the deployment is seen to its end, nothing else is triggered, and the code is 130."""
    report = await hand.run(slow, {1: signal.SIGINT}, at=is_triggered, is_attended=True)

    assert report.exit_code == 130
    assert deploys(report) == {
        "One": "deployed 1.0.0: new on the tenant",
        "Two": "not begun: the run was interrupted",
        "Three": "not begun: the run was interrupted",
    }
    assert slow.simulator.count("POST", "DeployIntegration") == 1
    assert [event for event in hand.events if isinstance(event, InterruptionBegan)] == [
        InterruptionBegan(signal="SIGINT", waits_s=None)
    ]


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_ends_the_wait(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock, second: signal.Signals
) -> None:
    """At once, and the report says what goes on on the tenant."""
    report = await hand.run(slow, {1: signal.SIGINT, 3: second}, at=is_triggered, is_attended=True)

    triggered = next(request.time for request in slow.simulator.requests if "DeployIntegration" in request.path)
    assert 3.0 <= trio.current_time() - triggered < 3.5
    assert report.exit_code == 130
    assert "goes on on the tenant" in deploys(report)["One"]


@pytest.mark.parametrize(
    ("number", "is_attended"), [(signal.SIGTERM, True), (signal.SIGTERM, False), (signal.SIGINT, False)]
)
async def test_a_program_waits_for_the_grace_at_most(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock, number: signal.Signals, *, is_attended: bool
) -> None:
    """SIGTERM, and SIGINT where nobody sits there, end the run after ``interruptGraceSeconds``."""
    report = await hand.run(slow, {2: number}, at=is_triggered, is_attended=is_attended)

    triggered = next(request.time for request in slow.simulator.requests if "DeployIntegration" in request.path)
    assert 9.0 <= trio.current_time() - triggered < 9.5
    assert report.exit_code == 130
    assert "goes on on the tenant" in deploys(report)["One"]
    assert saved_report(slow)["exitCode"] == 130


async def test_what_ends_within_the_grace_is_reported_as_done(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock
) -> None:
    """The report of the wait's end tells more than that of its beginning, and nobody waits longer than needed."""
    slow.project.keys["interruptGraceSeconds"] = 300
    before: list[dict[str, object]] = []

    async def look() -> None:
        await trio.sleep(15)
        before.append(saved_report(slow))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        report = await hand.run(slow, {1: signal.SIGTERM}, at=is_triggered)

    assert trio.current_time() < 60
    assert deploys(report)["One"] == "deployed 1.0.0: new on the tenant"
    assert (before[0]["exitCode"], before[0]["isInterrupted"]) == (130, True)
    assert "goes on on the tenant" in json.dumps(before[0])
    after = json.dumps(saved_report(slow))
    assert "deployed 1.0.0" in after
    assert "goes on on the tenant" not in after


async def test_report_and_journal_are_on_disk_before_the_wait(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a signal has been heeded, and not a moment later, both say so, and are more than a buffer's content."""
    synced: list[str] = []
    found: list[object] = []

    def look() -> None:
        (past,) = read_runs(slow.project.root / ".cpi" / "runs")
        found.extend([saved_report(slow)["isInterrupted"], past.is_interrupted, past.exit_code, synced[-2:]])

    hand.look = look
    fsync = os.fsync

    def spy(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().suffix)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    await hand.run(slow, {1: signal.SIGTERM}, at=is_triggered)

    assert found == [True, True, None, [".jsonl", ".tmp"]]
    (past,) = read_runs(slow.project.root / ".cpi" / "runs")
    assert past.exit_code == 130
    assert past.artifacts["Orders/One"].under_way.startswith("its deployment was accepted")


@pytest.mark.parametrize("is_attended", [True, False])
@pytest.mark.parametrize("moment", [RequestFinished, PlanMade])
async def test_before_anything_is_under_way_it_ends_at_once(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock, moment: type, *, is_attended: bool
) -> None:
    """Nothing was written; where there is a journal already it says how the run ended."""
    slow.project.keys["protected"] = True

    async def think(_: str) -> bool:
        await trio.sleep(3600)
        return True

    hand.confirm = think
    with pytest.raises(BaseExceptionGroup) as caught:
        await hand.run(slow, {0: signal.SIGINT}, at=lambda event: isinstance(event, moment), is_attended=is_attended)

    (error,) = caught.value.exceptions
    assert isinstance(error, Interrupted)
    assert error.exit_code == 130
    assert str(error) == "interrupted before anything was changed; nothing was sent that changes the tenant"
    assert trio.current_time() < 10
    assert slow.simulator.artifacts == {}
    pasts = read_runs(slow.project.root / ".cpi" / "runs")
    assert {(past.exit_code, past.writes) for past in pasts} <= {(130, 0)}
    assert pasts or moment is not PlanMade
    assert list(slow.project.root.glob(".cpi/runs/*/report.json")) == []


@pytest.mark.parametrize("nth", range(1, 8))
async def test_at_any_write_it_ends_in_good_order_and_the_next_run_goes_on(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock, nth: int
) -> None:
    """A signal at any write leaves one outcome for each step; the next run is green and the one after does nothing."""
    writes = iter(range(1, 100))
    report = await hand.run(
        slow, {0: signal.SIGTERM}, at=lambda event: isinstance(event, WriteBegins) and next(writes) == nth
    )

    assert report.exit_code == 130
    assert [len(one.steps) for one in report.artifacts()] == [2, 2, 2]
    again = await slow.run()
    assert again.exit_code == 0
    assert (await slow.run()).writes == ()


async def test_a_signal_after_the_report_changes_nothing_of_it(
    slow: World, hand: Hand, autojump_clock: trio.testing.MockClock
) -> None:
    """It is handed on to whoever handled signals before: the end that was put on record stays the last word."""
    slow.project.save()
    events, handed_on = list[Event](), list[int]()

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, RunFinished) and hand.heed is not None:
            hand.heed(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda number, _: handed_on.append(number))
    try:
        report = await app.run(Selection(env="x"), slow.project.root, slow._terms(emit))
    finally:
        signal.signal(signal.SIGTERM, before)

    assert (report.exit_code, report.is_interrupted, handed_on) == (0, False, [signal.SIGTERM])
    assert isinstance(events[-1], RunFinished)
    (journal,) = slow.project.root.glob(".cpi/runs/*/journal.jsonl")
    assert json.loads(journal.read_text(encoding="utf-8").splitlines()[-1])["event"] == "run finished"
