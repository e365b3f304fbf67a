"""Slots of the deploy phase: how many deployments are in flight, who waits for whom, and what time is charged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from cpi_tasks.events import ArtifactDeployed, DeploymentTriggered, Event, PhaseStarted
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, UpdateAction
from cpi_tasks.model.report import Status
from tests.support.bench import Bench, deploy, deployment, deploys_of, outcome_of, plan_of, rejected, took
from tests.support.script import Script


def fill(bench: Bench, durations: dict[str, list[float]]) -> list[ArtifactPlan]:
    """Put artifacts with these durations into packages and plan their deployments."""
    planned = []
    for package, seconds in durations.items():
        for number, takes_s in enumerate(seconds):
            artifact = f"{package}{number}"
            bench.tenant.have(artifact, package=package)
            bench.tenant.scripts[artifact] = Script(appears_s=takes_s / 3, takes_s=takes_s, task_s=takes_s / 2)
            planned.append(deployment(artifact, package=package))
    return planned


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    durations=st.dictionaries(
        st.sampled_from(["P", "Q", "R"]), st.lists(st.floats(0.1, 90.0), min_size=1, max_size=6), min_size=1
    ),
    per_package=st.integers(1, 4),
    overall=st.integers(1, 6),
)
def test_never_more_in_flight_than_allowed(
    tmp_path: Path, durations: dict[str, list[float]], per_package: int, overall: int
) -> None:
    """Whatever deployments take, neither a package's nor the run's limit is ever exceeded, and all of them end well."""

    async def run() -> None:
        bench = Bench(tmp_path)
        bench.settings = replace(bench.settings, parallel_deployments=per_package, max_parallel_deployments=overall)
        planned = fill(bench, durations)

        report = await bench.carry_out(plan_of(*planned, updates=False))

        assert {"done"} == set(deploys_of(report).values())
        assert overall >= bench.tenant.peak
        assert per_package >= max(bench.tenant.peak_by_package.values())

    trio.run(run, clock=MockClock(autojump_threshold=0))


async def test_limits_are_used_to_the_full(bench: Bench, autojump_clock: MockClock) -> None:
    """Packages deploy side by side, as many of each as the package allows."""
    planned = fill(bench, {package: [20.0] * 5 for package in "PQR"})

    await bench.carry_out(plan_of(*planned, updates=False))

    assert bench.tenant.peak == 9
    assert bench.tenant.peak_by_package == {"P": 3, "Q": 3, "R": 3}


async def test_package_slot_is_taken_before_the_runs(bench: Bench, autojump_clock: MockClock) -> None:
    """What waits for a slot of its package holds none of the run's, so another package is not kept waiting."""
    bench.settings = replace(bench.settings, parallel_deployments=1, max_parallel_deployments=2)
    planned = fill(bench, {"P": [30.0] * 3, "Q": [30.0]})

    await bench.carry_out(plan_of(*planned, updates=False))

    assert [at for at in bench.tenant.at("trigger Q0") if at < 1] == [0.0]


async def test_queueing_is_not_charged(bench: Bench, autojump_clock: MockClock) -> None:
    """An artifact's time starts with its own trigger: five of 70 s through one slot end well."""
    bench.settings = replace(bench.settings, parallel_deployments=1, deploy_timeout_s=75.0)
    planned = fill(bench, {"P": [70.0] * 5})

    report, took_s = await took(plan_of(*planned, updates=False), bench)

    assert {"done"} == set(deploys_of(report).values())
    assert 350 <= took_s <= 376
    assert all(70 <= (a.deploy.duration_s if a.deploy else 0) <= 75 for a in report.artifacts())


