"""Manifests: any folding reads the same, and nothing but what is set ever changes."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpi_tasks.content.manifest import Manifest, ManifestError

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,12}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200).map(str.strip)
HEADERS = st.dictionaries(NAMES.map(str.lower), VALUES, min_size=1, max_size=6)
EOLS = st.sampled_from([b"\r\n", b"\n", b"\r"])


@st.composite
def folded(draw: st.DrawFn, headers: dict[str, str], eol: bytes) -> bytes:
    """Write headers as lines that are cut anywhere, also inside a character, with a section after the main one."""
    lines: list[bytes] = []
    for name, value in headers.items():
        rest = f"{name}: {value}".encode()
        room = len(name) + 2  # the name itself is never cut
        while rest:
            size = draw(st.integers(1, 40)) + room
            lines.append((b" " if not room else b"") + rest[:size])
            rest, room = rest[size:], 0
    return eol.join([*lines, b"", b"Name: some/entry", b"lower: kept", b""])


@FUZZ
@given(st.data(), HEADERS, EOLS)
def test_any_folding_reads_the_same(data: st.DataObject, headers: dict[str, str], eol: bytes) -> None:
    """Every header has its value, and not a byte is lost on the way."""
    content = data.draw(folded(headers, eol))
    manifest = Manifest(content)
    assert dict(manifest.items()) == headers
    assert manifest.to_bytes() == content


@FUZZ
@given(st.data(), HEADERS, EOLS, NAMES, VALUES)
def test_setting_one_header_changes_no_other(
    data: st.DataObject, headers: dict[str, str], eol: bytes, name: str, value: str
) -> None:
    """What is set is read back, in lines of 72 bytes at most; all others, and the sections below, stay."""
    content = data.draw(folded(headers, eol))
    changed = Manifest(content).with_header(name, value)
    again = Manifest(changed.to_bytes())
    assert {key.lower(): text for key, text in again.items()} == {**headers, name.lower(): value}
    assert changed.to_bytes().endswith(eol.join([b"", b"", b"Name: some/entry", b"lower: kept", b""]))
    new = set(changed.to_bytes().split(eol)) - set(content.split(eol))
    assert all(len(line) <= 72 for line in new)


@FUZZ
@given(st.data(), HEADERS, EOLS, st.booleans())
def test_what_java_is_given_has_the_same_headers(
    data: st.DataObject, headers: dict[str, str], eol: bytes, ends: bool
) -> None:
    """In lines that the JAR specification allows, each with an end; sound lines stay as they are."""
    content = data.draw(folded(headers, eol))
    manifest = Manifest(content if ends else content.rstrip(b"\r\n"))
    given_to_java = manifest.for_java().to_bytes()
    assert dict(Manifest(given_to_java).items()) == headers
    assert given_to_java.endswith(eol)
    main = given_to_java.split(eol + eol)[0].split(eol)
    assert all(re.match(rb"(?:[A-Za-z0-9_-]+: | )", line) and len(line) <= 72 for line in main)
    assert manifest.for_java().for_java().to_bytes() == given_to_java


@FUZZ
@given(st.binary(max_size=120) | st.text(alphabet="A: \r\n-ä\0", max_size=60).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    """They are a manifest that is given back byte by byte, or an error with a line that is there."""
    line, said, again = 0, "fine", data
    try:
        again = Manifest(data).to_bytes()
    except ManifestError as error:
        line, said = error.line, str(error)
    assert again == data
    assert 0 <= line <= len(data) + 1
    assert said
