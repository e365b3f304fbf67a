"""What updates hold and send: archives made in memory when their turn has come, a few at once, nothing on the disk."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks import content as content_room
from cpi_tasks.content import Archive
from cpi_tasks.engine import content_writes
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.plan import ArtifactPlan, UpdateAction
from tests.support.bench import Bench, plan_of

MIB = 2**20
TAKES_S = 10.0
ACTIONS = {UpdateAction.CREATE: "create", UpdateAction.UPDATE: "update"}

Packed = dict[float, list[str]]


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> Packed:
    """Note which archives are made when; all of them on the event loop, so that virtual time stands still meanwhile."""
    found: Packed = {}

    def build(content: ArtifactContent, **named: str | None) -> Archive:
        found.setdefault(trio.current_time(), []).append(content.spec.id)
        return content_room.build_archive(content, **named)

    async def run_here(_: int, work: Callable[[], Archive]) -> Archive:
        await trio.lowlevel.checkpoint()
        return work()

    monkeypatch.setattr(content_writes, "build_archive", build)
    monkeypatch.setattr(content_writes, "run_heavy", run_here)
    return found


def updates(bench: Bench, action: UpdateAction, sizes: dict[str, int]) -> list[ArtifactPlan]:
    """Plan one upload of some size in a package of its own each; every upload takes ten seconds."""
    plans = []
    for artifact, size in sizes.items():
        if action is UpdateAction.UPDATE:
            bench.tenant.have(artifact, package=f"P{artifact}")
        content = replace(bench.content(artifact, package=f"P{artifact}"), size=size)
        plans.append(bench.update(content, action, deployed=False))
    bench.tenant.slow[ACTIONS[action]] = [TAKES_S] * len(sizes)
    return plans


def everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("action", ACTIONS)
async def test_archives_are_made_when_there_is_room(
    bench: Bench, autojump_clock: MockClock, packed: Packed, action: UpdateAction
) -> None:
    """Of twelve packages at once eight have their archive in memory; the others' are not made before those are gone."""
    await bench.carry_out(plan_of(*updates(bench, action, {f"A{number:02}": MIB for number in range(12)})))

    assert {at: len(artifacts) for at, artifacts in packed.items()} == {0.0: 8, TAKES_S: 4}


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_huge_archive_is_in_memory_alone(
    bench: Bench, autojump_clock: MockClock, packed: Packed, action: UpdateAction
) -> None:
    """Content of 40 MiB waits until nothing else is held, and nothing else is made before it is gone."""
    sizes = {"Small": MIB, "Huge": 40 * MIB, "Later": MIB, "Last": MIB}

    report = await bench.carry_out(plan_of(*updates(bench, action, sizes)))

    assert not [one for one in report.artifacts() if one.update is None or one.update.status.is_bad]
    (alone,) = [at for at, artifacts in packed.items() if "Huge" in artifacts]
    assert packed[alone] == ["Huge"]
    calls = {f"{ACTIONS[action]} {artifact}": artifact for artifact in sizes}
    began = {calls[call.what]: call.at for call in bench.tenant.calls if call.what in calls}
    assert all(abs(at - began["Huge"]) >= TAKES_S for artifact, at in began.items() if artifact != "Huge")


@pytest.mark.parametrize("action", ACTIONS)
async def test_nothing_is_unpacked_or_copied_on_the_disk(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, action: UpdateAction
) -> None:
    """While content is sent there is no temporary tree, neither in the system's folder nor beside the files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    plans = updates(bench, action, {"A": MIB, "B": 1})
    before = everything_below(tmp_path)
    seen: list[set[Path]] = []
    bench.tenant.at_each_await = lambda: seen.append(everything_below(tmp_path))

    await bench.carry_out(plan_of(*plans))

    assert bench.tenant.count(ACTIONS[action]) == 2
    assert [paths for paths in seen if paths != before] == []


async def test_jars_and_zips_inside_are_stored(bench: Bench) -> None:
    """What is compressed already is sent as it is, whatever the case of its ending; only the rest is deflated."""
    content = bench.content("A")
    inside = {"lib/one.jar": b"jar" * 500, "lib/Two.ZIP": b"zip" * 500, "lib/zip.txt": b"text" * 500}
    for path, data in inside.items():
        file = content.spec.folder / "src/main/resources" / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)

    await bench.updated(bench.update(content, UpdateAction.CREATE, deployed=False))

    with zipfile.ZipFile(io.BytesIO(bench.tenant.archives["A"])) as sent:
        methods = {info.filename.rpartition("/")[2]: info.compress_type for info in sent.infolist()}
        assert sent.read("src/main/resources/lib/Two.ZIP") == inside["lib/Two.ZIP"]
    found = {name: methods[name] for name in ("one.jar", "Two.ZIP", "zip.txt")}
    assert found == {"one.jar": zipfile.ZIP_STORED, "Two.ZIP": zipfile.ZIP_STORED, "zip.txt": zipfile.ZIP_DEFLATED}
