"""One program at a time on a state file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import trio

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import Simulator, SimulatorSettings, running, serve
from cpi_tasks.simulator.holding import held

OPEN = SimulatorSettings(enforce_csrf="never")
LOGIN = ("demo-user", "demo-password")
BODY = {"Id": "P", "Name": "P", "ShortText": "P"}
_HOLDER = """
import sys, time, trio
from pathlib import Path
from cpi_tasks.simulator import Simulator, running
with running(Simulator(state_file=Path(sys.argv[1]))) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def test_the_second_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """Nothing of it is served or written, under no name of the file; afterwards it may."""
    file, other = tmp_path / "new" / "tenant.json", tmp_path / "link"
    with running(Simulator(OPEN, state_file=file)) as url:
        other.symlink_to(file.parent)
        for name in (file, other / "tenant.json"):
            second = Simulator(OPEN, state_file=name)
            second.add_package("Lost")
            with pytest.raises(SimulatorError) as told, running(second):
                pass
            assert str(told.value).startswith(f"the embedded tenant in '{name}' is in use by another program")
            assert "choose another state file" in str(told.value)
        assert httpx.post(f"{url}/api/v1/IntegrationPackages", json=BODY, auth=LOGIN).status_code == 201
    assert list(Simulator(state_file=file).packages) == ["P"]
    with running(Simulator(OPEN, state_file=file)):
        pass


def test_what_was_written_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """A program that read the file before another one changed it does not begin."""
    file = tmp_path / "tenant.json"
    late = Simulator(OPEN, state_file=file)
    with running(Simulator(OPEN, state_file=file)) as url:
        httpx.post(f"{url}/api/v1/IntegrationPackages", json=BODY, auth=LOGIN)
    told = "changed by another program after it had been read; start again"
    with pytest.raises(SimulatorError, match=told), running(late):
        pass
    assert list(Simulator(state_file=file).packages) == ["P"]


def test_one_tenant_may_be_served_again(tmp_path: Path) -> None:
    """Its own writing is no change by others."""
    simulator = Simulator(OPEN, state_file=tmp_path / "tenant.json")
    for package in ("P", "Q"):
        with running(simulator) as url:
            sent = {**BODY, "Id": package}
            assert httpx.post(f"{url}/api/v1/IntegrationPackages", json=sent, auth=LOGIN).status_code == 201
    assert list(Simulator(state_file=tmp_path / "tenant.json").packages) == ["P", "Q"]


def test_a_killed_program_leaves_nothing_locked(tmp_path: Path) -> None:
    """The system ends its lock with it."""
    file = tmp_path / "tenant.json"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as holder:
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline().startswith("http")
            with pytest.raises(SimulatorError, match="in use by another program"), held(file):
                pass
        finally:
            holder.kill()
    with held(file):
        pass


def test_a_lock_that_cannot_be_taken_is_told(tmp_path: Path) -> None:
    """Where there can be no file, nothing is served."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    told = r"could not lock the embedded tenant's file .* choose another file"
    with pytest.raises(SimulatorError, match=told), held(blocked / "tenant.json"):
        pass


async def test_without_a_file_nothing_is_locked(tmp_path: Path) -> None:
    """Tenants in memory may be served side by side."""
    async with trio.open_nursery() as nursery:
        with trio.fail_after(20):
            urls = {await nursery.start(serve, Simulator(OPEN)) for _ in range(2)}
        nursery.cancel_scope.cancel()
    assert len(urls) == 2
