"""What a plan says of artifacts that somebody has open in the editor: a tenant refuses to change them meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.plan import ArtifactPlan, Plan
from cpi_tasks.model.tenant import DesigntimeLock
from cpi_tasks.planning.words import in_brackets, last_change


def with_lock_warnings(plan: Plan, locks: Mapping[ArtifactId, DesigntimeLock]) -> Plan:
    """Give a plan with one warning more for each artifact that is written while somebody has it open."""

    def warned(artifact: ArtifactPlan) -> ArtifactPlan:
        lock = locks.get(artifact.ref.artifact)
        if lock is None or artifact.update is None or not artifact.update.writes:
            return artifact
        who = in_brackets(last_change(lock.created_by, lock.created_at))
        warning = f"open in an editor{who}: a tenant refuses to change it until it is closed there"
        return replace(artifact, warnings=(*artifact.warnings, warning))

    packages = (replace(p, artifacts=tuple(warned(artifact) for artifact in p.artifacts)) for p in plan.packages)
    return replace(plan, packages=tuple(packages))
