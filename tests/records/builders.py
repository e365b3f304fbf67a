"""Small builders for what is kept below ``.cpi``: ids, states of the tenant, and what is known of them."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import trio

from cpi_tasks.events import PlanMade
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.records import Known
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import DesigntimeArtifact, IntegrationPackage
from cpi_tasks.records import RunJournal, StateFolder

EVIL = ["..", "../..", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", ".", "....", "a\0b", "C:\\x", "\n", " ", ""]
FLOW, OTHER = ArtifactId("Flow"), ArtifactId("Other")
PACK = PackageId("Pack")


def ref(package: str = "Pack", artifact: str = "Flow") -> ArtifactRef:
    return ArtifactRef(package=PackageId(package), artifact=ArtifactId(artifact))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def tree(folder: Path) -> list[str]:
    """Name every file and folder below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def design(
    artifact: str = "Flow", version: str = "1.0.3", modified_at: int | None = 1767600000123
) -> DesigntimeArtifact:
    return DesigntimeArtifact(
        id=ArtifactId(artifact),
        kind=ArtifactKind.INTEGRATION_FLOW,
        package=PACK,
        version=version,
        name="Order In",
        modified_at=modified_at,
        modified_by="jane@example.com",
    )


def known(
    content: str = "c1",
    version: str = "1.0.3",
    modified_at: int = 1767600000123,
    parameters: Mapping[str, str] | None = None,
    parameter_digest: str | None = None,
) -> Known:
    return Known(
        version=version,
        modified_at=modified_at,
        content=content,
        description="d1",
        parameters=parameters,
        parameter_digest=parameter_digest,
    )


def package(name: str = "Orders", **metadata: str) -> IntegrationPackage:
    return IntegrationPackage(
        id=PACK, name=name, short_text="", description="", is_read_only=False, metadata={"Name": name, **metadata}
    )


def planned(of: ArtifactRef, *, value: str = "new.example") -> PlanMade:
    """Give a plan that sets one parameter of one flow."""
    change = ParameterChange(key="Host", old="old.example", new=value)
    artifact = ArtifactPlan(
        ref=of,
        kind=ArtifactKind.INTEGRATION_FLOW,
        update=UpdateStep(action=UpdateAction.CONFIGURE, reason="", changes=(change,)),
    )
    package = PackagePlan(id=of.package, action=PackageAction.KEEP, reason="", artifacts=(artifact,))
    return PlanMade(plan=Plan(source="deploy.yml", packages=(package,), updates=True, deploys=True))


def outcome(reason: str = "") -> StepOutcome:
    return StepOutcome(status=Status.FAILED if reason else Status.DONE, summary="configured", reason=reason)


async def at_once(work: Callable[[], None]) -> None:
    """Do without a thread what would block."""
    work()
    await trio.lowlevel.checkpoint()


def journal_of(root: Path, mask: Callable[[str], str] = str) -> RunJournal:
    """Give the journal of run ``r1``."""
    return RunJournal(StateFolder(root, run="r1"), mask, at_once)
