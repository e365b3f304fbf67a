"""The brake: which failures pull it, exactly when, and what is said of what is not begun then."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.engine import Brake
from cpi_tasks.model.config import MaxFailures, Settings
from cpi_tasks.model.naming import FailurePolicy, PackageId
from cpi_tasks.model.plan import UpdateAction
from cpi_tasks.model.report import Status, StepOutcome
from tests.support.bench import Bench, deploy, deployment, deploys_of, plan_of, ref, rejected
from tests.support.script import Script

STOP = Settings(on_failure=FailurePolicy.STOP)


def failed(status: Status = Status.FAILED) -> StepOutcome:
    return StepOutcome(status=status, summary="as it went")


def limit(amount: float, *, is_share: bool = False) -> Settings:
    return Settings(max_failures=MaxFailures(amount=amount, is_share=is_share))


@pytest.mark.parametrize(
    ("settings", "total", "allowed"),
    [
        (limit(0), 10, 0),
        (limit(3), 10, 3),
        (limit(10, is_share=True), 30, 3),
        (limit(10, is_share=True), 39, 3),
        (limit(33.3, is_share=True), 10, 3),
        (limit(0, is_share=True), 10, 0),
        (STOP, 10, 0),
    ],
)
def test_exactly_so_many_may_fail(settings: Settings, total: int, allowed: int) -> None:
    """``maxFailures`` failures are still allowed, as a number or a share of what takes part; the next one stops."""
    brake = Brake(settings=settings, total=total)
    for number in range(allowed):
        brake.note(ref(f"A{number}"), failed())
        assert not brake.is_pulled
    brake.note(ref("Next"), failed())

    assert brake.is_pulled


@pytest.mark.parametrize("settings", [Settings(), limit(100, is_share=True)])
def test_without_a_limit_nothing_stops(settings: Settings) -> None:
    """By default a run goes on whatever fails, and 100 % allows everything."""
    brake = Brake(settings=settings, total=3)
    for artifact in "ABC":
        brake.note(ref(artifact), failed())

    assert not brake.is_pulled


def test_only_failures_count() -> None:
    """What is held up by a failure, cut off or fine is no failure of its own."""
    brake = Brake(settings=STOP, total=10)
    for status in Status:
        if status is not Status.FAILED:
            brake.note(ref(status.value), failed(status))

    assert not brake.is_pulled


def test_an_artifact_counts_once() -> None:
    """One artifact that fails in both phases is one failure; a package's metadata is another."""
    brake = Brake(settings=limit(1), total=10)
    brake.note(ref("A"), failed())
    brake.note(ref("A"), failed())
    assert not brake.is_pulled
    brake.note(PackageId("P"), failed())

    assert brake.is_pulled


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (STOP, "not begun: 2 failed, and onFailure is stop"),
        (limit(1), "not begun: 2 failed, and maxFailures is 1"),
        (limit(2.5, is_share=True), "not begun: 2 failed, and maxFailures is 2.5%"),
    ],
)
def test_the_reason_names_the_setting(settings: Settings, expected: str) -> None:
    """What is not begun says how many failed and which setting drew the line; nothing is to be said before."""
    brake = Brake(settings=settings, total=10)
    assert brake.not_begun("not deployed") is None
    brake.note(ref("A"), failed())
    brake.note(ref("B"), failed())

    outcome = brake.not_begun("not deployed")
    assert outcome is not None
    assert (outcome.status, outcome.summary, outcome.reason) == (Status.ABORTED, "not deployed", expected)


def test_an_interruption_is_told_elsewhere() -> None:
    """An interruption pulls the brake too, and leaves the outcome to the report, also after failures."""
    brake = Brake(settings=STOP, total=10)
    brake.is_interrupted = True
    assert brake.is_pulled
    brake.note(ref("A"), failed())

    assert brake.not_begun("not deployed") is None


def test_late_ones_count_until_more_is_known() -> None:
    """A deployment that was not seen in time stops a run like a failure, unless the last look shows it running."""
    brake = Brake(settings=STOP, total=10)
    brake.note_late(ref("A"))
    assert brake.why_stopped == "1 failed or did not run in time, and onFailure is stop"
    brake.note_last_look(ref("A"), failed(Status.DONE))
    assert not brake.is_pulled
    brake.note_late(ref("B"))
    brake.note_last_look(ref("B"), failed())

    assert brake.why_stopped == "1 failed, and onFailure is stop"


