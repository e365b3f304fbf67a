"""Values of configuration parameters: those a plan knows, and texts from a tenant without them."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan, Plan

HIDDEN = "***"
_SHORTEST_HIDDEN = 3
"""Shorter values (``1``, ``no``) tell nothing, and hiding them would leave nothing of any text."""

Values = Mapping[ArtifactRef, tuple[str, ...]]


def values_in(plan: Plan) -> Values:
    """Give all parameter values that a plan knows, of files and tenant, by artifact and as they may be spelt."""
    return {artifact.ref: _longest_first(_values(artifact)) for artifact in plan.artifacts()}


def values_of(contents: Iterable[ArtifactContent]) -> Values:
    """Give all parameter values of artifact folders, the same way: for runs whose plans know none (deploy-only)."""
    return {
        content.spec.ref: _longest_first((*content.parameters.values(), *content.spec.overrides.values()))
        for content in contents
    }


def together(*found: Values) -> Values:
    """Give what several of them know of each artifact."""
    refs = {ref for values in found for ref in values}
    return {ref: _sorted({text for values in found for text in values.get(ref, ())}) for ref in refs}


def without(text: str, values: Iterable[str]) -> str:
    """Give ``text`` with each of the values, the longest first, replaced by asterisks."""
    for value in values:
        text = text.replace(value, HIDDEN)
    return text


def _values(artifact: ArtifactPlan) -> Iterator[str]:
    step = artifact.update
    if step is None:
        return
    yield from step.enforced.values()
    if step.content is not None:
        yield from step.content.parameters.values()
    for change in (*step.changes, *step.kept):
        yield from (text for text in (change.old, change.new) if text is not None)


def _longest_first(values: Iterable[str]) -> tuple[str, ...]:
    spelt = {spelling for value in values for spelling in _spellings(value) if len(spelling) >= _SHORTEST_HIDDEN}
    return _sorted(spelt)


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))


def _spellings(value: str) -> Iterator[str]:
    """Give a value as tenants repeat it: as it is, on one line, and as JSON, XML and addresses have it."""
    yield value
    yield " ".join(value.split())
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield quote(value, safe="", errors="replace")
