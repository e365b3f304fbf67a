"""What tests can see of the tenant and do to it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import ConnectionDropped, Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
BODY = {"Id": "P", "Name": "P", "ShortText": "P"}


async def test_requests_are_recorded_decoded_with_status_and_time(connect: Connect, autojump_clock: MockClock) -> None:
    """In order of arrival; they are counted by prefix or regular expression."""
    simulator, client = connect()
    await client.get("IntegrationPackages(%27A%27)")
    await trio.sleep(5)
    await client.get("IntegrationRuntimeArtifacts?%24filter=Id+eq+'X'")
    first, second = simulator.requests
    assert (first.method, first.path, first.status) == ("GET", "/api/v1/IntegrationPackages('A')", 404)
    assert (second.query, second.status) == ("$filter=Id eq 'X'", 200)
    assert second.time - first.time == pytest.approx(5)
    assert simulator.count("GET", "IntegrationPackages('A')") == 1
    assert simulator.count("GET", "/api/v1/IntegrationRuntimeArtifacts?$filter=Id eq 'X'") == 1
    assert simulator.count("*", r"Integration(Packages|RuntimeArtifacts)") == 2
    assert simulator.count("POST", "") == 0


async def test_a_planned_failure_answers_instead_of_the_tenant(connect: Connect) -> None:
    """As often as planned, for what matches only, with body and headers; the request has no effect."""
    simulator, client = connect()
    headers = {"Retry-After": "7"}
    simulator.fail_next("POST", "IntegrationPackages", 503, b"<html/>", headers=headers, times=2)
    answers = [await client.post("IntegrationPackages", json=BODY) for _ in range(2)]
    assert [(item.status_code, item.content, item.headers["retry-after"]) for item in answers] == [
        (503, b"<html/>", "7"),
        (503, b"<html/>", "7"),
    ]
    assert (await client.get("IntegrationPackages")).status_code == 200
    assert simulator.packages == {}
    assert (await client.post("IntegrationPackages", json=BODY)).status_code == 201
    assert [record.status for record in simulator.requests] == [503, 503, 200, 201]


async def test_a_dropped_connection_raises_in_the_same_process(connect: Connect) -> None:
    """An error of one's own choice can stand in; after handling the change has happened."""
    simulator, client = connect()
    simulator.drop_next("GET", r"Packages\('P'\)")
    with pytest.raises(ConnectionDropped, match="dropped"):
        await client.get("IntegrationPackages('P')")
    simulator.drop_next("POST", "IntegrationPackages", after_handling=True, error=httpx.ReadError)
    with pytest.raises(httpx.ReadError):
        await client.post("IntegrationPackages", json=BODY)
    assert "P" in simulator.packages


async def test_a_failing_token_service_can_be_planned(connect: Connect) -> None:
    """Faults reach every path of the server."""
    simulator, client = connect()
    simulator.fail_next("POST", "/oauth/token", 500)
    answer = await client.post("https://tenant.example/oauth/token")
    assert answer.status_code == 500


def test_unknown_ids_are_sentences(flow: Build) -> None:
    """Scripting mistakes are told plainly."""
    simulator = Simulator()
    with pytest.raises(SimulatorError, match="has no artifact 'F'"):
        simulator.edit_content("F", {})
    with pytest.raises(SimulatorError, match="has no package 'P'"):
        simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    with pytest.raises(SimulatorError, match="has no parameter 'x'"):
        simulator.set_parameter("F", "x", "1")


def test_passwords_are_not_shown() -> None:
    """Printing the settings does not tell the secrets."""
    text = repr(Simulator().settings)
    assert "demo-password" not in text
    assert "demo-secret" not in text


def test_runtime_states_can_be_set_and_taken_away(flow: Build) -> None:
    """Also for artifacts that design time does not know."""
    simulator = Simulator()
    simulator.set_runtime("X", "ERROR", version="3.0.0", deployed_on=5, error="text")
    shown = simulator.runtime("X")
    assert shown is not None
    assert (shown.status, shown.version, shown.deployed_on, shown.error) == ("ERROR", "3.0.0", 5, "text")
    simulator.set_runtime("X", None)
    assert simulator.runtime("X") is None


async def test_time_follows_a_virtual_clock(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """Time stamps move with trio's time, not with the wall clock."""
    simulator, _ = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    before = simulator.artifact("F").modified_ms
    await trio.sleep(86_400)
    simulator.edit_content("F", {"a": b"1"})
    assert simulator.artifact("F").modified_ms - before == pytest.approx(86_400_000, abs=5)


def test_time_goes_on_outside_of_trio(flow: Build) -> None:
    """Between two runs and outside of any, time stamps never go back."""
    simulator = Simulator()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))

    async def edit() -> int:
        simulator.edit_content("F", {"a": b"1"})
        return simulator.artifact("F").modified_ms

    stamps = [simulator.artifact("F").modified_ms]
    stamps.append(trio.run(edit, clock=MockClock(rate=0)))
    stamps.append(trio.run(edit))
    simulator.edit_content("F", {"a": b"2"})
    stamps.append(simulator.artifact("F").modified_ms)
    assert stamps == sorted(set(stamps))
    assert stamps[-1] - stamps[0] < 60_000
