"""The ``.cpi`` folder: private, out of Git, and nothing that is called by an id can leave it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cpi_tasks.errors import StateFolderError
from cpi_tasks.records import DeploymentRecords, RunBackups, StateFolder, TenantCache
from tests.records.builders import EVIL, FLOW, design, known, mode


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    """Opening everything, and asking what is known, leaves a project as it was."""
    folder = StateFolder(tmp_path, run="now")
    records = DeploymentRecords(folder, tenant="t1")
    cache = TenantCache(folder, tenant="t1")
    RunBackups(folder)

    records.get(FLOW)
    records.baseline(FLOW)
    cache.find(design())
    cache.save()

    assert folder.known_key() is None
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_private_and_ignored_by_git(folder: StateFolder) -> None:
    """``.cpi`` is 0700 and has a ``.gitignore`` of ``*``, so that not even that file is committed."""
    folder.ensure()

    assert mode(folder.path) == 0o700
    assert (folder.path / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_every_folder_below_is_private(folder: StateFolder) -> None:
    """Each folder on the way is its owner's only, whatever the umask."""
    old = os.umask(0)
    try:
        deepest = folder.ensure("runs", "1", "backup")
    finally:
        os.umask(old)

    assert deepest == folder.path / "runs" / "1" / "backup"
    assert [mode(deepest), mode(deepest.parent), mode(deepest.parent.parent)] == [0o700, 0o700, 0o700]


def test_a_folder_somebody_made_before_becomes_private(folder: StateFolder) -> None:
    """The demo tenant may have made ``.cpi`` first, readable by everybody."""
    folder.path.mkdir(mode=0o755)
    folder.path.chmod(0o755)

    folder.ensure()

    assert mode(folder.path) == 0o700
    assert (folder.path / ".gitignore").exists()


def test_a_gitignore_somebody_wrote_is_left_alone(folder: StateFolder) -> None:
    """What a person put there stays."""
    folder.path.mkdir()
    (folder.path / ".gitignore").write_text("*\n!kept\n", encoding="utf-8")

    folder.ensure()

    assert (folder.path / ".gitignore").read_text(encoding="utf-8") == "*\n!kept\n"


def test_every_file_is_private(folder: StateFolder) -> None:
    """Records, key and cache are 0600, whatever the umask."""
    records = DeploymentRecords(folder, tenant="t1")
    cache = TenantCache(folder, tenant="t1")
    old = os.umask(0)
    try:
        records.note_trigger(FLOW, content=None, parameters=None)
        records.digest({"host": "prod"})
        cache.keep(design(), known())
        cache.save()
    finally:
        os.umask(old)

    files = ["records/t1.jsonl", "key", "cache/t1.json"]
    assert {name: mode(folder.path / name) for name in files} == dict.fromkeys(files, 0o600)
    assert [mode(folder.path / name) for name in ("records", "cache")] == [0o700, 0o700]


@pytest.mark.parametrize("tenant", [*EVIL, "https://t1.example.com", "embedded:/home/x/.cpi/demo.json"])
def test_no_tenant_leads_out_of_the_folder(folder: StateFolder, tenant: str) -> None:
    """A tenant's address is the name of a file, never a path."""
    file = folder.records_file(tenant)

    assert file.resolve().parent == (folder.path / "records").resolve()
    assert file.name.endswith(".jsonl")


def test_the_key_stays_the_same(tmp_path: Path) -> None:
    """Every run in one project digests with the key of the first."""
    first = StateFolder(tmp_path, run="1").key()

    assert StateFolder(tmp_path, run="2").key() == first
    assert StateFolder(tmp_path, run="3").known_key() == first
    assert len(first) == 32


def test_a_run_has_one_key(folder: StateFolder) -> None:
    """What a run digests stays comparable until its end, also where the key is lost meanwhile."""
    key = folder.key()

    (folder.path / "key").unlink()

    assert folder.known_key() == key
    assert folder.key() == key


def test_a_key_that_cannot_be_read_is_told(folder: StateFolder) -> None:
    """A key that is there and cannot be read is not silently replaced."""
    (folder.ensure() / "key").mkdir()

    with pytest.raises(StateFolderError, match="could not use"):
        folder.known_key()
    with pytest.raises(StateFolderError, match="could not use"):
        folder.key()


@pytest.mark.parametrize("left", ["", "ab", "xyz", "é", "00" * 31])
def test_a_key_that_was_cut_short_is_made_anew(folder: StateFolder, left: str) -> None:
    """A kill while the key is written must neither weaken all later digests nor end every later run."""
    folder.ensure()
    (folder.path / "key").write_text(left, encoding="utf-8")

    assert folder.known_key() is None
    key = folder.key()

    assert len(key) == 32
    assert StateFolder(folder.path.parent, run="2").key() == key


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A file in the way of ``.cpi`` ends a run with what to do about it, not with a traceback."""
    (tmp_path / ".cpi").write_text("", encoding="utf-8")
    with pytest.raises(StateFolderError, match=r"could not use .*make it writable"):
        StateFolder(tmp_path, run="1").ensure("records")
    with pytest.raises(StateFolderError, match="could not use"):
        DeploymentRecords(StateFolder(tmp_path, run="1"), tenant="t")
