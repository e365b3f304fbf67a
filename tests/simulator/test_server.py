"""The tenant on real loopback sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trio

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import Simulator, SimulatorSettings, running, serve

Build = Callable[..., bytes]
LOGIN = ("demo-user", "demo-password")
OPEN = SimulatorSettings(enforce_csrf="never")
BODY = {"Id": "P", "Name": "P", "ShortText": "P"}


async def _start(nursery: trio.Nursery, simulator: Simulator) -> str:
    return str(await nursery.start(lambda task_status: serve(simulator, task_status=task_status)))


async def test_it_serves_on_a_free_port_and_keeps_connections(capfd: pytest.CaptureFixture[str], flow: Build) -> None:
    """Links point to the port, one connection carries many requests, nothing is written to the terminal."""
    simulator = Simulator(OPEN)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await _start(nursery, simulator)
            assert (urlsplit(url).hostname, urlsplit(url).path) == ("127.0.0.1", "")
            streams = set()
            async with httpx.AsyncClient(auth=LOGIN, headers={"Accept": "application/json"}) as client:
                for _ in range(3):
                    answer = await client.get(f"{url}/api/v1/IntegrationDesigntimeArtifacts(Id='F',Version='active')")
                    streams.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
                media = answer.json()["d"]["__metadata"]["media_src"]
                assert media.startswith(f"{url}/api/v1/")
                assert (await client.get(media)).content[:2] == b"PK"
            assert len(streams) == 1
            nursery.cancel_scope.cancel()
    assert capfd.readouterr() == ("", "")


async def test_it_stops_although_a_client_does_not_read() -> None:
    """A connection with an answer nobody fetches does not delay the end."""
    simulator = Simulator(OPEN)
    for number in range(100):
        simulator.add_package(f"P{number}", description="x" * 100_000)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await _start(nursery, simulator)
            stream = await trio.open_tcp_stream("127.0.0.1", urlsplit(url).port or 0)
            request = b"GET /api/v1/IntegrationPackages HTTP/1.1\r\nHost: x\r\nAuthorization: Basic "
            await stream.send_all(request + b"ZGVtby11c2VyOmRlbW8tcGFzc3dvcmQ=\r\n\r\n")
            assert (await stream.receive_some(10)).startswith(b"HTTP/1.1")
            nursery.cancel_scope.cancel()
        await stream.aclose()


async def test_no_client_can_bring_it_down() -> None:
    """Nonsense on one connection ends that connection; the next one is served."""
    nonsense = [
        b"\x16\x03\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /api/v1/ HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: a\r\n\r\n",
        b"GET /api/v1/ HTTP/1.1\r\nHost: x:y\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnothing of the kind",
    ]
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await _start(nursery, Simulator(OPEN))
            for data in nonsense:
                stream = await trio.open_tcp_stream("127.0.0.1", urlsplit(url).port or 0)
                await stream.send_all(data)
                await stream.send_eof()
                with suppress(trio.BrokenResourceError):
                    while await stream.receive_some():
                        pass
                await stream.aclose()
            async with httpx.AsyncClient(auth=LOGIN) as client:
                assert (await client.get(f"{url}/api/v1/")).status_code == 200
            nursery.cancel_scope.cancel()


async def test_dropped_connections_are_seen_by_the_client() -> None:
    """Before handling nothing has happened, after handling it has; the next request works again."""
    simulator = Simulator(OPEN)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await _start(nursery, simulator)
            async with httpx.AsyncClient(auth=LOGIN, base_url=f"{url}/api/v1/") as client:
                simulator.drop_next("POST", "IntegrationPackages")
                with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                    await client.post("IntegrationPackages", json=BODY)
                assert "P" not in simulator.packages
                simulator.drop_next("POST", "IntegrationPackages", after_handling=True)
                with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                    await client.post("IntegrationPackages", json=BODY)
                assert "P" in simulator.packages
                assert (await client.get("IntegrationPackages('P')")).status_code == 200
            nursery.cancel_scope.cancel()
    assert [record.status for record in simulator.requests] == [0, 0, 200]


async def test_a_taken_port_is_an_error() -> None:
    """It is raised before anything is reported as started."""
    simulator = Simulator()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await _start(nursery, simulator)
            with pytest.raises(OSError, match="in use"):
                await serve(simulator, port=urlsplit(url).port or 0)
            nursery.cancel_scope.cancel()


async def test_the_state_is_on_disk_when_serving_ends(tmp_path: Path) -> None:
    """Also when it is cancelled right after a request."""
    file = tmp_path / "tenant.json"
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await _start(nursery, Simulator(OPEN, state_file=file))
            async with httpx.AsyncClient(auth=LOGIN) as client:
                assert (await client.post(f"{url}/api/v1/IntegrationPackages", json=BODY)).status_code == 201
            nursery.cancel_scope.cancel()
    assert list(Simulator(state_file=file).packages) == ["P"]


async def test_changes_are_written_while_serving(tmp_path: Path) -> None:
    """A killed program loses little: the file appears without waiting for the end."""
    file = tmp_path / "tenant.json"
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await _start(nursery, Simulator(OPEN, state_file=file))
            async with httpx.AsyncClient(auth=LOGIN) as client:
                await client.post(f"{url}/api/v1/IntegrationPackages", json=BODY)
                while not file.exists():
                    await client.get(f"{url}/api/v1/IntegrationPackages('P')")
            assert json.loads(file.read_text(encoding="utf-8"))["packages"][0]["id"] == "P"
            nursery.cancel_scope.cancel()


def test_it_runs_beside_a_program_without_trio(tmp_path: Path, flow: Build) -> None:
    """From a thread; the tenant can be looked at and changed meanwhile, and a second time."""
    file = tmp_path / "tenant.json"
    simulator = Simulator(SimulatorSettings(enforce_csrf="never", deploy_s=0.0), state_file=file)
    with running(simulator) as url, httpx.Client(auth=LOGIN, base_url=f"{url}/api/v1/") as client:
        assert client.post("IntegrationPackages", json=BODY).status_code == 201
        simulator.add_artifact("P", "F", "Integration", flow("F"))
        assert client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'").status_code == 202
        assert simulator.is_running_design_time("F")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/api/v1/")
    again = Simulator(state_file=file)
    with running(again) as url:
        assert httpx.get(f"{url}/api/v1/IntegrationRuntimeArtifacts('F')", auth=LOGIN).status_code == 200
    assert again.is_running_design_time("F")


def test_what_goes_wrong_at_the_end_is_raised(tmp_path: Path) -> None:
    """A file that cannot be written is not passed over."""
    file = tmp_path / "tenant.json"
    simulator = Simulator(OPEN, state_file=file)

    def change_what_cannot_be_saved(url: str) -> None:
        file.mkdir()
        httpx.post(f"{url}/api/v1/IntegrationPackages", json=BODY, auth=LOGIN)

    with pytest.raises(SimulatorError, match="could not save"), running(simulator) as url:
        change_what_cannot_be_saved(url)


def test_serving_needs_nothing_of_a_test() -> None:
    """The modules of a served tenant load no testing tools of the libraries below."""
    code = (
        "import sys, cpi_tasks.simulator as s; s.running, s.Window; print([n for n in sys.modules if 'testing' in n])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
