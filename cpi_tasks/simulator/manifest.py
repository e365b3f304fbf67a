"""``META-INF/MANIFEST.MF`` as a tenant reads and rewrites it."""

from __future__ import annotations

import re
from collections.abc import Mapping

PATH = "META-INF/MANIFEST.MF"
LINE_BYTES = 72
_VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}(?:[.-][\w.-]+)?")


def parse(data: bytes) -> dict[str, str]:
    """Unfold the main section; names keep their spelling and order.

    Continuations are joined as bytes because a line may be cut in the middle of a character.
    """
    unfolded = re.sub(rb"(?:\r\n|\n|\r) ", b"", data.removeprefix(b"\xef\xbb\xbf"))
    headers: dict[str, str] = {}
    for line in unfolded.decode("utf-8", "replace").splitlines():
        if not line:
            break
        name, separator, value = line.partition(":")
        if separator:
            headers[name.strip()] = value.removeprefix(" ")
    return headers


def get(headers: Mapping[str, str], name: str, default: str = "") -> str:
    """One header, whatever the case of its name."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), default)


def put(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """Replace one header in its place, or append it."""
    existing = next((key for key in headers if key.lower() == name.lower()), name)
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
    return _VERSION.fullmatch(text) is not None


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
