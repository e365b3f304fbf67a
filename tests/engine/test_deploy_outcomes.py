"""What a deployment ends with: nothing is green that was not seen running, nothing red that is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.errors import AuthenticationError, UnreadableAnswer
from cpi_tasks.model.report import Status
from tests.support.bench import Bench, deploy, deployment, outcome_of, plan_of, rejected, unavailable
from tests.support.script import Script


async def test_long_deployment_under_default_settings(bench: Bench, autojump_clock: MockClock) -> None:
    """A deployment of two minutes is green without any setting."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=120.0, task_s=110.0)

    outcome = await bench.deployed()

    assert (outcome.status, outcome.summary, outcome.reason) == (Status.DONE, "deployed 1.0.0", "asked for")
    assert 120 <= outcome.duration_s <= 135


async def test_not_running_in_time(bench: Bench, autojump_clock: MockClock) -> None:
    """A deployment that still says STARTING at the end of its time is red and says so."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=500.0)

    outcome = await bench.deployed()

    assert Status.FAILED is outcome.status
    assert outcome.reason == "not seen running after 75 s; last seen: STARTING 1.0.0"
    assert "deployTimeoutSeconds" in outcome.advice


async def test_last_look_turns_a_late_starter_green(bench: Bench, autojump_clock: MockClock) -> None:
    """What ran out of time but runs when everything else has ended is not called failed."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    for artifact in ("Late", "Slow"):
        bench.tenant.have(artifact)
    bench.tenant.scripts["Late"] = Script(takes_s=90.0)
    bench.tenant.scripts["Slow"] = Script(takes_s=60.0)
    bench.tenant.slow["trigger Slow"] = [40.0]

    report = await bench.carry_out(plan_of(deployment("Late"), deployment("Slow"), updates=False))

    late = outcome_of(report, "Late").deploy
    assert late is not None
    assert (late.status, late.summary, late.reason) == (Status.DONE, "deployed 1.0.0", "seen late")
    assert bench.records.get(deployment("Late").ref.artifact).deployed_on is not None


