"""What is said of a deployment that failed: its task tells first, the runtime and the tenant's text come later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import trio

from cpi_tasks.engine.judge import Expectation, Look, has_failed, is_fresh
from cpi_tasks.engine.polling import Polling
from cpi_tasks.errors import TenantError
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.model.tenant import RuntimeArtifact, Tenant

NextLook = Callable[[float], Awaitable[RuntimeArtifact | None]]
"""Looks at the artifact after a pause in seconds."""

NO_ERROR_TEXT = "the tenant gives no error text; look at the artifact under Monitor, Manage Integration Content"
_FIX = "fix what the tenant names, then rerun"
_OPEN = "open the artifact there, which may show more, fix the cause, then rerun"
_LICENCE = "have the tenant's licence extended, or set deploy: false for the artifact"
_OTHER_RUNTIME = (
    "it probably goes to another runtime profile: compare the flow's parameter SAP_ProfileId (configOverrides can set "
    "it, for example to iflmap) and SAP-RuntimeProfile in META-INF/MANIFEST.MF with the runtime profiles of this "
    "tenant, then rerun"
)
_ERROR_TEXT_S = 15.0
_ERROR_STATUS_S = 30.0
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What is said of an error; ``is_known``: the tenant gave a text."""

    text: str
    is_known: bool = False


def last_question(left_s: float) -> float:
    """Return until when a failure's text is asked for, by trio's clock: the artifact's own time and a short grace."""
    return trio.current_time() + max(0.0, left_s) + _GRACE_S


async def wait_for_error(
    expected: Expectation, look: Look, *, polling: Polling, next_look: NextLook, until: float
) -> RuntimeArtifact | None:
    """Wait until the runtime shows a failure that the task told first; until then its text is an older one's.

    It is waited for half a minute, and not beyond ``until``.
    """
    seen = look.seen
    with trio.move_on_at(min(until, trio.current_time() + _ERROR_STATUS_S)), suppress(TenantError):
        for pause in polling.pauses():
            if seen is not None and seen.status == "ERROR" and is_fresh(expected, Look(seen=seen)) is not False:
                break
            seen = await next_look(pause)
    return seen


async def read_error_text(tenant: Tenant, artifact: ArtifactId, *, polling: Polling, until: float) -> ErrorText:
    """Read the error information, which appears some time after the status does: once at least, until then at most."""
    last = min(until, trio.current_time() + _ERROR_TEXT_S)
    for pause in polling.pauses():
        try:
            text = await tenant.read_error_information(artifact)
        except TenantError as error:
            return ErrorText(f"{NO_ERROR_TEXT} ({error})")
        if text is not None:
            return ErrorText(text, is_known=True)
        left_s = last - trio.current_time()
        if left_s <= 0:
            break
        await trio.sleep(min(pause, left_s))
    return ErrorText(NO_ERROR_TEXT)


def never_appeared(duration_s: float) -> StepOutcome:
    """Return the outcome where the task has ended in SUCCESS and the runtime shows nothing."""
    return StepOutcome(
        status=Status.FAILED,
        summary="deployment failed",
        reason="the build task ended in SUCCESS, but the artifact did not appear on the runtime within a minute",
        advice=_OTHER_RUNTIME,
        duration_s=duration_s,
    )


async def tell_failure(
    expected: Expectation,
    look: Look,
    seen: RuntimeArtifact | None,
    *,
    read_text: Callable[[], Awaitable[ErrorText]],
    duration_s: float,
) -> StepOutcome:
    """Give the outcome of a failure found at ``look``; ``seen`` is what the runtime shows by now."""
    is_old = seen is not None and is_fresh(expected, Look(seen=seen)) is False
    is_olders = is_old and seen is not None and seen.status == "ERROR"
    said = ErrorText(NO_ERROR_TEXT) if is_olders else await read_text()
    still_runs = is_old and seen is not None and seen.status == "STARTED"
    note = f"; version {seen.version} from before still runs" if still_runs and seen is not None else ""
    what = "the build failed" if has_failed(look.task) else "ended in ERROR"
    licence = " (a higher licence is needed)" if look.task == "FAIL_ON_LICENSE_ERROR" else ""
    return StepOutcome(
        status=Status.FAILED,
        summary="deployment failed",
        reason=f"{what}{licence}{note}: {said.text}",
        advice=_LICENCE if licence else _FIX if said.is_known else _OPEN,
        duration_s=duration_s,
    )
