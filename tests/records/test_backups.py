"""Backups: what a run overwrites is in its folder as it was, once, under a name that nothing else gets."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cpi_tasks.errors import StateFolderError
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.records import RunBackups, StateFolder
from tests.records.builders import EVIL, design, mode, package, ref, tree


@pytest.fixture
def backups(folder: StateFolder) -> RunBackups:
    """Give the backups of a run that has kept nothing yet."""
    return RunBackups(folder)


@pytest.fixture
def kept(folder: StateFolder) -> Path:
    """Give the path of the folder that holds the run's backups."""
    return folder.path / "runs" / "20260105T080000" / "backup"


def test_nothing_is_made_before_something_is_kept(backups: RunBackups, tmp_path: Path) -> None:
    """Asking for archives and dropping what was never kept leaves a project as it was."""
    assert backups.archive(ref()) == ""
    backups.drop(ref())

    assert tree(tmp_path) == []


def test_an_archive_is_kept_below_its_run_and_package(backups: RunBackups, kept: Path) -> None:
    """An archive that is about to be overwritten is kept byte for byte, and its path is given."""
    path = backups.keep_archive(ref("Pack", "Codes"), b"\x00zip\r\n")

    assert path == str(kept / "Pack" / "Codes.zip")
    assert Path(path).read_bytes() == b"\x00zip\r\n"
    assert backups.archive(ref("Pack", "Codes")) == path
    assert tree(kept) == ["Pack", "Pack/Codes.zip"]


def test_an_archive_belongs_to_its_package(backups: RunBackups) -> None:
    """The same artifact id in another package is another artifact."""
    backups.keep_archive(ref("Pack", "Codes"), b"zip")

    assert backups.archive(ref("Other", "Codes")) == ""


def test_a_second_archive_does_not_overwrite_the_first(backups: RunBackups, kept: Path) -> None:
    """What came later gets a number; the archive from before the run stays the one that is named."""
    paths = [backups.keep_archive(ref(), data) for data in (b"one", b"two", b"three")]

    assert [Path(path).name for path in paths] == ["Flow.zip", "Flow.2.zip", "Flow.3.zip"]
    assert [Path(path).read_bytes() for path in paths] == [b"one", b"two", b"three"]
    assert backups.archive(ref()) == str(kept / "Pack" / "Flow.zip")


def test_what_is_there_already_is_not_kept_twice(backups: RunBackups, kept: Path) -> None:
    """The same bytes again take no more room, and the path of the file that has them is given."""
    backups.keep_archive(ref(), b"one")
    backups.keep_archive(ref(), b"two")

    assert backups.keep_archive(ref(), b"two") == str(kept / "Pack" / "Flow.2.zip")
    assert backups.keep_archive(ref(), b"one") == str(kept / "Pack" / "Flow.zip")
    assert tree(kept / "Pack") == ["Flow.2.zip", "Flow.zip"]


def test_files_of_an_earlier_start_are_not_overwritten(folder: StateFolder, kept: Path) -> None:
    """Also where a folder of that name holds backups already, they stay."""
    RunBackups(folder).keep_archive(ref(), b"one")

    RunBackups(folder).keep_archive(ref(), b"two")

    assert (kept / "Pack" / "Flow.zip").read_bytes() == b"one"
    assert (kept / "Pack" / "Flow.2.zip").read_bytes() == b"two"


def test_backups_of_two_runs_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """What an earlier run kept stays."""
    first = RunBackups(StateFolder(tmp_path, run="1")).keep_archive(ref(), b"one")
    second = RunBackups(StateFolder(tmp_path, run="2")).keep_archive(ref(), b"two")

    assert (Path(first).read_bytes(), Path(second).read_bytes()) == (b"one", b"two")


def test_the_state_of_an_artifact_is_kept_in_clear(backups: RunBackups, kept: Path) -> None:
    """Version, last change and every parameter value are there to be restored."""
    path = backups.keep_state(design(), ref("Pack", "Flow"), {"host": "prod", "Grüße \u2028": '"\n'})

    assert path == str(kept / "Pack" / "Flow.json")
    assert json.loads(Path(path).read_text(encoding="utf-8")) == {
        "package": "Pack",
        "kind": "IntegrationFlow",
        "id": "Flow",
        "version": "1.0.3",
        "name": "Order In",
        "modifiedAt": "2026-01-05T08:00:00.123Z",
        "modifiedBy": "jane@example.com",
        "parameters": {"host": "prod", "Grüße \u2028": '"\n'},
    }


