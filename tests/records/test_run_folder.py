"""Run folders: in ``.cpi/runs``, or where a build keeps its artifacts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cpi_tasks.errors import StateFolderError
from cpi_tasks.records import DeploymentRecords, RunBackups, StateFolder, TenantCache
from tests.records.builders import EVIL, FLOW, design, known, mode, ref, tree


@pytest.fixture
def elsewhere(tmp_path: Path) -> StateFolder:
    """Give the state folder of a project whose run folders are kept elsewhere."""
    return StateFolder(tmp_path / "project", run="1", runs=tmp_path / "build" / "artifacts")


def test_the_run_folder_is_only_named(tmp_path: Path, elsewhere: StateFolder) -> None:
    """Asking where a run keeps its files makes nothing."""
    assert StateFolder(tmp_path, run="1").run_folder == tmp_path / ".cpi" / "runs" / "1"
    assert elsewhere.run_folder == tmp_path / "build" / "artifacts" / "1"
    assert elsewhere.upload_folder == tmp_path / "build" / "artifacts" / "1" / "upload"
    assert tree(tmp_path) == []


def test_a_run_folder_in_the_project_is_below_the_ignored_folder(folder: StateFolder) -> None:
    """What a run keeps is private and never part of a commit."""
    made = folder.ensure_run("backup", "Pack")

    assert made == folder.path / "runs" / "20260105T080000" / "backup" / "Pack"
    assert [mode(path) for path in (made, *made.parents[:4])] == [0o700] * 5
    assert (folder.path / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_run_folders_elsewhere_hold_what_the_run_keeps(tmp_path: Path, elsewhere: StateFolder) -> None:
    """Backups and uploads go where they were asked to go, and nothing of them into the project."""
    RunBackups(elsewhere).keep_archive(ref(), b"zip")
    elsewhere.keep_upload(ref(), lambda path: (path / "file").touch())

    assert tree(tmp_path) == [
        "build",
        "build/artifacts",
        "build/artifacts/1",
        "build/artifacts/1/backup",
        "build/artifacts/1/backup/Pack",
        "build/artifacts/1/backup/Pack/Flow.zip",
        "build/artifacts/1/upload",
        "build/artifacts/1/upload/Pack",
        "build/artifacts/1/upload/Pack/Flow",
        "build/artifacts/1/upload/Pack/Flow/file",
    ]


def test_records_cache_and_key_stay_in_the_project(tmp_path: Path, elsewhere: StateFolder) -> None:
    """Only run folders move: what later runs need is found by all of them."""
    records = DeploymentRecords(elsewhere, tenant="t1")
    records.digest({"host": "prod"})
    records.note_write(FLOW, content="f1")
    cache = TenantCache(elsewhere, tenant="t1")
    cache.keep(design(), known())
    cache.save()

    assert not (tmp_path / "build").exists()
    assert sorted(path.name for path in elsewhere.path.iterdir()) == [".gitignore", "cache", "key", "records"]


def test_a_folder_made_for_the_runs_is_private(tmp_path: Path, elsewhere: StateFolder) -> None:
    """Backups hold parameter values, so every folder made here is 0700, whatever the umask."""
    (tmp_path / "build").mkdir()
    old = os.umask(0)
    try:
        made = elsewhere.ensure_run("backup")
    finally:
        os.umask(old)

    assert [mode(path) for path in (made, *made.parents[:2])] == [0o700, 0o700, 0o700]


def test_a_folder_somebody_named_keeps_its_mode(tmp_path: Path, elsewhere: StateFolder) -> None:
    """A build's own folder may have to be readable by others; the run's folder in it is private all the same."""
    artifacts = tmp_path / "build" / "artifacts"
    artifacts.mkdir(parents=True)
    artifacts.chmod(0o755)

    made = elsewhere.ensure_run("backup")

    assert mode(artifacts) == 0o755
    assert [mode(made), mode(made.parent)] == [0o700, 0o700]


def test_dropped_backups_leave_the_named_folder(tmp_path: Path, elsewhere: StateFolder) -> None:
    """The run's own folders go where they are empty; the one that somebody named stays, with what else is in it."""
    artifacts = tmp_path / "build" / "artifacts"
    artifacts.mkdir(parents=True)
    backups = RunBackups(elsewhere)
    backups.keep_archive(ref(), b"zip")

    backups.drop(ref())

    assert tree(tmp_path / "build") == ["artifacts"]


def test_a_named_folder_that_cannot_be_used_is_told(tmp_path: Path, elsewhere: StateFolder) -> None:
    """A file in the way ends a run with what to do about it, not with a traceback."""
    (tmp_path / "build").write_text("", encoding="utf-8")

    with pytest.raises(StateFolderError, match=r"could not use .*name another folder with --run-dir"):
        elsewhere.ensure_run("backup")


@pytest.mark.parametrize("name", EVIL)
def test_a_kept_upload_stays_in_its_folder(folder: StateFolder, name: str) -> None:
    """Whatever the ids of a configuration are, what is kept lies below the folder that the report names."""
    folder.keep_upload(ref(name, name), lambda path: (path / "file").touch())

    (kept,) = folder.path.rglob("file")
    assert kept.is_relative_to(folder.upload_folder)
    assert len(kept.relative_to(folder.upload_folder).parts) == 3


def test_an_upload_that_cannot_be_kept_is_told(folder: StateFolder) -> None:
    """What the file system refuses while an upload is unpacked is a sentence as well."""

    def refuse(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path / "file"))

    with pytest.raises(StateFolderError, match=r"file: No space left on device; .*--run-dir"):
        folder.keep_upload(ref(), refuse)
