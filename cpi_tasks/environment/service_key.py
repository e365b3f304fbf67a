"""The service key of an API instance, the JSON as SAP hands it out (SAP Help, Cloud Integration, plan ``api``)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

_SECRET = "clientsecret"  # noqa: S105 - a name, not a secret
_FIELDS = ("tokenurl", "clientid", _SECRET)


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
    """Read a key given as JSON text, or as a path to it relative to ``root``. Raises ``ServiceKeyError``.

    With a client certificate at hand it needs no ``clientsecret``.
    """
    if not text.lstrip().startswith("{"):
        try:
            text = (root / text.strip()).read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            raise UnreadableServiceKey(
                "is neither JSON text nor the path of a file that can be read (paths are relative to the project root)"
            ) from None
    return _interpret(text, has_certificate=has_certificate)


def _interpret(text: str, *, has_certificate: bool) -> ServiceKey:
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        raise ServiceKeyError("is not valid JSON; copy the service key as it is shown in the BTP cockpit") from None
    inner = content.get("oauth", content) if isinstance(content, dict) else None
    if not isinstance(inner, dict):
        raise ServiceKeyError("is not a service key: it has no 'oauth' part")
    values = {name: inner.get(name) for name in ("url", *_FIELDS)}
    needed = [name for name in _FIELDS if name != _SECRET or not has_certificate]
    missing = [name for name in needed if not (isinstance(values[name], str) and values[name])]
    if missing:
        hint = "; give clientCertificate and clientKey for a key with a certificate" if missing == [_SECRET] else ""
        raise ServiceKeyError(f"is not a complete service key of plan 'api': it has no {', '.join(missing)}{hint}")
    return ServiceKey(
        url=str(values["url"] or ""),
        token_url=str(values["tokenurl"]),
        client_id=str(values["clientid"]),
        client_secret=str(values[_SECRET] or ""),
    )
