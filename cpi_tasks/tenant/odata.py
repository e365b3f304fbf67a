"""OData version 2 as SAP Cloud Integration speaks it: keys, envelopes, time stamps, links."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urljoin, urlsplit

from cpi_tasks.tenant.retry import Trouble, TroubleKind
from cpi_tasks.tenant.text import decoded, is_html, one_line, without_markup

API_ROOT = "/api/v1/"
Entity = Mapping[str, object]
"""One entity or row as decoded from JSON; read it with ``text`` and ``epoch_ms``."""

_DATE = re.compile(r"/Date\((-?[0-9]{1,17})(?:[+-][0-9]{1,4})?\)/")
_DIGITS = re.compile(r"-?[0-9]{1,17}")
_DEFAULT_PORTS = {"https": 443, "http": 80}


def literal(value: str) -> str:
    """Give a string literal for an address: quotes doubled (OData 2.0), then percent-encoded, then put in quotes."""
    return f"'{quote(value.replace(chr(39), chr(39) * 2), safe='')}'"


def keyed(entity_set: str, key: str) -> str:
    """Give the path of an entity with a simple key, ``IntegrationPackages('P')``."""
    return f"{API_ROOT}{entity_set}({literal(key)})"


def call(function: str, **arguments: str) -> str:
    """Give the path and query of a function import, whose string arguments carry quotes (SAP, Integration Content)."""
    return f"{API_ROOT}{function}?" + "&".join(f"{name}={literal(value)}" for name, value in arguments.items())


def json_body(content: bytes) -> object:
    """Decode a body that must be JSON; raises ``Trouble`` for a gateway's page, garbage or half a document."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Trouble(f"the answer is {_looks(content)} instead of JSON", kind=TroubleKind.UNUSABLE) from None


def entity(content: bytes) -> Entity:
    """Give the entity of a ``{"d": {...}}`` envelope; one wrapped in ``results`` is accepted."""
    found = _envelope(content)
    if isinstance(found, dict) and "Id" not in found and "results" in found:
        found = found["results"]
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise odd("the answer holds no entity")
    return found


def rows(content: bytes) -> tuple[tuple[Entity, ...], str | None]:
    """Give the rows of a ``{"d": {"results": [...]}}`` envelope and the link to the next page, if there is one."""
    found = _envelope(content)
    following = found.get("__next") if isinstance(found, dict) else None
    results = found.get("results") if isinstance(found, dict) else found
    if not isinstance(results, list):
        raise odd("the answer holds no list")
    entities = tuple(row for row in results if isinstance(row, dict))
    if len(entities) != len(results):
        raise odd("the answer holds rows that are no entities")
    return entities, following if isinstance(following, str) and following else None


def text(row: Entity, name: str) -> str:
    """Give a property as text; empty where it is missing, null or no scalar."""
    value = row.get(name)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def key_text(row: Entity, name: str) -> str:
    """Return a property that every entity of a set must have; raises ``Trouble`` where it is missing or null.

    An empty text is a key: Java makes a parameter without a name of a line that begins with ``=``.
    """
    value = text(row, name)
    if not value and not isinstance(row.get(name), str):
        raise odd(f"the answer holds an entity without {name}")
    return value


def id_text(row: Entity) -> str:
    """Return the ``Id`` of an entity, which is never empty; raise ``Trouble`` where it is missing."""
    value = key_text(row, "Id")
    if not value:
        raise odd("the answer holds an entity with an empty Id")
    return value


def epoch_ms(value: object) -> int | None:
    """Read ``/Date(ms)/``, epoch milliseconds (number or digits) or an ISO 8601 time stamp (UTC without a zone).

    Gives epoch milliseconds, ``None`` for anything else: a time stamp is evidence where it exists, never required.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    stripped = value.strip()
    if match := _DATE.fullmatch(stripped):
        return int(match[1])
    if _DIGITS.fullmatch(stripped):
        return int(stripped)
    try:
        moment = datetime.fromisoformat(stripped)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def origin(url: str) -> tuple[str, str, int | None]:
    """Give scheme, host and port of an address, default ports made explicit; raises ``ValueError`` without a host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"no host in {url!r}")
    scheme = parts.scheme.lower()
    return scheme, parts.hostname.lower(), parts.port or _DEFAULT_PORTS.get(scheme)


def next_path(tenant_url: str, path: str, link: str) -> str | None:
    """Give the path and query of a next-page link found at ``path``; ``None`` where it leaves the tenant's origin."""
    try:
        target = urljoin(tenant_url + path, link)
        if origin(target) != origin(tenant_url):
            return None
    except ValueError:
        return None
    parts = urlsplit(target)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _envelope(content: bytes) -> object:
    document = json_body(content)
    if not isinstance(document, dict) or "d" not in document:
        raise _unusable("the answer is JSON but not of this API")
    return document["d"]


def odd(cause: str) -> Trouble:
    """Return the trouble with an answer that is the tenant's own, but has a row or entity that cannot be read."""
    return Trouble(cause, kind=TroubleKind.ODD)


def _unusable(cause: str) -> Trouble:
    return Trouble(cause, kind=TroubleKind.UNUSABLE)


def _looks(content: bytes) -> str:
    if not content.strip():
        return "empty"
    if is_html(content):
        return f"an HTML page ({one_line(without_markup(decoded(content)), 120)!r}, probably a gateway's)"
    return "cut short or of another format"
