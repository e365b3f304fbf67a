"""What a run would do, as a value: the result of planning without writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cpi_tasks.errors import Refused
from cpi_tasks.model.content import FileDiff
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import Plan

Diffs = Mapping[ArtifactRef, tuple[FileDiff, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a run would do. ``refusals`` say why it would be refused as a whole; ``saved`` is the plan as a text."""

    environment: str
    tenant: str
    plans: tuple[Plan, ...]
    diffs: Diffs
    refusals: tuple[str, ...]
    saved: str

    @property
    def has_changes(self) -> bool:
        """Whether the run would do anything, or could not do what is asked for."""
        return bool(self.refusals) or any(plan.has_changes for plan in self.plans)

    def raise_for_refusals(self) -> None:
        """Raise ``Refused`` (exit code 5) where a run of this plan would be refused."""
        if self.refusals:
            raise Refused("\n".join(("a run would be refused:", *self.refusals)))
