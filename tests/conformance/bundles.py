"""Archives for the conformance tests: real content under ids of our own."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

_DEMO = Path(__file__).resolve().parents[2] / "environments" / "demo" / "packages"
MANIFEST = "META-INF/MANIFEST.MF"
PROP = "src/main/resources/parameters.prop"
PROPDEF = "src/main/resources/parameters.propdef"
SCRIPT = "src/main/resources/script/CheckSerialNumber.groovy"
ADDRESS, URL = "Registration Address", "Registry Url"
_SOURCES = {
    "Integration": ("DeviceManagement", "DeviceRegistration"),
    "ScriptCollection": ("CustomerIntegration", "CustomerValidation"),
    "MessageMapping": ("CustomerIntegration", "CustomerToErpMapping"),
    "ValueMapping": ("CustomerIntegration", "CountryCodes"),
}
FAMILIES = tuple(_SOURCES)


def files_of(family: str, artifact: str, version: str = "1.0.0") -> dict[str, bytes]:
    """Give the files of an artifact that starts on a tenant which has nothing else; its manifest is not folded."""
    package, source = _SOURCES[family]
    folder = _DEMO / package / source
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    headers = unfolded(found[MANIFEST])
    headers = {name: value.replace(source, artifact) for name, value in headers.items()}
    found[MANIFEST] = _manifest({**headers, "Bundle-Name": artifact, "Bundle-Version": version})
    if PROP in found:
        # Sender addresses must be unique on a tenant.
        found[PROP] = found[PROP].replace(b"/devices/register", f"/conformance/{artifact}".encode())
    return found


def unfolded(manifest: bytes) -> dict[str, str]:
    """Give a manifest's headers, whole."""
    text = manifest.decode().replace("\r\n", "\n").replace("\n ", "")
    return {name: value for name, _, value in (line.partition(": ") for line in text.splitlines()) if name}


def _manifest(headers: Mapping[str, str]) -> bytes:
    """Write headers in lines of at most 72 bytes; the values here are ASCII."""
    lines = []
    for name, value in headers.items():
        rest = f"{name}: {value}"
        while len(rest) > 72:
            lines.append(rest[:72])
            rest = f" {rest[72:]}"
        lines.append(rest)
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def encoded(files: Mapping[str, bytes]) -> str:
    """Give files as ``ArtifactContent`` takes them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return base64.b64encode(buffer.getvalue()).decode()


def decoded(archive: bytes) -> dict[str, bytes]:
    """Give the files of a downloaded archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}
