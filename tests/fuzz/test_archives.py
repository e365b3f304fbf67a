"""Archives from a tenant: content, or a sentence; no path that leads anywhere else."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpi_tasks.content import download
from cpi_tasks.content.download import archived_files, read_archive
from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.model.naming import ArtifactId, ArtifactKind

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ARTIFACT = ArtifactId("A")
PARTS = st.sampled_from(
    ["..", ".", "", "src", "main", "META-INF", "MANIFEST.MF", "C:", "a", "\\", "..\\", "ä", "a\x1bb"]
)
NAMES = st.lists(PARTS, min_size=1, max_size=5).map("/".join) | st.sampled_from(
    ["META-INF/MANIFEST.MF", "src/main/resources/parameters.prop", "value_mapping.xml", "metainfo.prop"]
)
CONTENTS = st.binary(max_size=40) | st.sampled_from(
    [
        b"Bundle-Version: 1.0.0\r\n",
        b"a=\\u12",
        b"<vm><group><entry/></group></vm>",
        b'<!DOCTYPE vm [<!ENTITY a "b">]><vm>&a;</vm>',
        b'<!DOCTYPE vm SYSTEM "file:///etc/passwd"><vm/>',
        b"<vm>" + b"<group>" * 500 + b"</group>" * 500 + b"</vm>",
    ]
)


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name or "x"), content)
    return stream.getvalue()


@FUZZ
@given(st.dictionaries(NAMES, CONTENTS, max_size=5), st.sampled_from(ArtifactKind))
def test_any_names_and_contents(files: dict[str, bytes], kind: ArtifactKind) -> None:
    """Every path that is given stays inside; what is in the files is never a reason to fail."""
    data = packed(files)
    found, said = {}, "points outside of the archive"
    try:
        found = dict(archived_files(data, artifact=ARTIFACT, kind=kind))
        read_archive(data, artifact=ARTIFACT, kind=kind)
    except TenantUnavailable as error:
        said = str(error)
    assert "points outside of the archive" in said
    for path in found:
        assert not path.startswith(("/", "\\"))
        assert ".." not in path.replace("\\", "/").split("/")
        assert ":" not in path[:2]


@FUZZ
@given(st.data(), st.sampled_from(ArtifactKind))
def test_any_damage(data: st.DataObject, kind: ArtifactKind) -> None:
    """Bytes that are exchanged, cut off or put in between give content or the one error."""
    whole = packed({"META-INF/MANIFEST.MF": b"Bundle-Version: 1.0.0\r\n", "src/main/resources/a.groovy": b"x" * 200})
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    said = "could not read the archive of"
    try:
        read_archive(bytes(damaged), artifact=ARTIFACT, kind=kind)
    except TenantUnavailable as error:
        said = str(error)
    assert "could not read the archive of" in said


def test_a_directory_without_end_is_not_even_read() -> None:
    """Millions of entries would take the memory before their number is known."""
    entry = b"PK\x01\x02" + bytes(42)
    with pytest.raises(TenantUnavailable, match="far more than 20000 entries"):
        read_archive(entry * (download.MAX_ENTRIES * 10 + 1), artifact=ARTIFACT, kind=ArtifactKind.VALUE_MAPPING)
