"""The service key of an API instance, the JSON as SAP hands it out (SAP Help, Cloud Integration, plan ``api``).

Secret stores and shells change it on the way: it may also be base64, or JSON text within quotation marks or with
backslashes before its own.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.environment.process import Use, cleaned

_SECRET = "clientsecret"  # noqa: S105 - a name, not a secret
_FIELDS = ("tokenurl", "clientid", _SECRET)
_USES = {"url": Use.ADDRESS, "tokenurl": Use.ADDRESS, "clientid": Use.VALUE, _SECRET: Use.SECRET}
_MOST_WRAPPERS = 4
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}")
_STANDARD = str.maketrans("-_", "+/")
_BEGINNINGS = ("{", '"', "'")


class ServiceKeyError(ValueError):
    """The key cannot be used; the sentence never holds any of its content."""


class UnreadableServiceKey(ServiceKeyError):
    """There is no key: the text is the path of a file that cannot be read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKey:
    """What a service key says; ``url`` is empty where it does not name the tenant."""

    url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)


def read_service_key(text: str, *, root: Path, has_certificate: bool = False) -> ServiceKey:
    """Read a key given as text, or as a path to it relative to ``root``. Raises ``ServiceKeyError``.

    With a client certificate at hand it needs no ``clientsecret``.
    """
    content = _unwrapped(text)
    if content is None:
        try:
            content = _decoded((root / text.strip()).read_bytes())
        except (OSError, ValueError):
            raise UnreadableServiceKey(
                "is neither JSON text (as it is, or in base64) nor the path of a file that can be read (paths are "
                "relative to the project root)"
            ) from None
        content = _unwrapped(content) or content
    return _interpret(content, has_certificate=has_certificate)


def _unwrapped(text: str) -> str | None:
    """Return the JSON text of an object within a value; ``None`` where it holds none."""
    for _ in range(_MOST_WRAPPERS):
        text = text.strip().strip("\ufeff").strip()
        if text.startswith("{"):
            return _without_backslashes(text)
        if text[:1] == "'" == text[-1:]:
            inner: str | None = text[1:-1]
        elif text.startswith('"'):
            inner = _json_text(text)
            if inner is None:
                inner = text[1:-1] if text.endswith('"') else None
        else:
            inner = _from_base64(text)
        if not inner:
            return None
        text = inner
    return None


def _without_backslashes(text: str) -> str:
    """Return an object as it was before its text was put into another JSON text, where it was."""
    for _ in range(_MOST_WRAPPERS):
        if not re.match(r"\{\s*(?:\\[nrt]\s*)*\\", text):
            break
        inner = _json_text(f'"{text}"')
        if inner is None:
            break
        text = inner
    return text


def _json_text(text: str) -> str | None:
    try:
        found: object = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _from_base64(text: str) -> str | None:
    """Return what is encoded, where that is the beginning of a key: of a path it never is."""
    packed = re.sub(r"\s+|\\[nr]", "", text).translate(_STANDARD).rstrip("=")
    if not _BASE64.fullmatch(packed):
        return None
    try:
        found = _decoded(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None
    is_key = found.lstrip("\ufeff \t\r\n").startswith(_BEGINNINGS)
    return found if is_key else _from_base64(found)  # twice, as a Kubernetes secret has it


def _decoded(data: bytes) -> str:
    """Read text as PowerShell and editors write it; raises ``UnicodeDecodeError``."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-8-sig")


def _interpret(text: str, *, has_certificate: bool) -> ServiceKey:
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        hint = "" if '"' in text else " (its quotation marks are lost, as in an unquoted shell argument)"
        raise ServiceKeyError(
            f"is not valid JSON{hint}; copy the service key as it is shown in the BTP cockpit, or store it as base64"
        ) from None
    inner = _part(_part(content, "credentials"), "oauth")
    if not isinstance(inner, dict):
        raise ServiceKeyError("is not a service key: it has no 'oauth' part")
    given = {str(name).lower(): value for name, value in inner.items()}
    values = {name: value.strip() for name in ("url", *_FIELDS) if isinstance(value := given.get(name), str)}
    for name, value in values.items():
        if fault := cleaned(value, _USES[name]).fault:
            raise ServiceKeyError(f"{name} in it {fault}")
    needed = [name for name in _FIELDS if name != _SECRET or not has_certificate]
    missing = [name for name in needed if not values.get(name)]
    if missing:
        hint = "; give clientCertificate and clientKey for a key with a certificate" if missing == [_SECRET] else ""
        raise ServiceKeyError(f"is not a complete service key of plan 'api': it has no {', '.join(missing)}{hint}")
    return ServiceKey(
        url=values.get("url", ""),
        token_url=values["tokenurl"],
        client_id=values["clientid"],
        client_secret=values.get(_SECRET, ""),
    )


def _part(content: object, name: str) -> object:
    """Return a part of a key, whatever the case of its name, or all of it where it has no such part."""
    if not isinstance(content, dict):
        return content
    return next((value for key, value in content.items() if str(key).lower() == name), content)
