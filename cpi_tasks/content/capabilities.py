"""The capability headers of a manifest: clauses separated by commas, parts by semicolons, both outside quotes only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_BUNDLE = re.compile(r"\A(\s*(?:scriptcollection|messagemapping)\.)(.*?)(\s*)\Z", re.DOTALL)
_VERSION = re.compile(r"\Aversion\s*(?::\s*Version\s*)?=", re.IGNORECASE)


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at a one-character separator, but not between double quotes; joined again the pieces give ``text``."""
    pieces: list[str] = []
    start = 0
    quoted = False
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            pieces.append(text[start:index])
            start = index + 1
    pieces.append(text[start:])
    return pieces


def capability_ids(header: str) -> Iterator[str]:
    """Give the ids of the script collections and message mappings that a capability header names."""
    for clause in split_outside_quotes(header, ","):
        match = _BUNDLE.match(split_outside_quotes(clause, ";")[0])
        if match is not None and match.group(2):
            yield match.group(2)


def rename_capabilities(header: str, renames: Mapping[str, str]) -> str:
    """Give the header with those ids exchanged that ``renames`` names; every other character stays."""
    clauses = []
    for clause in split_outside_quotes(header, ","):
        name, *rest = split_outside_quotes(clause, ";")
        match = _BUNDLE.match(name)
        if match is not None:
            name = match.group(1) + renames.get(match.group(2), match.group(2)) + match.group(3)
        clauses.append(";".join([name, *rest]))
    return ",".join(clauses)


def canonical_capabilities(header: str, *, keep_versions: bool) -> list[str]:
    """Give the clauses as a sorted set with sorted parts.

    A provided capability's version repeats ``Bundle-Version``, which is compared elsewhere: it is left out unless
    ``keep_versions``.
    """
    clauses = set()
    for clause in split_outside_quotes(header, ","):
        name, *parts = (part.strip() for part in split_outside_quotes(clause, ";"))
        kept = (part for part in parts if part and (keep_versions or not _VERSION.match(part)))
        if name:
            clauses.add(";".join([name, *sorted(kept)]))
    return sorted(clauses)
