"""A run cut off at every await: the report stays true, and the next run mends what is left."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.content import build_archive, read_archive
from cpi_tasks.engine import Brake, Ledger, carry_out, read_inventory
from cpi_tasks.model.config import DeployConfig, PackageSpec, Position
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactRef, PackageId
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.report import ArtifactOutcome, PartReport, Status
from cpi_tasks.planning import make_plan
from tests.support.bench import SCRIPTS, VALUES, Bench
from tests.support.script import Script


@dataclass(slots=True)
class Scene:
    """A tenant with something of everything to do, and the configuration that asks for it."""

    bench: Bench
    contents: dict[ArtifactRef, ArtifactContent]

    async def run(self) -> tuple[Plan, Ledger]:
        """Read the tenant, decide, carry out until that ends or is cut off; the plan's ledger is new."""
        bench = self.bench
        config = DeployConfig(source="deploy.yml", prefix="", packages=self.packages(), renames={})
        with trio.CancelScope(shield=True):
            at_each_await, bench.tenant.at_each_await = bench.tenant.at_each_await, lambda: None
            inventory = await read_inventory(
                bench.tenant,
                config,
                self.contents,
                settings=bench.settings,
                memory=bench.fakes.memory,
                emit=bench.events.append,
            )
            bench.tenant.at_each_await = at_each_await
        plan = make_plan(config, self.contents, inventory, bench.settings)
        bench.tenant.calls.clear()
        bench.ledger = Ledger()
        with trio.CancelScope() as scope:
            self.scope = scope
            await carry_out(
                plan,
                inventory,
                tenant=bench.tenant,
                memory=bench.fakes.memory,
                settings=bench.settings,
                emit=bench.events.append,
                ledger=bench.ledger,
                brake=Brake(settings=bench.settings, total=len(self.contents)),
            )
        return plan, bench.ledger

    def packages(self) -> tuple[PackageSpec, ...]:
        """Describe the packages as the configuration would."""
        return tuple(
            PackageSpec(
                id=PackageId(id_),
                source_id=id_,
                folder=Path(),
                name="Renamed",
                creation_name="Renamed",
                description=None,
                short_text=None,
                sync=True,
                deploy=True,
                artifacts=tuple(c.spec for ref, c in self.contents.items() if ref.package == id_),
                position=Position(file="deploy.yml", line=1, column=1),
            )
            for id_ in ("P", "Q")
        )

    scope: trio.CancelScope = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Files:
    """The artifact folders of the scene, written once: as the tenant has them, as the files have them."""

    olds: tuple[ArtifactContent, ...]
    wanted: tuple[ArtifactContent, ...]
    archives: dict[str, bytes]


def write_files(bench: Bench) -> Files:
    wanted = (
        bench.content("Upload", version="1.0.2", parameters={"Host": "a"}, overrides={"Host": "b"}),
        bench.content("Configure", version="1.0.0", parameters={"Host": "a"}, overrides={"Host": "b"}),
        bench.content("Values", kind=VALUES, values="DE FR"),
        bench.content("Flow", package="Q", uses="Scripts"),
        bench.content("Scripts", package="Q", kind=SCRIPTS),
    )
    olds = (
        bench.content("Upload", version="1.0.1", parameters={"Host": "a"}, text="old"),
        bench.content("Configure", version="1.0.0", parameters={"Host": "a"}),
        bench.content("Values", kind=VALUES, version="1.0.0"),
    )
    return Files(olds, wanted, {old.spec.id: build_archive(old).data for old in olds})


def make_scene(files: Files, folder: Path) -> Scene:
    """Existing package P: an upload, a flow to configure, a mapping to replace; new package Q: two creations."""
    bench = Bench(folder)
    tenant = bench.tenant
    for old in files.olds:
        tenant.have(old.spec.id, kind=old.spec.kind, version=old.version)
        tenant.archives[old.spec.id] = files.archives[old.spec.id]
        tenant.parameters[old.spec.id] = dict(old.parameters)
        tenant.run(old.spec.id, version=old.version)
    tenant.versions = "keep"
    tenant.latency_s = 0.1
    for content in files.wanted:
        tenant.scripts[content.spec.id] = Script(takes_s=3.0)
    return Scene(bench, {content.spec.ref: content for content in files.wanted})


async def cut_off_everywhere(folder: Path, check: Callable[[Scene, Plan, PartReport], Awaitable[None]]) -> None:
    """Run the scene again and again, cut off at the first await of a call, the second, and so on to the last."""
    files = write_files(Bench(folder))
    for number in itertools.count(1):
        scene = make_scene(files, folder)
        countdown = itertools.count(number, -1)

        def cut(scene: Scene = scene, countdown: itertools.count[int] = countdown) -> None:
            if next(countdown) == 1:
                scene.scope.cancel()

        scene.bench.tenant.at_each_await = cut
        plan, ledger = await scene.run()
        if not scene.scope.cancelled_caught:
            assert number > 60
            return
        scene.bench.tenant.at_each_await = lambda: None
        await check(scene, plan, ledger.fold(plan))


