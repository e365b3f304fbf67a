"""Real signals: what is begun no more, what is waited for, and what is left on disk and told of the run."""

from __future__ import annotations

import json
import re
import signal
import subprocess

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.program import Program, read_until
from tests.support.terminal import at_a_terminal


@pytest.fixture
def slow(program: Program) -> Program:
    """Give a project of all four types whose deployments take long."""
    program.project.every_kind()
    program.project.keys |= {"requestsPerSecond": {"designtime": 200, "runtime": 200}, "interruptGraceSeconds": 1}
    program.project.save()
    return program


@pytest.fixture
def patient(program: Program) -> Program:
    """Give a project of one flow whose deployment takes long, and is waited for after a signal."""
    program.project.flow("Sales", "Orders")
    program.project.keys |= {"requestsPerSecond": {"designtime": 200, "runtime": 200}, "interruptGraceSeconds": 60}
    program.project.save()
    return program


def begun(program: Program) -> tuple[int, str]:
    """Run until the first deployment is triggered, send SIGTERM, and give the exit code and what was said."""
    process = program.start("orchestrate", "--env", "x")
    said = read_until(process, "→ deploying Scripts")
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


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_run_that_waits_for_another_ends_at_once(patient: Program, settings: SimulatorSettings, name: str) -> None:
    """It has written nothing, says so, ends with 130, is on record as interrupted, and the other goes on."""
    first = patient.start("orchestrate", "--env", "x")
    read_until(first, "deploying Orders")
    second = patient.start("orchestrate", "--env", "x", "--lock-wait", "90")
    said = read_until(second, "waiting for it")
    second.send_signal(signal.Signals[name])
    said += second.communicate(timeout=30)[0]
    first_goes_on = first.poll() is None
    first.kill()
    patient.outputs += [said, first.communicate(timeout=30)[0]]

    assert second.returncode == 130, said
    assert "interrupted before anything was changed; nothing was sent that changes the tenant" in said
    assert "Traceback" not in said
    assert first_goes_on
    assert re.search(r"ended with 130 \(interrupted\); 0 writes to \?", patient.run("runs").said)


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
def test_a_second_sigterm_ends_the_grace(patient: Program, settings: SimulatorSettings) -> None:
    """Who sends it twice does not want to wait; what goes on on the tenant is told all the same."""
    process = patient.start("orchestrate", "--env", "x")
    said = ""
    for text in ("deploying Orders", "nothing new is begun"):
        said += read_until(process, text)
        process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=30)[0]
    patient.outputs.append(said)

    assert process.returncode == 130, said
    assert "goes on on the tenant" in said
    assert "Traceback" not in said
