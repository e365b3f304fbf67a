"""The journals of whole runs: on disk before each write, without secrets and values, true wherever a run was cut."""

from __future__ import annotations

import itertools
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import trio.testing

from cpi_tasks.errors import CpiTasksError
from cpi_tasks.events import Event, PackageUpdated, PlanMade
from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode
from cpi_tasks.model.report import Status
from cpi_tasks.records import read_runs
from cpi_tasks.records.past import PastRun
from cpi_tasks.simulator import Fault, FaultKind, FaultRule
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, World

VALUES = ("tenant-side.example", "wanted-side.example", "kept on tenant", "kept in file")
SECRETS = ("demo-password", "ZGVtby11c2VyOmRlbW8tcGFzc3dvcmQ=", "demo-secret")


def runs(world: World) -> Path:
    return world.project.root / ".cpi" / "runs"


def last(world: World) -> PastRun:
    return read_runs(runs(world))[-1]


def files(world: World) -> dict[str, str]:
    """Give journals and reports of all runs."""
    found = [*runs(world).glob("*/journal.jsonl"), *runs(world).glob("*/report.json")]
    return {f"{file.parent.name}/{file.name}": file.read_text(encoding="utf-8") for file in found}


async def test_every_write_is_on_disk_before_it_is_sent(
    world: World, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the tenant takes a write, the line that announces it has been synced."""
    world.project.every_kind()
    synced = ""
    missing: list[str] = []
    seen = 0
    fsync, handle = os.fsync, world.simulator.app.__call__

    def spy(descriptor: int) -> None:
        nonlocal synced
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.name == "journal.jsonl":
            synced = path.read_text(encoding="utf-8")

    async def look(scope: object, receive: object, send: object) -> None:
        nonlocal seen
        assert isinstance(scope, dict)
        if scope["method"] != "GET" and scope["path"] != "/oauth/token":
            seen += 1
            announced = synced.count('"event":"write begins"')
            if announced < seen or scope["path"].rpartition("/")[2] not in synced:
                missing.append(f"{scope['method']} {scope['path']}")
        await handle(scope, receive, send)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", spy)
    monkeypatch.setattr(type(world.simulator), "app", property(lambda _: look))
    ran = await world.run()

    assert ran.exit_code == 0
    assert seen == len(ran.writes) > 10
    assert missing == []


async def test_all_events_of_a_run_are_in_its_journal(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """What a run told while it went on is what its journal says, event by event."""
    world.project.every_kind()
    told: list[str] = []
    names = {
        "ArtifactUpdated": "updated",
        "ArtifactUpdateStarted": "update begins",
        "PackageUpdated": "package updated",
        "DeploymentTriggered": "deployment accepted",
        "ArtifactDeployed": "deployed",
        "RuntimeStatusSeen": "seen",
        "PhaseStarted": "phase started",
        "PhaseFinished": "phase finished",
        "PartStarted": "part started",
        "PlanMade": "plan",
        "WriteBegins": "write begins",
        "RunFinished": "run finished",
    }
    await world.run(watch=lambda event: told.append(names.get(type(event).__name__, "")))

    (journal,) = runs(world).glob("*/journal.jsonl")
    noted = [json.loads(line)["event"] for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [name for name in noted if name in names.values()] == [name for name in told if name]
    assert noted.count("write ended") == noted.count("write begins") == last(world).writes
    assert last(world).unanswered_writes == ()
    assert {artifact.deploy for artifact in last(world).artifacts.values()} == {
        "done: deployed 1.0.0",
        "done: deployed 1.0.3",
    }


async def test_neither_secrets_nor_values_are_on_disk(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """Also where the tenant's text repeats both: in the journal and in the report there are asterisks."""
    world = make()
    world.fails_requests = True
    world.project.flow("Sales", "Orders", parameters={"Host": "tenant-side.example", "Kept": "kept on tenant"})
    await world.run()
    world.project.flow("Sales", "Orders", parameters={"Host": "file-side.example", "Kept": "kept in file"})
    world.project.packages["Sales"]["artifacts"] = [world.project.artifacts["Orders"]]
    world.project.override("Orders", {"Host": "wanted-side.example"})
    text = f"no: {' '.join([*VALUES, *SECRETS[:1]])}"
    rule = FaultRule(method="PUT", pattern="Configurations", fault=Fault(kind=FaultKind.BUSINESS_ERROR, text=text))
    world.simulator.play(world.simulator.script(rule))
    ran = await world.run()

    assert ran.update("Orders").status is Status.FAILED
    assert all(value in ran.update("Orders").reason for value in VALUES), "a person at the terminal sees them"
    for name, content in files(world).items():
        assert not [value for value in (*VALUES, *SECRETS) if value in content], name
    report = max(name for name in files(world) if name.endswith("report.json"))
    assert "no: *** *** *** *** ***" in files(world)[report]


async def test_a_run_that_only_deploys_keeps_no_values_either(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Its plan knows no values: the journal has no tenant's text, and the report is masked with those of the files."""
    world.fails_requests = True
    world.project.flow("Sales", "Orders", parameters={"Host": "file-side.example", "Tries": "7"})
    world.project.override("Orders", {"Host": "wanted-side.example"})
    await world.run(Selection(mode=Mode.UPDATE_ONLY))
    text = "no route to wanted-side.example after 7 tries"
    rule = FaultRule(method="POST", pattern="Deploy", fault=Fault(kind=FaultKind.BUSINESS_ERROR, text=text))
    world.simulator.play(world.simulator.script(rule))
    ran = await world.run(Selection(mode=Mode.DEPLOY_ONLY))

    assert text in ran.deploy("Orders").reason
    folder = max(runs(world).iterdir())
    journal = (folder / "journal.jsonl").read_text(encoding="utf-8")
    assert "no route" not in journal
    assert '"status":"failed"' in journal
    report = (folder / "report.json").read_text(encoding="utf-8")
    assert "no route to *** after 7 tries" in report


async def test_its_files_are_private(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Journal and report are for their owner alone, and so is the folder."""
    world.project.every_kind()
    await world.run()

    (folder,) = runs(world).iterdir()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (folder, *folder.iterdir()) if file.is_file()}
    assert modes == {"journal.jsonl": 0o600, "report.json": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def nth_event(number: int) -> Callable[[Event], bool]:
    """Tell the so-many-th event from the plan on."""
    counted = itertools.count(1)
    is_planned = False

    def is_it(event: Event) -> bool:
        nonlocal is_planned
        is_planned = is_planned or isinstance(event, PlanMade)
        return is_planned and next(counted) == number

    return is_it


def changed(make: MakeWorld) -> World:
    """Make a project with something of everything to do: an upload, a parameter, a creation."""
    world = make(deploy_s=3)
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    world.project.collection("Shared", "Scripts")
    return world


async def test_wherever_a_run_is_cut_off_its_journal_is_true(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """After any event: what is told as done is done, each write is known, and running again converges."""
    for number in itertools.count(1):
        world = changed(make)
        try:
            await world.run_until(nth_event(number))
        except AssertionError:
            assert number > 25, "the run has ended before it was cut off"
            return
        taken = [
            request
            for request in world.simulator.requests
            if request.method != "GET" and request.path != "/oauth/token"
        ]
        past = last(world)
        assert past.writes >= len(taken)
        assert past.exit_code in {None, 130}
        for name, artifact in past.artifacts.items():
            own = name.partition("/")[2]
            if artifact.update.startswith("done"):
                assert own in world.simulator.artifacts
            if artifact.deploy.startswith("done"):
                assert world.simulator.is_running_design_time(own)
            if own in world.simulator.artifacts and not artifact.update:
                assert artifact.under_way == "create was under way"
            if own in world.simulator.deployed and not artifact.deploy:
                assert artifact.under_way or any(own in write for write in past.unanswered_writes)
        await trio.sleep(5)
        assert (await world.run()).exit_code == 0
        assert (await world.run()).writes == ()
        world.project.root.rename(world.project.root.with_name(f"cut-{number}"))


async def test_a_write_whose_answer_never_came_is_named(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """It reached the tenant, or not: the journal of a run that was cut off there does not claim to know."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    rule = FaultRule(method="PUT", pattern="Orders", fault=Fault(kind=FaultKind.SLOW_FIRST_BYTE, seconds=30))
    world.simulator.play(world.simulator.script(rule))
    with trio.move_on_after(20) as scope:
        await world.run()

    assert scope.cancelled_caught
    assert last(world).unanswered_writes == (
        "PUT /api/v1/IntegrationDesigntimeArtifacts(Id='Orders',Version='active')",
    )


async def test_a_run_that_failed_before_its_plan_has_an_end(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A tenant that never answers, or drift that is refused, is no run that was killed: the journal has the code."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.keys |= {"outageBudgetSeconds": 20, "requestTimeoutSeconds": 5}
    world.fails_requests = True
    world.simulator.play(world.simulator.script(FaultRule(fault=Fault(kind=FaultKind.UNAVAILABLE))))
    with pytest.raises(CpiTasksError) as caught:
        await world.run()

    assert caught.value.exit_code == 3
    assert [past.exit_code for past in read_runs(runs(world))] == [0, 3]


async def test_a_torn_end_hides_nothing(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Cut at any byte, a journal tells at most less, and never breaks."""
    world.project.flow("Sales", "Orders")
    await world.run_until(lambda event: isinstance(event, PackageUpdated))
    (journal,) = runs(world).glob("*/journal.jsonl")
    whole = journal.read_bytes()
    known = []
    for size in range(0, len(whole), 7):
        journal.write_bytes(whole[:size])
        known.append(last(world).writes)

    assert known == sorted(known)
    assert known[0] == 0