async def test_deployments_after_a_failure_are_not_begun(bench: Bench, autojump_clock: MockClock) -> None:
    """Under ``onFailure: stop`` what is under way ends, nothing new is triggered, and what runs is said to run."""
    bench.settings = replace(STOP, parallel_deployments=2, max_parallel_deployments=2)
    for artifact in ("Bad", "Slow", "Next", "Needy"):
        bench.tenant.have(artifact)
    bench.tenant.scripts |= {"Bad": Script(takes_s=5.0, ends="ERROR"), "Slow": Script(takes_s=60.0)}

    long, short = (replace(deploy(), expected_s=seconds) for seconds in (60.0, 1.0))
    needy = replace(short, depends_on=frozenset([ref("Next")]))

    report = await bench.carry_out(
        plan_of(
            deployment("Bad", step=long),
            deployment("Slow", step=long),
            deployment("Next", step=short),
            deployment("Needy", step=needy),
            updates=False,
        )
    )

    assert deploys_of(report) == {"Bad": "failed", "Slow": "done", "Next": "aborted", "Needy": "aborted"}
    assert bench.tenant.count("trigger") == 2
    reasons = [outcome.deploy.reason for outcome in report.artifacts() if outcome.deploy is not None][2:]
    assert reasons == ["not begun: 1 failed, and onFailure is stop", "it needs 'Next', which was not deployed"]


async def test_one_that_is_late_stops_the_rest(bench: Bench, autojump_clock: MockClock) -> None:
    """With one slot and a deployment that never appears, ``onFailure: stop`` begins no second one."""
    bench.settings = replace(STOP, parallel_deployments=1, deploy_timeout_s=30.0)
    bench.tenant.have("Never")
    bench.tenant.have("Next")
    bench.tenant.scripts["Never"] = Script(takes_s=1e6)

    report = await bench.carry_out(plan_of(deployment("Never"), deployment("Next"), updates=False))

    assert deploys_of(report) == {"Never": "failed", "Next": "aborted"}
    assert bench.tenant.count("trigger Next") == 0


async def test_failed_updates_stop_updates_and_deployments(bench: Bench, autojump_clock: MockClock) -> None:
    """After one failed update too many no further one is sent, in any package, and nothing is deployed."""
    bench.settings = replace(limit(0), parallel_deployments=1)
    bench.tenant.packages |= {package: {"Name": package, "ShortText": package} for package in "PQ"}
    bench.tenant.slow["create"] = [1.0] * 2
    bench.tenant.faults["create"] = [rejected()]
    plans = [
        bench.update(bench.content(artifact, package=package), UpdateAction.CREATE)
        for artifact, package in (("A", "P"), ("B", "P"), ("C", "Q"), ("D", "Q"))
    ]

    report = await bench.carry_out(plan_of(*plans))

    # Two are under way at once, one of each package; which of them fails is chance.
    updates = {found.ref.artifact: found.update.status for found in report.artifacts() if found.update}
    assert Counter(updates.values()) == {Status.FAILED: 1, Status.DONE: 1, Status.ABORTED: 2}
    assert set(deploys_of(report).values()) == {"aborted"}
    assert bench.tenant.count("trigger") == 0
    reasons = {
        Status.FAILED: "its update failed",
        Status.ABORTED: "it was not updated",
        Status.DONE: "not begun: 1 failed, and maxFailures is 0",
    }
    for found in report.artifacts():
        assert found.deploy is not None
        assert found.deploy.reason == reasons[updates[found.ref.artifact]]


async def test_uploads_that_wait_for_room_are_not_begun(bench: Bench, autojump_clock: MockClock) -> None:
    """Twenty packages upload at once and eight have room: when one of these fails, the twelve others send nothing."""
    bench.settings = limit(0)
    packages = [f"P{number}" for number in range(20)]
    bench.tenant.packages |= {package: {"Name": package, "ShortText": package} for package in packages}
    bench.tenant.slow["create"] = [1.0] * 20
    bench.tenant.faults["create"] = [rejected()]
    plans = [
        bench.update(bench.content(f"A{package[1:]}", package=package), UpdateAction.CREATE, deployed=False)
        for package in packages
    ]

    report = await bench.carry_out(plan_of(*plans))

    statuses = [found.update.status for found in report.artifacts() if found.update]
    assert bench.tenant.count("create") == 8
    assert (statuses.count(Status.FAILED), statuses.count(Status.DONE), statuses.count(Status.ABORTED)) == (1, 7, 12)


async def test_an_interruption_lets_go_of_what_waits_for_room(bench: Bench, autojump_clock: MockClock) -> None:
    """An interruption during eight uploads begins no ninth, and the report says that it was not begun."""
    bench.brake = Brake(settings=bench.settings, total=9)
    packages = [f"P{number}" for number in range(9)]
    bench.tenant.packages |= {package: {"Name": package, "ShortText": package} for package in packages}
    bench.tenant.slow["create"] = [1.0] * 9
    plans = [
        bench.update(bench.content(f"A{package[1:]}", package=package), UpdateAction.CREATE, deployed=False)
        for package in packages
    ]

    async def interrupt() -> None:
        await trio.sleep(0.5)
        assert bench.brake is not None
        bench.brake.is_interrupted = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt)
        report = await bench.carry_out(plan_of(*plans))

    (left,) = [found.update for found in report.artifacts() if found.update and found.update.status is not Status.DONE]
    assert (left.status, left.summary) == (Status.ABANDONED, "not begun")
    assert bench.tenant.count("create") == 8
