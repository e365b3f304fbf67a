"""``META-INF/MANIFEST.MF`` as a tenant reads and rewrites it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cpi_tasks.simulator.odata import ODataError

PATH = "META-INF/MANIFEST.MF"
LINE_BYTES = 72
_ENDED_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)")
_HEADER = re.compile(rb"([A-Za-z0-9_-]{1,70}): (.*)", re.DOTALL)
_VERSION = re.compile(r"(\d{1,10})\.(\d{1,10})\.(\d{1,10})(?:[.-][\w.-]+)?", re.ASCII)
_LARGEST = 2**31 - 1
"""The largest ``int`` of Java: a version's numbers are such (OSGi Core)."""


def parse(data: bytes) -> dict[str, str]:
    """Return the unfolded main section as ``java.util.jar.Manifest`` reads it; what it refuses is a 400.

    That is a byte order mark, a line that is neither ``Name: value`` nor a continuation, and another section that does
    not begin with ``Name``. A last line without a line end is lost. Of a header given twice the last counts. Names keep
    their spelling and order; continuations are joined as bytes, because a line may be cut inside a character.
    """
    found: dict[str, bytes] = {}
    name, is_main, is_new = "", True, False
    for number, line in enumerate(_ENDED_LINE.findall(data), start=1):
        text = line.rstrip(b"\r\n")
        if not text:
            name, is_main, is_new = "", False, True
            continue
        if text.startswith(b" ") and name:
            found |= {name: found[name] + text[1:]} if is_main else {}
            continue
        match = _HEADER.fullmatch(text)
        if match is None or (is_new and match[1].lower() != b"name"):
            raise ODataError(400, f"The manifest of the artifact content cannot be read: invalid line {number}.")
        name, is_new = match[1].decode(), False
        if is_main:
            found.pop(name, None)
            found[name] = match[2]
    return {name: value.decode("utf-8", "replace") for name, value in found.items()}


def get(headers: Mapping[str, str], name: str, default: str = "") -> str:
    """Return one header, whatever the case of its name; of several the last."""
    wanted = name.lower()
    return next((headers[key] for key in reversed(list(headers)) if key.lower() == wanted), default)


def put(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """Replace one header in its place, or append it."""
    existing = next((key for key in reversed(list(headers)) if key.lower() == name.lower()), name)
    return {**headers, existing: value}


def render(headers: Mapping[str, str], line_bytes: int = LINE_BYTES) -> bytes:
    """Write the main section the tenant's way: own header order, CRLF, lines of at most 72 (or fewer) bytes."""
    first = [name for name in headers if name.lower() == "manifest-version"]
    rest = sorted((name for name in headers if name not in first), key=lambda name: name[::-1].lower())
    lines = [_fold(f"{name}: {headers[name]}".encode(), line_bytes) for name in [*first, *rest]]
    return b"".join(lines) + b"\r\n"


def _fold(line: bytes, line_bytes: int) -> bytes:
    parts = [line[:line_bytes]]
    width = line_bytes - 1
    parts += [b" " + line[start : start + width] for start in range(line_bytes, len(line), width)]
    return b"\r\n".join(parts) + b"\r\n"


def symbolic_name(headers: Mapping[str, str]) -> str:
    """``Bundle-SymbolicName`` without its directives."""
    return get(headers, "Bundle-SymbolicName").partition(";")[0].strip()


def with_symbolic_name(headers: Mapping[str, str], name: str) -> dict[str, str]:
    """Put another ``Bundle-SymbolicName`` and keep the directives."""
    _, semicolon, directives = get(headers, "Bundle-SymbolicName").partition(";")
    return put(headers, "Bundle-SymbolicName", f"{name}{semicolon}{directives}")


def is_version(text: str) -> bool:
    """Whether the text is a version a tenant accepts, such as ``1.0.4``."""
    match = _VERSION.fullmatch(text)
    return match is not None and all(int(number) <= _LARGEST for number in match.groups())


def version_key(text: str) -> tuple[int, ...]:
    """Tell what versions are ordered by; anything that is no version comes before all versions."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3]) if is_version(text) else ()


def references(headers: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """Tell what ``Require-Capability`` names: ``scriptcollection`` or ``messagemapping``, the id, whether optional."""
    text = get(headers, "Require-Capability")
    return [
        (family, name.strip(), "resolution:=optional" in directives.replace(" ", ""))
        for family, name, directives in re.findall(
            r"(?:^|,)\s*(scriptcollection|messagemapping)\.([^;,\"]+)((?:;(?:[^\",]|\"[^\"]*\")*)?)", text
        )
    ]
