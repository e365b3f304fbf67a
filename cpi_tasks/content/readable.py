"""Files of an artifact as lines for a person, by the same rules as the comparison: only what counts is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cpi_tasks.content.canonical import canonical_headers, plain
from cpi_tasks.content.folder import DESCRIPTION_PATH, PROP_PATH
from cpi_tasks.content.manifest import MANIFEST_PATH, Manifest
from cpi_tasks.content.properties import read_as_java
from cpi_tasks.content.value_mapping import VALUES_PATH, readable_groups, readable_values
from cpi_tasks.content.xml import parse_xml, readable_xml
from cpi_tasks.model.naming import ArtifactKind

WIDE = 400
_MAX_BYTES = 2**20
_MAX_LINES = 20_000
_MAX_INDENT = 20
_BETWEEN_TAGS = re.compile(r">\s*<")
_CLOSES = re.compile(r"</[^<>]*>\s*\Z")
_NO_LINE_END = "\\ No newline at end of file"
_Lines = list[str]
_Show = Callable[[bytes], _Lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One file's lines on both sides; or, in ``remark``, why there are none to show."""

    tenant: _Lines
    files: _Lines
    remark: str = ""
    is_binary: bool = False


def readable_sides(path: str, kind: ArtifactKind, *, tenant: bytes | None, files: bytes | None) -> Sides:
    """Give both sides of one file (``None``: not there) that the comparison calls different."""
    if kind is ArtifactKind.INTEGRATION_FLOW and path == PROP_PATH:
        return _bounded(_sides(_keys, tenant, files))
    sizes = _sizes(tenant, files)
    shows = _shows(path, kind)
    if not shows and not (_is_text(tenant) and _is_text(files)):
        return Sides(tenant=[], files=[], remark=f"binary: {sizes}", is_binary=True)
    if max(len(data) for data in (tenant, files) if data is not None) > _MAX_BYTES:
        return Sides(tenant=[], files=[], remark=f"too large to show: {sizes}")
    for sides in _attempts(shows, tenant, files):
        if sides.tenant != sides.files:
            return _bounded(sides)
    return Sides(tenant=[], files=[], remark=f"binary: {sizes}", is_binary=True)


def _shows(path: str, kind: ArtifactKind) -> tuple[_Show, ...]:
    """Give the ways to show a file that is more than text, the most readable first."""
    if path == MANIFEST_PATH:
        return (_headers,)
    if path == DESCRIPTION_PATH:
        return (_description,)
    if path.endswith(".prop"):
        return (_properties,)
    if path.endswith(".propdef"):
        return (_definitions,)
    if path == VALUES_PATH and kind is ArtifactKind.VALUE_MAPPING:
        return (readable_groups, readable_values)
    return ()


def _attempts(shows: tuple[_Show, ...], tenant: bytes | None, files: bytes | None) -> Iterator[Sides]:
    """Give both sides in one way after another; what cannot be parsed is shown as the text it is."""
    for show in shows:
        try:
            yield _sides(show, tenant, files)
        except ValueError:
            continue
    if _is_text(tenant) and _is_text(files):
        if any(_is_packed(data) for data in (tenant, files) if data is not None):
            yield _sides(_unpacked, tenant, files)
        yield _sides(_text, tenant, files)


def _sides(show: _Show, tenant: bytes | None, files: bytes | None) -> Sides:
    return Sides(tenant=[] if tenant is None else show(tenant), files=[] if files is None else show(files))


def _bounded(sides: Sides) -> Sides:
    longest = max(len(sides.tenant), len(sides.files))
    if longest <= _MAX_LINES:
        return sides
    remark = f"too large to show: {len(sides.tenant)} lines on the tenant, {len(sides.files)} in the files"
    return Sides(tenant=[], files=[], remark=remark)


def _sizes(tenant: bytes | None, files: bytes | None) -> str:
    sides = {"on the tenant": tenant, "in the files": files}
    return ", ".join(
        f"{len(data)} byte{'' if len(data) == 1 else 's'} {where}" for where, data in sides.items() if data is not None
    )


def _headers(data: bytes) -> _Lines:
    manifest = Manifest(data)
    names = {name.lower(): name for name, _ in manifest.items()}
    return [
        f"{names[name]}: {value if isinstance(value, str) else ','.join(value)}"
        for name, value in canonical_headers(manifest).items()
    ]


def _keys(data: bytes) -> _Lines:
    """Give the keys only: the values are configured on the tenant, and may be secret."""
    try:
        return sorted(read_as_java(data))
    except ValueError:
        return ["(no properties file that can be read; its text is not shown, because values are in it)"]


def _properties(data: bytes) -> _Lines:
    return [f"{key}={value}".replace("\n", "\\n") for key, value in sorted(read_as_java(data).items())]


def _description(data: bytes) -> _Lines:
    text = read_as_java(data).get("description", "").strip()
    return f"description={text}".replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _definitions(data: bytes) -> _Lines:
    return readable_xml(parse_xml(data))


def _is_text(data: bytes | None) -> bool:
    if data is None:
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def _text(data: bytes) -> _Lines:
    # A mark that nobody sees may be the difference.
    lines = plain(data).decode().replace("\ufeff", "\\ufeff").split("\n")
    if not lines[-1]:
        return lines[:-1]
    return [*lines, _NO_LINE_END]


def _is_packed(data: bytes) -> bool:
    """Whether a file is XML without line breaks, as SAP's editors write it."""
    return any(len(line) > WIDE and b"><" in line for line in plain(data).split(b"\n"))


def _unpacked(data: bytes) -> _Lines:
    """Give XML with a line for each tag; by pattern, so that nothing but the blanks between tags gets lost."""
    lines: _Lines = []
    depth = 0
    for line in _BETWEEN_TAGS.sub(">\n<", plain(data).decode().strip()).split("\n"):
        tag = line.lstrip()
        if not tag.startswith("<"):
            lines.append(line)
            depth -= bool(_CLOSES.search(line))
            continue
        depth -= tag.startswith("</")
        lines.append("  " * min(max(depth, 0), _MAX_INDENT) + tag)
        is_whole = tag.startswith(("</", "<?", "<!")) or tag.endswith("/>") or _CLOSES.search(tag)
        depth += not is_whole
    return lines
