"""Package and artifact filters: comma-separated ids as written in the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cpi_tasks.environment.settings import Layer, Layers
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The names of one filter, with the place that gives it; ``None`` as a place means there is no filter."""

    key: str
    what: str
    names: frozenset[str]
    layer: Layer | None

    def keeps(self, name: str) -> bool:
        """Whether something with this id stays."""
        return self.layer is None or name in self.names

    def find_unmatched(self, ids: Mapping[str, str]) -> tuple[Problem, ...]:
        """Complain about every name that is not among ``ids`` (ids as written -> final ids)."""
        if self.layer is None:
            return ()
        return tuple(
            self.layer.problem(self.key, f"there is no {self.what} '{name}'{_hint(name, ids)}")
            for name in sorted(self.names - set(ids))
        )


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
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    return Filter(key=key, what=what, names=names, layer=layer if names else None)


def _hint(name: str, ids: Mapping[str, str]) -> str:
    written = _written_id(name, ids.items())
    if written is not None:
        return f"; filters name ids as written in the files, without the prefix: '{written}'"
    return did_you_mean(name, ids)


def _written_id(name: str, ids: Iterable[tuple[str, str]]) -> str | None:
    return next((source for source, final in ids if final == name), None)
