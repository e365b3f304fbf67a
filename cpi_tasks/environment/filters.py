"""Package and artifact filters: comma-separated ids as written in the files, with globs and negation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cpi_tasks.environment.settings import Layer, Layers
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.errors import Problem

_NEGATION = "!"
_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a filter: an id or a glob of ids; a negated one takes away what it matches."""

    pattern: str
    is_negated: bool

    @property
    def written(self) -> str:
        """The part as it was written."""
        return f"{_NEGATION}{self.pattern}" if self.is_negated else self.pattern

    def matches(self, name: str) -> bool:
        """Whether the part is about this id; upper and lower case differ, as in ids."""
        return name == self.pattern or fnmatchcase(name, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter, with the place that gives it; ``None`` as a place means there is no filter.

    Without a part that is not negated, everything stays but what the negated ones match.
    """

    key: str
    what: str
    parts: tuple[Part, ...]
    layer: Layer | None

    def keeps(self, name: str) -> bool:
        """Whether something with this id stays."""
        wanted = [part for part in self.parts if not part.is_negated]
        is_wanted = not wanted or any(part.matches(name) for part in wanted)
        return is_wanted and not any(part.matches(name) for part in self.parts if part.is_negated)

    def find_unmatched(self, ids: Mapping[str, str]) -> tuple[Problem, ...]:
        """Return a problem for every part that matches none of ``ids`` (ids as written -> final ids)."""
        layer = self.layer
        if layer is None:
            return ()
        return tuple(
            layer.problem(self.key, self._complaint(part, ids))
            for part in sorted(self.parts, key=lambda part: part.written)
            if not any(part.matches(name) for name in ids)
        )

    def _complaint(self, part: Part, ids: Mapping[str, str]) -> str:
        if not part.pattern:
            after = f" after '{_NEGATION}'" if part.is_negated else "; an empty filter means none"
            return f"'{part.written}' names no {self.what}; write an id or a pattern{after}"
        if _WILDCARDS.intersection(part.pattern):
            return f"no {self.what} matches '{part.written}'{_hint(part.pattern, ids)}"
        return f"there is no {self.what} '{part.pattern}'{_hint(part.pattern, ids)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Both filters of a run."""

    packages: Filter
    artifacts: Filter

    @property
    def problem_place(self) -> tuple[Layer, str] | None:
        """Where to complain about both filters together; ``None`` where nothing is filtered."""
        for each in (self.artifacts, self.packages):
            if each.layer is not None:
                return each.layer, each.key
        return None


def read_filters(layers: Layers) -> Filters:
    """Read the filters that precedence leaves; an empty flag clears the filter of a file."""
    return Filters(
        packages=_read("packageFilter", "package", layers.first(lambda keys: keys.package_filter)),
        artifacts=_read("artifactFilter", "artifact", layers.first(lambda keys: keys.artifact_filter)),
    )


def _read(key: str, what: str, found: tuple[str, Layer] | None) -> Filter:
    text, layer = found if found is not None else ("", None)
    parts = tuple(dict.fromkeys(_part(name.strip()) for name in text.split(",") if name.strip()))
    if text.strip() and not parts:
        # Commas alone, as of two variables without a value: meant to leave something out, so not taken for no filter.
        parts = (Part(pattern="", is_negated=False),)
    return Filter(key=key, what=what, parts=parts, layer=layer if parts else None)


def _part(text: str) -> Part:
    is_negated = text.startswith(_NEGATION)
    return Part(pattern=text.removeprefix(_NEGATION).strip() if is_negated else text, is_negated=is_negated)


def _hint(name: str, ids: Mapping[str, str]) -> str:
    written = _written_id(name, ids.items())
    if written is not None:
        return f"; filters name ids as written in the files, without the prefix: '{written}'"
    return did_you_mean(name, ids)


def _written_id(name: str, ids: Iterable[tuple[str, str]]) -> str | None:
    return next((source for source, final in ids if fnmatchcase(final, name)), None)
