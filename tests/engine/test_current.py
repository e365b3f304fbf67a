"""Design time right before a trigger: the version that will run, and the time of change that goes on record."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.errors import UnreadableAnswer
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.plan import UpdateAction
from cpi_tasks.model.records import NOT_KNOWN, Baseline
from cpi_tasks.model.report import Status
from tests.support.bench import FLOW, SCRIPTS, Bench, deploys_of, outcome_of, plan_of, rejected
from tests.support.script import Script

MOVED = "versions changed on the tenant before their deployment, which took the new ones: "


@pytest.mark.parametrize("kind", [FLOW, SCRIPTS])
@pytest.mark.parametrize("action", [UpdateAction.CREATE, UpdateAction.UPDATE])
async def test_a_version_that_the_tenant_changed_after_a_write(
    bench: Bench, autojump_clock: MockClock, kind: object, action: UpdateAction
) -> None:
    """It is the one that must run, it is reported in one line, and it is what this run leaves behind."""
    names = [f"A{number:02}" for number in range(12)]
    contents = [bench.content(name, kind=kind, version="1.0.0") for name in names]  # type: ignore[arg-type]
    for content in contents if action is UpdateAction.UPDATE else ():
        bench.have(content)
    bench.tenant.becomes = dict.fromkeys(names, "1.0.1")

    report = await bench.carry_out(plan_of(*(bench.update(content, action) for content in contents)))

    assert set(deploys_of(report).values()) == {"done"}
    assert {outcome_of(report, name).steps[-1].summary for name in names} == {"deployed 1.0.1"}
    moved = [f"P/{name} from 1.0.0 to 1.0.1" for name in names]
    assert report.warnings == (f"{MOVED}{', '.join(moved[:10])} and 2 more",)
    assert {bench.records.baselines[name].version for name in names} == {"1.0.1"}
    assert bench.tenant.count("list") == 1
    assert all(bench.records.records[name].content for name in names)


async def test_what_was_read_a_moment_ago_is_not_read_again(bench: Bench, autojump_clock: MockClock) -> None:
    """Within a minute of the inventory nothing is listed; after that one list serves all who wait."""
    names = [f"A{number}" for number in range(6)]
    for name in names:
        bench.tenant.have(name)
        bench.tenant.scripts[name] = Script(takes_s=70.0)
    bench.settings = replace(bench.settings, parallel_deployments=3)

    report = await bench.carry_out(
        plan_of(*(bench.update(bench.content(name), UpdateAction.UNCHANGED) for name in names))
    )

    assert set(deploys_of(report).values()) == {"done"}
    assert bench.tenant.count("list") == 1


async def test_a_version_saved_right_before_the_trigger(bench: Bench, autojump_clock: MockClock) -> None:
    """What no list showed shows on the runtime: design time is read once more, and only once."""
    bench.tenant.have("A")
    bench.tenant.slow["look A"] = [5.0]

    async def save() -> None:
        await trio.sleep(1.0)
        bench.tenant.have("A", version="1.0.9")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(save)
        outcome = await bench.deployed()

    assert (outcome.status, outcome.summary) == (Status.DONE, "deployed 1.0.9")
    assert bench.tenant.count("list") == 1


async def test_somebody_saves_a_draft_before_the_trigger(timed: Bench, autojump_clock: MockClock) -> None:
    """What is deployed then is the draft: any version counts, a line says so, and its content is not known."""
    timed.tenant.have("A")
    inventory = timed.inventory()
    timed.tenant.have("A", version="Active")
    planned = timed.update(timed.content("A"), UpdateAction.UNCHANGED)

    report = await timed.carry_out(plan_of(planned, updates=False), replace(inventory, read_at=-100.0))

    assert deploys_of(report) == {"A": "done"}
    assert report.warnings == (f"{MOVED}P/A from 1.0.0 to an unsaved draft",)
    record = timed.records.get(ArtifactId("A"))
    assert (record.content, record.modified_at) == (None, timed.tenant.artifacts["A"].modified_at)


async def test_what_is_not_deployed_is_not_reported(bench: Bench, autojump_clock: MockClock) -> None:
    """The list shows everything of the package; only what is deployed from it matters."""
    bench.tenant.have("A")
    bench.tenant.have("B")
    inventory = replace(bench.inventory(), read_at=-100.0)
    bench.tenant.have("B", version="1.0.9")
    bench.records.baselines["B"] = Baseline(version="1.0.0")

    report = await bench.carry_out(plan_of(bench.update(bench.content("A"), UpdateAction.UNCHANGED)), inventory)

    assert report.warnings == ()
    assert bench.records.baselines["B"].version == "1.0.0"


@pytest.mark.parametrize("error", [rejected("Forbidden", status=403), UnreadableAnswer("an odd row")])
async def test_a_list_that_is_refused(timed: Bench, autojump_clock: MockClock, error: Exception) -> None:
    """Each artifact is asked for by itself, and the list is not asked for again."""
    for name in ("A", "B"):
        timed.tenant.have(name)
    inventory = replace(timed.inventory(), read_at=-100.0)
    timed.tenant.faults["list"] = [error]  # type: ignore[list-item]
    planned = [timed.update(timed.content(name), UpdateAction.UNCHANGED) for name in ("A", "B")]

    report = await timed.carry_out(plan_of(*planned, updates=False), inventory)

    assert deploys_of(report) == {"A": "done", "B": "done"}
    assert (timed.tenant.count("list"), timed.tenant.count("read")) == (1, 2)
    assert timed.records.get(ArtifactId("B")).modified_at == timed.tenant.artifacts["B"].modified_at


async def test_what_the_tenant_does_not_show_is_deployed_and_not_known(timed: Bench, autojump_clock: MockClock) -> None:
    """Where neither answer comes, the record says that nobody knows what was deployed."""
    timed.tenant.have("A")
    inventory = replace(timed.inventory(), read_at=-100.0)
    timed.tenant.faults["list"] = [rejected()]
    timed.tenant.faults["read"] = [rejected()]
    planned = timed.update(timed.content("A"), UpdateAction.UNCHANGED)

    report = await timed.carry_out(plan_of(planned, updates=False), inventory)

    assert deploys_of(report) == {"A": "done"}
    assert timed.records.get(ArtifactId("A")).modified_at == NOT_KNOWN
