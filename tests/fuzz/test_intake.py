"""Any bytes in any file of an artifact are accepted or refused with a sentence, quickly."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpi_tasks.content.intake import find_faults_of
from cpi_tasks.model.naming import ArtifactKind

FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PATHS = st.sampled_from(
    [
        "META-INF/MANIFEST.MF",
        "metainfo.prop",
        "value_mapping.xml",
        ".project",
        "src/main/resources/parameters.prop",
        "src/main/resources/parameters.propdef",
        "src/main/resources/a.iflw",
        "src/main/resources/a.mmap",
        "src/main/resources/a.groovy",
        "src/main/resources/a.xsl",
        "src/main/resources/a.jar",
        "src/main/resources/a",
    ]
)
PIECES = st.sampled_from(
    [
        *(b"<<<<<<< ", b"=======", b">>>>>>> x", b"|||||||", b"\n", b"\r\n", b"\r", b"=", b"\\", b"\\u00"),
        *(b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b" ", b"../a", b"Name: x", b"ENC[AES256_GCM,data:"),
        *(b"version https://git-lfs.github.com/spec/v1\n", b"oid sha256:"),
        *(b"<?xml version='1.0'?>", b"<!--", b"-->", b"<!DOCTYPE html", b"<definitions>", b"<a xmlns='b'", b"/>"),
    ]
)
BYTES = st.binary(max_size=100) | st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join)


@FUZZ
@given(PATHS, BYTES, st.sampled_from(ArtifactKind))
def test_any_bytes(path: str, data: bytes, kind: ArtifactKind) -> None:
    """Each fault has a sentence and a line that is there."""
    lines = 1 + data.count(b"\n") + data.count(b"\r")
    for fault in find_faults_of(path, data, kind):
        assert fault.message
        assert 0 <= fault.line <= lines


def test_long_heads_are_read_once() -> None:
    """Neither comments nor blanks nor marks make a search go back."""
    for data in (
        b"<!-- a -->" * 100_000,
        b"<!-- " * 100_000,
        b" " * 1_000_000,
        b"<<<<<< \n" * 100_000,
        b"../" * 300_000,
    ):
        assert list(find_faults_of("src/main/resources/a.xsd", data, ArtifactKind.INTEGRATION_FLOW)) == []
