"""A scene with something of everything to do, on three sorts of tenant, cut off at every await."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from cpi_tasks.content import build_archive
from cpi_tasks.engine import Brake, Ledger, carry_out
from cpi_tasks.model.config import DeployConfig, PackageSpec, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactRef, VerifyPolicy
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.report import PartReport
from cpi_tasks.planning import make_plan
from tests.support.bench import SCRIPTS, VALUES, Bench, package_of
from tests.support.fake_tenant import FakeTenant
from tests.support.script import Script
from tests.support.timed_tenant import TimedTenant


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
            inventory = await bench.read(*config.packages, contents=tuple(self.contents.values()))
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
            package_of(id_, *(c.spec for ref, c in self.contents.items() if ref.package == id_), name="Renamed")
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


def untimed() -> FakeTenant:
    """Make a tenant that gives no time of change, so that the cache is of no use."""
    return FakeTenant()


def timed() -> FakeTenant:
    """Make a tenant on which every write moves the time of change."""
    return TimedTenant()


def half_timed() -> FakeTenant:
    """Make a tenant on which every write but that of a parameter moves the time of change."""
    return TimedTenant(parameters_move_time=False)


def make_scene(files: Files, folder: Path, make_tenant: Callable[[], FakeTenant] = untimed) -> Scene:
    """Existing package P: an upload, a flow to configure, a mapping to replace; new package Q: two creations."""
    tenant = make_tenant()
    bench = Bench(folder, tenant=tenant, settings=Settings(verify=VerifyPolicy.CACHED))
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


class Cut(trio.abc.Instrument):
    """Cuts a scene off after the so-many-th step of any of its tasks: that is an await, whatever is awaited."""

    def __init__(self, scene: Scene, number: int) -> None:
        """Take the scene; only what is done after planning counts."""
        self._scene = scene
        self._left = number

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count a step."""
        del task
        if self._scene.scope is not None:
            self._left -= 1
            if not self._left:
                self._scene.scope.cancel()


async def cut_off_everywhere(
    folder: Path, make_tenant: Callable[[], FakeTenant], check: Callable[[Scene, Plan, PartReport], Awaitable[None]]
) -> None:
    """Run the scene again and again, cut off at the first await, the second, and so on to the last."""
    files = write_files(Bench(folder))
    for number in itertools.count(1):
        scene = make_scene(files, folder, make_tenant)
        cut = Cut(scene, number)
        trio.lowlevel.add_instrument(cut)
        plan, ledger = await scene.run()
        trio.lowlevel.remove_instrument(cut)
        if not scene.scope.cancelled_caught:
            assert number > 150, number
            return
        await check(scene, plan, ledger.fold(plan))


def is_written(scene: Scene, artifact: str) -> bool:
    """Tell whether a call that changes the artifact's design time reached the tenant."""
    calls = ("create ", "update ", "delete ", "save ", "write ")
    return any(name.startswith(calls) and name.split()[1] == artifact for name in scene.bench.tenant.names)