async def test_last_look_with_an_odd_row(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the list has a row that cannot be read, each late one is asked for by itself."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    for artifact in ("Late", "Slow"):
        bench.tenant.have(artifact)
    bench.tenant.scripts["Late"] = Script(takes_s=90.0)
    bench.tenant.scripts["Slow"] = Script(takes_s=60.0)
    bench.tenant.slow["trigger Slow"] = [40.0]
    bench.tenant.faults["look-all"] = [UnreadableAnswer("odd")]

    report = await bench.carry_out(plan_of(deployment("Late"), deployment("Slow"), updates=False))

    late = outcome_of(report, "Late").deploy
    assert late is not None
    assert (late.status, late.reason) == (Status.DONE, "seen late")


async def test_last_look_without_an_answer(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the last look fails as well, what was seen before is told."""
    bench.settings = replace(bench.settings, deploy_timeout_s=10.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=500.0)
    bench.tenant.faults["look-all"] = [unavailable()]

    outcome = await bench.deployed()

    assert outcome.reason == "not seen running after 10 s; last seen: STARTING 1.0.0"


async def test_never_appearing(bench: Bench, autojump_clock: MockClock) -> None:
    """An artifact that never appears on the runtime is red, whatever its task says."""
    bench.settings = replace(bench.settings, deploy_timeout_s=50.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(appears_s=2.0, takes_s=2.0, ends="ABSENT")

    outcome = await bench.deployed()

    assert Status.FAILED is outcome.status
    assert outcome.reason == "not seen running after 50 s; last seen: not deployed yet"


async def test_old_version_is_not_the_new_one(bench: Bench, autojump_clock: MockClock) -> None:
    """The old deployment that goes on running is not taken for the new one, and the reason says which it is."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(ends="UNCHANGED")

    outcome = await bench.deployed()

    assert Status.FAILED is outcome.status
    assert outcome.reason == (
        "not seen running after 75 s; last seen: STARTED 1.0.0 (the deployment from before; the new one did not appear)"
    )


async def test_wrong_version_is_red(bench: Bench, autojump_clock: MockClock) -> None:
    """A fresh deployment of another version than design time has is red and names both."""
    bench.settings = replace(bench.settings, deploy_timeout_s=20.0)
    bench.tenant.have("A", version="1.0.4")
    plan = plan_of(deployment("A"), updates=False)
    inventory = bench.inventory()
    bench.tenant.have("A", version="1.0.5")
    bench.tenant.scripts["A"] = Script(takes_s=5.0)

    async def restore() -> None:
        await trio.sleep(1.0)
        bench.tenant.have("A", version="1.0.4")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(restore)
        report = await bench.carry_out(plan, inventory)

    outcome = outcome_of(report, "A").deploy
    assert outcome is not None
    assert outcome.reason == "not seen running after 20 s; last seen: STARTED 1.0.5, wanted 1.0.4"
    assert bench.tenant.count("list") == 1


async def test_a_version_that_the_tenant_moved_on_is_the_expected_one(bench: Bench, autojump_clock: MockClock) -> None:
    """What design time shows is what runs: no false red, and one line says that the version is another one."""
    bench.tenant.have("A", version="1.0.4")
    inventory = bench.inventory()
    bench.tenant.have("A", version="1.0.5")

    report = await bench.carry_out(plan_of(deployment("A"), updates=False), inventory)

    outcome = outcome_of(report, "A").deploy
    assert outcome is not None
    assert (outcome.status, outcome.summary) == (Status.DONE, "deployed 1.0.5")
    (warning,) = report.warnings
    assert warning == (
        "versions changed on the tenant before their deployment, which took the new ones: P/A from 1.0.4 to 1.0.5"
    )


async def test_same_version_that_ends_in_error(bench: Bench, autojump_clock: MockClock) -> None:
    """A redeployment under the same version is red though its task says SUCCESS while the old one still runs."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(appears_s=10.0, takes_s=15.0, task_s=1.0, ends="ERROR")

    outcome = await bench.deployed()

    assert Status.FAILED is outcome.status
    assert outcome.reason == "ended in ERROR: Script file 'a.groovy' not found"


async def test_repaired_flow(bench: Bench, autojump_clock: MockClock) -> None:
    """A flow that was in ERROR before is waited through and green when it runs."""
    bench.tenant.have("A")
    bench.tenant.run("A", status="ERROR")
    bench.tenant.scripts["A"] = Script(appears_s=10.0, takes_s=12.0)

    assert Status.DONE is (await bench.deployed()).status


async def test_deployment_between_plan_and_trigger_is_not_ours(bench: Bench, autojump_clock: MockClock) -> None:
    """What somebody else deployed after planning is read right before the trigger and does not count."""
    bench.settings = replace(bench.settings, deploy_timeout_s=75.0)
    bench.tenant.have("A")
    before = bench.tenant.run("A")
    step = replace(deploy(), before=before)
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(ends="UNCHANGED")

    report = await bench.carry_out(plan_of(deployment("A", step=step), updates=False))

    outcome = outcome_of(report, "A").deploy
    assert outcome is not None
    assert Status.FAILED is outcome.status


async def test_error_text_comes_late(bench: Bench, autojump_clock: MockClock) -> None:
    """The error information is asked for again while the tenant has none yet."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(ends="ERROR", error_text_s=3.0)

    outcome = await bench.deployed()

    assert outcome.reason == "ended in ERROR: Script file 'a.groovy' not found"
    assert bench.tenant.count("error") > 1


@pytest.mark.parametrize("runs", [True, False])
async def test_failed_build_with_its_text(bench: Bench, autojump_clock: MockClock, *, runs: bool) -> None:
    """A failed build is red with the tenant's text, which comes late, and what still runs is told."""
    bench.tenant.have("A")
    if runs:
        bench.tenant.run("A", version="0.9.0")
    bench.tenant.scripts["A"] = Script(
        appears_s=1e6, takes_s=1e6, task_s=1.0, task_ends="FAIL", error_text_s=3.0, error_text="No mapping"
    )

    outcome = await bench.deployed()

    note = "; version 0.9.0 from before still runs" if runs else ""
    assert f"the build failed{note}: No mapping" == outcome.reason
    assert outcome.duration_s < 20


async def test_no_error_text(bench: Bench, autojump_clock: MockClock) -> None:
    """Without any error text the reason says where to look."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(ends="ERROR", error_text_s=1e6)

    assert "Manage Integration Content" in (await bench.deployed()).reason


async def test_missing_licence(bench: Bench, autojump_clock: MockClock) -> None:
    """A build refused for want of a licence says so."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(appears_s=1e6, takes_s=1e6, task_ends="FAIL_ON_LICENSE_ERROR")

    assert (await bench.deployed()).reason.startswith("the build failed (a higher licence is needed)")


async def test_refused_look(bench: Bench, autojump_clock: MockClock) -> None:
    """A tenant that will not show what runs makes the artifact red with the reason, not called undeployed."""
    bench.tenant.have("A")
    bench.tenant.at_each_await = lambda: bench.tenant.faults.update(
        {"look A": [rejected("role missing", status=403)]} if bench.tenant.deployed else {}
    )

    outcome = await bench.deployed()

    assert (outcome.status, outcome.summary) == (Status.FAILED, "not seen running")
    assert "403" in outcome.reason
    assert "role missing" in outcome.reason


async def test_login_refused_while_looking(bench: Bench, autojump_clock: MockClock) -> None:
    """A login that is refused half-way is told as such."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=30.0)
    bench.tenant.faults["task"] = [AuthenticationError("login refused")]

    outcome = await bench.deployed()

    assert (outcome.status, outcome.summary, outcome.reason) == (Status.FAILED, "not seen running", "login refused")


async def test_hanging_task(bench: Bench, autojump_clock: MockClock) -> None:
    """A task that says DEPLOYING for ever holds success back for one more look, not longer."""
    bench.tenant.have("A")
    bench.tenant.run("A")
    bench.tenant.scripts["A"] = Script(takes_s=2.0, task_s=1e6)

    outcome = await bench.deployed()

    assert Status.DONE is outcome.status
    assert outcome.duration_s < 15


@pytest.mark.parametrize("fault", [rejected("no such function", status=501), unavailable()])
async def test_task_cannot_be_read(bench: Bench, autojump_clock: MockClock, fault: Exception) -> None:
    """What is seen running is green though its build task could not be read."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(takes_s=5.0)
    bench.tenant.faults["task"] = [fault]  # type: ignore[list-item]

    assert Status.DONE is (await bench.deployed()).status


async def test_record_of_what_runs(bench: Bench, autojump_clock: MockClock) -> None:
    """What was seen running is put on record with its DeployedOn, which clears what was pending."""
    bench.tenant.have("A")

    await bench.deployed()

    record = bench.records.records["A"]
    assert (record.is_pending, record.is_triggered, record.deployed_on) == (False, False, 2_000)
    assert [name for name in bench.tenant.names if name.startswith("note")] == ["note_trigger A", "note_running A"]


@pytest.mark.parametrize(("at_s", "longest_s"), [(1.0, 50.0), (40.0, 66.0)])
async def test_a_failed_tasks_text_is_not_asked_for_long_beyond_the_time(
    bench: Bench, autojump_clock: MockClock, at_s: float, longest_s: float
) -> None:
    """Where the runtime never shows the failure, its text is asked for until the artifact's time is over, or a bit."""
    bench.settings = replace(bench.settings, deploy_timeout_s=60.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(appears_s=1e6, takes_s=1e6, task_s=at_s, task_ends="FAIL", error_text_s=1e6)
    started = trio.current_time()

    outcome = await bench.deployed()

    assert outcome.status is Status.FAILED
    assert "gives no error text" in outcome.reason
    assert trio.current_time() - started <= longest_s


async def test_a_text_that_comes_within_the_time_is_still_told(bench: Bench, autojump_clock: MockClock) -> None:
    """A failure late in the artifact's time has a short grace for its text."""
    bench.settings = replace(bench.settings, deploy_timeout_s=60.0)
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(
        appears_s=1.0, takes_s=54.0, task_s=53.0, ends="ERROR", error_text_s=3.0, error_text="Late"
    )

    outcome = await bench.deployed()

    assert "Late" in outcome.reason


async def test_success_with_nothing_on_the_runtime_is_red_after_a_minute(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """What goes to another runtime never appears: the run does not wait its whole time, and names the setting."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(appears_s=1e6, takes_s=1e6, task_s=5.0)

    outcome = await bench.deployed()

    assert outcome.status is Status.FAILED
    assert 65 <= outcome.duration_s <= 100
    assert "ended in SUCCESS, but the artifact did not appear on the runtime" in outcome.reason
    assert "SAP_ProfileId" in outcome.advice
    assert "SAP-RuntimeProfile" in outcome.advice
    record = bench.records.records["A"]
    assert (record.is_pending, record.is_triggered, record.unseen) == (True, False, 0)


async def test_what_appears_within_that_minute_is_green(bench: Bench, autojump_clock: MockClock) -> None:
    """A runtime that shows it late is only slow."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(appears_s=60.0, takes_s=200.0, task_s=5.0)

    assert (await bench.deployed()).status is Status.DONE
