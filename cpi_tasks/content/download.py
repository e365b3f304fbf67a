"""Archives from the tenant: read in memory, entry by entry, trusting nothing."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from cpi_tasks.content.canonical import CanonicalDigest
from cpi_tasks.content.folder import PROP_PATH, belongs
from cpi_tasks.content.manifest import MANIFEST_PATH, Manifest, ManifestError
from cpi_tasks.content.properties import read_as_java
from cpi_tasks.content.value_mapping import VALUES_PATH, read_groups
from cpi_tasks.content.xml import UnreadableXml
from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.model.content import DownloadedContent, MappedGroups
from cpi_tasks.model.naming import ArtifactId, ArtifactKind

MAX_ENTRIES = 20_000
MAX_TOTAL_BYTES = 512 * 2**20
MAX_RATIO = 200
_ENTRY_MARK = b"PK\x01\x02"
_MANY_MARKS = 10 * MAX_ENTRIES
"""Archives inside the archive have entries, too; but so many are a bomb that unpacks while its directory is read."""
_RATIO_COUNTS_FROM = 64 * 2**20
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DRIVE = re.compile(r"\A[A-Za-z]:")
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, RuntimeError, OSError)


class _Unusable(Exception):
    """The archive is refused; the text says why."""


def read_archive(data: bytes, *, artifact: ArtifactId, kind: ArtifactKind) -> DownloadedContent:
    """Read what is needed for a comparison from an archive that the tenant sent.

    Raises ``TenantUnavailable`` where it is no zip, cut short, damaged, encrypted, has entries that point outside, or
    is out of proportion (512 MiB, 20,000 entries, 200 times its size).
    """
    digest = CanonicalDigest(artifact, kind)
    version = ""
    parameters: dict[str, str] = {}
    values: MappedGroups | None = None
    for path, content in archived_files(data, artifact=artifact, kind=kind):
        digest.add(path, content)
        if path == MANIFEST_PATH:
            version = _version(content)
        elif path == PROP_PATH and kind is ArtifactKind.INTEGRATION_FLOW:
            parameters = _parameters(content)
        elif path == VALUES_PATH and kind is ArtifactKind.VALUE_MAPPING:
            values = _groups(content)
    return DownloadedContent(digest=digest.result(), version=version, parameters=parameters, values=values)


def archived_files(data: bytes, *, artifact: ArtifactId, kind: ArtifactKind) -> Iterator[tuple[str, bytes]]:
    """Give path and bytes of the files that belong to the artifact; raises as ``read_archive``."""
    try:
        yield from _entries(data)
    except _Unusable as error:
        raise TenantUnavailable(
            f"could not read the archive of {kind.label} '{artifact}' that the tenant sent: {error}; run again, and"
            " look at the artifact on the tenant if it stays so"
        ) from error


def _entries(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give path and bytes of the entries that belong to an artifact; of a path given twice the later counts."""
    if data.count(_ENTRY_MARK) > _MANY_MARKS:
        raise _Unusable(f"it has far more than {MAX_ENTRIES} entries")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for path, info in _checked(archive.infolist(), len(data)).items():
                yield path, archive.read(info)
    except _BROKEN as error:
        raise _Unusable(f"it is no zip archive, cut short or damaged ({str(error) or type(error).__name__})") from error


def _checked(infos: list[zipfile.ZipInfo], packed_size: int) -> dict[str, zipfile.ZipInfo]:
    """Look at what the directory says before anything is unpacked; no entry gives more bytes than stated there."""
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_ENTRIES:
        raise _Unusable(f"it has {len(infos)} entries, more than {MAX_ENTRIES}")
    if total > MAX_TOTAL_BYTES:
        raise _Unusable(f"unpacked it would take {total} bytes, more than {MAX_TOTAL_BYTES}")
    if total > _RATIO_COUNTS_FROM and total > packed_size * MAX_RATIO:
        raise _Unusable(f"it would grow to more than {MAX_RATIO} times its size")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        path = _path(info)
        if info.is_dir() or path.endswith("/") or not belongs(path):
            continue
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise _Unusable(f"its entry '{path}' is encrypted or packed in an unknown way")
        found[path] = info
    return found


def _path(info: zipfile.ZipInfo) -> str:
    """Give an entry's relative path, also where it was packed with backslashes or without the mark for UTF-8 names."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAME:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.orig_filename
    path = name.replace("\\", "/").removeprefix("./")
    if path.startswith("/") or _DRIVE.match(path) or ".." in path.split("/") or "\0" in path:
        raise _Unusable("one of its entries points outside of the archive")
    return path


def _version(data: bytes) -> str:
    try:
        return Manifest(data).get("Bundle-Version") or ""
    except ManifestError:
        return ""


def _parameters(data: bytes) -> dict[str, str]:
    try:
        return read_as_java(data)
    except ValueError:
        return {}


def _groups(data: bytes) -> MappedGroups | None:
    try:
        return read_groups(data)
    except UnreadableXml:
        return None
