"""A package's metadata as it is compared: what the files give, and descriptions without what tenants wrap around."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from cpi_tasks.model.config import PackageSpec

_WHOLE_PARAGRAPH = re.compile(r"\s*<p>((?:(?!</?p>).)*|\s*<p>.*</p>\s*)</p>\s*", re.DOTALL | re.IGNORECASE)


def given_metadata(spec: PackageSpec) -> Mapping[str, str]:
    """Give the metadata fields that the files name, under their API names; what is not given is left alone."""
    given = {"Name": spec.name, "ShortText": spec.short_text, "Description": spec.description}
    return {name: value for name, value in given.items() if value is not None}


def comparable_metadata(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """Give metadata fields so that equal ones are equal texts: a description without its paragraphs and line breaks."""
    return {name: _plain(value) if name == "Description" else value.strip() for name, value in metadata.items()}


def differing_metadata(spec: PackageSpec, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Name the given fields that a tenant's ``metadata`` has otherwise, in a fixed order."""
    wanted, found = comparable_metadata(given_metadata(spec)), comparable_metadata(metadata)
    return tuple(name for name, value in wanted.items() if found.get(name, "") != value)


def _plain(text: str) -> str:
    """Reduce a description to what counts: tenants wrap plain text in paragraphs, deeper with each round trip."""
    while match := _WHOLE_PARAGRAPH.fullmatch(text):
        text = match.group(1)
    return " ".join(html.unescape(text).split())
