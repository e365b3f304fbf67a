"""What tests script of a fake tenant, and what it notes of itself."""

from __future__ import annotations

from dataclasses import dataclass

from cpi_tasks.model.tenant import RuntimeArtifact


@dataclass(slots=True, kw_only=True)
class Script:
    """How deployments of one artifact go, in seconds after the trigger.

    The state from before is shown until ``appears_s``, then STARTING until ``takes_s``, then ``ends``. The build task
    says DEPLOYING until ``task_s``, then ``task_ends``; ``has_task=False``: the tenant gives no task id.
    """

    appears_s: float = 0.5
    takes_s: float = 2.0
    ends: str = "STARTED"
    has_task: bool = True
    task_s: float = 1.0
    task_ends: str | None = "SUCCESS"
    error_text: str = "Script file 'a.groovy' not found"
    error_text_s: float = 0.0
    """How long after the end the error information is still missing."""


@dataclass(slots=True, kw_only=True)
class Deployed:
    """One accepted trigger."""

    at: float
    before: RuntimeArtifact | None
    new: RuntimeArtifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: when it arrived, its name and what it is about."""

    at: float
    what: str
