"""Flags -> what a task selects. Apart from the tasks, so that ``invoke --list`` need not load what this needs."""

from __future__ import annotations

from dataclasses import replace

from cpi_tasks.flags import (
    DeployFlags,
    DeployTaskFlags,
    DriftTaskFlags,
    InputFlags,
    ModeFlags,
    OrchestrateTaskFlags,
    PlanTaskFlags,
    RunFlags,
    UpdateTaskFlags,
)
from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode

Fallbacks = tuple[tuple[str, str], ...]
"""Where the environment's name may come from if neither ``--env`` nor ``CPI_ENV`` gives it, in words."""


def for_orchestrate(flags: OrchestrateTaskFlags, fallbacks: Fallbacks) -> Selection:
    """Give what ``orchestrate`` works on."""
    return replace(
        _with_run(_with_deployments(for_input(flags, fallbacks), flags), flags),
        mode_flags=_mode_flags(flags),
        keep_temp=flags["keep_temp"] or None,
        on_drift=flags["on_drift"],
        allow_downgrade=flags["allow_downgrade"],
    )


def for_update(flags: UpdateTaskFlags, fallbacks: Fallbacks) -> Selection:
    """Give what ``update`` works on."""
    return replace(
        _with_run(for_input(flags, fallbacks), flags),
        mode=Mode.UPDATE_ONLY,
        keep_temp=flags["keep_temp"] or None,
        on_drift=flags["on_drift"],
        allow_downgrade=flags["allow_downgrade"],
    )


def for_deploy(flags: DeployTaskFlags, fallbacks: Fallbacks) -> Selection:
    """Give what ``deploy`` works on."""
    return replace(_with_run(_with_deployments(for_input(flags, fallbacks), flags), flags), mode=Mode.DEPLOY_ONLY)


def for_plan(flags: PlanTaskFlags, fallbacks: Fallbacks) -> Selection:
    """Give what ``plan`` looks at."""
    return replace(
        for_input(flags, fallbacks),
        mode_flags=_mode_flags(flags),
        force=flags["force"],
        verify=flags["verify"],
        strict=flags["strict"],
        on_drift=flags["on_drift"],
        allow_downgrade=flags["allow_downgrade"],
    )


def for_drift(flags: DriftTaskFlags, fallbacks: Fallbacks) -> Selection:
    """Give what ``drift`` looks at: both sides, whatever the environment's mode says."""
    return replace(for_input(flags, fallbacks), mode=Mode.UPDATE_AND_DEPLOY, verify=flags["verify"])


def for_input(flags: InputFlags, fallbacks: Fallbacks) -> Selection:
    """Give what the flags that all tasks share select."""
    return Selection(
        env=flags["env"],
        env_fallbacks=fallbacks,
        orchestrator_config=flags["orchestrator_config"],
        packages_dir=flags["packages_dir"],
        deploy_config=flags["deploy_config"],
        deployment_prefix=flags["deployment_prefix"],
        package_filter=flags["package_filter"],
        artifact_filter=flags["artifact_filter"],
        config_pattern=flags["config_pattern"],
        merge_configs=flags["merge_configs"] or None,
    )


def _with_deployments(selection: Selection, flags: DeployFlags) -> Selection:
    return replace(
        selection,
        deploy_retries=flags["deploy_retries"],
        deploy_delay=flags["deploy_delay"],
        parallel_deployments=flags["parallel_deployments"],
        max_parallel_deployments=flags["max_parallel_deployments"],
        deploy_timeout=flags["deploy_timeout"],
        force=flags["force"],
        strict=flags["strict"],
    )


def _with_run(selection: Selection, flags: RunFlags) -> Selection:
    return replace(
        selection,
        verify=flags["verify"],
        run_dir=flags["run_dir"],
        on_failure=flags["on_failure"],
        max_failures=flags["max_failures"],
    )


def _mode_flags(flags: ModeFlags) -> tuple[tuple[str, str], ...]:
    """Give every mode flag that was typed, with the mode it stands for; more than one is bad input."""
    mode = flags["mode"]
    given = [("--mode", mode)] if mode is not None else []
    given += [("--update", Mode.UPDATE_AND_DEPLOY.value)] if flags["update"] else []
    given += [("--update-only", Mode.UPDATE_ONLY.value)] if flags["update_only"] else []
    given += [("--deploy-only", Mode.DEPLOY_ONLY.value)] if flags["deploy_only"] else []
    return tuple(given)
