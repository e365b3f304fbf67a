"""Archives of a plan: kept while it is made, gone with its end, and never in the project."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from cpi_tasks.errors import StateFolderError
from cpi_tasks.records import ScratchArchives
from tests.records.builders import EVIL, design, mode, package, ref, tree


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder in which temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_archives_are_there_until_the_end(temporary: Path) -> None:
    """What was downloaded can be compared while the plan is made; afterwards nothing is left."""
    with ScratchArchives() as archives:
        path = archives.keep_archive(ref("Pack", "Codes"), b"\x00zip")
        second = archives.keep_archive(ref("Pack", "Codes"), b"two")

        assert archives.archive(ref("Pack", "Codes")) == path
        assert archives.archive(ref("Pack", "Flow")) == ""
        assert Path(path).read_bytes() == b"\x00zip"
        assert [Path(path).name, Path(second).name] == ["Codes.zip", "Codes.2.zip"]
        assert Path(path).is_relative_to(temporary)

    assert tree(temporary) == []


def test_a_plan_that_fails_leaves_nothing_either(temporary: Path) -> None:
    """The folder goes with whatever ends the plan, and the reason is passed on."""

    def fail(archives: ScratchArchives) -> None:
        archives.keep_archive(ref(), b"zip")
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"), ScratchArchives() as archives:
        fail(archives)

    assert tree(temporary) == []


def test_a_folder_somebody_cleaned_away_is_no_reason_to_fail(temporary: Path) -> None:
    """A cleaner of temporary folders may be faster than the end of a plan."""
    with ScratchArchives() as archives:
        file = Path(archives.keep_archive(ref(), b"zip"))
        file.unlink()
        file.parent.rmdir()
        file.parent.parent.rmdir()

    assert tree(temporary) == []


def test_a_folder_that_cannot_be_deleted_does_not_spoil_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program may hold the folder: what was planned is worth more than a clean disk."""

    def refuse(path: str, *, dir_fd: int | None = None) -> None:
        raise OSError(16, f"Device or resource busy: {dir_fd}", path)

    with ScratchArchives() as archives:
        archives.keep_archive(ref(), b"zip")
        monkeypatch.setattr(os, "rmdir", refuse)

    monkeypatch.undo()


def test_states_and_packages_are_not_kept(temporary: Path) -> None:
    """A plan overwrites nothing, so that no parameter value needs to be on disk."""
    with ScratchArchives() as archives:
        before = tree(temporary)

        assert archives.keep_state(design(), ref(), {"password": "secret"}) == ""
        assert archives.keep_package(package()) == ""

        assert tree(temporary) == before


def test_another_archive_can_be_kept_after_the_only_one_was_dropped() -> None:
    """Dropping the last archive leaves a place for the next one."""
    with ScratchArchives() as archives:
        path = archives.keep_archive(ref(artifact="One"), b"zip")
        archives.drop(ref(artifact="One"))

        assert archives.archive(ref(artifact="One")) == ""
        assert not Path(path).exists()
        assert Path(archives.keep_archive(ref(artifact="Two"), b"two")).read_bytes() == b"two"


@pytest.mark.parametrize("evil", EVIL)
def test_no_id_leads_out_of_the_temporary_folder(temporary: Path, evil: str) -> None:
    """Ids are names of files here, never paths."""
    with ScratchArchives() as archives:
        path = Path(archives.keep_archive(ref(evil, evil), b"zip")).resolve()

        assert path.parent.parent.parent == temporary.resolve()


def test_archives_are_private(temporary: Path) -> None:
    """Other users of a build machine see nothing of a tenant's content, whatever the umask."""
    old = os.umask(0)
    try:
        with ScratchArchives() as archives:
            archives.keep_archive(ref(), b"zip")
            modes = [mode(path) for path in sorted(temporary.rglob("*"))]
    finally:
        os.umask(old)

    assert modes == [0o700, 0o700, 0o600]


def test_a_machine_without_room_for_temporary_files_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names what can be done about it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    with pytest.raises(StateFolderError, match="set TMPDIR to another folder"):
        ScratchArchives()
