"""Under which names a tenant shows what our own login does: as configured, or as it was seen after our own writes."""

from __future__ import annotations

from collections.abc import Mapping

SURE = 2
"""The weight from which a name counts as our own: once seen where nobody else can have written, or seen twice."""


class OwnNames:
    """The names of one login. Tenants show a user by name, an OAuth client by its id or with ``sb-`` before it.

    A tenant may show another name (a user's id for an address). That one is learnt, but only where the configured name
    is never seen: right after a write of ours somebody else may have written too.
    """

    def __init__(self, login: str, seen: Mapping[str, int]) -> None:
        """Take the user name or client id, which may be empty, and the weight of each name seen until now."""
        self._configured = frozenset({login.casefold(), f"sb-{login}".casefold()}) if login else frozenset[str]()
        self._seen = dict(seen)

    def all(self) -> frozenset[str]:
        """Return all names that are known to be ours, case-folded."""
        if self._configured & self._seen.keys():
            return self._configured
        return self._configured | {name for name, weight in self._seen.items() if weight >= SURE}

    def weigh(self, name: str, *, is_certain: bool) -> int | None:
        """Return the weight of a name that was just seen, case-folded; ``None`` where it says nothing new."""
        old = self._seen.get(name, 0)
        if not name or old >= SURE or self._configured & self._seen.keys():
            return None
        self._seen[name] = SURE if is_certain or name in self._configured else old + 1
        return self._seen[name]
