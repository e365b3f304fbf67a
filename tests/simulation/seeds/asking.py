"""What one run of a seed is asked for: phases, filters, force, and which artifacts it may touch because of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from cpi_tasks.model.config import Selection
from tests.simulation.seeds.content import Bundle, Content, Item

_MODES = (*("update-and-deploy",) * 5, "update-only", "update-only", "deploy-only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a run is asked for; a filter that is ``None`` is not given. ``is_by_key``: in the file, not by flags."""

    mode: str = "update-and-deploy"
    packages: frozenset[str] | None = None
    artifacts: frozenset[str] | None = None
    force: bool = False
    allow_downgrade: bool = False
    is_by_key: bool = False

    @property
    def selection(self) -> Selection:
        """The flags."""
        if self.is_by_key:
            return Selection(force=self.force, allow_downgrade=self.allow_downgrade)
        return Selection(
            mode_flags=(("--mode", self.mode),),
            package_filter=_listed(self.packages),
            artifact_filter=_listed(self.artifacts),
            force=self.force,
            allow_downgrade=self.allow_downgrade,
        )

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys of the environment."""
        given = {
            "mode": self.mode,
            "packageFilter": _listed(self.packages),
            "artifactFilter": _listed(self.artifacts),
        }
        return {key: value for key, value in given.items() if value is not None} if self.is_by_key else {}

    def takes(self, item: Item) -> bool:
        """Whether an artifact is in the run at all."""
        return _keeps(self.packages, item.package) and _keeps(self.artifacts, item.id)

    def updates(self, item: Item) -> bool:
        """Whether the run has an update of an artifact."""
        return self.mode != "deploy-only" and item.is_synced and self.takes(item)

    def deploys(self, item: Item) -> bool:
        """Whether the run may deploy an artifact."""
        return self.mode != "update-only" and item.is_deployed and self.takes(item)

    def writes(self, item: Item) -> bool:
        """Whether the run may change an artifact's content."""
        return self.updates(item) and not item.bundle.is_read_only

    def describes(self, bundle: Bundle, content: Content) -> bool:
        """Whether the run may change a package's own metadata."""
        is_kept = self.artifacts is None or any(item.bundle is bundle and self.takes(item) for item in content.items)
        is_named = _keeps(self.packages, bundle.id) and is_kept
        return self.mode != "deploy-only" and is_named and bundle.is_synced and not bundle.is_read_only

    def __str__(self) -> str:
        """Give it in words."""
        given = [f"{key} {value}" for key, value in self._filters().items() if value is not None]
        given += [word for word in ("force", "allow_downgrade", "is_by_key") if getattr(self, word)]
        return ", ".join((self.mode, *given))

    def _filters(self) -> Mapping[str, str | None]:
        return {"packages": _listed(self.packages), "artifacts": _listed(self.artifacts)}


def draw_ask(lots: Random, content: Content) -> Ask:
    """Draw what a run is asked for; a filter always leaves something to do."""
    packages = artifacts = None
    if lots.random() < 0.3:
        kept = content.items
        if lots.random() < 0.5:
            packages = frozenset(lots.sample(sorted({item.package for item in kept}), 1))
            kept = [item for item in kept if item.package in packages]
        if packages is None or lots.random() < 0.5:
            artifacts = frozenset(item.id for item in lots.sample(kept, lots.randint(1, len(kept))))
    return Ask(
        mode=lots.choice(_MODES),
        packages=packages,
        artifacts=artifacts,
        force=lots.random() < 0.1,
        allow_downgrade=lots.random() < 0.4,
        is_by_key=lots.random() < 0.4,
    )


def _listed(names: frozenset[str] | None) -> str | None:
    return None if names is None else ", ".join(sorted(names))


def _keeps(names: frozenset[str] | None, name: str) -> bool:
    return names is None or name in names
