"""Names that cannot lead out of a folder, and files that are there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.errors import StateFolderError
from cpi_tasks.records.files import append, make_private, marked_name, safe_name, told, write_whole
from tests.records.builders import mode, tree

# The marks are the first eight digits that `sha256sum` gives for the text.
NAMES = [
    ("Order_In", "Order_In"),
    ("com.acme.Order-1", "com.acme.Order-1"),
    ("a/b", "a_b-c14cddc0"),
    ("", "-e3b0c442"),
    ("..", "-5ec1f7e7"),
    (".hidden", "hidden-16924190"),
    ("\ud800", "_-91a681b9"),
]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_names_stay_readable(text: str, name: str) -> None:
    """A harmless id is its own file name; any other gets a mark that keeps it apart."""
    assert safe_name(text) == name


def test_a_name_that_is_taken_gets_a_mark() -> None:
    """The mark is of the text, so that the same id has the same name in every run."""
    assert marked_name("a/b") == "a_b-c14cddc0"
    assert marked_name("Flow") == "Flow-f1273dc7"
    assert marked_name("flow") != marked_name("Flow")


def test_names_that_look_alike_stay_apart() -> None:
    """Two ids that differ only in what a file name cannot hold get different names."""
    long = "x" * 200

    names = {safe_name(text) for text in ["a/b", "a:b", "a b", "a_b", ".a_b", long, long + "y"]}

    assert len(names) == 7
    assert max(map(len, names)) <= 89


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=120) | st.text("a./\\\ud800", max_size=9))
def test_any_text_gives_a_plain_file_name(text: str) -> None:
    """No text, not even half a character, becomes an empty name, a separator or a way up."""
    for name in (safe_name(text), marked_name(text)):
        assert name
        assert name.isascii()
        assert not name.startswith(".")
        assert not set(name) & set('/\\:\0\n"*?<>|')


def test_a_whole_file_replaces_the_old_one(tmp_path: Path) -> None:
    """The new content has the name, is its owner's only, and nothing else is left."""
    (tmp_path / "file").write_bytes(b"a longer text")
    (tmp_path / "file").chmod(0o644)

    write_whole(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
    assert mode(tmp_path / "file") == 0o600
    assert tree(tmp_path) == ["file"]


def test_a_file_is_not_touched_before_the_new_one_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new content cannot be put in place, the old one stays and no part of the new one is left."""
    (tmp_path / "file").write_bytes(b"old")
    seen = []

    def refuse(temporary: Path, target: Path) -> None:
        seen.append((temporary.read_bytes(), target.read_bytes()))
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", refuse)

    with pytest.raises(OSError, match="Input/output error"):
        write_whole(tmp_path / "file", b"new")
    assert seen == [(b"new", b"old")]
    assert (tmp_path / "file").read_bytes() == b"old"
    assert tree(tmp_path) == ["file"]


def test_appending_writes_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that takes a part of the data at a time gets the rest as well, after what was there."""
    (tmp_path / "file").write_bytes(b"old ")
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))

    append(tmp_path / "file", b"and something new")

    assert (tmp_path / "file").read_bytes() == b"old and something new"


def test_appending_makes_a_private_file(tmp_path: Path) -> None:
    """A file that is not there yet is its owner's only, whatever the umask."""
    old = os.umask(0)
    try:
        append(tmp_path / "file", b"new")
    finally:
        os.umask(old)

    assert mode(tmp_path / "file") == 0o600


def test_a_folder_of_another_user_is_still_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the mode cannot be changed, the folder is used as it is."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)

    def refuse(path: Path, to: int) -> None:
        raise PermissionError(1, f"Operation not permitted: {to:o}", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)

    make_private(tmp_path / "shared")

    assert mode(tmp_path / "shared") == 0o755


def test_what_is_refused_is_told_with_place_and_way_out() -> None:
    """The message names the file, the system's reason, the folder and what to do."""
    with pytest.raises(StateFolderError) as caught, told(Path("place"), "is for a test: move it"):
        raise OSError(28, "No space left on device", "place/file")

    assert str(caught.value) == "could not use place/file: No space left on device; place is for a test: move it"


def test_a_refusal_without_words_is_told_by_its_kind() -> None:
    """An error that has neither text nor file is still a sentence."""
    with (
        pytest.raises(StateFolderError, match="could not use place: TimeoutError; place is for a test"),
        told("place", "is for a test"),
    ):
        raise TimeoutError


def test_other_errors_are_passed_on() -> None:
    """A mistake of the program is not taken for one of the file system."""
    with pytest.raises(KeyError), told("place"):
        raise KeyError("mistake")
