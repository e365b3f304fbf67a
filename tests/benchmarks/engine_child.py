"""One run of the engine under the virtual clock: ``python engine_child.py PACKAGES PER_PACKAGE cpu|bytes``.

Prints, as one line of JSON, the CPU seconds or the bytes (at the peak, beyond what was there before) of each part.
What the system counts as a process' memory depends on what Python still has from the part before, so bytes are those
that Python hands out; counting them takes its time, so each has a run of its own.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio
from trio.testing import MockClock

from cpi_tasks import planning
from cpi_tasks.engine import Brake, Ledger, carry_out, read_inventory
from cpi_tasks.garbage import collected_rarely
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Position, Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, Mode, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.tenant import DesigntimeArtifact
from tests.benchmarks.lean_tenant import LeanTenant
from tests.support.fake_records import FakeMemory

AT_ONCE, DEPLOY_S = 5, 4.0
_FLOW = ArtifactKind.INTEGRATION_FLOW
_NOWHERE = Position(file="deploy.yml", line=1, column=1)

Part = dict[str, float]


async def main(packages: int, per_package: int) -> dict[str, Part]:
    """Read and plan, write one parameter of each artifact, deploy each; gives what every part took."""
    tenant, parts = LeanTenant(deploy_s=DEPLOY_S), dict[str, Part]()
    overall = max(AT_ONCE, AT_ONCE * packages)
    settings = Settings(mode=Mode.DEPLOY_ONLY, parallel_deployments=AT_ONCE, max_parallel_deployments=overall)
    refs = [_ref(package, number) for package in range(packages) for number in range(per_package)]
    count = len(refs)
    for ref in refs:
        tenant.hold(_design(ref))
        tenant.parameters[ref.artifact] = {"Host": "a.example"}
    config, memory, ledger = _config(refs), FakeMemory.of(tenant).memory, Ledger()
    with _measured("read and plan", parts):
        inventory = await read_inventory(tenant, config, {}, settings=settings, memory=memory, emit=_ignore)
        plan = planning.make_plan(config, {}, inventory, settings)

    async def carry(plan: Plan, inventory: Inventory) -> None:
        brake = Brake(settings=settings, total=count)
        await carry_out(
            plan,
            inventory,
            tenant=tenant,
            memory=memory,
            settings=settings,
            emit=_ignore,
            ledger=ledger,
            brake=brake,
        )

    updates = _updates(refs, inventory)
    with _measured("update", parts):
        await carry(updates, inventory)
    tenant.looks = 0
    with _measured("deploy", parts):
        await carry(plan, inventory)
    bad = [outcome for outcome in (*ledger.updates.values(), *ledger.deploys.values()) if outcome.status.is_bad]
    if bad or len(ledger.updates) != count or len(ledger.deploys) != count:
        raise SystemExit(f"not everything was done: {bad[:1]}")
    parts["deploy"]["looks"] = tenant.looks
    return parts


@contextmanager
def _measured(part: str, parts: dict[str, Part]) -> Iterator[None]:
    """Put CPU seconds, bytes at the peak (where they are counted) and virtual seconds of a block into ``parts``."""
    gc.collect()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    began, at = time.process_time(), trio.current_time()
    yield
    cpu_s = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    parts[part] = {"cpu_s": cpu_s, "bytes": peak - before, "virtual_s": trio.current_time() - at}


def _ref(package: int, number: int) -> ArtifactRef:
    return ArtifactRef(package=PackageId(f"P{package}"), artifact=ArtifactId(f"Artifact{package}x{number}"))


def _design(ref: ArtifactRef) -> DesigntimeArtifact:
    return DesigntimeArtifact(
        id=ref.artifact, kind=_FLOW, package=ref.package, version="1.0.0", name=ref.artifact, modified_at=1
    )


def _config(refs: list[ArtifactRef]) -> DeployConfig:
    by_package: dict[PackageId, list[ArtifactRef]] = {}
    for ref in refs:
        by_package.setdefault(ref.package, []).append(ref)
    packages = tuple(_package(package, found) for package, found in by_package.items())
    return DeployConfig(source="deploy.yml", prefix="", packages=packages, renames={})


def _package(package: PackageId, refs: list[ArtifactRef]) -> PackageSpec:
    return PackageSpec(
        id=package,
        source_id=package,
        folder=Path("none"),
        name=None,
        creation_name=package,
        description=None,
        short_text=None,
        sync=True,
        deploy=True,
        artifacts=tuple(_spec(ref) for ref in refs),
        position=_NOWHERE,
    )


def _spec(ref: ArtifactRef) -> ArtifactSpec:
    return ArtifactSpec(
        ref=ref,
        source_id=ref.artifact,
        kind=_FLOW,
        folder=Path("none"),
        display_name=None,
        sync=True,
        deploy=True,
        overrides={},
        position=_NOWHERE,
        override_positions={},
    )


def _updates(refs: list[ArtifactRef], inventory: Inventory) -> Plan:
    change = ParameterChange(key="Host", old="a.example", new="b.example")
    by_package: dict[PackageId, list[ArtifactPlan]] = {}
    for ref in refs:
        before = inventory.artifacts[ref.artifact]
        step = UpdateStep(action=UpdateAction.CONFIGURE, reason="asked for", before=before, changes=(change,))
        by_package.setdefault(ref.package, []).append(ArtifactPlan(ref=ref, kind=_FLOW, update=step))
    packages = tuple(
        PackagePlan(id=package, action=PackageAction.KEEP, reason="asked for", artifacts=tuple(found))
        for package, found in by_package.items()
    )
    return Plan(source="deploy.yml", packages=packages, updates=True, deploys=False)


def _ignore(_: object) -> None:
    """Take an event and do nothing with it."""


if __name__ == "__main__":
    if sys.argv[3] == "bytes":
        tracemalloc.start()
    with collected_rarely():
        found = trio.run(main, int(sys.argv[1]), int(sys.argv[2]), clock=MockClock(autojump_threshold=0))
    sys.stdout.write(f"{json.dumps(found)}\n")
