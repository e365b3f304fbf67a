"""Archives from a tenant are read without trusting them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.content import download, read_archive
from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.model.content import DownloadedContent, MappedValue
from cpi_tasks.model.naming import ArtifactId, ArtifactKind

FLOW = ArtifactKind.INTEGRATION_FLOW
FILES = {
    "META-INF/MANIFEST.MF": b"Bundle-SymbolicName: A\nBundle-Version: 1.0.3\n",
    "src/main/resources/parameters.prop": b"Receiver\\ Host=https\\://qa\n",
    "src/main/resources/script/a.groovy": b"code",
}


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path), data, method)
    return buffer.getvalue()


def read(data: bytes, kind: ArtifactKind = FLOW) -> DownloadedContent:
    return read_archive(data, artifact=ArtifactId("A"), kind=kind)


def test_version_parameters_and_digest_are_kept() -> None:
    """What a comparison needs is read; other entries and folders are passed over."""
    content = read(packed({**FILES, "src/": b"", "notes.txt": b"x", "src/main/resources/.DS_Store": b"x"}))

    assert content.version == "1.0.3"
    assert content.parameters == {"Receiver Host": "https://qa"}
    assert content.values is None
    assert sorted(content.digest.entries) == sorted(FILES)


def test_values_of_a_value_mapping_are_kept() -> None:
    """Groups are read; where they cannot be read, that is said with None."""
    entry = b"<vm><group><entry><agency>A</agency><schema>S</schema><value>1</value></entry></group></vm>"
    kind = ArtifactKind.VALUE_MAPPING

    assert read(packed({"value_mapping.xml": entry}), kind).values == frozenset(
        {frozenset({MappedValue(agency="A", schema="S", value="1")})}
    )
    assert read(packed({"value_mapping.xml": b"broken"}), kind).values is None
    assert read(packed({}), kind).values is None


@pytest.mark.parametrize("data", [b"", b"<html>gateway</html>", packed(FILES)[:-30], packed(FILES)[:100]])
def test_what_is_no_whole_zip_is_an_unusable_answer(data: bytes) -> None:
    """A page of a gateway or a download cut short becomes a sentence that names the artifact."""
    with pytest.raises(TenantUnavailable, match="could not read the archive of integration flow 'A'"):
        read(data)


def test_damaged_content_is_noticed() -> None:
    """A flipped byte inside an entry does not pass as content."""
    data = packed(FILES, zipfile.ZIP_STORED).replace(b"code", b"c0de")

    with pytest.raises(TenantUnavailable, match="damaged"):
        read(data)


@pytest.mark.parametrize("path", ["../a", "src/main/resources/../../../../a", "/etc/passwd", "C:/a", "..\\..\\a"])
def test_no_entry_may_point_outside(path: str) -> None:
    """One entry that would leave the folder makes the whole archive unusable."""
    with pytest.raises(TenantUnavailable, match="points outside"):
        read(packed({**FILES, path: b"x"}))


def test_too_many_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of entries is limited."""
    monkeypatch.setattr(download, "MAX_ENTRIES", 2)

    with pytest.raises(TenantUnavailable, match="3 entries"):
        read(packed(FILES))


def test_bombs_are_refused_before_they_are_unpacked() -> None:
    """An archive that grows out of all proportion is not read."""
    with pytest.raises(TenantUnavailable, match="200 times"):
        read(packed({"META-INF/a": bytes(70 * 2**20)}))


def test_huge_archives_are_refused_by_what_they_claim() -> None:
    """More than 512 MiB unpacked is refused from the directory alone."""
    data = bytearray(packed({"META-INF/a": b"x"}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 600 * 2**20)

    with pytest.raises(TenantUnavailable, match="would take"):
        read(bytes(data))


def test_an_entry_cannot_be_larger_than_it_claims() -> None:
    """An understated size gives an error, not the hidden bytes."""
    data = bytearray(packed({"META-INF/a": b"x" * 1000}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 10)

    with pytest.raises(TenantUnavailable, match="damaged"):
        read(bytes(data))


def test_encrypted_entries_are_refused() -> None:
    """Nothing of ours is encrypted."""
    data = bytearray(packed(FILES))
    data[data.index(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(TenantUnavailable, match="encrypted"):
        read(bytes(data))


def test_names_packed_by_other_tools_are_understood() -> None:
    """Backslashes, and UTF-8 names without the mark for it, give the same paths."""
    marked = packed({"META-INF\\MANIFEST.MF": FILES["META-INF/MANIFEST.MF"], "META-INF/ä": b"x"})
    unmarked = bytearray(marked)
    unmarked[marked.rindex(b"PK\x03\x04") + 7] = 0
    unmarked[marked.rindex(b"PK\x01\x02") + 9] = 0

    assert sorted(read(marked).digest.entries) == ["META-INF/MANIFEST.MF", "META-INF/ä"]
    assert read(marked).version == "1.0.3"
    assert sorted(read(bytes(unmarked)).digest.entries) == ["META-INF/MANIFEST.MF", "META-INF/ä"]


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_no_damage_escapes_as_another_error(data: st.DataObject) -> None:
    """Whatever bytes are changed, the answer is content or one kind of error."""
    archive = bytearray(packed(FILES))
    for _ in range(data.draw(st.integers(min_value=1, max_value=4))):
        archive[data.draw(st.integers(min_value=0, max_value=len(archive) - 1))] = data.draw(
            st.integers(min_value=0, max_value=255)
        )
    try:
        read(bytes(archive))
    except TenantUnavailable as error:
        assert "integration flow 'A'" in str(error)  # noqa: PT017 - both ends are right
