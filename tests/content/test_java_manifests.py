"""A manifest arrives as Java reads it, with a version that OSGi takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.content import load_content
from cpi_tasks.model.config import ArtifactSpec
from tests.content.texts import BOM, HEADERS, MANIFEST, faults, messages, sent

Folders = Callable[..., Path]
Specs = Callable[..., ArtifactSpec]


@pytest.mark.parametrize(
    ("manifest", "arrives"),
    [
        (HEADERS.rstrip(), HEADERS.rstrip() + b"\n"),
        (HEADERS.replace(b"Version: 1.0.1", b"Version:1.0.1"), HEADERS),
        (HEADERS.replace(b"Version: 1.0.1", b"Version : 1.0.1"), HEADERS),
        (HEADERS.replace(b"1.0.1", b"1.0.0\nbundle-version: 1.0.1"), HEADERS.replace(b"Bundle-V", b"bundle-v")),
        (
            HEADERS.replace(b"\n\n", b"\nBundle-Name: " + b"a" * 600 + b"\n\n"),
            HEADERS.replace(
                b"\n\n", b"\nBundle-Name: " + b"a" * 59 + (b"\n " + b"a" * 71) * 7 + b"\n " + b"a" * 44 + b"\n\n"
            ),
        ),
        (BOM + HEADERS, HEADERS),
        (HEADERS + b"Name: a/b\nX: 1\n", HEADERS + b"Name: a/b\nX: 1\n"),
    ],
)
def test_a_manifest_arrives_as_java_reads_it(
    manifest: bytes, arrives: bytes, make_folder: Folders, make_spec: Specs
) -> None:
    """Java would lose or refuse some of what is read here: that is written another way, with the same meaning."""
    spec = make_spec(make_folder("A", files={MANIFEST: manifest}))

    assert sent(spec)[MANIFEST] == arrives
    assert load_content(spec, {}).version == "1.0.1"


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"\n" + HEADERS, "2: stands after an empty line"),
        (HEADERS.replace(b"Bundle-V", b"\nBundle-V"), "4: stands after an empty line"),
        (HEADERS + b"Name: a\nb\n", "6: is neither 'Name: value' nor a continuation"),
        (HEADERS + b"Name: a\nB: " + b"c" * 600 + b"\n", "6: is neither"),
        (b" a\n" + HEADERS, "1: the first line continues a line that is not there"),
        (b"Manifest-Version: 1.0\n\tx: y\n", "2: this line is neither"),
        (b"A" * 71 + b": 1\n" + HEADERS, "1: has a header name of more than 70 characters"),
    ],
)
def test_a_manifest_that_java_refuses_is_a_problem(manifest: bytes, said: str) -> None:
    """With its line, where there is no other way to write it."""
    assert faults(MANIFEST, manifest)[0].startswith(said)


@pytest.mark.parametrize("version", ["1.0.20260101120000", "2147483648", "1.2147483648.0", "1.0.4294967296.x"])
def test_a_version_over_osgis_integers_is_a_problem(version: str, make_folder: Folders, make_spec: Specs) -> None:
    """A tenant would create 1.0.0 without a word."""
    spec = make_spec(make_folder("A", files={MANIFEST: HEADERS.replace(b"1.0.1", version.encode())}))

    (said,) = messages(spec)
    assert said == (
        f"{MANIFEST}: has a Bundle-Version that is no version: '{version}'; "
        "write it like 1.0.0, with no number above 2147483647"
    )


@pytest.mark.parametrize(
    "version", ["1.0.0-SNAPSHOT", "1.0.0.a b", "1.0.0.", "1..0", "v1.0", "1.0.0.0.0", "-1.0", "1.0.0.ä"]
)
def test_what_is_no_osgi_version_is_a_problem(version: str, make_folder: Folders, make_spec: Specs) -> None:
    """Up to three numbers and a qualifier of letters, digits, ``_`` and ``-``."""
    spec = make_spec(make_folder("A", files={MANIFEST: HEADERS.replace(b"1.0.1", version.encode())}))

    assert f"is no version: '{version}'" in messages(spec)[0]


@pytest.mark.parametrize("version", ["2147483647.0.0", "1.0.0.20260101120000", "1", "1.2", "01.2.3.x-y_z"])
def test_osgi_versions_are_fine(version: str, make_folder: Folders, make_spec: Specs) -> None:
    """A qualifier is text, however many digits it has."""
    spec = make_spec(make_folder("A", files={MANIFEST: HEADERS.replace(b"1.0.1", version.encode())}))

    assert load_content(spec, {}).version == version
