"""The places that name an artifact follow its final id, and no others."""

from __future__ import annotations

import pytest

from cpi_tasks.content.identity import final_paths, final_project

FOLDER = "src/main/resources/mapping"
PROJECT = (
    b'<?xml version="1.0"?>\r\n<!-- <name>no</name> --><projectDescription>\r\n  <!-- mine --> <name>A</name>\r\n'
    b"<buildSpec><buildCommand><name>A</name></buildCommand></buildSpec></projectDescription>"
)


def test_only_the_projects_own_name_changes() -> None:
    """A builder of the same name, comments and line ends stay."""
    assert final_project(PROJECT, "B&C") == PROJECT.replace(b"mine --> <name>A<", b"mine --> <name>B&amp;C<")


@pytest.mark.parametrize("data", [b"", b"<projectDescription><name/></projectDescription>", b"\xff\xfe<\0"])
def test_a_project_file_without_a_name_stays(data: bytes) -> None:
    """What is not there is not made up."""
    assert final_project(data, "B") == data


def test_only_the_mappings_own_file_is_renamed() -> None:
    """Other mappings, other folders and other suffixes keep their names."""
    paths = [f"{FOLDER}/Old.mmap", f"{FOLDER}/Other.mmap", f"{FOLDER}/Old.xsl", "src/main/resources/xsd/Old.mmap"]

    assert {old: new for old, new in final_paths(paths, frozenset({"Old"}), "New").items() if old != new} == {
        f"{FOLDER}/Old.mmap": f"{FOLDER}/New.mmap"
    }


def test_no_file_takes_the_place_of_another() -> None:
    """A name that is taken, by a file or by another renaming, is not taken again."""
    taken = [f"{FOLDER}/New.mmap", f"{FOLDER}/Old.mmap"]
    double = [f"{FOLDER}/Old1.mmap", f"{FOLDER}/Old2.mmap"]

    assert final_paths(taken, frozenset({"Old"}), "New") == {path: path for path in taken}
    assert final_paths(double, frozenset({"Old1", "Old2"}), "New") == {
        f"{FOLDER}/Old1.mmap": f"{FOLDER}/New.mmap",
        f"{FOLDER}/Old2.mmap": f"{FOLDER}/Old2.mmap",
    }