@pytest.mark.parametrize(
    ("modified_at", "written"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (10**15, "1000000000000000"),
        (10**400, "1" + 400 * "0"),
    ],
)
def test_any_time_of_change_can_be_kept(backups: RunBackups, modified_at: int | None, written: str | None) -> None:
    """No number of a tenant keeps a backup from being written; one that is no time is written as it came."""
    path = backups.keep_state(design(modified_at=modified_at), ref(), None)

    state = json.loads(Path(path).read_text(encoding="utf-8"))
    assert state["modifiedAt"] == written
    assert state["parameters"] is None


def test_two_states_of_an_artifact_are_both_kept(backups: RunBackups) -> None:
    """A later state has a number, as archives have."""
    first = backups.keep_state(design(version="1.0.0"), ref(), None)
    second = backups.keep_state(design(version="Active"), ref(), None)

    assert [Path(first).name, Path(second).name] == ["Flow.json", "Flow.2.json"]
    assert json.loads(Path(first).read_text(encoding="utf-8"))["version"] == "1.0.0"


def test_the_metadata_of_a_package_is_kept(backups: RunBackups, kept: Path) -> None:
    """A package's own file holds every field that an update would replace."""
    path = backups.keep_package(package("Orders", Vendor="ACME"))

    assert path == str(kept / "Pack" / "package.json")
    assert json.loads(Path(path).read_text(encoding="utf-8")) == {
        "id": "Pack",
        "name": "Orders",
        "metadata": {"Name": "Orders", "Vendor": "ACME"},
    }
    assert Path(backups.keep_package(package("Renamed"))).name == "package.2.json"


@pytest.mark.parametrize("evil", EVIL)
def test_no_id_leads_out_of_the_folder(backups: RunBackups, kept: Path, evil: str) -> None:
    """Package and artifact ids are names of files here, never paths."""
    archive = Path(backups.keep_archive(ref(evil, evil), b"zip"))
    state = Path(backups.keep_state(design(evil), ref(evil, evil), None))

    assert archive.resolve().parent.parent == kept.resolve()
    assert state.resolve().parent.parent == kept.resolve()
    assert archive.read_bytes() == b"zip"
    assert backups.archive(ref(evil, evil)) == str(archive)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (ref("Pack", "Flow"), ref("Pack", "FLOW")),
        (ref("Pack", "Flow"), ref("PACK", "Flow")),
        (ref("Pack", "Flow"), ref("Pack", "Flow.2")),
        (ref("a/b", "Flow"), ref("a:b", "Flow")),
        (ref("Pack", "a/b"), ref("Pack", "a_b-c14cddc0")),
    ],
)
def test_two_ids_never_share_a_file(backups: RunBackups, one: ArtifactRef, two: ArtifactRef) -> None:
    """Ids that differ in case only, or look like a name that is given here, are kept apart on every file system."""
    paths = [backups.keep_archive(artifact, data) for artifact in (one, two) for data in (b"1", b"2", b"3")]

    assert len({path.casefold() for path in paths}) == 6
    backups.drop(two)
    assert [Path(path).exists() for path in paths] == [True, True, True, False, False, False]
    assert (backups.archive(one), backups.archive(two)) == (paths[0], "")


def test_an_id_like_a_name_with_a_mark_gets_a_name_of_its_own(backups: RunBackups) -> None:
    """Also an id that looks like the name another one got in a collision shares no file with it."""
    backups.keep_archive(ref(artifact="Flow"), b"1")
    marked = backups.keep_archive(ref(artifact="flow"), b"2")
    third = ref(artifact=Path(marked).stem)

    assert backups.archive(third) == ""
    assert Path(backups.keep_archive(third, b"3")).parent == Path(marked).parent
    backups.drop(third)
    assert backups.archive(ref(artifact="flow")) == marked


