"""Manifests are read by the JAR rules and changed without touching anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.content.manifest import Manifest, ManifestError

LONG = (
    b"Manifest-Version: 1.0\r\nBundle-SymbolicName: com.sap.integration.cloud.utilities.MessageTransfor\r\n"
    b" mations.XMLAnonymizer.RenameNamespaces.TC2; singleton:=true\r\nBundle-Version: 1.0.1\r\n\r\n"
)
VALUES = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=150)


def folded(data: bytes, width: int, eol: bytes) -> bytes:
    """Fold one header after every ``width`` bytes, also inside characters."""
    pieces = [data[at : at + width] for at in range(0, len(data), width)]
    return (eol + b" ").join(pieces) + eol


def test_a_folded_value_is_read_whole() -> None:
    """Continuation lines are joined without the space that marks them."""
    name = "com.sap.integration.cloud.utilities.MessageTransformations.XMLAnonymizer.RenameNamespaces.TC2"

    assert Manifest(LONG).get("bundle-symbolicname") == f"{name}; singleton:=true"


def test_defect_10_setting_a_folded_header_leaves_no_line_of_the_old_value() -> None:
    """A new value replaces the header with all its continuation lines, and nothing else."""
    changed = Manifest(LONG).with_header("Bundle-SymbolicName", "Short; singleton:=true")

    assert changed.to_bytes() == (
        b"Manifest-Version: 1.0\r\nBundle-SymbolicName: Short; singleton:=true\r\nBundle-Version: 1.0.1\r\n\r\n"
    )


def test_defect_10_no_line_is_longer_than_72_bytes() -> None:
    """A long value is folded at 72 bytes, counting the leading space and not the line end."""
    changed = Manifest(b"Bundle-Name: a\nBundle-Version: 1.0.0\n").with_header("Bundle-Name", "x" * 200)

    assert changed.to_bytes() == (
        b"Bundle-Name: " + b"x" * 59 + b"\n " + b"x" * 71 + b"\n " + b"x" * 70 + b"\nBundle-Version: 1.0.0\n"
    )


def test_no_character_is_cut() -> None:
    """Where the 72nd byte is inside a character, the line ends before it, so that every line is valid UTF-8."""
    changed = Manifest(b"A: 1\n").with_header("A", "ä" * 40)

    assert changed.to_bytes() == ("A: " + "ä" * 34 + "\n " + "ä" * 6 + "\n").encode()


@pytest.mark.parametrize("eol", [b"\r\n", b"\n", b"\r"])
def test_the_line_end_of_the_file_is_kept(eol: bytes) -> None:
    """CRLF, LF and CR files stay what they are, also in lines that are new."""
    manifest = Manifest(b"A: 1" + eol + b"B: 2" + eol + eol + b"Name: x" + eol)

    assert manifest.with_header("C", "3" * 70).to_bytes() == (
        b"A: 1" + eol + b"B: 2" + eol + b"C: " + b"3" * 69 + eol + b" 3" + eol + eol + b"Name: x" + eol
    )


def test_a_file_without_a_last_line_end_keeps_its_end() -> None:
    """Setting the last header adds no line end that was not there."""
    assert Manifest(b"A: 1\nB: 2").with_header("B", "3").to_bytes() == b"A: 1\nB: 3"


def test_adding_a_header_after_an_unfinished_line_ends_that_line() -> None:
    """A header added at the end of the file stands on its own line."""
    assert Manifest(b"A: 1\nB: 2").with_header("C", "3").to_bytes() == b"A: 1\nB: 2\nC: 3\n"


def test_the_same_value_changes_no_byte() -> None:
    """Setting what is there already keeps even an odd folding."""
    odd = b"A: o\n n\n e\nB: 2\n"

    assert Manifest(odd).with_header("a", "one").to_bytes() == odd


def test_sections_after_the_main_one_are_neither_read_nor_touched() -> None:
    """The first empty line ends the main section."""
    manifest = Manifest(b"A: 1\n\nName: x\nA: other\n")

    assert manifest.get("Name") is None
    assert manifest.with_header("A", "2").to_bytes() == b"A: 2\n\nName: x\nA: other\n"


def test_a_header_given_twice_counts_once() -> None:
    """Of two headers of one name the last counts, and setting leaves a single one."""
    manifest = Manifest(b"A: 1\nB: 2\na: 3\n")

    assert manifest.get("A") == "3"
    assert manifest.with_header("A", "4").to_bytes() == b"A: 4\nB: 2\n"


def test_a_line_break_in_a_value_cannot_begin_another_header() -> None:
    """Line breaks in a new value become spaces."""
    assert Manifest(b"A: 1\n").with_header("A", "x\r\nEvil: 1").to_bytes() == b"A: x Evil: 1\n"


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"A: 1\nno header\n", 2), (b" A: 1\n", 1), (b"A: 1\nB: \xff\n", 2), (b"<html>: </html>\n", 1)],
)
def test_what_is_no_manifest_is_refused_with_its_line(data: bytes, line: int) -> None:
    """Broken lines and bytes that are not UTF-8 are errors with a place."""
    with pytest.raises(ManifestError) as caught:
        Manifest(data)

    assert caught.value.line == line


@settings(deadline=None, max_examples=60)
@given(VALUES, st.integers(min_value=20, max_value=80), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_any_folding_reads_the_same(value: str, width: int, eol: bytes) -> None:
    """Folding anywhere, also inside a character of several bytes, does not change what is read."""
    data = folded(f"Bundle-Name: {value}".encode(), width, eol) + b"Z: 1" + eol

    assert Manifest(data).get("Bundle-Name") == value
    assert Manifest(data).to_bytes() == data


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_what_is_set_is_read_back_from_short_lines(value: str, eol: bytes) -> None:
    """Any value survives writing and reading, in lines of 72 bytes at most that are valid UTF-8 each."""
    changed = Manifest(b"A: 1" + eol + b"B: " + b"2" * 70 + eol).with_header("A", value)
    lines = changed.to_bytes().split(eol)[:-2]

    assert Manifest(changed.to_bytes()).get("A") == value
    assert all(len(line) <= 72 and line.decode() for line in lines)
    assert changed.to_bytes().endswith(b"B: " + b"2" * 70 + eol)


def test_defect_10_published_manifests_keep_names_and_directives(samples: Path) -> None:
    """In SAP's own manifests only the header that is set changes, and nothing is lost from it."""
    for file in samples.rglob("MANIFEST.MF"):
        before = Manifest(file.read_bytes())
        after = Manifest(before.with_header("Bundle-Name", "ä" * 100).to_bytes())

        assert after.get("Bundle-Name") == "ä" * 100
        assert all(len(line) <= 72 for line in after.to_bytes().split(b"\r\n"))
        assert [item for item in after.items() if item[0] != "Bundle-Name"] == [
            item for item in before.items() if item[0] != "Bundle-Name"
        ]
