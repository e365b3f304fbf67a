"""The order of deployments: what waits holds no slot, what frees a slot is followed at once, long chains go first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from cpi_tasks.model.plan import ArtifactPlan, DeployAction, PackageAction, UpdateAction
from cpi_tasks.model.report import PartReport
from tests.support.bench import Bench, deploy, deployment, deploys_of, outcome_of, plan_of, ref, rejected, took
from tests.support.script import Script

SOON_S = 0.25
"""The longest pause between looks: deployments are seen at most that much later than they end."""


def one(
    bench: Bench,
    artifact: str,
    takes_s: float,
    *,
    needs: Iterable[str] = (),
    after: Iterable[str] = (),
    package: str = "P",
    ends: str = "STARTED",
    is_known: bool = True,
) -> ArtifactPlan:
    """Plan an artifact whose deployment takes so long, and say so to the plan where that ``is_known``."""
    bench.tenant.have(artifact, package=package)
    bench.tenant.scripts[artifact] = Script(appears_s=takes_s / 2, takes_s=takes_s, ends=ends, has_task=False)
    step = replace(
        deploy(),
        depends_on=frozenset(ref(name, package) for name in needs),
        goes_after=frozenset(ref(name, package) for name in after),
        expected_s=takes_s if is_known else None,
    )
    return deployment(artifact, package=package, step=step)


@pytest.fixture
def keen(bench: Bench) -> Bench:
    """Give a bench that looks all the time, so that a deployment is over when it is."""
    bench.settings = replace(bench.settings, deploy_delay_s=SOON_S)
    return bench


def triggers(bench: Bench) -> dict[str, float]:
    """Give when each was triggered, in steps of five seconds: that is more than all looks are late together."""
    found = [call for call in bench.tenant.calls if call.what.startswith("trigger ")]
    return {call.what.removeprefix("trigger "): call.at // 5.0 * 5.0 for call in found}


def reason(report: PartReport, artifact: str) -> str:
    outcome = outcome_of(report, artifact).deploy
    assert outcome is not None
    return outcome.reason


async def test_the_longest_goes_first(keen: Bench, autojump_clock: MockClock) -> None:
    """Within a package the longest expected deployments start first, so that none is left over for the end."""
    keen.settings = replace(keen.settings, parallel_deployments=2)
    plan = plan_of(*(one(keen, f"A{seconds}", seconds) for seconds in (10, 20, 30, 60)), updates=False)

    _, took_s = await took(plan, keen)

    assert triggers(keen) == {"A60": 0.0, "A30": 0.0, "A20": 30.0, "A10": 50.0}
    assert 60.0 <= took_s <= 63.0


async def test_a_chain_goes_before_a_long_one(keen: Bench, autojump_clock: MockClock) -> None:
    """What much waits for starts before a deployment that is longer but alone."""
    keen.settings = replace(keen.settings, parallel_deployments=1)
    plan = plan_of(
        one(keen, "Long", 30.0), one(keen, "Last", 25.0, needs=["First"]), one(keen, "First", 10.0), updates=False
    )

    await keen.carry_out(plan)

    assert triggers(keen) == {"First": 0.0, "Long": 10.0, "Last": 40.0}


async def test_the_order_of_the_files_counts_last(keen: Bench, autojump_clock: MockClock) -> None:
    """Where nothing is on record, artifacts are deployed in the order of the files."""
    keen.settings = replace(keen.settings, parallel_deployments=1)
    artifacts = [one(keen, artifact, 10.0, is_known=False) for artifact in ("C", "A", "D", "B")]

    await keen.carry_out(plan_of(*artifacts, updates=False))

    assert triggers(keen) == {"C": 0.0, "A": 10.0, "D": 20.0, "B": 30.0}


async def test_what_waits_for_another_holds_no_slot(keen: Bench, autojump_clock: MockClock) -> None:
    """With two slots, three that wait for a slow one leave the second slot to the one that is ready."""
    keen.settings = replace(keen.settings, parallel_deployments=2)
    waiting = [one(keen, f"W{number}", 100.0, needs=["Slow"]) for number in range(3)]
    plan = plan_of(*waiting, one(keen, "Slow", 50.0), one(keen, "Ready", 5.0), updates=False)

    await keen.carry_out(plan)

    assert triggers(keen) == {"Slow": 0.0, "Ready": 0.0, "W0": 50.0, "W1": 50.0, "W2": 150.0}


async def test_a_freed_slot_goes_to_whom_it_made_ready(keen: Bench, autojump_clock: MockClock) -> None:
    """The slot of one that ends is not given away before those that waited for it have asked, in any package."""
    keen.settings = replace(keen.settings, parallel_deployments=1, max_parallel_deployments=10)
    planned = []
    for package in "PQRSTUVWXY":
        a, b, c = (f"{package}{name}" for name in "abc")
        planned += [
            one(keen, f"{package}urgent", 50.0, needs=[a, b], after=[c], package=package),
            *(one(keen, artifact, 10.0, package=package) for artifact in (c, b, a)),
            *(one(keen, f"{package}{number}", 20.0, package=package) for number in range(2)),
        ]

    await keen.carry_out(plan_of(*planned, updates=False))

    assert {at for artifact, at in triggers(keen).items() if artifact.endswith("urgent")} == {30.0}


async def test_what_runs_already_holds_up_nobody(keen: Bench, autojump_clock: MockClock) -> None:
    """An artifact that runs is settled at once, also where it comes after one that is being deployed."""
    slow, last = one(keen, "Slow", 50.0), one(keen, "Last", 5.0, needs=["Runs"])
    runs = replace(
        one(keen, "Runs", 5.0), deploy=replace(deploy(DeployAction.RUNNING), depends_on=frozenset([ref("Slow")]))
    )

    report = await keen.carry_out(plan_of(slow, runs, last, updates=False))

    assert deploys_of(report) == {"Slow": "done", "Runs": "unchanged", "Last": "done"}
    assert triggers(keen) == {"Slow": 0.0, "Last": 0.0}


async def test_who_waits_is_no_task(keen: Bench, autojump_clock: MockClock) -> None:
    """Of a thousand artifacts only those under way have tasks: a large run takes no more memory than its slots."""
    tasks: list[int] = []

    async def count() -> None:
        while True:
            tasks.append(trio.lowlevel.current_statistics().tasks_living)
            await trio.sleep(1.0)

    keen.settings = replace(keen.settings, parallel_deployments=2, max_parallel_deployments=20)
    planned = [one(keen, f"A{number}", 5.0, package=f"P{number % 10}") for number in range(1000)]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        report = await keen.carry_out(plan_of(*planned, updates=False))
        nursery.cancel_scope.cancel()

    assert set(deploys_of(report).values()) == {"done"}
    assert 20 <= max(tasks) < 100


async def test_a_chain_across_packages(keen: Bench, autojump_clock: MockClock) -> None:
    """Each starts when what it needs runs, wherever that is, and independent ones at once."""
    first = one(keen, "First", 10.0, package="P")
    second = one(keen, "Second", 10.0, package="Q")
    needing = replace(second, deploy=replace(second.deploy or deploy(), depends_on=frozenset([ref("First")])))
    third = one(keen, "Third", 10.0, package="R")
    last = replace(third, deploy=replace(third.deploy or deploy(), depends_on=frozenset([ref("Second", "Q")])))

    await keen.carry_out(plan_of(last, needing, one(keen, "Free", 10.0, package="R"), first, updates=False))

    assert triggers(keen) == {"First": 0.0, "Free": 0.0, "Second": 10.0, "Third": 20.0}


async def test_a_wish_does_not_hold_anybody_back_for_good(keen: Bench, autojump_clock: MockClock) -> None:
    """What should go first and fails, or is out of the run, keeps nobody from being deployed."""
    bad = one(keen, "Bad", 10.0, ends="ERROR")
    late = one(keen, "Late", 1e6)
    keen.settings = replace(keen.settings, deploy_timeout_s=20.0)

    report = await keen.carry_out(plan_of(one(keen, "A", 5.0, after=["Bad", "Late"]), bad, late, updates=False))

    assert deploys_of(report) == {"A": "done", "Bad": "failed", "Late": "failed"}
    assert triggers(keen)["A"] >= 20.0


async def test_a_failure_goes_through_a_chain(keen: Bench, autojump_clock: MockClock) -> None:
    """All that depends on a failed one is not begun and says why; only the failure itself is called one."""
    plan = plan_of(
        one(keen, "Last", 1.0, needs=["Middle"]),
        one(keen, "Middle", 1.0, needs=["First"]),
        one(keen, "First", 1.0, ends="ERROR"),
        updates=False,
    )

    report = await keen.carry_out(plan)

    assert deploys_of(report) == {"Last": "aborted", "Middle": "aborted", "First": "failed"}
    assert reason(report, "Middle") == "it needs 'First', which failed"
    assert reason(report, "Last") == "it needs 'Middle', which was not deployed"
    assert keen.tenant.count("trigger") == 1


async def test_a_package_that_cannot_be_created(keen: Bench, autojump_clock: MockClock) -> None:
    """What was not updated for want of its package is not said to have failed itself."""
    keen.tenant.faults["create_package P"] = [rejected()]
    needed = keen.update(keen.content("Lib"), UpdateAction.CREATE)
    needy = one(keen, "Flow", 1.0, needs=["Lib"])
    plan = plan_of(needed, needy)
    creating = replace(plan.packages[0], action=PackageAction.CREATE)

    report = await keen.carry_out(replace(plan, packages=(creating,)))

    assert reason(report, "Lib") == "it was not updated"
    assert reason(report, "Flow") == "it needs 'Lib', which was not deployed"


async def test_what_is_refused_holds_up_at_once(keen: Bench, autojump_clock: MockClock) -> None:
    """A refusal known beforehand keeps dependants out without waiting for anything else."""
    refused = deployment("No", step=replace(deploy(DeployAction.REFUSE), reason="there is no 'No'"))
    plan = plan_of(one(keen, "A", 1.0, needs=["No", "Slow"]), refused, one(keen, "Slow", 60.0), updates=False)

    report = await keen.carry_out(plan)

    assert deploys_of(report) == {"A": "aborted", "No": "failed", "Slow": "done"}
    assert reason(report, "A") == "it needs 'No', which failed"


@st.composite
def orders(draw: st.DrawFn) -> list[tuple[int, set[int], set[int], bool]]:
    """Give artifacts in a random order: how long each takes, what it needs and goes after, and whether it fails."""
    size = draw(st.integers(1, 9))
    found = []
    for number in range(size):
        earlier = st.sets(st.integers(0, number - 1), max_size=3) if number else st.just(set[int]())
        found.append((draw(st.integers(1, 60)), draw(earlier), draw(earlier), draw(st.integers(0, 5)) == 0))
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=orders(), slots=st.integers(1, 3))
def test_any_order_is_kept(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, set[int], set[int], bool]], slots: int
) -> None:
    """Whatever waits for whatever: nothing starts before that has ended, or where what it needs did not run."""

    async def run() -> None:
        bench = Bench(tmp_path_factory.getbasetemp())
        bench.settings = replace(bench.settings, parallel_deployments=slots, deploy_delay_s=SOON_S)
        planned = [
            one(
                bench,
                f"A{number}",
                takes_s,
                needs=[f"A{other}" for other in needs],
                after=[f"A{other}" for other in after],
                ends="ERROR" if fails else "STARTED",
            )
            for number, (takes_s, needs, after, fails) in enumerate(wanted)
        ]
        report = await bench.carry_out(plan_of(*reversed(planned), updates=False))
        began = {call.what.removeprefix("trigger A"): call.at for call in bench.tenant.calls}
        ends: list[str] = []
        for number, (_, needs, after, fails) in enumerate(wanted):
            is_held_up = any(ends[other] != "done" for other in needs)
            ends.append("aborted" if is_held_up else "failed" if fails else "done")
            assert (str(number) in began) != is_held_up
            for other in (needs | after) if not is_held_up else set():
                assert str(other) not in began or began[str(number)] >= began[str(other)] + wanted[other][0]
        assert deploys_of(report) == {f"A{number}": end for number, end in enumerate(ends)}
        assert bench.tenant.peak <= slots

    trio.run(run, clock=MockClock(autojump_threshold=0))