async def test_slow_trigger_is_not_charged(bench: Bench, autojump_clock: MockClock) -> None:
    """Time a tenant takes to accept a deployment is not taken from the time it has to run."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=70.0)
    bench.tenant.slow["trigger"] = [100.0]

    assert (await bench.deployed()).summary == "deployed 1.0.0"


async def test_waiting_for_another_holds_no_slot(bench: Bench, autojump_clock: MockClock) -> None:
    """With one slot, a flow planned before the collection it uses is deployed after it."""
    bench.settings = replace(bench.settings, parallel_deployments=1, max_parallel_deployments=1)
    bench.tenant.have("Flow")
    bench.tenant.have("Scripts")

    report = await bench.carry_out(plan_of(deployment("Flow", "Scripts"), deployment("Scripts"), updates=False))

    assert deploys_of(report) == {"Flow": "done", "Scripts": "done"}
    assert [name for name in bench.tenant.names if name.startswith(("trigger", "note_running"))] == [
        "trigger Scripts",
        "note_running Scripts",
        "trigger Flow",
        "note_running Flow",
    ]


async def test_failure_of_another_aborts(bench: Bench, autojump_clock: MockClock) -> None:
    """What uses a failed artifact is aborted with its name and never triggered; others go on."""
    for artifact in ("Flow", "Scripts", "Other"):
        bench.tenant.have(artifact)
    bench.tenant.scripts["Scripts"] = Script(ends="ERROR")

    report = await bench.carry_out(
        plan_of(deployment("Flow", "Scripts"), deployment("Scripts"), deployment("Other"), updates=False)
    )

    assert deploys_of(report) == {"Flow": "aborted", "Scripts": "failed", "Other": "done"}
    flow = outcome_of(report, "Flow").deploy
    assert flow is not None
    assert flow.reason == "it needs 'Scripts', which failed"
    assert bench.tenant.count("trigger Flow") == 0


async def test_late_other_aborts_without_calling_it_failed(bench: Bench, autojump_clock: MockClock) -> None:
    """What uses an artifact that ran out of time is aborted, and the reason does not claim a failure nobody saw."""
    bench.settings = replace(bench.settings, deploy_timeout_s=10.0)
    bench.tenant.have("Flow")
    bench.tenant.have("Scripts")
    bench.tenant.scripts["Scripts"] = Script(takes_s=1_000.0)

    report = await bench.carry_out(plan_of(deployment("Flow", "Scripts"), deployment("Scripts"), updates=False))

    flow = outcome_of(report, "Flow").deploy
    assert flow is not None
    assert flow.status.value == "aborted"
    assert flow.reason == "it needs 'Scripts', which was not running in time"


@pytest.mark.parametrize("deployed", [True, False])
async def test_failed_update_of_another_aborts(bench: Bench, autojump_clock: MockClock, *, deployed: bool) -> None:
    """A flow is not deployed where what it uses could not be updated, deployed in this run or not."""
    bench.tenant.have("Flow")
    bench.tenant.have("Scripts")
    bench.tenant.archives["Scripts"] = b"as it was"
    bench.tenant.faults["update Scripts"] = [rejected()]
    scripts = bench.update(bench.content("Scripts"), UpdateAction.UPDATE, deployed=deployed)

    report = await bench.carry_out(plan_of(deployment("Flow", "Scripts"), scripts))

    assert deploys_of(report)["Flow"] == "aborted"
    assert bench.tenant.count("trigger") == 0


async def test_needed_artifact_that_runs_or_is_left_alone(bench: Bench, autojump_clock: MockClock) -> None:
    """A flow does not wait for what runs already or is not deployed by this plan."""
    for artifact in ("Flow", "Running", "Left"):
        bench.tenant.have(artifact)
    left = ArtifactPlan(ref=deployment("Left").ref, kind=deployment("Left").kind, skip_reason="deploy is false")
    running = deployment("Running", step=deploy(DeployAction.RUNNING))

    report = await bench.carry_out(plan_of(deployment("Flow", "Left", "Running"), left, running, updates=False))

    assert deploys_of(report) == {"Flow": "done", "Running": "unchanged"}
    assert bench.tenant.count("trigger") == 1


async def test_events_of_the_phase(bench: Bench, autojump_clock: MockClock) -> None:
    """The phase says what is pending and how parallel it is; each artifact is triggered and settled once."""
    planned = fill(bench, {"P": [2.0, 2.0]})
    running = deployment("Running", step=deploy(DeployAction.RUNNING))

    await bench.carry_out(plan_of(*planned, running, updates=False))

    started = next(event for event in bench.events if isinstance(event, PhaseStarted))
    assert (started.total, started.pending, started.parallel_per_package, started.parallel_overall) == (3, 2, 3, 9)
    assert sum(isinstance(event, DeploymentTriggered) for event in bench.events) == 2
    assert sum(isinstance(event, ArtifactDeployed) for event in bench.events) == 3


async def test_no_slot_is_kept(bench: Bench, autojump_clock: MockClock) -> None:
    """However a deployment ends, it gives its slot back: with one slot, the last of five still gets its turn."""
    bench.settings = replace(bench.settings, parallel_deployments=1, max_parallel_deployments=1, deploy_timeout_s=20.0)
    scripts = {
        "Refused": Script(),
        "Broken": Script(ends="ERROR"),
        "Unbuilt": Script(appears_s=1e6, takes_s=1e6, task_ends="FAIL"),
        "Slow": Script(takes_s=1e6),
        "Last": Script(),
    }
    bench.tenant.scripts.update(scripts)
    bench.tenant.faults["trigger Refused"] = [rejected()]
    for artifact in scripts:
        bench.tenant.have(artifact)

    report = await bench.carry_out(plan_of(*map(deployment, scripts), updates=False))

    assert deploys_of(report) == {
        "Refused": "failed",
        "Broken": "failed",
        "Unbuilt": "failed",
        "Slow": "failed",
        "Last": "done",
    }


async def test_plan_that_refuses(bench: Bench, autojump_clock: MockClock) -> None:
    """What planning refused is red with its reason and advice; nothing is sent for it."""
    step = replace(deploy(DeployAction.REFUSE), reason="package 'P' has no 'A'", advice="run update first")

    report = await bench.carry_out(plan_of(deployment("A", step=step), updates=False))

    outcome = outcome_of(report, "A").deploy
    assert outcome is not None
    assert (
        outcome.status,
        outcome.reason,
        outcome.advice,
    ) == (Status.FAILED, "package 'P' has no 'A'", "run update first")
    assert bench.tenant.names == []


class Boom(Exception):
    """Something that nobody foresaw."""


class Loud(list[Event]):
    """Events that end in an error where the second deployment has ended."""

    def append(self, event: Event, /) -> None:
        """Keep it."""
        super().append(event)
        if isinstance(event, ArtifactDeployed) and sum(isinstance(one, ArtifactDeployed) for one in self) == 2:
            raise Boom


async def test_an_unforeseen_error_is_the_only_one(bench: Bench, autojump_clock: MockClock) -> None:
    """While it ends the phase a slot may become free; what it is granted to is not begun, and adds no error."""
    bench.settings = replace(bench.settings, parallel_deployments=1, max_parallel_deployments=4)
    bench.events = Loud()
    planned = fill(bench, {package: [3.0, 3.0, 3.0] for package in "PQRS"})

    with pytest.raises(BaseExceptionGroup) as caught:
        await bench.carry_out(plan_of(*planned, updates=False))

    _, others = caught.value.split(Boom)
    assert others is None
