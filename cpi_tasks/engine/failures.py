"""Turn what the tenant refused into a reason and the next step, asking the tenant who is in the way."""

from __future__ import annotations

import http
from dataclasses import dataclass

from cpi_tasks.engine.advice import advice_for
from cpi_tasks.errors import (
    AuthenticationError,
    InputError,
    NotRecorded,
    RequestRejected,
    TenantError,
    TenantUnavailable,
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
    known = _known(error)
    if known is not None:
        return known
    if isinstance(error, RequestRejected) and artifact is not None:
        try:
            found = await _look_behind(error, tenant, artifact)
        except TenantError:
            found = None
        if found is not None:
            return found
    if isinstance(error, RequestRejected):
        return Failure(reason=str(error), advice=advice_for(error))
    return Failure(reason=str(error), advice="rerun; if it happens again, report it to SAP")


def _known(error: TenantError | InputError) -> Failure | None:
    """Return what is said of errors that no answer of the tenant explains further."""
    if isinstance(error, InputError):
        problems = "; ".join(str(problem) for problem in error.problems)
        return Failure(reason=f"its files changed during the run: {problems}", advice="fix the files, then rerun")
    if isinstance(error, AuthenticationError):
        return Failure(reason=str(error), advice="check the credentials of the environment", is_unreachable=True)
    if isinstance(error, NotRecorded):
        return Failure(reason=str(error), advice="rerun once it can be written; completed work is skipped")
    if isinstance(error, TenantUnavailable):
        advice = "rerun once that is fixed; completed work is skipped"
        return Failure(reason=str(error), advice=advice, is_unreachable=True)
    return None


async def _look_behind(error: RequestRejected, tenant: Tenant, artifact: ArtifactPlan) -> Failure | None:
    is_locked = "locked" in error.detail.lower() or error.status == http.HTTPStatus.LOCKED
    if is_locked and not error.is_page:
        owner = next((x.created_by for x in await tenant.list_locks() if x.artifact == artifact.ref.artifact), "")
        who = f" by {owner}" if owner else ""
        return Failure(
            reason=f"{error} (open for editing{who} in the Web UI)",
            advice=f"have it saved or closed{who or ' there'}, then rerun",
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