@pytest.mark.parametrize("artifact", ["package", "Package", "package.2", "PACKAGE.10"])
def test_no_artifact_takes_the_name_of_a_package_file(backups: RunBackups, kept: Path, artifact: str) -> None:
    """An artifact of such an id has a marked name, so that a package's file is a package's."""
    state = Path(backups.keep_state(design(artifact), ref(artifact=artifact), None))
    backups.keep_package(package())

    assert json.loads((kept / "Pack" / "package.json").read_text(encoding="utf-8"))["name"] == "Orders"
    assert state.name.casefold().startswith(f"{artifact.casefold()}-")
    backups.drop(ref(artifact=artifact))
    assert tree(kept / "Pack") == ["package.json"]


def test_files_and_folders_are_private(backups: RunBackups, folder: StateFolder) -> None:
    """Values are in clear here, so files are 0600 and folders 0700, whatever the umask."""
    old = os.umask(0)
    try:
        backups.keep_archive(ref(), b"zip")
        backups.keep_state(design(), ref(), {"password": "secret"})
        backups.keep_package(package())
    finally:
        os.umask(old)

    runs = folder.path / "runs"
    modes = {str(path.relative_to(runs)): mode(path) for path in runs.rglob("*")}
    assert modes == {
        "20260105T080000": 0o700,
        "20260105T080000/backup": 0o700,
        "20260105T080000/backup/Pack": 0o700,
        "20260105T080000/backup/Pack/Flow.json": 0o600,
        "20260105T080000/backup/Pack/Flow.zip": 0o600,
        "20260105T080000/backup/Pack/package.json": 0o600,
    }


def test_a_dropped_backup_leaves_nothing(backups: RunBackups, folder: StateFolder) -> None:
    """A run that overwrites nothing after all leaves neither files nor empty folders of its own."""
    backups.keep_archive(ref(), b"one")
    backups.keep_archive(ref(), b"two")
    backups.keep_state(design(), ref(), None)

    backups.drop(ref())

    assert tree(folder.path) == [".gitignore", "runs"]
    assert backups.archive(ref()) == ""


def test_dropping_leaves_what_else_was_kept(backups: RunBackups, folder: StateFolder, kept: Path) -> None:
    """Other artifacts, the package's file and other files of the run stay."""
    folder.ensure_run("upload")
    for artifact in ("Flow", "Other"):
        backups.keep_archive(ref(artifact=artifact), b"zip")
    backups.keep_archive(ref("Two", "Flow"), b"zip")
    backups.keep_package(package())

    backups.drop(ref())
    backups.drop(ref("Two", "Flow"))
    assert tree(kept) == ["Pack", "Pack/Other.zip", "Pack/package.json"]

    (kept / "Pack" / "package.json").unlink()
    backups.drop(ref(artifact="Other"))
    assert tree(folder.path / "runs") == ["20260105T080000", "20260105T080000/upload"]


def test_something_can_be_kept_after_everything_was_dropped(backups: RunBackups, kept: Path) -> None:
    """The folders are made again when they are needed again."""
    backups.keep_archive(ref(), b"one")
    backups.drop(ref())

    assert backups.keep_archive(ref(), b"two") == str(kept / "Pack" / "Flow.zip")
    assert (kept / "Pack" / "Flow.zip").read_bytes() == b"two"


def test_a_backup_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """Without its backup nothing may be overwritten: the run hears of it, with what to do."""
    elsewhere = tmp_path / "artifacts"
    elsewhere.write_text("in the way", encoding="utf-8")
    backups = RunBackups(StateFolder(tmp_path, run="1", runs=elsewhere))

    with pytest.raises(StateFolderError, match=r"could not use .*artifacts.*name another folder with --run-dir"):
        backups.keep_archive(ref(), b"zip")
    assert elsewhere.read_text(encoding="utf-8") == "in the way"


def test_a_backup_is_there_as_a_whole_or_not_at_all(
    backups: RunBackups, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a disk is full, no part of an archive looks like a backup, and nothing else is left behind."""

    def refuse(file: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(Path, "replace", refuse)

    with pytest.raises(StateFolderError, match="No space left on device"):
        backups.keep_archive(ref(), b"zip")
    assert tree(kept) == ["Pack"]
