"""Values of a script text: taken one after another, each checked, what is left over named."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

import yaml

_E = TypeVar("_E", bound=StrEnum)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice; plain YAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT002
        """Build a mapping with every key once."""
        seen: set[str] = set()
        for key, _ in node.value:
            text = key.value if isinstance(key, yaml.ScalarNode) else None
            if text in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{text}' stands twice", key.start_mark)
            if text is not None:
                seen.add(text)
        return super().construct_mapping(node, deep)


def parse_document(text: str) -> object:
    """Read one YAML document, JSON being YAML; ``yaml.YAMLError`` or ``ValueError`` where it is none."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


class Section:
    """One mapping of the text; ``place`` is where it stands, problems go to the list all sections share."""

    def __init__(self, value: object, place: str, problems: list[str]) -> None:
        """Take a value that must be a mapping."""
        self.place = place
        self.problems = problems
        self.wrong: set[str] = set()
        self._known: list[str] = []
        self._values: dict[object, object] = dict(value) if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            self.problems.append(f"{place or 'the script'}: must be a mapping")

    def has(self, name: str) -> bool:
        """Whether a key is there; it counts as known."""
        self._known.append(name)
        return name in self._values

    def take(self, name: str) -> object:
        """Give a value, ``None`` where there is none, and count its key as known."""
        return self._values.get(name) if self.has(name) else None

    def problem(self, name: str, message: str) -> None:
        """Note what is wrong with a value."""
        self.wrong.add(name)
        place = f"{self.place}.{name}" if self.place else name
        self.problems.append(f"{place}: {message}")

    def finish(self) -> None:
        """Name the keys nobody asked for."""
        for key in self._values:
            if key in self._known:
                continue
            close = get_close_matches(str(key), self._known, 1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            self.problem(str(key), f"is not known here{hint}")

    def sections(self, name: str) -> Iterator[Section]:
        """Give the mappings of a list, one after another."""
        value = self.take(name)
        if value is not None and not isinstance(value, list):
            self.problem(name, "must be a list")
            return
        for index, item in enumerate(value or []):
            section = Section(item, f"{name}[{index}]", self.problems)
            if isinstance(item, Mapping):
                yield section

    def optional_integer(self, name: str) -> int | None:
        """Give a whole number, if there is one."""
        value = self.take(name)
        if value is None or type(value) is int:
            return value
        self.problem(name, "must be a whole number")
        return None

    def integer(self, name: str, default: int) -> int:
        """Give a whole number."""
        value = self.optional_integer(name)
        return default if value is None else value

    def optional_number(self, name: str) -> float | None:
        """Give a number, if there is one; what no float can hold is none."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                self.problem(name, "is too large")
                return None
        self.problem(name, "must be a number")
        return None

    def number(self, name: str, default: float) -> float:
        """Give a number."""
        value = self.optional_number(name)
        return default if value is None else value

    def optional_boolean(self, name: str) -> bool | None:
        """Give a truth value, if there is one."""
        value = self.take(name)
        if value is None or isinstance(value, bool):
            return value
        self.problem(name, "must be true or false")
        return None

    def optional_text(self, name: str) -> str | None:
        """Give a text, if there is one."""
        value = self.take(name)
        if value is None or isinstance(value, str):
            return value
        self.problem(name, "must be a text; put it into quotes")
        return None

    def text(self, name: str, default: str) -> str:
        """Give a text."""
        value = self.optional_text(name)
        return default if value is None else value

    def needed_text(self, name: str) -> str:
        """Give a text that must be there."""
        value = self.take(name)
        if not isinstance(value, str) or not value:
            self.problem(name, "must be given, as a text")
            return ""
        return value

    def texts(self, name: str) -> dict[str, str]:
        """Give a mapping of texts to texts."""
        value = self.take(name)
        if value is None:
            return {}
        if isinstance(value, Mapping) and all(isinstance(part, str) for item in value.items() for part in item):
            return {str(key): str(item) for key, item in value.items()}
        self.problem(name, "must be a mapping of texts")
        return {}

    def word(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Give one of some words."""
        value = self.take(name)
        if value is None:
            return default
        if isinstance(value, str) and value in allowed:
            return value
        self.problem(name, f"must be one of {', '.join(allowed)}")
        return default

    def choice(self, name: str, kinds: type[_E]) -> _E | None:
        """Give a member of an enumeration that must be there."""
        value = self.take(name)
        names = [item.value for item in kinds]
        if isinstance(value, str) and value in names:
            return kinds(value)
        close = get_close_matches(str(value), names, 1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        self.problem(name, f"must be one of {', '.join(names)}{hint}")
        return None
