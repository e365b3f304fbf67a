"""What must be settled before what: counts down, and tells what becomes ready. Nothing waits for anything here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cpi_tasks.model.naming import ArtifactRef


class Order:
    """Artifacts that come after others; each is ready once all it comes after are settled."""

    def __init__(self, after: Mapping[ArtifactRef, Iterable[ArtifactRef]]) -> None:
        """Take for every artifact those that it comes after; of these, what is no key itself is settled already."""
        self._open: dict[ArtifactRef, int] = {}
        self._followers: dict[ArtifactRef, list[ArtifactRef]] = {}
        for ref, earlier in after.items():
            unsettled = [one for one in set(earlier) if one in after]
            self._open[ref] = len(unsettled)
            for one in unsettled:
                self._followers.setdefault(one, []).append(ref)

    def ready(self) -> list[ArtifactRef]:
        """Give what comes after nothing."""
        return [ref for ref, unsettled in self._open.items() if not unsettled]

    def settle(self, ref: ArtifactRef) -> list[ArtifactRef]:
        """Take note that one is settled, whatever its end; gives what is ready now."""
        ready = []
        for follower in self._followers.pop(ref, ()):
            self._open[follower] -= 1
            if not self._open[follower]:
                ready.append(follower)
        return ready
