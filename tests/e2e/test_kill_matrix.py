"""A process killed with SIGKILL at every write of a run: whatever it left behind, the next run brings it to the end."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cpi_tasks import app
from cpi_tasks.model.config import Selection
from cpi_tasks.model.report import Report
from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.program import BASIC, Program, make_program
from tests.support.project import SCRIPT

WRITES = 11
"""A package, two creations, an update, a parameter, a deletion with its creation, and four deployments."""
GERMANY = {"ERP/Country": "DE", "CRM/Country": "Germany"}
FRANCE = {"ERP/Country": "FR", "CRM/Country": "France"}


@dataclass(slots=True)
class Killer:
    """Stands in front of the tenant and kills a process when its so-many-th write arrives, or has been handled."""

    inner: ASGIApp
    process: subprocess.Popen[str] | None = None
    nth: int = 0
    is_after: bool = False
    target: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; that one is not answered."""
        is_write = scope["type"] == "http" and scope["method"] != "GET"
        if not is_write or self.process is None:
            await self.inner(scope, receive, send)
            return
        self.nth -= 1
        if self.nth != 0:
            # What was still on its way when the process was killed is handled all the same, as on a tenant.
            await self.inner(scope, receive, send)
            return
        self.target = scope["path"]
        if self.is_after:
            await self.inner(scope, receive, _swallow)
        self.process.kill()


async def _swallow(_: Message) -> None:
    """Let an answer go nowhere."""


@pytest.fixture
def killer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Program, Killer]]:
    """Give a tenant that has half of the project in an older state, the project, and who kills."""
    simulator = Simulator(SimulatorSettings(deploy_s=0.2))
    killer = Killer(simulator.app)
    with running(simulator, app=killer) as url:
        program = make_program(tmp_path / "repo", simulator, url)
        for name, value in {"CPI_HOST": url, **BASIC}.items():
            monkeypatch.setenv(name, value)
        project = program.project
        project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
        project.flow("Sales", "Orders", parameters={"Host": "a.example"})
        project.values("Sales", "Countries", GERMANY)
        assert run(program).exit_code == 0
        project.flow("Sales", "Orders", scripts_of="Scripts", mapping_of="Bills", parameters={"Host": "a.example"})
        project.packages["Sales"]["artifacts"] = list(project.artifacts.values())
        project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
        project.override("Orders", {"Host": "b.example"})
        project.values("Sales", "Countries", GERMANY, FRANCE)
        project.packages["Sales"]["artifacts"] = list(project.artifacts.values())
        project.collection("Shared", "Scripts")
        project.mapping("Shared", "Bills")
        project.save()
        yield program, killer


def run(program: Program) -> Report:
    """Run to the end in this process."""
    program.project.save()
    return app.execute(Selection(env="x"), root=program.project.root)


def writes(program: Program, since: int) -> list[str]:
    return [f"{one.method} {one.target}" for one in program.simulator.requests[since:] if one.method != "GET"]


def test_the_matrix_has_every_write(killer: tuple[Program, Killer]) -> None:
    """A run that nobody kills sends exactly as many writes as there are kills."""
    program, _ = killer
    before = len(program.simulator.requests)
    assert run(program).exit_code == 0
    assert len(writes(program, before)) == WRITES


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_the_run_after_a_kill_brings_everything_to_the_end(
    killer: tuple[Program, Killer], nth: int, is_after: bool
) -> None:
    """The killed run's journal knows the write, the next run is green and right, and the one after writes nothing."""
    program, hand = killer
    hand.nth, hand.is_after = nth, is_after
    with program.start("orchestrate", "--env", "x") as process:
        hand.process = process
        said, _ = process.communicate(timeout=60)
    hand.process = None
    assert process.returncode == -9, said
    journals = [file.read_text(encoding="utf-8") for file in program.project.root.glob(".cpi/runs/*/journal.jsonl")]
    assert any(hand.target.rpartition("/")[2] in journal for journal in journals)

    report = run(program)
    assert report.exit_code == 0, report
    simulator = program.simulator
    assert sorted(simulator.artifacts) == ["Bills", "Countries", "Orders", "Scripts"]
    assert all(simulator.is_running_design_time(artifact) for artifact in simulator.artifacts)
    assert simulator.artifact("Orders").parameters["Host"] == "b.example"
    assert simulator.artifact("Orders").package_id == "Sales"
    before = len(simulator.requests)
    assert run(program).exit_code == 0
    assert writes(program, before) == []
