"""The model of an integration flow (``.iflw``), read and rewritten as bytes: only single values ever change.

SAP's editor writes a BPMN document whose settings are ``<ifl:property><key>…</key><value>…</value></ifl:property>``.
A full XML round trip would touch every line, so values are found by pattern and exchanged in place.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PROPERTY_OF = rb"key\s*>(%s)</((?:[\w.-]+:)?)key\s*>\s*<\2value\s*>([^<]*)</\2value\s*>"
_REFERENCE = re.compile(
    _PROPERTY_OF % rb"\s*(?:scriptBundleId|messageMappingBundleId|mappinguri|mappingname|mappingpath)\s*",
)
_ANY_PROPERTY = re.compile(_PROPERTY_OF % rb"[^<>]*")
# Begins with a literal, which the search skips to; the look-behind makes sure that the value begins with it.
_DYNAMIC_REFERENCE = re.compile(rb"ref:(?<=[>;]ref:)([\w.-]+)(?=\s*(?:<|&lt;))")
_PLACEHOLDER = re.compile(rb"\{\{([^{}]+)\}\}")
_START_EVENT = (re.compile(rb"<(?:[\w.-]+:)?startEvent\b[^<>]*(?<!/)>"), re.compile(rb"</(?:[\w.-]+:)?startEvent\s*>"))
_TIMER = b"timerEventDefinition"
_PROCESS_DIRECT = b"ProcessDirect"
_FILLED = re.compile(r"\{\{([^{}]+)\}\}")
_CHANNEL = (re.compile(rb"<(?:[\w.-]+:)?messageFlow\s"), re.compile(rb"</(?:[\w.-]+:)?messageFlow\s*>"))
_BLOCK_END = b"extensionElements>"
_MAPPING_SUFFIX = ".mmap"


@dataclass(frozen=True, slots=True)
class _Value:
    """A property's value as written between its tags, at ``data[start:end]``, and what it means."""

    key: str
    text: str
    start: int
    end: int


def placeholders(data: bytes) -> frozenset[str]:
    """Give the names of the externalised parameters a model uses, written there as ``{{name}}``."""
    return frozenset(_text(match.group(1)) for match in _PLACEHOLDER.finditer(data))


def referenced_ids(data: bytes, known: Mapping[str, str]) -> frozenset[str]:
    """Give the ids of the script collections and message mappings a model uses, as written.

    Mappings chosen at run time (``ref:<id>`` in a constant) count only where the id is among ``known``: the text may
    mean something else.
    """
    found = {value.text for value in _values(data) if value.key.endswith("BundleId") and value.text}
    dynamic = (_text(match.group(1)) for match in _DYNAMIC_REFERENCE.finditer(data))
    return frozenset(found.union(name for name in dynamic if name in known))


def rename_references(data: bytes, renames: Mapping[str, str]) -> bytes:
    """Give the model with references to renamed collections and mappings following; no other byte changes.

    The tenant stores the file of a message mapping as ``<Id>.mmap``, so where a mapping is renamed, the file names in
    ``mappinguri``, ``mappingname`` and ``mappingpath`` of the same step follow. A mapping embedded in the flow has an
    empty ``messageMappingBundleId`` and stays.
    """
    changes: dict[tuple[int, int], str] = {}
    values = list(_values(data))
    for value in values:
        new = renames.get(value.text, value.text)
        if value.key.endswith("BundleId") and new != value.text:
            changes[value.start, value.end] = new
            if value.key == "messageMappingBundleId":
                changes.update(_renamed_paths(data, values, value, new))
    for match in _DYNAMIC_REFERENCE.finditer(data):
        old = _text(match.group(1))
        if renames.get(old, old) != old:
            changes[match.span(1)] = renames[old]
    return _apply(data, changes)


