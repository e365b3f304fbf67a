"""Turn what the tenant refused into a reason and the next step, asking the tenant who is in the way."""

from __future__ import annotations

from dataclasses import dataclass

from cpi_tasks.errors import (
    AuthenticationError,
    InputError,
    NotRecorded,
    RequestRejected,
    TenantError,
    TenantUnavailable,
    UnreadableAnswer,
)
from cpi_tasks.model.plan import ArtifactPlan, UpdateAction
from cpi_tasks.model.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something failed and what to try next."""

    reason: str
    advice: str
    is_unreachable: bool = False


async def explain(error: TenantError | InputError, tenant: Tenant, artifact: ArtifactPlan | None = None) -> Failure:
    """Give reason and advice for an error; asks for locks or for the owner of an id where that says more."""
    if isinstance(error, InputError):
        problems = "; ".join(str(problem) for problem in error.problems)
        return Failure(reason=f"its files changed during the run: {problems}", advice="mend the files and run again")
    if isinstance(error, AuthenticationError):
        return Failure(reason=str(error), advice="check the credentials of the environment", is_unreachable=True)
    if isinstance(error, NotRecorded):
        return Failure(reason=str(error), advice="run again when it can be written, which goes on from here")
    if isinstance(error, TenantUnavailable):
        advice = "run again when the tenant answers; it goes on where this run ended"
        return Failure(reason=str(error), advice=advice, is_unreachable=True)
    if isinstance(error, RequestRejected) and artifact is not None:
        try:
            found = await _look_behind(error, tenant, artifact)
        except TenantError:
            found = None
        if found is not None:
            return found
    is_odd = isinstance(error, UnreadableAnswer)
    advice = "rerun; if it happens again, report it to SAP" if is_odd else "mend what the tenant names and run again"
    return Failure(reason=str(error), advice=advice)


async def _look_behind(error: RequestRejected, tenant: Tenant, artifact: ArtifactPlan) -> Failure | None:
    if "locked" in error.detail.lower():
        owner = next((x.created_by for x in await tenant.list_locks() if x.artifact == artifact.ref.artifact), "")
        who = f" by {owner}" if owner else ""
        return Failure(
            reason=f"{error} (open for editing{who} in the Web UI)",
            advice=f"have it saved or closed{who or ' there'}, then run again",
        )
    is_creation = artifact.update is not None and artifact.update.action is UpdateAction.CREATE
    if is_creation:
        existing = await tenant.read_artifact(artifact.ref.artifact, artifact.kind)
        if existing is not None and existing.package != artifact.ref.package:
            return Failure(
                reason=f"artifact id '{artifact.ref.artifact}' belongs to package '{existing.package}' on the tenant "
                f"already, and ids are unique on a tenant ({error})",
                advice="choose another deploymentPrefix or artifactId, or name that package in the configuration",
            )
    return None
