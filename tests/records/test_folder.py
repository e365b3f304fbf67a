"""The ``.cpi`` folder: private, out of Git, and nothing that is called by an id can leave it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.errors import StateFolderError
from cpi_tasks.model.naming import ArtifactId, ArtifactRef, PackageId
from cpi_tasks.records import DeploymentRecords, StateFolder
from cpi_tasks.records.folder import safe_name

EVIL = ["..", "../..", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", ".", "....", "a\0b", "C:\\x", "\n", " ", ""]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def ref(package: str, artifact: str) -> ArtifactRef:
    return ArtifactRef(package=PackageId(package), artifact=ArtifactId(artifact))


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    """Opening folder and records, and asking what is on record, leaves a project as it was."""
    records = DeploymentRecords(StateFolder(tmp_path, run="now"), tenant="t1")

    records.get(ArtifactId("Flow"))

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
    """Records, key and backups are 0600, whatever the umask."""
    records = DeploymentRecords(folder, tenant="t1")
    old = os.umask(0)
    try:
        records.note_trigger(ArtifactId("Flow"), content=None, parameters=None)
        records.digest({"host": "prod"})
        backup = Path(records.keep_backup(ref("Pack", "Codes"), b"zip"))
    finally:
        os.umask(old)

    assert mode(folder.path / "records" / "t1.jsonl") == 0o600
    assert mode(folder.path / "key") == 0o600
    assert mode(backup) == 0o600


def test_a_backup_is_kept_below_its_run_and_package(folder: StateFolder) -> None:
    """An archive that is about to be deleted is kept byte for byte, and its path is given."""
    path = Path(DeploymentRecords(folder, tenant="t1").keep_backup(ref("Pack", "Codes"), b"\x00zip"))

    assert path == folder.path / "runs" / "20260105T080000" / "backup" / "Pack" / "Codes.zip"
    assert path.read_bytes() == b"\x00zip"


def test_backups_of_two_runs_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """What an earlier run kept stays."""
    first = StateFolder(tmp_path, run="1").write_backup(ref("Pack", "Codes"), b"one")
    second = StateFolder(tmp_path, run="2").write_backup(ref("Pack", "Codes"), b"two")

    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")


@pytest.mark.parametrize("evil", EVIL)
def test_no_id_leads_out_of_the_folder(folder: StateFolder, evil: str) -> None:
    """Package and artifact ids are names of files here, never paths."""
    path = folder.write_backup(ref(evil, evil), b"zip")

    backups = folder.path / "runs" / "20260105T080000" / "backup"
    assert path.resolve().parent.parent == backups.resolve()
    assert path.read_bytes() == b"zip"


@pytest.mark.parametrize("tenant", [*EVIL, "https://t1.example.com", "embedded:/home/x/.cpi/demo.json"])
def test_no_tenant_leads_out_of_the_folder(folder: StateFolder, tenant: str) -> None:
    """A tenant's address is the name of a file, never a path."""
    file = folder.records_file(tenant)

    assert file.resolve().parent == (folder.path / "records").resolve()
    assert file.name.endswith(".jsonl")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Order_In", "Order_In"),
        ("com.acme.Order-1", "com.acme.Order-1"),
        ("a/b", "a_b-c14cddc0"),
        ("", "-e3b0c442"),
        ("..", "-5ec1f7e7"),
        (".hidden", "hidden-16924190"),
    ],
)
def test_names_stay_readable(text: str, name: str) -> None:
    """A harmless id is its own file name; any other gets a mark that keeps it apart."""
    assert safe_name(text) == name


def test_names_that_look_alike_stay_apart() -> None:
    """Two ids that differ only in what a file name cannot hold get different names."""
    long = "x" * 200

    names = {safe_name(text) for text in ["a/b", "a:b", "a b", "a_b", ".a_b", long, long + "y"]}

    assert len(names) == 7
    assert max(map(len, names)) <= 89


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=120))
def test_any_text_gives_a_plain_file_name(text: str) -> None:
    """No text becomes an empty name, a separator or a way up."""
    name = safe_name(text)

    assert name
    assert not name.startswith(".")
    assert not set(name) & set('/\\:\0\n"*?<>|')


def test_the_key_stays_the_same(tmp_path: Path) -> None:
    """Every run in one project digests with the key of the first."""
    first = StateFolder(tmp_path, run="1").key()

    assert StateFolder(tmp_path, run="2").key() == first
    assert len(first) == 32


@pytest.mark.parametrize("left", ["", "ab", "xyz", "é", "00" * 31])
def test_a_key_that_was_cut_short_is_made_anew(folder: StateFolder, left: str) -> None:
    """A kill while the key is written must neither weaken all later digests nor end every later run."""
    folder.ensure()
    (folder.path / "key").write_text(left, encoding="utf-8")

    key = folder.key()

    assert len(key) == 32
    assert folder.key() == key


def test_the_upload_folder_belongs_to_the_run(folder: StateFolder) -> None:
    """What would be uploaded is kept below the run's own folder, which is only named here."""
    assert folder.upload_folder == folder.path / "runs" / "20260105T080000" / "upload"
    assert not folder.path.exists()


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A file in the way of ``.cpi`` ends a run with what to do about it, not with a traceback."""
    (tmp_path / ".cpi").write_text("")
    with pytest.raises(StateFolderError, match=r"could not use .*make it writable"):
        StateFolder(tmp_path, run="1").ensure("records")
    with pytest.raises(StateFolderError, match="could not use"):
        DeploymentRecords(StateFolder(tmp_path, run="1"), tenant="t")


@pytest.mark.parametrize("name", EVIL)
def test_a_kept_upload_stays_in_its_folder(folder: StateFolder, name: str) -> None:
    """Whatever the ids of a configuration are, what is kept lies below the folder that the report names."""
    folder.keep_upload(ref(name, name), lambda path: (path / "file").touch())
    (kept,) = folder.path.rglob("file")
    assert kept.is_relative_to(folder.upload_folder)
    assert len(kept.relative_to(folder.upload_folder).parts) == 3
