"""A run cut off at every await: cache, backups and baselines are as true as if it had ended there by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from trio.testing import MockClock

from cpi_tasks.content import read_archive
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.report import ArtifactOutcome, PartReport, Status
from tests.support.bench import Bench
from tests.support.cutting import Files, Scene, cut_off_everywhere, half_timed, is_written, timed, untimed, write_files
from tests.support.fake_tenant import FakeTenant


def is_done(found: ArtifactOutcome) -> bool:
    return found.update is not None and found.update.status is Status.DONE


def check_known(scene: Scene) -> None:
    """Check that what the cache would prove on the next run is so on the tenant, content and values."""
    tenant = scene.bench.tenant
    for ref, content in scene.contents.items():
        design = tenant.artifacts.get(ref.artifact)
        known = None if design is None else scene.bench.cache.find(design)
        if known is None:
            continue
        stored = read_archive(tenant.archives[ref.artifact], artifact=ref.artifact, kind=content.spec.kind)
        assert known.content == stored.digest.fingerprint
        values = tenant.parameters[ref.artifact]
        assert known.parameters in (None, scene.bench.records.digest_each(values))
        assert known.parameter_digest in (None, scene.bench.records.digest(values))


def check_kept(scene: Scene, files: Files) -> None:
    """Check that what was overwritten, or was about to be, is kept as it was; of what was created there is nothing."""
    bench = scene.bench
    for ref in scene.contents:
        old = next((old for old in files.olds if old.spec.ref == ref), None)
        if old is None:
            assert ref.artifact not in {**bench.backups.archives, **bench.backups.states}
        elif is_written(scene, ref.artifact):
            assert bench.backups.states[ref.artifact] == (old.version, old.parameters)
            if ref.artifact != "Configure":
                assert bench.backups.archives[ref.artifact] == files.archives[ref.artifact]


@pytest.mark.parametrize("make_tenant", [untimed, timed, half_timed])
async def test_cache_and_backups_stay_true(
    tmp_path: Path, autojump_clock: MockClock, make_tenant: Callable[[], FakeTenant]
) -> None:
    """Wherever a run is cut off, the cache proves nothing that is not so, and all that was overwritten is kept."""
    files = write_files(Bench(tmp_path))

    async def check(scene: Scene, plan: Plan, report: PartReport) -> None:
        check_known(scene)
        check_kept(scene, files)
        baselines = {found.ref.artifact for found in report.artifacts() if is_done(found)}
        assert set(scene.bench.records.baselines) == baselines
        assert scene.bench.cache.saves == 2, "also what a cut-off run forgot is on disk"

    await cut_off_everywhere(tmp_path, make_tenant, check)