def is_written(scene: Scene, artifact: str) -> bool:
    """Tell whether a call that changes the artifact's design time reached the tenant."""
    calls = ("create ", "update ", "delete ", "save ", "write ")
    return any(name.startswith(calls) and name.split()[1] == artifact for name in scene.bench.tenant.names)


def check_update(scene: Scene, found: ArtifactOutcome) -> None:
    artifact, tenant, step = found.ref.artifact, scene.bench.tenant, found.update
    assert step is not None
    assert step.status in {Status.DONE, Status.ABANDONED, Status.ABORTED}
    if step.status is Status.DONE:
        content = scene.contents[found.ref]
        stored = read_archive(tenant.archives[artifact], artifact=found.ref.artifact, kind=found.kind)
        assert stored.digest == content.digest
        assert tenant.artifacts[artifact].version == content.version
        assert tenant.parameters.get(artifact, {}).get("Host") == content.spec.overrides.get("Host")
    if is_written(scene, artifact):
        assert step.summary != "not begun"
        record = scene.bench.records.get(artifact)
        assert record.is_pending or record.deployed_on is not None


def check_deployment(scene: Scene, found: ArtifactOutcome) -> None:
    artifact, tenant, step = found.ref.artifact, scene.bench.tenant, found.deploy
    assert step is not None
    assert step.status in {Status.DONE, Status.ABANDONED, Status.ABORTED}
    running = tenant.seen(artifact)
    if step.status is Status.DONE:
        assert running is not None
        assert (running.status, running.version) == ("STARTED", scene.contents[found.ref].version)
        assert found.update is not None
        assert found.update.status is Status.DONE
    elif artifact in tenant.deployed:
        assert step.summary == "cut off"
        assert "on the tenant" in step.reason
    elif step.summary == "cut off":
        assert "goes on on the tenant is not known" in step.reason or "was about to be" in step.reason


async def test_report_stays_true(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Wherever a run is cut off, every planned step has one outcome, and none claims what the tenant does not have."""

    async def check(scene: Scene, plan: Plan, report: PartReport) -> None:
        assert [a.ref for a in report.artifacts()] == [a.ref for a in plan.artifacts()]
        for package in report.packages:
            assert package.update is not None
            is_sent = any(name.endswith(f"_package {package.id}") for name in scene.bench.tenant.names)
            assert (package.update.summary == "not begun") is not is_sent
        for found in report.artifacts():
            assert found.skipped is None
            check_update(scene, found)
            check_deployment(scene, found)

    await cut_off_everywhere(tmp_path, check)


async def test_next_run_mends_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Wherever a run is cut off, running again brings the tenant to the wanted state, and a third run does nothing."""

    async def check(scene: Scene, plan: Plan, report: PartReport) -> None:
        tenant = scene.bench.tenant
        plan, ledger = await scene.run()

        assert not any(package.has_failed for package in ledger.fold(plan).packages)
        for ref, content in scene.contents.items():
            running, artifact = tenant.seen(ref.artifact), tenant.artifacts[ref.artifact]
            assert running is not None
            assert (running.status, running.version) == ("STARTED", artifact.version)
            stored = read_archive(tenant.archives[ref.artifact], artifact=ref.artifact, kind=content.spec.kind)
            assert stored.digest == content.digest
            assert tenant.parameters.get(ref.artifact, {}).get("Host") == content.spec.overrides.get("Host")

        await scene.run()
        assert tenant.names == []

    await cut_off_everywhere(tmp_path, check)


async def test_cut_off_while_late_ones_get_their_last_look(bench: Bench, autojump_clock: MockClock) -> None:
    """What ran out of time and is cut off before its last look is abandoned, not called never begun."""
    scene = make_scene(write_files(bench), bench.folder)
    for script in scene.bench.tenant.scripts.values():
        script.takes_s = 1e6
    tenant = scene.bench.tenant

    def cut() -> None:
        if tenant.names[-1] == "look-all" and trio.current_time() > 600:
            scene.scope.cancel()

    tenant.at_each_await = cut
    plan, ledger = await scene.run()

    assert scene.scope.cancelled_caught
    upload = next(found for found in ledger.fold(plan).artifacts() if found.ref.artifact == "Upload")
    assert upload.deploy is not None
    assert (upload.deploy.status, upload.deploy.summary) == (Status.ABANDONED, "cut off")


@pytest.mark.parametrize("at_s", [0.05, 1.0, 30.0])
async def test_cut_off_ends_at_once(bench: Bench, autojump_clock: MockClock, at_s: float) -> None:
    """A cut-off run ends at that moment: nothing goes on asking the tenant."""
    scene = make_scene(write_files(bench), bench.folder)
    for script in scene.bench.tenant.scripts.values():
        script.takes_s = 100.0

    with trio.move_on_after(at_s):
        await scene.run()

    asked = len(scene.bench.tenant.calls)
    await trio.sleep(100)
    assert len(scene.bench.tenant.calls) == asked
