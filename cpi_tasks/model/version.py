"""Artifact versions: dotted numbers with an optional qualifier, compared the OSGi way."""

from __future__ import annotations

import re

_LARGEST = 2**31 - 1
_VERSION = re.compile(r"(\d+)(?:\.(\d+)(?:\.(\d+)(?:\.([\w-]+))?)?)?", re.ASCII)


def parse_version(text: str) -> tuple[int, int, int, str] | None:
    """Give major, minor, micro and qualifier of a version; ``None`` for something else, such as ``Active``."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    major, minor, micro, qualifier = match.groups()
    return int(major), int(minor or 0), int(micro or 0), qualifier or ""


def is_osgi(text: str) -> bool:
    """Return whether OSGi takes a text for a version; each of its numbers must fit a Java ``int`` (OSGi Core)."""
    parsed = parse_version(text)
    return parsed is not None and all(number <= _LARGEST for number in parsed[:3])


def is_higher(version: str, than: str) -> bool:
    """Tell whether one version is higher than another; anything is higher than what is no version."""
    left, right = parse_version(version), parse_version(than)
    if left is None:
        return False
    return right is None or left > right


def is_same(version: str, other: str) -> bool:
    """Tell whether two texts mean one version: ``1.0`` and ``1.0.0`` do."""
    return version == other or (parse_version(version) is not None and parse_version(version) == parse_version(other))


def is_lower(version: str, than: str) -> bool:
    """Tell whether one version is lower than another; what is no version is neither lower nor higher."""
    left, right = parse_version(version), parse_version(than)
    return left is not None and right is not None and left < right


def in_full(version: str) -> str:
    """Give a version with all of its three numbers, as tenants save it: ``1.2`` -> ``1.2.0``; other texts stay."""
    parsed = parse_version(version)
    return version if parsed is None or parsed[3] else ".".join(str(number) for number in parsed[:3])


def next_patch(version: str) -> str:
    """Give the version after one, with the last number raised: ``1.0.3`` -> ``1.0.4``; ``1.0.1`` after no version."""
    major, minor, micro, _ = parse_version(version) or (1, 0, 0, "")
    return f"{major}.{minor}.{micro + 1}"