def fixed_addresses(data: bytes) -> tuple[str, ...]:
    """Give the addresses of sender channels that are written into the model, sorted: no ``{{parameter}}`` in them.

    Only addresses that others call count; what a sender channel polls has a URL or no address at all.
    """
    found: set[str] = set()
    for settings in channels(data):
        if settings.get("direction", "").lower() == "sender":
            found.update(settings.get(key, "") for key in ("urlPath", "address"))
    return tuple(sorted(address for address in found if address and "{{" not in address and "://" not in address))


def process_direct(data: bytes, parameters: Mapping[str, str]) -> tuple[frozenset[str], frozenset[str]]:
    """Give the ProcessDirect addresses a model listens to and those it calls, ``{{parameter}}`` filled in.

    Addresses that are made while messages run (``${…}``) or of a parameter without a value are left out.
    """
    found: dict[str, set[str]] = {"sender": set(), "receiver": set()}
    if _PROCESS_DIRECT not in data:
        return frozenset(), frozenset()
    for settings in channels(data):
        direction = found.get(settings.get("direction", "").lower())
        if direction is None or settings.get("ComponentType") != _PROCESS_DIRECT.decode():
            continue
        address = _FILLED.sub(lambda match: parameters.get(match[1], match[0]), settings.get("address", "")).strip()
        if address and "{{" not in address and "${" not in address:
            direction.add(address.strip("/"))
    return frozenset(found["sender"]), frozenset(found["receiver"])


def channels(data: bytes) -> Iterator[Mapping[str, str]]:
    """Give the settings of every channel by key, unescaped; those of one that is never closed are left out."""
    return (_settings(channel) for channel in _elements(data, *_CHANNEL))


def timer_schedules(data: bytes) -> tuple[str, ...]:
    """Give the schedules of the timer start events, unescaped, in the order of the model; those without one left out.

    Polling sender channels have a ``scheduleKey`` too: they are no timers.
    """
    if _TIMER not in data:
        return ()
    timers = (_settings(event) for event in _elements(data, *_START_EVENT) if _TIMER in event)
    schedules = (settings.get("scheduleKey", "").strip() for settings in timers)
    return tuple(schedule for schedule in schedules if schedule)


def _elements(data: bytes, opening: re.Pattern[bytes], closing: re.Pattern[bytes]) -> Iterator[bytes]:
    """Give the elements between two tags, which do not nest; one that is never closed is none."""
    at = 0
    while (begin := opening.search(data, at)) and (end := closing.search(data, begin.end())):
        at = end.end()
        yield data[begin.start() : at]


def _settings(element: bytes) -> Mapping[str, str]:
    return {_text(m.group(1).strip()): _text(m.group(3)) for m in _ANY_PROPERTY.finditer(element)}


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", errors="replace"))


def _values(data: bytes) -> Iterator[_Value]:
    for match in _REFERENCE.finditer(data):
        raw = match.group(3)
        start = match.start(3) + len(raw) - len(raw.lstrip())
        end = match.end(3) - len(raw) + len(raw.rstrip())
        yield _Value(match.group(1).strip().decode(), _text(raw.strip()), min(start, end), end)


def _renamed_paths(
    data: bytes, values: list[_Value], bundle: _Value, new: str
) -> Iterator[tuple[tuple[int, int], str]]:
    """Give the changed file names of the step (one ``extensionElements`` block) that uses a renamed mapping."""
    begin = data.rfind(_BLOCK_END, 0, bundle.start)
    end = data.find(_BLOCK_END, bundle.end)
    for value in values:
        if value.key.endswith("BundleId") or not begin < value.start < (len(data) if end < 0 else end):
            continue
        folder, slash, name = value.text.rpartition("/")
        for suffix in ("", _MAPPING_SUFFIX):
            if name == bundle.text + suffix:
                yield (value.start, value.end), folder + slash + new + suffix


def _apply(data: bytes, changes: Mapping[tuple[int, int], str]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for (start, end), text in sorted(changes.items()):
        pieces += [data[done:start], html.escape(text, quote=False).encode()]
        done = end
    return b"".join([*pieces, data[done:]])
