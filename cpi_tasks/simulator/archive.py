"""Uploaded archives: reading them safely, and everything a tenant derives from one."""

from __future__ import annotations

import hashlib
import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as SafeET
import javaproperties
from defusedxml.common import DefusedXmlException

from cpi_tasks.simulator import manifest
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind

RESOURCES = "src/main/resources/"
PARAMETERS = f"{RESOURCES}parameters.prop"
DEFINITIONS = f"{RESOURCES}parameters.propdef"
MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 128 * 1024 * 1024
_FIXED_TIME = (2026, 1, 1, 0, 0, 0)
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError),
    *(RuntimeError, ValueError, LookupError, ArithmeticError, OSError),
)
"""What the reader of archives raises for damaged ones."""

Entries = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A configuration parameter as the content defines it; ``value`` is ``None`` where ``parameters.prop`` lacks it."""

    key: str
    value: str | None = None
    data_type: str = "xsd:string"
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a tenant knows of an archive.

    ``digest`` covers what makes a difference when it runs: not the version, the origin, the description or parameter
    values.
    """

    headers: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    description: str | None
    digest: str

    @property
    def version(self) -> str:
        """``Bundle-Version``, empty where there is none that could be used."""
        version = manifest.get(self.headers, "Bundle-Version").strip()
        return version if manifest.is_version(version) else ""

    @property
    def name(self) -> str:
        """``Bundle-Name``."""
        return manifest.get(self.headers, "Bundle-Name").strip()


def unpack(data: bytes, limit: int = MAX_UNPACKED_BYTES) -> dict[str, bytes]:
    """Read an archive into memory. Anything broken, hostile or larger than the limit is a 400."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [info for info in archive.infolist() if not info.filename.endswith("/")]
            _check_sizes([info.file_size for info in files], limit)
            if any(info.compress_type not in _COMPRESSIONS for info in files):
                raise zipfile.BadZipFile("the compression is none that tenants know")
            return {_checked_path(info.filename): archive.read(info) for info in files}
    except _BROKEN as error:
        raise ODataError(400, "The artifact content is not a readable zip archive.") from error


def check_readable(data: bytes) -> None:
    """Refuse what is no archive (400) without unpacking it."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ODataError(400, "The artifact content is not a readable zip archive.")


def check_size(entries: Entries) -> None:
    """Refuse content (400) that could not be read again."""
    _check_sizes([len(data) for data in entries.values()], MAX_UNPACKED_BYTES)


def _check_sizes(sizes: list[int], limit: int) -> None:
    if len(sizes) > MAX_ENTRIES or sum(sizes) > limit:
        raise ODataError(400, "The artifact content is too large.")


def _checked_path(path: str) -> str:
    parts = path.split("/")
    if not path or path.startswith("/") or "\\" in path or ":" in parts[0] or ".." in parts or "\0" in path:
        raise ODataError(400, f"The artifact content has an entry outside of the archive: '{path[:200]}'.")
    return path


def pack(entries: Entries) -> bytes:
    """Write an archive; equal entries give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in entries.items():
            archive.writestr(zipfile.ZipInfo(path, _FIXED_TIME), data, zipfile.ZIP_DEFLATED, 1)
    return buffer.getvalue()


def rewrite(
    entries: Entries,
    *,
    kind: Kind,
    artifact_id: str,
    symbolic_name: str,
    version: str | None,
    line_bytes: int = manifest.LINE_BYTES,
) -> dict[str, bytes]:
    """Change content the way tenants do on storing it, so that bytes never come back as they were sent.

    The manifest gets the symbolic name (directives stay), the version where one is given, another header order and
    other line ends; a mapping's single ``.mmap`` is named after the id; a value mapping loses ``metainfo.prop``.
    """
    headers = manifest.with_symbolic_name(manifest.parse(entries.get(manifest.PATH, b"")), symbolic_name)
    if version is not None:
        headers = manifest.put(headers, "Bundle-Version", version)
    stored = {manifest.PATH: manifest.render(headers, line_bytes)}
    stored |= {path: data for path, data in entries.items() if path != manifest.PATH}
    if kind is Kind.VALUE_MAPPING:
        stored.pop("metainfo.prop", None)
    mappings = [path for path in stored if path.endswith(".mmap")]
    if kind is Kind.MESSAGE_MAPPING and len(mappings) == 1:
        folder = mappings[0].rpartition("/")[0]
        data = stored.pop(mappings[0])
        stored[f"{folder}/{artifact_id}.mmap".lstrip("/")] = data
    return stored


def read(entries: Entries, kind: Kind) -> Content:
    """Derive what every request needs; a ``.prop`` file that cannot be read is a 400."""
    headers = manifest.parse(entries.get(manifest.PATH, b""))
    return Content(
        headers=headers,
        parameters=_parameters(entries) if kind is Kind.FLOW else {},
        description=description(entries),
        digest=_digest(entries, headers),
    )


def description(entries: Entries) -> str | None:
    """Return the description of ``metainfo.prop``; ``None`` where the archive has no such file."""
    data = entries.get("metainfo.prop")
    return None if data is None else _properties(data).get("description", "")


def _digest(entries: Entries, headers: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(headers, key=str.lower):
        if name.lower() != "bundle-version" and not name.lower().startswith("origin-"):
            digest.update(f"{name.lower()}\0{headers[name]}\0".encode("utf-8", "surrogatepass"))
    for path in sorted(entries):
        if path not in {manifest.PATH, PARAMETERS, "metainfo.prop", ".project"}:
            digest.update(path.encode("utf-8", "surrogatepass") + b"\0" + hashlib.sha256(entries[path]).digest())
    return digest.hexdigest()


def _properties(data: bytes) -> dict[str, str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    try:
        return dict(javaproperties.loads(text))
    except ValueError as error:
        raise ODataError(400, "The artifact content has a properties file that cannot be read.") from error


def _parameters(entries: Entries) -> dict[str, Parameter]:
    """Parameters of ``parameters.prop`` first, then those only the definitions or the model name."""
    values = _properties(entries.get(PARAMETERS, b""))
    definitions = _definitions(entries.get(DEFINITIONS, b""))
    model_keys = (key for path, data in entries.items() if path.endswith(".iflw") for key in _placeholders(data))
    keys = dict.fromkeys([*values, *definitions, *model_keys])
    return {
        key: Parameter(key=key, value=values.get(key), data_type=data_type, description=description)
        for key in keys
        for data_type, description in [definitions.get(key, ("xsd:string", ""))]
    }


def _definitions(data: bytes) -> dict[str, tuple[str, str]]:
    """Type and description of each parameter the definitions name; an unreadable file defines nothing."""
    try:
        root = SafeET.fromstring(data)
    except (ParseError, DefusedXmlException, ValueError):
        return {}
    found = {}
    for element in root.iter("parameter"):
        name = element.findtext("name") or element.findtext("key") or ""
        if name:
            found[name] = (element.findtext("type") or "xsd:string", element.findtext("description") or "")
    return found


def _placeholders(model: bytes) -> list[str]:
    text = model.decode("utf-8", "replace")
    return [html.unescape(key) for key in re.findall(r"\{\{([^{}]+)\}\}", text)]
