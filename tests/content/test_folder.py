"""Only an artifact's own files are read, and never from outside of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cpi_tasks.content.folder import belongs, list_files
from cpi_tasks.errors import InputError

RESOURCES = "src/main/resources"


def write(file: Path, data: bytes = b"x") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("META-INF/MANIFEST.MF", True),
        ("src/main/resources/script/a b.groovy", True),
        ("metainfo.prop", True),
        (".project", True),
        ("value_mapping.xml", True),
        ("src/main/resources/.DS_Store", False),
        ("src/main/resources/._a.groovy", False),
        ("META-INF/Thumbs.db", False),
        ("README.md", False),
        ("src/test/a.groovy", False),
        ("dev/parameters.prop", False),
        ("META-INFO", False),
    ],
)
def test_what_belongs_to_an_artifact(path: str, expected: bool) -> None:
    """Tool folders, notes and what desktops leave behind are no part of an artifact."""
    assert belongs(path) is expected


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "._a.groovy", "__MACOSX/a", "Icon\r", ".AppleDouble/a"),
        *("desktop.ini", "Desktop.INI", "Thumbs.db", "THUMBS.DB", "ehthumbs.db", "~$a.docx"),
        *("a.groovy~", ".a.groovy.swp", "a.swo", ".a.swn", ".#a.groovy", "#a.groovy#", ".directory", ".nfs00000a1"),
        *("a.groovy.orig", "a.rej", "a.BAK", "a.tmp", ".fuse_hidden01"),
        *(".gitkeep", ".gitignore", ".gitattributes", ".keep", ".editorconfig", ".idea/a.xml", ".vscode/a.json"),
        *(".git/config", ".svn/entries", ".hg/store", ".bzr/a", "x/.svn/text-base/a.groovy"),
    ],
)
@pytest.mark.parametrize("folder", [f"{RESOURCES}/script", "META-INF", RESOURCES])
def test_what_tools_leave_behind_does_not_belong(folder: str, name: str, tmp_path: Path) -> None:
    """It is neither uploaded nor compared, and what is wrong with it is no problem."""
    write(tmp_path / "META-INF" / "MANIFEST.MF")
    write(tmp_path / folder / name)
    (tmp_path / folder / ".#lock").symlink_to("somebody@somewhere.1234")

    assert list(list_files(tmp_path)) == ["META-INF/MANIFEST.MF"]
    assert not belongs(f"{folder}/{name}")


@pytest.mark.parametrize(
    "name",
    ["a.swf", "tmp", "bak.groovy", "original.xsd", "thumbs.db.xsd", "desktop.xml", "a~b.xsd", "CVS", ".a", "git"],
)
def test_what_only_looks_like_it_belongs(name: str) -> None:
    """Only whole names and endings count."""
    assert belongs(f"{RESOURCES}/{name}")


@pytest.mark.parametrize("name", ["a\\b.groovy", "a\nb.groovy", "a\x7f.xsd", "x\\/a.xsd"])
def test_names_that_no_tenant_takes_are_refused(name: str, tmp_path: Path) -> None:
    """A backslash would be a folder's end for some readers of archives."""
    write(tmp_path / RESOURCES / name)

    with pytest.raises(InputError, match="backslash or control character"):
        list_files(tmp_path)


def test_names_that_are_one_in_unicode_are_refused(tmp_path: Path) -> None:
    """Nobody can tell them apart, and macOS has room for one of them."""
    write(tmp_path / RESOURCES / "Gr\u00fc\u00dfe.xsd")
    write(tmp_path / RESOURCES / "Gru\u0308\u00dfe.xsd")

    with pytest.raises(InputError, match="NFC and NFD") as caught:
        list_files(tmp_path)

    assert len(caught.value.problems) == 1


def test_two_manifests_are_refused(tmp_path: Path) -> None:
    """Java finds the manifest whatever the case of its name; elsewhere case tells names apart."""
    for name in ("META-INF/MANIFEST.MF", "META-INF/Manifest.mf", f"{RESOURCES}/A.xsd", f"{RESOURCES}/a.xsd"):
        write(tmp_path / name)

    with pytest.raises(InputError) as caught:
        list_files(tmp_path)

    assert [problem.file for problem in caught.value.problems] == [str(tmp_path / "META-INF/Manifest.mf")]


def test_names_of_every_shape_are_found(tmp_path: Path) -> None:
    """Blanks, dots, umlauts and deep folders are fine; the result is sorted, with forward slashes."""
    for name in ("META-INF/MANIFEST.MF", f"{RESOURCES}/xsd/ä b.v1..xsd", f"{RESOURCES}/a/b/c", ".project", "x.txt"):
        write(tmp_path / name)

    assert list(list_files(tmp_path)) == [
        ".project",
        "META-INF/MANIFEST.MF",
        f"{RESOURCES}/a/b/c",
        f"{RESOURCES}/xsd/ä b.v1..xsd",
    ]


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    """A link to another file of the artifact gives that file's content."""
    write(tmp_path / RESOURCES / "a.groovy", b"code")
    (tmp_path / RESOURCES / "b.groovy").symlink_to("a.groovy")

    assert list_files(tmp_path)[f"{RESOURCES}/b.groovy"].read_bytes() == b"code"


@pytest.mark.parametrize("link", [f"{RESOURCES}/secret", f"{RESOURCES}/folder", "metainfo.prop", "META-INF", "src"])
def test_links_that_leave_the_folder_are_refused(tmp_path: Path, link: str) -> None:
    """Wherever in the path the link is, nothing from outside is read, and the problem names it."""
    outside = tmp_path / "outside"
    write(outside / "main" / "resources" / "a")
    folder = tmp_path / "artifact"
    (folder / link).parent.mkdir(parents=True)
    (folder / link).symlink_to(outside)

    with pytest.raises(InputError, match="leaves the artifact's folder") as caught:
        list_files(folder)

    assert str(folder / link) in caught.value.problems[0].file


def test_links_to_nowhere_and_in_circles_are_refused(tmp_path: Path) -> None:
    """All such links are told at once, and the walk ends."""
    (tmp_path / RESOURCES).mkdir(parents=True)
    (tmp_path / RESOURCES / "circle").symlink_to(tmp_path / RESOURCES)
    (tmp_path / RESOURCES / "nowhere").symlink_to("missing")
    (tmp_path / RESOURCES / "self").symlink_to("self")

    with pytest.raises(InputError) as caught:
        list_files(tmp_path)

    assert [problem.message for problem in caught.value.problems] == [
        "is a link to a folder that contains it",
        "is a link that leads nowhere",
        "is a link that leads nowhere",
    ]


def test_a_pipe_is_no_content(tmp_path: Path) -> None:
    """What is neither file nor folder is refused rather than waited for."""
    (tmp_path / "META-INF").mkdir()
    os.mkfifo(tmp_path / "META-INF" / "pipe")

    with pytest.raises(InputError, match="neither a file nor a folder"):
        list_files(tmp_path)


def test_a_folder_reached_by_a_link_is_fine(tmp_path: Path) -> None:
    """The artifact's folder itself may be a link: only its inside is closed."""
    write(tmp_path / "real" / "META-INF" / "MANIFEST.MF")
    (tmp_path / "link").symlink_to("real")

    assert list(list_files(tmp_path / "link")) == ["META-INF/MANIFEST.MF"]
