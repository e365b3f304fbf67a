"""What happened: one outcome for every planned step, folded once into counts and an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from cpi_tasks.errors import RunFailed
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import PackageAction, UpdateAction


class Status(Enum):
    """How a step ended. ABORTED: not begun, because of another's failure. ABANDONED: cut off by an interruption."""

    DONE = "done"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"
    ABORTED = "aborted"
    ABANDONED = "abandoned"

    @property
    def is_bad(self) -> bool:
        """Whether something asked for is not there."""
        return self in {Status.FAILED, Status.ABORTED, Status.ABANDONED}


_BAD = (Status.FAILED, Status.ABANDONED, Status.ABORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """How one step ended.

    ``summary`` is a short phrase in the past tense ("created 1.0.0", "deployed 1.0.1", "unchanged"); ``reason`` is why,
    with the tenant's text for a failure; ``advice`` is what to try next. ``is_unreachable``: it failed because the
    tenant gave no usable answer or refused the login. ``action`` is what an update in DONE did.
    """

    status: Status
    summary: str
    reason: str = ""
    advice: str = ""
    duration_s: float = 0.0
    is_unreachable: bool = False
    action: UpdateAction | PackageAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactOutcome:
    """What became of one planned artifact; a step that was not planned is ``None``."""

    ref: ArtifactRef
    kind: ArtifactKind
    update: StepOutcome | None = None
    deploy: StepOutcome | None = None
    skipped: StepOutcome | None = None
    """Given only where neither step was planned."""
    warnings: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[StepOutcome, ...]:
        """The steps that exist, in order."""
        return tuple(step for step in (self.update, self.deploy, self.skipped) if step is not None)

    @property
    def has_failed(self) -> bool:
        """Whether any step is not what was asked for."""
        return any(step.status.is_bad for step in self.steps)

    @property
    def worst(self) -> Status | None:
        """How it is not as asked for: failed, else cut off by an interruption, else aborted; ``None`` where it is."""
        found = {step.status for step in self.steps}
        return next((status for status in _BAD if status in found), None)

    @property
    def is_changed(self) -> bool:
        """Whether it was updated or deployed and is as asked for, with nothing skipped."""
        return not (self.has_failed or self.is_skipped) and any(step.status is Status.DONE for step in self.steps)

    @property
    def is_unchanged(self) -> bool:
        """Whether it was looked at and nothing needed doing."""
        return bool(self.steps) and all(step.status is Status.UNCHANGED for step in self.steps)

    @property
    def is_skipped(self) -> bool:
        """Whether nothing was done because that was asked for, at least in one step."""
        return not self.has_failed and any(step.status is Status.SKIPPED for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageOutcome:
    """What became of one package: its metadata and its artifacts."""

    id: PackageId
    update: StepOutcome | None
    artifacts: tuple[ArtifactOutcome, ...]

    @property
    def has_failed(self) -> bool:
        """Whether the package itself or any of its artifacts failed."""
        own = self.update is not None and self.update.status.is_bad
        return own or any(artifact.has_failed for artifact in self.artifacts)

    @property
    def is_unfinished(self) -> bool:
        """Whether all that is not as asked for was cut off by an interruption."""
        own = () if self.update is None else (self.update,)
        steps = (*own, *(step for artifact in self.artifacts for step in artifact.steps))
        bad = {step.status for step in steps if step.status.is_bad}
        return bad == {Status.ABANDONED}

    @property
    def is_created(self) -> bool:
        """Whether the package itself was created."""
        return self.update is not None and self.update.action is PackageAction.CREATE

    @property
    def is_updated(self) -> bool:
        """Whether its metadata or any of its artifacts was written, and nothing of the package's update failed."""
        steps = [self.update, *(artifact.update for artifact in self.artifacts)]
        updates = [step for step in steps if step is not None]
        return any(s.status is Status.DONE for s in updates) and not any(s.status.is_bad for s in updates)

    @property
    def is_deployed(self) -> bool:
        """Whether something of it was deployed and nothing of its deployments failed."""
        deploys = [artifact.deploy for artifact in self.artifacts if artifact.deploy is not None]
        return any(s.status is Status.DONE for s in deploys) and not any(s.status.is_bad for s in deploys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The numbers of the summary.

    ``artifacts_total`` is the sum of changed, unchanged, skipped, failed and unfinished artifacts. What was kept from
    starting by another failure counts as failed, what an interruption cut off as unfinished. ``artifacts_updated`` is
    every artifact that was written; created, reconfigured, replaced and saved as a version are some of these.
    """

    packages_total: int
    packages_updated: int
    packages_deployed: int
    packages_unchanged: int
    packages_failed: int
    artifacts_total: int
    artifacts_updated: int
    artifacts_deployed: int
    artifacts_deploy_failed: int
    artifacts_unchanged: int
    artifacts_skipped: int
    artifacts_failed: int
    packages_created: int = 0
    packages_unfinished: int = 0
    artifacts_changed: int = 0
    artifacts_unfinished: int = 0
    artifacts_created: int = 0
    artifacts_reconfigured: int = 0
    artifacts_replaced: int = 0
    artifacts_version_saved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """The result of one deploy configuration; durations in wall-clock seconds, ``None`` where a phase did not run."""

    source: str
    packages: tuple[PackageOutcome, ...]
    update_s: float | None
    deploy_s: float | None
    warnings: tuple[str, ...] = ()

    def artifacts(self) -> Iterator[ArtifactOutcome]:
        """All artifacts in the order of the files."""
        for package in self.packages:
            yield from package.artifacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a whole run, one part for each deploy configuration."""

    environment: str
    tenant: str
    parts: tuple[PartReport, ...]
    duration_s: float
    reading_s: float | None = None
    """How long reading files and tenant and planning took; ``None`` where that is not known."""
    confirmation_s: float = 0.0
    """How long the run waited for a person to confirm it."""
    is_interrupted: bool = False
    kept_folder: str = ""
    """Where the uploaded content was kept, unpacked; empty where that was not asked for."""

    def packages(self) -> Iterator[PackageOutcome]:
        """All packages in the order of the files."""
        for part in self.parts:
            yield from part.packages

    def artifacts(self) -> Iterator[ArtifactOutcome]:
        """All artifacts in the order of the files."""
        for part in self.parts:
            yield from part.artifacts()

    @property
    def exit_code(self) -> int:
        """130 interrupted; 3 where all that failed did so for want of the tenant; 1 for other failures; else 0."""
        if self.is_interrupted:
            return 130
        if not any(package.has_failed for package in self.packages()):
            return 0
        failed = [step for _, step in self._named_steps() if step.status is Status.FAILED]
        return 3 if failed and all(step.is_unreachable for step in failed) else 1

    def raise_for_failures(self) -> None:
        """Raise ``RunFailed``, with the report's exit code, unless everything asked for is done."""
        if self.exit_code:
            failures = [
                ": ".join(part for part in (name, step.summary, step.reason.strip().split("\n")[0]) if part)
                for name, step in self._named_steps()
                if step.status.is_bad
            ]
            raise RunFailed(failures, exit_code=self.exit_code)

    def _named_steps(self) -> Iterator[tuple[str, StepOutcome]]:
        for package in self.packages():
            yield from ((f"package {package.id}", package.update),) if package.update is not None else ()
            yield from ((str(artifact.ref), step) for artifact in package.artifacts for step in artifact.steps)


def count(parts: tuple[PartReport, ...]) -> Counts:
    """Fold the outcomes of some parts into the numbers of a summary."""
    packages = [package for part in parts for package in part.packages]
    artifacts = [artifact for part in parts for artifact in part.artifacts()]
    deploys = [artifact.deploy for artifact in artifacts if artifact.deploy is not None]
    updates = [artifact.update for artifact in artifacts if artifact.update is not None]
    did = Counter(step.action for step in updates if step.status is Status.DONE)
    ends = Counter(artifact.worst for artifact in artifacts)
    quiet = [p for p in packages if not (p.has_failed or p.is_updated or p.is_deployed)]
    return Counts(
        packages_total=len(packages),
        packages_updated=sum(package.is_updated for package in packages),
        packages_deployed=sum(package.is_deployed for package in packages),
        packages_unchanged=len(quiet),
        packages_failed=sum(package.has_failed and not package.is_unfinished for package in packages),
        packages_created=sum(package.is_created for package in packages),
        packages_unfinished=sum(package.is_unfinished for package in packages),
        artifacts_total=len(artifacts),
        artifacts_updated=sum(step.status is Status.DONE for step in updates),
        artifacts_deployed=sum(step.status is Status.DONE for step in deploys),
        artifacts_deploy_failed=sum(step.status in {Status.FAILED, Status.ABORTED} for step in deploys),
        artifacts_unchanged=sum(artifact.is_unchanged for artifact in artifacts),
        artifacts_skipped=sum(artifact.is_skipped for artifact in artifacts),
        artifacts_failed=ends[Status.FAILED] + ends[Status.ABORTED],
        artifacts_changed=sum(artifact.is_changed for artifact in artifacts),
        artifacts_unfinished=ends[Status.ABANDONED],
        artifacts_created=did[UpdateAction.CREATE],
        artifacts_reconfigured=did[UpdateAction.CONFIGURE],
        artifacts_replaced=did[UpdateAction.REPLACE],
        artifacts_version_saved=did[UpdateAction.SAVE_VERSION],
    )
