"""Two runs on one tenant at the same time, as two terminals of one machine have them."""

from __future__ import annotations

import re

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.program import Program, read_until


@pytest.fixture
def slow(program: Program) -> Program:
    """Give a project of all four types whose deployments take long."""
    program.project.every_kind()
    program.project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    program.project.save()
    return program


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=4)])
def test_a_second_run_is_refused_while_one_is_at_work(slow: Program, settings: SimulatorSettings) -> None:
    """It ends with 5, names the run, and writes nothing; with ``--lock-wait`` it takes its turn."""
    process = slow.start("orchestrate", "--env", "x")
    read_until(process, "PHASE 1")
    refused = slow.run("orchestrate", "--env", "x")
    looked = slow.run("plan", "--env", "x")
    waited = slow.run("orchestrate", "--env", "x", "--lock-wait", "90")
    process.communicate(timeout=60)

    assert refused.code == 5
    assert re.search(r"another run is at work on this tenant: run \S+ of \S+ \(process \d+\), since ", refused.said)
    assert looked.code == 0
    assert process.returncode == 0
    assert waited.code == 0, waited.said
    assert "; waiting for it" in waited.said
