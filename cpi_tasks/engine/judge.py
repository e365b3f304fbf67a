"""What one look at the runtime says about a deployment. Pure: evidence in, verdict out.

The trap is the old state: right after a redeployment the tenant still shows the version before as STARTED, and a task
in SUCCESS means "on the worker nodes", not "runs" (landscaper, SAP Help). So success needs freshness.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cpi_tasks.model.tenant import RuntimeArtifact


class Verdict(Enum):
    """What to do after a look."""

    WAIT = "wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a deployment must lead to. ``version`` is ``None`` where any will do; ``before`` is what ran at the trigger.

    ``is_joined``: the deployment was under way already and is only watched, so its own ``DeployedOn`` is fresh.
    """

    version: str | None
    before: RuntimeArtifact | None
    is_joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known after one look.

    ``task`` is the build task's status, ``None`` where there is no task or it was not asked. ``has_changed``: some look
    since the trigger showed another state than the one before it. ``is_late``: the deployment had ample time.
    """

    seen: RuntimeArtifact | None
    task: str | None = None
    has_changed: bool = False
    is_late: bool = False


def is_fresh(expected: Expectation, look: Look) -> bool | None:
    """Tell whether what is seen belongs to this deployment; ``None`` where the tenant gives nothing to tell it by."""
    seen, before = look.seen, expected.before
    if seen is None:
        return False
    if expected.is_joined or before is None:
        return True
    if seen.deployed_on is None or before.deployed_on is None:
        return True if look.task == "SUCCESS" or look.has_changed else None
    return seen.deployed_on != before.deployed_on


def judge(expected: Expectation, look: Look, *, was_candidate: bool) -> Verdict:
    """Judge one look; ``was_candidate`` tells that the look before showed success already but was held back."""
    if look.task is not None and look.task.startswith("FAIL"):
        return Verdict.FAILED
    seen = look.seen
    if seen is not None and seen.status == "ERROR" and is_fresh(expected, look) is True:
        return Verdict.FAILED
    if not is_candidate(expected, look):
        return Verdict.WAIT
    # A task of ours that still says DEPLOYING (an earlier deployment may have been in flight) holds success back for
    # one more look, not longer: tasks can hang.
    is_held = look.task == "DEPLOYING" and not was_candidate
    return Verdict.WAIT if is_held else Verdict.SUCCEEDED


def is_candidate(expected: Expectation, look: Look) -> bool:
    """Tell whether the look shows the wanted version STARTED by this deployment.

    Without any sign of freshness (no ``DeployedOn``, no task) mere presence counts once the deployment had ample time.
    """
    seen, fresh = look.seen, is_fresh(expected, look)
    if seen is None or seen.status != "STARTED":
        return False
    is_ours = fresh is True or (fresh is None and look.task is None and look.is_late)
    return is_ours and (expected.version is None or seen.version == expected.version)
