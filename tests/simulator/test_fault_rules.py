"""When faults strike, and what stands in for those that need a socket, in process and under a virtual clock."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import (
    AnswerStalled,
    ConnectionDropped,
    Fault,
    FaultKind,
    FaultRule,
    FaultScript,
    Simulator,
    When,
)

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
PACKAGES = "IntegrationPackages"
DOWN = Fault(kind=FaultKind.UNAVAILABLE)


def rule(when: When, pattern: str = PACKAGES, method: str = "GET", fault: Fault = DOWN) -> FaultRule:
    return FaultRule(method=method, pattern=pattern, when=when, fault=fault)


async def struck(client: httpx.AsyncClient, times: int, target: str = PACKAGES) -> str:
    """Ask so many times; ``x`` for what was struck."""
    return "".join(["." if (await client.get(target)).status_code == 200 else "x" for _ in range(times)])


@pytest.mark.parametrize(
    ("when", "pattern"),
    [
        (When(), "xxxxxx"),
        (When(nth=3), "..x..."),
        (When(first=2), "xx...."),
        (When(every=2), ".x.x.x"),
        (When(every=2, first=3), ".x...."),
        (When(probability=0), "......"),
        (When(probability=1, nth=1), "x....."),
    ],
)
async def test_rules_count_what_matches(connect: Connect, when: When, pattern: str) -> None:
    """The nth, the first so many, every so-many-th, or a share of them; all conditions together."""
    simulator, client = connect()
    simulator.play(Simulator.script(rule(when)))
    await client.get("IntegrationRuntimeArtifacts")
    assert await struck(client, 6) == pattern


async def test_methods_and_decoded_targets_are_matched(connect: Connect) -> None:
    """A regular expression over path and query as a person would write them."""
    simulator, client = connect()
    simulator.play(Simulator.script(rule(When(), pattern=r"RuntimeArtifacts\?\$filter=Id eq '[AB]'$")))
    for name, status in (("A", 503), ("B", 503), ("C", 200)):
        answer = await client.get(f"IntegrationRuntimeArtifacts?%24filter=Id%20eq%20%27{name}%27")
        assert answer.status_code == status
    assert (await client.post("IntegrationRuntimeArtifacts?$filter=Id eq 'A'")).status_code != 503


async def test_the_same_seed_and_requests_give_the_same_faults(connect: Connect) -> None:
    """And another seed gives others; other requests in between move nothing."""
    seen = []
    for seed, between in ((7, 0), (7, 1), (8, 0)):
        simulator, client = connect()
        simulator.play(Simulator.script(rule(When(probability=0.5)), seed=seed))
        marks = ""
        for _ in range(40):
            marks += await struck(client, 1)
            for _ in range(between):
                await client.get("IntegrationRuntimeArtifacts")
        seen.append(marks)
    assert seen[0] == seen[1] != seen[2]
    assert 8 < seen[0].count("x") < 32


async def test_the_first_rule_that_strikes_has_the_request_to_itself(connect: Connect) -> None:
    """Rules after it do not count it; those before it that did not strike do."""
    simulator, client = connect()
    late = Fault(kind=FaultKind.BAD_GATEWAY)
    simulator.play(Simulator.script(rule(When(nth=2)), rule(When(first=2), fault=late)))
    assert [(await client.get(PACKAGES)).status_code for _ in range(4)] == [502, 503, 502, 200]


async def test_rules_wait_for_tenant_time(connect: Connect, autojump_clock: MockClock) -> None:
    """Seconds count from the moment the script is played; earlier requests are not counted."""
    simulator, client = connect()
    await trio.sleep(100)
    simulator.play(Simulator.script(rule(When(after_s=30, nth=2))))
    assert await struck(client, 2) == ".."
    await trio.sleep(29)
    assert await struck(client, 2) == ".."
    await trio.sleep(1.001)
    assert await struck(client, 3) == ".x."


@pytest.mark.parametrize(
    ("occurrence", "pattern"),
    [
        ("triggered F*", ".xxx"),
        ("started F", "..xx"),
        ("failed G", "..xx"),
        ("undeployed F", "...x"),
        ("request POST Deploy.*Id='F'", ".xxx"),
        ("request POST Deploy.*Id='H'", "...."),
    ],
)
@pytest.mark.parametrize("side", ["after", "before"])
async def test_rules_wait_for_or_end_with_what_occurs(
    connect: Connect, flow: Build, autojump_clock: MockClock, occurrence: str, pattern: str, side: str
) -> None:
    """Triggered, started, failed, undeployed, or a request that was handled."""
    simulator, client = connect(deploy_s=10.0, stop_s=0.0, failing=frozenset({"G"}))
    simulator.add_package("P")
    simulator.set_runtime("F", "STARTED")
    for name in "FG":
        simulator.add_artifact("P", name, "Integration", flow(name))
    simulator.play(Simulator.script(rule(When(**{side: occurrence}))))  # type: ignore[arg-type]
    seen = await struck(client, 1)
    for name in "FG":
        await client.post(f"DeployIntegrationDesigntimeArtifact?Id='{name}'&Version='active'")
    seen += await struck(client, 1)
    await trio.sleep(11)
    seen += await struck(client, 1)
    await client.delete("IntegrationRuntimeArtifacts('F')")
    seen += await struck(client, 1)
    assert seen == (pattern if side == "after" else pattern.translate(str.maketrans(".x", "x.")))


async def test_a_request_that_was_not_handled_has_not_occurred(connect: Connect) -> None:
    """What a fault kept from the tenant is no occurrence; its repetition is."""
    simulator, client = connect()
    simulator.play(Simulator.script(rule(When(after="request POST Packages"))))
    simulator.fail_next("POST", PACKAGES, 503)
    seen = ""
    for _ in range(2):
        await client.post(PACKAGES, json={"Id": "P", "Name": "P", "ShortText": "P"})
        seen += await struck(client, 1)
    assert seen == ".x"


@pytest.mark.parametrize(
    ("kind", "stand_in", "handled"),
    [
        (FaultKind.TRUNCATED_JSON, ConnectionDropped, True),
        (FaultKind.STALLED_BODY, AnswerStalled, True),
        (FaultKind.RESET_BEFORE_HANDLING, ConnectionDropped, False),
        (FaultKind.RESET_AFTER_HANDLING, ConnectionDropped, True),
    ],
)
async def test_what_needs_a_socket_raises_in_process(
    connect: Connect, kind: FaultKind, stand_in: type[Exception], *, handled: bool
) -> None:
    """The documented exception, or the one that is named."""
    for name, error in (("P", None), ("Q", httpx.ReadError)):
        simulator, client = connect()
        simulator.play(Simulator.script(rule(When(), method="POST", fault=Fault(kind=kind, error=error))))
        with pytest.raises(error or stand_in):
            await client.post(PACKAGES, json={"Id": name, "Name": name, "ShortText": name})
        assert list(simulator.packages) == ([name] if handled else [])


async def test_waiting_takes_virtual_time(connect: Connect, autojump_clock: MockClock) -> None:
    """A slow answer and a stalled one cost the seconds they name, on the virtual clock."""
    simulator, client = connect()
    slow, stalled = (Fault(kind=kind, seconds=600) for kind in (FaultKind.SLOW_FIRST_BYTE, FaultKind.STALLED_BODY))
    simulator.play(Simulator.script(rule(When(nth=1), fault=slow), rule(When(nth=1), fault=stalled)))
    begin = trio.current_time()
    assert (await client.get(PACKAGES)).status_code == 200
    with pytest.raises(AnswerStalled):
        await client.get(PACKAGES)
    assert trio.current_time() - begin == pytest.approx(1200)


async def test_a_script_can_be_there_from_the_beginning(connect: Connect) -> None:
    """Given to the tenant when it is made; short forms come after it."""
    simulator, client = connect(state=Simulator(script=FaultScript(faults=(rule(When(first=1)),))))
    simulator.fail_next("GET", PACKAGES, 418)
    assert [(await client.get(PACKAGES)).status_code for _ in range(3)] == [503, 418, 200]


def test_all_mistakes_of_a_script_are_listed() -> None:
    """In one error, each with its place."""
    with pytest.raises(SimulatorError) as caught:
        Simulator.script(
            rule(When(nth=0, probability=2), pattern="(", method="FETCH"),
            rule(When(after="noon"), fault=Fault(kind=FaultKind.SLOW_FIRST_BYTE)),
        )
    lines = str(caught.value).splitlines()
    assert lines[0] == "the fault script cannot be played:"
    assert [line.partition("]: ")[2].split(" ")[0] for line in lines[1:]] == [
        "method", "pattern", "nth", "probability", "after:", "seconds",
    ]  # fmt: skip
    assert [line[2:11] for line in lines[1:]] == ["faults[0]"] * 4 + ["faults[1]"] * 2


def test_a_script_reads_as_a_list() -> None:
    """One line for each rule."""
    script = Simulator.script(rule(When(first=3, after="triggered F")), seed=4)
    assert str(script) == "seed 4\nGET IntegrationPackages: unavailable (first 3, after triggered F)"
