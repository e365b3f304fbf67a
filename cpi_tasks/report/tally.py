"""What plans come to: how many artifacts would be created, updated, deployed, left as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, Origin, PackageAction, Plan, UpdateAction

DEPLOYS = frozenset({DeployAction.DEPLOY, DeployAction.WATCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The numbers of one or several plans; an artifact that is both written and deployed counts in both.

    ``blocked`` deployments are planned but will not happen, because the artifact or one it uses is refused.
    """

    packages: int
    artifacts: int
    package_actions: Counter[PackageAction]
    updates: Counter[UpdateAction]
    deploys: Counter[DeployAction]
    unchanged: int
    left_alone: int
    skipped: int
    refused: int
    blocked: int
    unknown_origins: int
    has_updates: bool
    has_deploys: bool

    @property
    def has_changes(self) -> bool:
        """Whether a run would write, deploy or watch anything."""
        written = sum(amount for action, amount in self.updates.items() if action not in _QUIET_UPDATES)
        packages = self.package_actions[PackageAction.CREATE] + self.package_actions[PackageAction.UPDATE]
        return bool(written or packages or self.deploys[DeployAction.DEPLOY] or self.deploys[DeployAction.WATCH])

    @property
    def all_refused(self) -> int:
        """How many artifacts and packages a run would report as failed from the start."""
        return self.refused + self.blocked + self.package_actions[PackageAction.REFUSE]

    def words(self) -> str:
        """Give the counts line: what is zero is left out, except what everybody looks for."""
        updates, deploys, packages = self.updates, self.deploys, self.package_actions
        words = [f"{updates[UpdateAction.CREATE]:,} to create"] if updates[UpdateAction.CREATE] else []
        words.append(f"{updates[UpdateAction.UPDATE]:,} to update" if self.has_updates else "no update phase")
        others = [
            (updates[UpdateAction.CONFIGURE], "to reconfigure"),
            (updates[UpdateAction.REPLACE], "to replace"),
            (updates[UpdateAction.SAVE_VERSION], "to save as a version"),
        ]
        words += [f"{amount:,} {word}" for amount, word in others if amount]
        words.append(f"{deploys[DeployAction.DEPLOY]:,} to deploy" if self.has_deploys else "no deploy phase")
        words += [f"{deploys[DeployAction.WATCH]:,} to watch"] if deploys[DeployAction.WATCH] else []
        words.append(f"{self.unchanged:,} unchanged")
        others = [
            (self.left_alone, "left alone"),
            (self.skipped, "skipped"),
            (self.refused, "refused"),
            (self.blocked, "held up by a refused one"),
        ]
        words += [f"{amount:,} {word}" for amount, word in others if amount]
        of_packages = [
            (packages[PackageAction.CREATE], "to create"),
            (packages[PackageAction.UPDATE], "to update"),
            (packages[PackageAction.REFUSE], "refused"),
        ]
        named = ", ".join(f"{amount:,} {word}" for amount, word in of_packages if amount)
        return ", ".join(words) + (f"; packages: {named}" if named else "")


_QUIET_UPDATES = frozenset({UpdateAction.UNCHANGED, UpdateAction.KEEP, UpdateAction.REFUSE})


def tally(plans: Iterable[Plan]) -> Tally:
    """Count what some plans come to, together."""
    plans = tuple(plans)
    packages = [package for plan in plans for package in plan.packages]
    artifacts = [artifact for plan in plans for artifact in plan.artifacts()]
    blocked = {ref for plan in plans for ref in blockers(plan)}
    deploys = Counter(a.deploy.action for a in artifacts if a.deploy and a.ref not in blocked and not is_refused(a))
    return Tally(
        packages=len(packages),
        artifacts=len(artifacts),
        package_actions=Counter(package.action for package in packages),
        updates=Counter(artifact.update.action for artifact in artifacts if artifact.update is not None),
        deploys=deploys,
        unchanged=sum(is_unchanged(a) for a in artifacts),
        left_alone=sum(is_left_alone(a) and not (a.deploy and a.deploy.action in DEPLOYS) for a in artifacts),
        skipped=sum(a.update is None and a.deploy is None for a in artifacts),
        refused=sum(map(is_refused, artifacts)),
        blocked=len(blocked),
        unknown_origins=sum(map(_is_of_unknown_origin, artifacts))
        + sum(p.origin is Origin.UNKNOWN and p.action is not PackageAction.CREATE for p in packages),
        has_updates=any(plan.updates for plan in plans),
        has_deploys=any(plan.deploys for plan in plans),
    )


def _is_of_unknown_origin(artifact: ArtifactPlan) -> bool:
    """Whether nobody can tell who made the content or a parameter differ that is about to be overwritten."""
    update = artifact.update
    if update is None or update.action is UpdateAction.CREATE:
        return False
    return Origin.UNKNOWN in (update.origin, *(change.origin for change in update.changes))


def is_unchanged(artifact: ArtifactPlan) -> bool:
    """Whether it was looked at and nothing needs doing."""
    steps = [step for step in (artifact.update, artifact.deploy) if step is not None]
    return bool(steps) and all(step.action in {UpdateAction.UNCHANGED, DeployAction.RUNNING} for step in steps)


def is_refused(artifact: ArtifactPlan) -> bool:
    """Whether one of its steps is known to fail."""
    steps = (artifact.update, artifact.deploy)
    return any(step is not None and step.action in {UpdateAction.REFUSE, DeployAction.REFUSE} for step in steps)


def is_left_alone(artifact: ArtifactPlan) -> bool:
    """Whether it differs from the files and stays as it is, as the settings say."""
    return artifact.update is not None and artifact.update.action is UpdateAction.KEEP and not is_refused(artifact)


def blockers(plan: Plan) -> dict[ArtifactRef, ArtifactRef]:
    """Give for each deployment that will not happen because of another artifact that one.

    A deployment waits for what it uses; where that is refused, or waits in vain itself, so does the deployment.
    """
    bad = {artifact.ref for artifact in plan.artifacts() if is_refused(artifact)}
    held_up: dict[ArtifactRef, ArtifactRef] = {}
    waiting = [
        (artifact.ref, sorted(artifact.deploy.depends_on))
        for artifact in plan.artifacts()
        if artifact.ref not in bad and artifact.deploy is not None and artifact.deploy.action in DEPLOYS
    ]
    is_settled = not bad
    while not is_settled:
        found = {ref: next((need for need in needs if need in bad), None) for ref, needs in waiting if ref not in bad}
        new = {ref: need for ref, need in found.items() if need is not None}
        held_up |= new
        bad |= new.keys()
        is_settled = not new
    return held_up
