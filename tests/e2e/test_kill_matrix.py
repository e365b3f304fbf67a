"""A process killed with SIGKILL at every request of a run: whatever it left, the next run brings it to the end."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cpi_tasks import app
from cpi_tasks.model.config import Selection
from cpi_tasks.model.report import Report
from cpi_tasks.records import read_runs
from cpi_tasks.records.past import PastRun
from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.program import BASIC, Program, make_program
from tests.support.project import SCRIPT

WRITES = 11
"""A package, two creations, an update, a parameter, a deletion with its creation, and four deployments."""
READS = 18
"""At least as many reading requests are sent; how many more depends on how long deployments take."""
GERMANY = {"ERP/Country": "DE", "CRM/Country": "Germany"}
FRANCE = {"ERP/Country": "FR", "CRM/Country": "France"}
HARD = SimulatorSettings(deploy_s=0.2, parameter_write_moves_modified_at=False)
"""A tenant that does not show that a parameter was written: only the records of a run know."""
TORN = b'{"at":"2026-01-05T08:00:00.000+00:00","event":"write beg'


@dataclass(slots=True)
class Killer:
    """Stands in front of the tenant and kills a process when its so-many-th request arrives, or has been handled."""

    inner: ASGIApp
    process: subprocess.Popen[str] | None = None
    counts: Callable[[str], bool] = lambda _: True
    """Which methods count."""
    nth: int = 0
    is_after: bool = False
    target: str = ""
    reached: list[str] = field(default_factory=list)
    """The writes of the killed run that arrived, that one included."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; that one is not answered."""
        if scope["type"] != "http" or self.process is None:
            await self.inner(scope, receive, send)
            return
        request = f"{scope['method']} {target_of(scope)}"
        if scope["method"] != "GET":
            self.reached.append(request)
        self.nth -= self.counts(scope["method"])
        if self.nth != 0 or self.target:
            # What was still on its way when the process was killed is handled all the same, as on a tenant.
            await self.inner(scope, receive, send)
            return
        self.target = request
        if self.is_after:
            await self.inner(scope, receive, _swallow)
        self.process.kill()


def target_of(scope: Scope) -> str:
    query = scope["query_string"].decode()
    return unquote(scope["path"] + (f"?{query}" if query else ""))


async def _swallow(_: Message) -> None:
    """Let an answer go nowhere."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """The project, the tenant, who kills, and what the tenant had before."""

    program: Program
    killer: Killer
    old: dict[str, bytes]

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.program.project.root

    def run(self) -> Report:
        """Run to the end in this process."""
        self.program.project.save()
        return app.execute(Selection(env="x"), root=self.root)

    def writes(self, since: int) -> list[str]:
        """Give the writes that the tenant has taken since."""
        seen = self.program.simulator.requests[since:]
        return [f"{one.method} {unquote(one.target)}" for one in seen if one.method != "GET" and one.status < 300]

    def last(self) -> PastRun:
        """Give what the newest journal tells."""
        return read_runs(self.root / ".cpi/runs")[-1]


@pytest.fixture
def settings() -> SimulatorSettings:
    """Give the tenant's behaviour; tests replace this fixture to have another."""
    return SimulatorSettings(deploy_s=0.2)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: SimulatorSettings) -> Iterator[Bench]:
    """Give a tenant that has half of the project in an older state, the project, and who kills."""
    simulator = Simulator(settings)
    killer = Killer(simulator.app)
    with running(simulator, app=killer) as url:
        program = make_program(tmp_path / "repo", simulator, url)
        # The runs of this process and the killed one share their locks.
        state = program.environment()["XDG_STATE_HOME"]
        for name, value in {"CPI_HOST": url, "XDG_STATE_HOME": state, **BASIC}.items():
            monkeypatch.setenv(name, value)
        project = program.project
        project.keys |= {"requestsPerSecond": {"designtime": 200, "runtime": 200}, "deployTimeoutSeconds": 10}
        project.flow("Sales", "Orders", parameters={"Host": "a.example"})
        project.values("Sales", "Countries", GERMANY)
        bench = Bench(program=program, killer=killer, old={})
        assert bench.run().exit_code == 0
        bench.old = {id_: simulator.artifact(id_).archive for id_ in ("Orders", "Countries")}
        project.flow("Sales", "Orders", scripts_of="Scripts", mapping_of="Bills", parameters={"Host": "a.example"})
        project.packages["Sales"]["artifacts"] = list(project.artifacts.values())
        project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
        project.override("Orders", {"Host": "b.example"})
        project.values("Sales", "Countries", GERMANY, FRANCE)
        project.packages["Sales"]["artifacts"] = list(project.artifacts.values())
        project.collection("Shared", "Scripts")
        project.mapping("Shared", "Bills")
        project.save()
        yield bench


