"""What one look at the runtime says about a deployment. Pure: evidence in, verdict out.

The trap is the old state: right after a redeployment the tenant still shows the version before as STARTED, and a task
in SUCCESS means "on the worker nodes", not "runs" (landscaper, SAP Help). So success needs freshness. The second trap
is a deployment triggered before ours that ends after our trigger: its end is fresh too, but it is not ours.
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
    ``is_accepted``: the tenant is known to have taken the trigger, so presence may count where nothing else can.
    ``changes_due``: where deployments triggered before ours may still be under way, how many changes of ``DeployedOn``
    it takes from now on until what is seen is ours; 0 where no such deployment is known.
    """

    version: str | None
    before: RuntimeArtifact | None
    is_joined: bool = False
    is_accepted: bool = True
    changes_due: int = 0


@dataclass(slots=True, kw_only=True)
class Look:
    """What is known after one look; what is asked later is put in later.

    ``task`` is the build task's status, ``None`` where there is no task or it was not asked. ``has_changed``: some look
    since the trigger showed another state than the one before it; ``changes``: how many other ``DeployedOn`` there
    were. ``is_late``: the deployment had ample time. Of an end (STARTED in the wanted version, or ERROR) that is fresh:
    ``was_candidate``: the look before showed a success too; ``was_built``: the task had ended before this look began;
    ``stood_while_building``: this very end was seen while the task said DEPLOYING; ``was_held_long``: it, or another,
    has been held back for ample time.
    """

    seen: RuntimeArtifact | None
    task: str | None = None
    has_changed: bool = False
    changes: int = 0
    is_late: bool = False
    was_candidate: bool = False
    was_built: bool = False
    stood_while_building: bool = False
    was_held_long: bool = False


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


def judge(expected: Expectation, look: Look) -> Verdict:
    """Judge one look."""
    if has_failed(look.task):
        return Verdict.FAILED
    if not is_end(expected, look) or _is_held(expected, look):
        return Verdict.WAIT
    return Verdict.SUCCEEDED if is_candidate(expected, look) else Verdict.FAILED


def has_failed(task: str | None) -> bool:
    """Tell whether a build task's status is a failure."""
    return task is not None and task.startswith("FAIL")


def is_built(task: str | None) -> bool:
    """Tell whether a build task is known to have come to its end; words nobody knows are taken for one."""
    return task is not None and task != "DEPLOYING"


def is_end(expected: Expectation, look: Look) -> bool:
    """Tell whether the look shows how a deployment ended: a success, or an ERROR that was not there before."""
    return is_error(expected, look) or is_candidate(expected, look)


def can_ripen(expected: Expectation, look: Look) -> bool:
    """Tell whether what is seen may come to count by itself, with time or by the task's word, and not only by news."""
    return is_fresh(expected, look) is None or is_end(expected, look)


def is_error(expected: Expectation, look: Look) -> bool:
    """Tell whether the look shows an ERROR that came after the trigger; an old one is waited through."""
    return look.seen is not None and look.seen.status == "ERROR" and is_fresh(expected, look) is True


def is_candidate(expected: Expectation, look: Look) -> bool:
    """Tell whether the look shows the wanted version STARTED by this deployment.

    Without any sign of freshness (no ``DeployedOn``, no task) mere presence counts once the deployment had ample time.
    """
    seen, fresh = look.seen, is_fresh(expected, look)
    if seen is None or seen.status != "STARTED":
        return False
    may_be_present = expected.is_accepted and look.is_late and look.task is None
    is_ours = fresh is True or (fresh is None and may_be_present)
    return is_ours and (expected.version is None or seen.version == expected.version)


def is_other_version(expected: Expectation, look: Look) -> bool:
    """Return whether this deployment runs in another version than the expected one."""
    seen = look.seen
    if seen is None or seen.status != "STARTED" or expected.version in {None, seen.version}:
        return False
    return is_fresh(expected, look) is True


def is_preceded(expected: Expectation, look: Look) -> bool:
    """Tell whether deployments triggered before ours are known whose end may still be what is seen."""
    return look.changes < expected.changes_due


def _is_held(expected: Expectation, look: Look) -> bool:
    """Tell whether an end may be that of another deployment; no end is held longer than ample time: tasks can hang.

    Ours shows none before its task has ended. Where an earlier deployment is known, that is insisted on; where there is
    no task, only changes of ``DeployedOn`` can tell. Where none is known there may be one all the same: an ERROR waits
    for the task too, a success for one more look.
    """
    if look.was_held_long:
        return False
    is_certain = look.was_built and is_built(look.task) and not look.stood_while_building
    if is_preceded(expected, look):
        return not is_certain
    if is_error(expected, look):
        return look.task is not None and not is_certain
    return look.task == "DEPLOYING" and not look.was_candidate
