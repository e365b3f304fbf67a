"""Parameter values are read back once after they were written: what the tenant shows counts, not what it took."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.plan import ArtifactPlan, ParameterChange, UpdateAction, UpdateStep
from cpi_tasks.model.report import Status
from tests.support.bench import Bench, outcome_of, plan_of, rejected
from tests.support.fake_tenant import FakeTenant

CREATE, UPDATE, CONFIGURE = UpdateAction.CREATE, UpdateAction.UPDATE, UpdateAction.CONFIGURE


class Rewriting(FakeTenant):
    """Takes every parameter write and stores something else for one key."""

    async def write_parameter(self, flow: ArtifactId, key: str, value: str) -> None:
        """Set one, or not quite."""
        await super().write_parameter(flow, key, value)
        if key == "Host":
            self.parameters[flow][key] = "what nobody may read"


def rewriting(bench: Bench) -> None:
    bench.tenant = Rewriting()
    bench.__post_init__()


def planned(bench: Bench, action: UpdateAction) -> ArtifactPlan:
    """Plan to have two parameters set, as part of a creation, of an upload or alone."""
    content = bench.content("A", parameters={"Host": "a", "Port": "1"})
    if action is not CREATE:
        bench.have(content)
    wanted = {"Host": "b", "Port": "2"}
    changes = tuple(ParameterChange(key=key, old=None, new=new) for key, new in wanted.items())
    step = UpdateStep(action=action, reason="asked for", enforced=wanted, changes=changes)
    return bench.update(content, action, step=step)


@pytest.mark.parametrize(("action", "reads"), [(CREATE, 2), (UPDATE, 2), (CONFIGURE, 1)])
async def test_written_values_are_read_back_once(
    bench: Bench, autojump_clock: MockClock, action: UpdateAction, reads: int
) -> None:
    """However many values are written, one read follows the last; after an upload one more comes before the first."""
    (outcome,) = await bench.updated(planned(bench, action))

    names = [name for name in bench.tenant.names if name.startswith(("write A", "parameters A"))]
    before = ["parameters A"] * (reads - 1)
    assert names == [*before, "write A Host=b", "write A Port=2", "parameters A"]
    assert outcome.status is Status.DONE


@pytest.mark.parametrize("action", [CREATE, UPDATE, CONFIGURE])
async def test_value_that_is_not_there_afterwards(
    bench: Bench, autojump_clock: MockClock, action: UpdateAction
) -> None:
    """A value the tenant took but does not show fails the artifact by its key, and what was written is not deployed."""
    rewriting(bench)

    report = await bench.carry_out(plan_of(planned(bench, action)))

    update, deploy = outcome_of(report, "A").steps
    assert (update.status, deploy.status) == (Status.FAILED, Status.ABORTED)
    assert update.reason == (
        "could not set 'Host' of integration flow 'A': the tenant took the write, but shows another value afterwards; "
        "look at the parameter's type and at who else is configuring this flow, then run again"
    )
    assert bench.records.records["A"].is_pending
    assert bench.tenant.count("trigger") == 0


async def test_values_stay_out_of_the_reason(bench: Bench, autojump_clock: MockClock) -> None:
    """Values may be secrets: neither the one that was sent nor the one that is there is told."""
    rewriting(bench)

    (outcome,) = await bench.updated(planned(bench, CONFIGURE))

    assert outcome.status is Status.FAILED
    assert "what nobody may read" not in f"{outcome} {bench.ledger.warnings} {bench.events}"


async def test_values_that_are_not_shown_draw_a_warning(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the tenant shows no parameters afterwards nothing can be compared, and the report says so."""
    configured = planned(bench, CONFIGURE)
    shown = bench.tenant.parameters

    def hide() -> None:
        if bench.tenant.names[-1] == "parameters A":
            bench.tenant.parameters = {}

    bench.tenant.at_each_await = hide
    report = await bench.carry_out(plan_of(configured))

    assert outcome_of(report, "A").steps[0].status is Status.DONE
    assert shown["A"] == {"Host": "b", "Port": "2"}
    assert report.warnings == (
        "P/A: the tenant does not show its parameters, so what was written could not be compared",
    )


async def test_read_back_that_is_refused(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the values cannot be read back the artifact fails, because nobody knows what is there."""
    configured = planned(bench, CONFIGURE)
    bench.tenant.faults["parameters A"] = [rejected("no access", status=403)]

    (outcome,) = await bench.updated(configured)

    assert outcome.status is Status.FAILED
    assert "no access" in outcome.reason
    assert bench.records.baselines == {}


async def test_refused_value_ends_the_writing(bench: Bench, autojump_clock: MockClock) -> None:
    """The first value that is refused fails the artifact; later ones are not sent, and its deployment is pending."""
    configured = planned(bench, CONFIGURE)
    bench.tenant.faults["write A Host=b"] = [rejected("not allowed")]

    (outcome,) = await bench.updated(configured)

    assert "not allowed" in outcome.reason
    assert bench.tenant.count("write") == 1
    assert bench.records.records["A"].is_pending


async def test_values_as_wanted_after_the_upload_are_not_written(bench: Bench, autojump_clock: MockClock) -> None:
    """A value that the upload itself brought is neither written nor read twice."""
    content = bench.content("A", parameters={"Host": "b"}, overrides={"Host": "b"})
    step = UpdateStep(action=CREATE, reason="asked for", enforced={"Host": "b"})

    (outcome,) = await bench.updated(bench.update(content, CREATE, step=step))

    assert outcome.summary == "created 1.0.1"
    assert (bench.tenant.count("parameters"), bench.tenant.count("write")) == (1, 0)


async def test_record_has_the_values_as_read_back(bench: Bench, autojump_clock: MockClock) -> None:
    """The record of what runs has the values that were read back, with what somebody else set meanwhile."""
    configured = planned(bench, CONFIGURE)

    def meddle() -> None:
        if bench.tenant.names[-1] == "parameters A":
            bench.tenant.parameters["A"]["Free"] = "by hand"

    bench.tenant.at_each_await = meddle
    await bench.carry_out(plan_of(configured))

    assert bench.records.records["A"].parameters == "Free=by hand,Host=b,Port=2"