def kill(bench: Bench, nth: int, counts: Callable[[str], bool], *, is_after: bool = False) -> PastRun:
    """Have a process killed at a request, cut off what it was writing, and give what its journal tells."""
    hand = bench.killer
    hand.nth, hand.is_after, hand.counts = nth, is_after, counts
    with bench.program.start("orchestrate", "--env", "x") as process:
        hand.process = process
        said, _ = process.communicate(timeout=60)
    hand.process = None
    assert hand.target, f"there was no such request: {said}"
    assert process.returncode == -9, said
    newest = max(bench.root.glob(".cpi/runs/*"))
    for file in (newest / "journal.jsonl", *bench.root.glob(".cpi/records/*.jsonl")):
        with file.open("ab") as opened:
            opened.write(TORN)
    return bench.last()


def announced(bench: Bench, past: PastRun) -> Counter[str]:
    """Give the writes that a journal has before they were sent, without their queries."""
    found = Counter[str]()
    for line in (bench.root / ".cpi/runs" / past.id / "journal.jsonl").read_bytes().splitlines():
        with suppress(ValueError):  # the line that was cut short
            entry = json.loads(line)
            if entry["event"] == "write begins":
                found[bare(f"{entry['method']} {entry['target']}")] += 1
    return found


def bare(write: str) -> str:
    return unquote(write).partition("?")[0]


def check_past(bench: Bench, past: PastRun, capsys: pytest.CaptureFixture[str]) -> None:
    """Check that the journal has every write that arrived, and tells which has no answer, as ``invoke runs`` does."""
    hand = bench.killer
    assert not Counter(map(bare, hand.reached)) - announced(bench, past)
    assert past.exit_code is None
    if not hand.target.startswith("GET"):
        assert bare(hand.target) in map(bare, past.unanswered_writes)
    assert app.show_runs(bench.root, run=past.id, run_dir=None, form=None) == 0
    told = capsys.readouterr().out
    assert "no end on record: it was killed, or is at work still" in told
    for name, artifact in past.artifacts.items():
        assert name in told
        own = name.partition("/")[2]
        if artifact.update.startswith("done"):
            assert own in bench.program.simulator.artifacts
        if artifact.deploy.startswith("done"):
            assert bench.program.simulator.is_running_design_time(own)


def check_kept(bench: Bench, past: PastRun) -> None:
    """Check that what was overwritten or deleted is in the killed run's backups as it was."""
    backups = bench.root / ".cpi/runs" / past.id / "backup/Sales"
    for method, artifact in (("PUT", "Orders"), ("DELETE", "Countries")):
        if any(write.startswith(method) and f"'{artifact}'" in write for write in bench.killer.reached):
            assert (backups / f"{artifact}.zip").read_bytes() == bench.old[artifact]


def check_converged(bench: Bench, past: PastRun) -> None:
    """Check that the next run is green, right and repeats nothing seen to its end, and that the one after is idle."""
    simulator, before = bench.program.simulator, len(bench.program.simulator.requests)
    report = bench.run()
    assert report.exit_code == 0, report
    assert sorted(simulator.artifacts) == ["Bills", "Countries", "Orders", "Scripts"]
    assert all(simulator.is_running_design_time(artifact) for artifact in simulator.artifacts)
    assert simulator.artifact("Orders").parameters["Host"] == "b.example"
    assert simulator.artifact("Orders").package_id == "Sales"
    sent = bench.writes(before)
    for name, artifact in past.artifacts.items():
        own = f"'{name.partition('/')[2]}'"
        if artifact.deploy.startswith("done"):
            assert not [write for write in sent if own in write], "what was seen running is left alone"
        if artifact.update.startswith("done"):
            assert not [write for write in sent if own in write and "Deploy" not in write]
    before = len(simulator.requests)
    assert bench.run().exit_code == 0
    assert bench.writes(before) == []


def is_write(method: str) -> bool:
    return method != "GET"


def is_read(method: str) -> bool:
    return method == "GET"


def test_the_matrix_has_every_request(bench: Bench) -> None:
    """A run that nobody kills sends exactly as many writes as there are kills, and not many more reading requests."""
    before = len(bench.program.simulator.requests)
    assert bench.run().exit_code == 0
    assert len(bench.writes(before)) == WRITES
    reads = len(bench.program.simulator.requests) - before - WRITES
    assert abs(reads - READS) < 10


@pytest.mark.parametrize("settings", [HARD], ids=["hard"])
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_the_run_after_a_kill_at_a_write_brings_everything_to_the_end(
    bench: Bench, capsys: pytest.CaptureFixture[str], settings: SimulatorSettings, nth: int, *, is_after: bool
) -> None:
    """The killed run's journal knows the write, what was overwritten is kept, and the next run is green and right."""
    past = kill(bench, nth, is_write, is_after=is_after)
    check_past(bench, past, capsys)
    check_kept(bench, past)
    check_converged(bench, past)


@pytest.mark.parametrize("nth", range(1, READS + 1))
def test_the_run_after_a_kill_between_writes_brings_everything_to_the_end(
    bench: Bench, capsys: pytest.CaptureFixture[str], nth: int
) -> None:
    """The same at every reading request: what was answered before is on record, or done again without harm."""
    past = kill(bench, nth, is_read)
    check_past(bench, past, capsys)
    check_kept(bench, past)
    check_converged(bench, past)
