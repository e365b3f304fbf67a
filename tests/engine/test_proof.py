"""What a deployment is of, read right before its trigger where only our record can prove later that it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import FailurePolicy, Mode
from tests.support.bench import SCRIPTS, Bench, deploys_of, rejected
from tests.support.script import Script

_READS = ("download", "parameters")


@pytest.fixture
def flow(bench: Bench) -> ArtifactContent:
    """Have an undated flow on the tenant, for runs that only deploy."""
    bench.settings = replace(bench.settings, mode=Mode.DEPLOY_ONLY)
    flow = bench.content("Flow", parameters={"Host": "a"})
    bench.have(flow)
    return flow


def order(bench: Bench) -> list[str]:
    """Give the reads of details and the trigger in their order."""
    return [name for call in bench.tenant.calls if (name := call.what.split()[0]) in {*_READS, "trigger"}]


async def test_the_next_run_has_its_proof(bench: Bench, flow: ArtifactContent, autojump_clock: MockClock) -> None:
    """Content and parameters are read before the trigger, and the run after that leaves the artifact alone."""
    first = await bench.run(flow)
    reads = order(bench)

    assert deploys_of(first) == {"Flow": "done"}
    assert (sorted(reads[:2]), reads[2:]) == (["download", "parameters"], ["trigger"])
    assert deploys_of(await bench.run(flow)) == {"Flow": "unchanged"}


async def test_a_change_in_between_is_deployed(bench: Bench, flow: ArtifactContent, autojump_clock: MockClock) -> None:
    """What somebody changed after the deployment is not what is on record, so it is deployed."""
    await bench.run(flow)
    bench.tenant.parameters["Flow"] = {"Host": "b"}

    assert deploys_of(await bench.run(flow)) == {"Flow": "done"}


async def test_other_families_have_no_parameters(bench: Bench, autojump_clock: MockClock) -> None:
    """Of anything but a flow only the content is read."""
    bench.settings = replace(bench.settings, mode=Mode.DEPLOY_ONLY)
    scripts = bench.content("Scripts", kind=SCRIPTS)
    bench.have(scripts)

    await bench.run(scripts)

    assert order(bench) == ["download", "trigger"]
    assert deploys_of(await bench.run(scripts)) == {"Scripts": "unchanged"}


async def test_dated_ones_are_not_read(bench: Bench, flow: ArtifactContent, autojump_clock: MockClock) -> None:
    """Where the tenant gives a time of change, that proves enough."""
    bench.have(flow, modified_at=1_000)

    await bench.run(flow)

    assert order(bench) == ["trigger"]


async def test_without_times_of_deployment_nothing_is_read(
    bench: Bench, flow: ArtifactContent, autojump_clock: MockClock
) -> None:
    """Where the tenant gives no time of deployment no record could ever prove anything."""
    bench.tenant.running["Flow"] = replace(bench.tenant.run("Flow"), deployed_on=None, status="ERROR")

    await bench.run(flow)

    assert order(bench) == ["trigger"]


@pytest.mark.parametrize("call", ["download Flow", "parameters Flow"])
async def test_a_refusal_leaves_no_record(
    bench: Bench, flow: ArtifactContent, autojump_clock: MockClock, call: str
) -> None:
    """What may not be read is deployed all the same, and again by the next run: half a proof is none."""
    bench.tenant.faults[call] = [rejected("READ_ONLY")]

    assert deploys_of(await bench.run(flow)) == {"Flow": "done"}
    assert deploys_of(await bench.run(flow)) == {"Flow": "done"}


async def test_compared_content_is_not_read_again(
    bench: Bench, flow: ArtifactContent, autojump_clock: MockClock
) -> None:
    """In a run that updates as well the content is known from comparing it."""
    bench.settings = replace(bench.settings, mode=Mode.UPDATE_AND_DEPLOY)

    await bench.run(flow)

    assert order(bench) == ["trigger"]
    assert deploys_of(await bench.run(flow)) == {"Flow": "unchanged"}


async def test_what_waits_is_read_ahead(bench: Bench, autojump_clock: MockClock) -> None:
    """While one is being deployed the others are read, each once: their triggers need not wait for that."""
    bench.settings = replace(bench.settings, mode=Mode.DEPLOY_ONLY, parallel_deployments=1)
    flows = [bench.content(name, parameters={"Host": "a"}) for name in ("A", "B", "C")]
    for flow in flows:
        bench.have(flow)
        bench.tenant.scripts[str(flow.spec.id)] = Script(takes_s=30.0)

    report = await bench.run(*flows)

    assert set(deploys_of(report).values()) == {"done"}
    read = {name: [bench.tenant.at(f"{what} {name}") for what in _READS] for name in "ABC"}
    assert all(len(moments) == 1 for found in read.values() for moments in found)
    first, second, third = (bench.tenant.at(f"trigger {name}")[0] for name in "ABC")
    assert second - first >= 30.0
    assert max(read["A"][0][0], read["A"][1][0]) <= first
    assert all(moments[0] < first + 5.0 for name in "BC" for moments in read[name])
    assert third > second


async def test_nothing_is_read_ahead_once_the_brake_is_pulled(bench: Bench, autojump_clock: MockClock) -> None:
    """After a failure that ends the run nothing more is read, although something is under way for a while."""
    bench.settings = replace(
        bench.settings, mode=Mode.DEPLOY_ONLY, parallel_deployments=2, on_failure=FailurePolicy.STOP
    )
    flows = [bench.content(name, parameters={"Host": "a"}) for name in ("Long", "Bad", "Next", "Last")]
    for flow in flows:
        bench.have(flow)
    bench.tenant.scripts["Long"] = Script(takes_s=100.0)
    bench.tenant.faults["trigger Bad"] = [rejected("Bad thing")]
    bench.tenant.slow["download Next"] = [10.0]

    report = await bench.run(*flows)

    assert deploys_of(report) == {"Long": "done", "Bad": "failed", "Next": "aborted", "Last": "aborted"}
    assert len(bench.tenant.at("download Next")) == 1
    assert bench.tenant.at("download Last") == []


async def test_read_only_content_is_not_asked_for(bench: Bench, autojump_clock: MockClock) -> None:
    """A tenant shows no content of read-only packages: it is not asked in vain, not for a record either."""
    flow = bench.content("Flow", parameters={"Host": "a"}, overrides={"Host": "b"})
    bench.have(flow)
    bench.tenant.read_only.add("P")

    assert deploys_of(await bench.run(flow)) == {"Flow": "done"}
    assert bench.tenant.count("download") == 0
