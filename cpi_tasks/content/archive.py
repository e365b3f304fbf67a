"""Archives for the tenant: built in memory from the folder, byte for byte the same for the same content."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from cpi_tasks.content.bundle import Bundle, open_bundle
from cpi_tasks.content.canonical import CanonicalDigest
from cpi_tasks.model.content import ArtifactContent

_DATE = (1980, 1, 1, 0, 0, 0)
_LEVEL = 6
_MODE = 0o100644 << 16
_UNIX = 3
_COMPRESSED_ALREADY = (".jar", ".zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A zip archive to upload and the fingerprint of the content in it, as ``ContentDigest.fingerprint``."""

    data: bytes = field(repr=False)
    fingerprint: str


def build_archive(content: ArtifactContent, *, version: str | None = None) -> Archive:
    """Read an artifact's folder again and pack it; raises ``InputError`` where that is not possible any more.

    With ``version`` the manifest says this ``Bundle-Version``; nothing else changes, and the fingerprint does not
    depend on it.
    """
    bundle = _bundle(content, version)
    digest = CanonicalDigest(content.spec.id, content.spec.kind)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in bundle.packed_files():
            digest.add(path, data)
            archive.writestr(_entry(path), data, compresslevel=_LEVEL)
    return Archive(data=buffer.getvalue(), fingerprint=digest.result().fingerprint)


def write_unpacked(content: ArtifactContent, folder: Path, *, version: str | None = None) -> None:
    """Write exactly the files that ``build_archive`` would pack into a folder, which is made where it is missing.

    Raises ``InputError`` as ``build_archive`` does, and ``OSError`` where the folder cannot be written.
    """
    for path, data in _bundle(content, version).packed_files():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _bundle(content: ArtifactContent, version: str | None) -> Bundle:
    bundle = open_bundle(content.spec, content.renames)
    if version is None:
        return bundle
    return replace(bundle, manifest=bundle.manifest.with_header("Bundle-Version", version))


def _entry(path: str) -> zipfile.ZipInfo:
    """Describe an entry without a trace of this machine and moment."""
    info = zipfile.ZipInfo(path, _DATE)
    info.create_system = _UNIX
    info.external_attr = _MODE
    is_packed = path.lower().endswith(_COMPRESSED_ALREADY)
    info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
    return info
