"""Lists of the runtime give kept rows only as long as these are what would be written now."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import httpx
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.simulator import Simulator
from cpi_tasks.simulator.lifecycle import Deployment, Fate, RuntimeArtifact, RuntimeRecord, Snapshot, Undeployment
from tests.simulator.batches import changeset, part, send, write

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
IDS = ("F", "G", "H")
DEPLOY = "POST DeployIntegrationDesigntimeArtifact?Id='{}'&Version='active'"


async def _check(simulator: Simulator, client: httpx.AsyncClient) -> None:
    """Compare a list, which may have kept rows, with each artifact read alone, which never has."""
    rows = (await client.get("IntegrationRuntimeArtifacts")).json()["d"]["results"]
    alone = [(await client.get(f"IntegrationRuntimeArtifacts('{name}')")) for name in simulator.deployed]
    assert rows == [answer.json()["d"] for answer in alone]
    elsewhere = await client.get(
        "https://other.example/api/v1/IntegrationRuntimeArtifacts?$top=1&$inlinecount=allpages"
    )
    links = [row["__metadata"]["uri"] for row in elsewhere.json()["d"]["results"]]
    assert all(link.startswith("https://other.example:443/") for link in links)
    assert elsewhere.json()["d"]["__count"] == str(len(rows))


@pytest.mark.parametrize("form", ["?$select=Id,Status", "?$orderby=Id desc", "?$filter=Status eq 'STARTED'"])
async def test_options_go_with_kept_rows(connect: Connect, form: str) -> None:
    """Choosing rows and properties is the same before and after rows were kept."""
    simulator, client = connect()
    for name in IDS:
        simulator.set_runtime(name, "STARTED")
    before = (await client.get(f"IntegrationRuntimeArtifacts{form}")).json()
    await client.get("IntegrationRuntimeArtifacts")
    assert (await client.get(f"IntegrationRuntimeArtifacts{form}")).json() == before
    as_xml = await client.get("IntegrationRuntimeArtifacts", headers={"Accept": "application/xml"})
    assert as_xml.text.count("<entry>") + as_xml.text.count(":entry>") // 2 == len(IDS)


async def test_every_kind_of_change_is_seen(
    connect: Connect, flow: Build, autojump_clock: trio.testing.MockClock
) -> None:
    """Deployments on their way and at their end, undeployments, people's hands, failing change sets."""
    simulator, client = connect(deploy_s=3.0, stop_s=1.0, late_failing=frozenset({"H"}))
    simulator.add_package("P")
    for name in IDS:
        simulator.add_artifact("P", name, "Integration", flow(name))
    deploys = [part(f"{DEPLOY.format(name)} HTTP/1.1") for name in IDS]
    changes: list[Callable[[], None]] = [
        lambda: simulator.set_runtime("F", "STARTED", deployed_on=1),
        lambda: simulator.set_runtime("F", "STARTED", deployed_on=2),
        lambda: simulator.set_runtime("F", "ERROR", deployed_on=2, error="x"),
        *(partial(simulator.deploy, name) for name in IDS),
        lambda: simulator.rename("G", "Another"),
        lambda: simulator.deploy("G"),
        lambda: simulator.undeploy("F"),
        lambda: simulator.set_runtime("G", None),
        lambda: simulator.delete("H"),
    ]
    await _check(simulator, client)
    for change in changes:
        change()
        for _ in range(5):
            await _check(simulator, client)
            await trio.sleep(0.9)
    await send(client, changeset(*deploys[:2], write("x", "1")))
    await _check(simulator, client)
    await client.post(DEPLOY.format("G").removeprefix("POST "))
    await trio.sleep(5)
    await _check(simulator, client)
    await send(client, changeset(part("DELETE IntegrationRuntimeArtifacts('G') HTTP/1.1"), write("x", "1")))
    await _check(simulator, client)
    assert simulator.deployed["G"].status == "STARTED"


def _snapshot(number: int) -> Snapshot:
    return Snapshot(name=f"N{number}", version=f"1.0.{number}", runtime_type="INTEGRATION_FLOW", digest="d")


def _shown(number: int) -> RuntimeArtifact:
    return RuntimeArtifact(id="F", status="STARTED", deployed_by="u", deployed_on=number, snapshot=_snapshot(number))


def _call(number: int, triggered_ms: float, duration_ms: float, fate: Fate | None) -> Deployment | Undeployment:
    if fate is None:
        return Undeployment(triggered_ms=triggered_ms, duration_ms=duration_ms)
    return Deployment(
        task_id=str(number),
        artifact_id="F",
        deployed_by="u",
        triggered_ms=triggered_ms,
        duration_ms=duration_ms,
        deployed_on=number,
        snapshot=_snapshot(number),
        fate=fate,
    )


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["look", "call", "place"]),
            st.integers(min_value=0, max_value=30),
            st.integers(min_value=0, max_value=12),
            st.sampled_from([None, *Fate]),
        ),
        max_size=25,
    )
)
@settings(deadline=None)
def test_a_look_is_what_the_calls_say(
    steps: list[tuple[str, int, int, Fate | None]],
) -> None:
    """Whatever was looked at before, also at moments that are past: a record tells what one without memory tells."""
    record, now_ms = RuntimeRecord(), 0.0
    for number, (what, moment, duration, fate) in enumerate(steps):
        if what == "call":
            now_ms += duration
            record.add(_call(number, now_ms, float(moment), fate))
        elif what == "place":
            record.settled = _shown(number)
        fresh = dataclasses.replace(record, calls=list(record.calls), _ended=None)
        assert record.look(now_ms + moment - 10) == fresh.look(now_ms + moment - 10)


def test_what_was_there_before_counts_where_a_call_changes_nothing() -> None:
    """A deployment that never appears shows what is placed, also when that is another one later."""
    record = RuntimeRecord(settled=_shown(1))
    record.add(_call(2, 0.0, 10.0, Fate.NEVER_APPEARS))
    assert record.look(20.0) == _shown(1)
    record.settled = _shown(3)
    assert record.look(20.0) == _shown(3)


def test_what_has_ended_is_one_object() -> None:
    """Looks at what does not change any more cost nothing, and lists can tell that nothing has changed."""
    record = RuntimeRecord(settled=_shown(1))
    record.add(_call(2, 0.0, 10.0, Fate.STARTS))
    assert record.look(5.0) is not record.look(10.0)
    assert record.look(10.0) is record.look(11.0)
