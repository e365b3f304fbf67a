"""Real signals and what is left of a run: the report and the journal on disk, and ``invoke runs``."""

from __future__ import annotations

import json
import re
import signal
import subprocess

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.program import Program
from tests.support.terminal import at_a_terminal


@pytest.fixture
def slow(program: Program) -> Program:
    """Give a project of all four types whose deployments take long."""
    program.project.every_kind()
    program.project.keys |= {"requestsPerSecond": {"designtime": 200, "runtime": 200}, "interruptGraceSeconds": 1}
    program.project.save()
    return program


def begun(program: Program) -> tuple[int, str]:
    """Run until the first deployment is triggered, send SIGTERM, and give the exit code and what was said."""
    process = program.start("orchestrate", "--env", "x")
    assert process.stdout is not None
    said = ""
    while "→ deploying Scripts" not in said:
        said += process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=60)[0]
    program.outputs.append(said)
    return process.returncode, said


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
def test_what_goes_on_is_on_disk_and_told_later(slow: Program, settings: SimulatorSettings) -> None:
    """The report names what is left running on the tenant; ``invoke runs`` tells of the run, also as JSON."""
    code, said = begun(slow)

    assert code == 130
    assert "nothing new is begun; what is under way may go on for 1 s" in said
    (folder,) = (slow.project.root / ".cpi/runs").iterdir()
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    steps = [a["deploy"] for part in report["parts"] for package in part["packages"] for a in package["artifacts"]]
    assert (report["exitCode"], report["isInterrupted"]) == (130, True)
    assert any("deployment was triggered and goes on on the tenant" in step["reason"] for step in steps if step)

    listed = slow.run("runs")
    assert (listed.code, listed.writes) == (0, ())
    assert re.search(rf"^{folder.name}  x  ended with 130 \(interrupted\); \d+ writes", listed.said, re.MULTILINE)
    one = slow.run("runs", "--run", folder.name)
    assert "accepted" in one.said
    machine = json.loads(slow.run("runs", "--run", folder.name, "--format", "json").said)
    assert machine["runs"][0]["exitCode"] == 130


def interrupt(process: subprocess.Popen[bytes], _: int) -> None:
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=3)])
def test_one_ctrl_c_at_a_terminal_waits_for_what_is_under_way(slow: Program, settings: SimulatorSettings) -> None:
    """Nothing new is begun, what was triggered is seen to its end, and the code is 130."""
    code, said = at_a_terminal(slow, [("deploying", interrupt)])

    assert code == 130, said
    assert "waiting for what is under way (Ctrl-C again stops waiting)" in said
    assert "deployed 1.0.0" in said
    assert "not begun" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
def test_a_second_ctrl_c_stops_waiting(slow: Program, settings: SimulatorSettings) -> None:
    """The report says what goes on on the tenant."""
    code, said = at_a_terminal(slow, [("deploying", interrupt), ("Ctrl-C again stops waiting", interrupt)])

    assert code == 130, said
    assert "goes on on the tenant" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=4)])
def test_a_second_run_is_refused_while_one_is_at_work(slow: Program, settings: SimulatorSettings) -> None:
    """It ends with 5, names the run, and writes nothing; with ``--lock-wait`` it takes its turn."""
    process = slow.start("orchestrate", "--env", "x")
    assert process.stdout is not None
    said = ""
    while "PHASE 1" not in said:
        said += process.stdout.readline()
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


def test_an_unknown_run_is_bad_input(slow: Program) -> None:
    """The sentence says where was looked."""
    ended = slow.run("runs", "--run", "../../etc")
    assert ended.code == 4
    assert "there is no run '../../etc'" in ended.said
