"""A run cut off at every await: the report stays true, and the next run mends what is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.content import read_archive
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.report import ArtifactOutcome, PartReport, Status
from tests.support.bench import Bench
from tests.support.cutting import (
    Scene,
    cut_off_everywhere,
    half_timed,
    is_written,
    make_scene,
    timed,
    untimed,
    write_files,
)
from tests.support.fake_tenant import FakeTenant


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


@pytest.mark.parametrize("make_tenant", [untimed, timed])
async def test_report_stays_true(
    tmp_path: Path, autojump_clock: MockClock, make_tenant: Callable[[], FakeTenant]
) -> None:
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

    await cut_off_everywhere(tmp_path, make_tenant, check)


@pytest.mark.parametrize("make_tenant", [untimed, timed, half_timed])
async def test_next_run_mends_it(
    tmp_path: Path, autojump_clock: MockClock, make_tenant: Callable[[], FakeTenant]
) -> None:
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

    await cut_off_everywhere(tmp_path, make_tenant, check)


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
