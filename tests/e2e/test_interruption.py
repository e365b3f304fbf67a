"""Real signals at moments at which nothing is under way yet."""

from __future__ import annotations

import re
import signal

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.program import Program


@pytest.fixture
def slow(program: Program) -> Program:
    """Give a project whose deployments take long."""
    program.project.flow("Sales", "Orders")
    program.project.keys |= {"requestsPerSecond": {"designtime": 200, "runtime": 200}, "interruptGraceSeconds": 60}
    program.project.save()
    return program


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_run_that_waits_for_another_ends_at_once(slow: Program, settings: SimulatorSettings, name: str) -> None:
    """It has written nothing, says so, ends with 130, is on record as interrupted, and the other goes on."""
    first = slow.start("orchestrate", "--env", "x")
    assert first.stdout is not None
    while "deploying Orders" not in first.stdout.readline():
        pass
    second = slow.start("orchestrate", "--env", "x", "--lock-wait", "90")
    assert second.stdout is not None
    said = ""
    while "waiting for it" not in said:
        said += second.stdout.readline()
    second.send_signal(signal.Signals[name])
    said += second.communicate(timeout=30)[0]
    first_goes_on = first.poll() is None
    first.kill()
    slow.outputs += [said, first.communicate(timeout=30)[0]]

    assert second.returncode == 130, said
    assert "interrupted before anything was changed; nothing was sent that changes the tenant" in said
    assert "Traceback" not in said
    assert first_goes_on
    assert re.search(r"ended with 130 \(interrupted\); 0 writes to \?", slow.run("runs").said)


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
def test_a_second_sigterm_ends_the_grace(slow: Program, settings: SimulatorSettings) -> None:
    """Who sends it twice does not want to wait; what goes on on the tenant is told all the same."""
    process = slow.start("orchestrate", "--env", "x")
    assert process.stdout is not None
    said = ""
    for text in ("deploying Orders", "nothing new is begun"):
        while text not in said:
            said += process.stdout.readline()
        process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=30)[0]
    slow.outputs.append(said)

    assert process.returncode == 130, said
    assert "goes on on the tenant" in said
    assert "Traceback" not in said
