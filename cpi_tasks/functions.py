"""The tasks as plain functions, for other programs: they print nothing and return what was done or seen."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from cpi_tasks.cwd import current_folder
from cpi_tasks.events import Emit
from cpi_tasks.model.config import Selection
from cpi_tasks.model.drift import DriftReport
from cpi_tasks.model.naming import Mode
from cpi_tasks.model.preview import Preview
from cpi_tasks.model.report import Report


class LookFlags(TypedDict, total=False):
    """The flags that every task has, under their Python names; what is left out is not given.

    Paths are relative to the current folder.
    """

    orchestrator_config: str
    packages_dir: str
    deploy_config: str
    deployment_prefix: str
    package_filter: str
    artifact_filter: str
    config_pattern: str
    merge_configs: bool
    verify: str


class PlanFlags(LookFlags, total=False):
    """What a plan depends on besides."""

    force: bool
    strict: bool
    allow_downgrade: bool
    on_drift: str


class Flags(PlanFlags, total=False):
    """The flags of runs, as far as they are not parameters of the functions."""

    keep_temp: bool
    run_dir: str
    deploy_retries: str
    deploy_delay: str
    parallel_deployments: str
    max_parallel_deployments: str
    deploy_timeout: str
    on_failure: str
    max_failures: str


def orchestrate(
    env: str | None = None,
    *,
    root: Path | None = None,
    emit: Emit | None = None,
    mode: str | None = None,
    yes: bool = False,
    plan: str | None = None,
    **flags: Unpack[Flags],
) -> Report:
    """Bring a tenant to what the files say, in the phases that ``mode`` names (default: the environment's).

    ``env`` is an environment's name or file (default: ``CPI_ENV``), ``root`` the project root (default: the current
    folder); ``emit`` is called with every event of ``cpi_tasks.events``. ``yes`` changes a protected environment,
    ``plan`` is the file of a saved plan that is carried out exactly. Raises ``CpiTasksError`` where nothing could be
    begun: ``InputError`` for bad input, ``TenantError`` (``AuthenticationError``, ``TenantUnavailable``) for a tenant
    that cannot be used, ``Refused`` for protection, drift, a downgrade or a stale plan. What failed afterwards is in
    the report, and in its ``exit_code``.
    """
    return _execute(Selection(env=env, mode_flags=_mode(mode), **flags), root, emit, yes=yes, plan=plan)


def update(
    env: str | None = None,
    *,
    root: Path | None = None,
    emit: Emit | None = None,
    yes: bool = False,
    **flags: Unpack[Flags],
) -> Report:
    """Run the update phase only; everything else as for ``orchestrate``."""
    return _execute(Selection(env=env, mode=Mode.UPDATE_ONLY, **flags), root, emit, yes=yes)


def deploy(
    env: str | None = None,
    *,
    root: Path | None = None,
    emit: Emit | None = None,
    yes: bool = False,
    **flags: Unpack[Flags],
) -> Report:
    """Run the deploy phase only; everything else as for ``orchestrate``."""
    return _execute(Selection(env=env, mode=Mode.DEPLOY_ONLY, **flags), root, emit, yes=yes)


def plan(
    env: str | None = None,
    *,
    root: Path | None = None,
    emit: Emit | None = None,
    mode: str | None = None,
    diff: bool = False,
    **flags: Unpack[PlanFlags],
) -> Preview:
    """Give what ``orchestrate`` would do; nothing is written to the tenant.

    With ``diff`` also in what each file differs. ``saved`` of the result is the text of the plan as a file, for
    ``orchestrate(plan=...)``. Raises ``InputError`` and ``TenantError`` as ``orchestrate``; what that would refuse is
    in ``refusals``.
    """
    from cpi_tasks import app  # noqa: PLC0415 - the heavy libraries load with the first run, not with the import

    selection = Selection(env=env, mode_flags=_mode(mode), **flags)
    return app.execute_plan(selection, root=root or current_folder(), emit=emit, wants_diff=diff)


def drift(
    env: str | None = None, *, root: Path | None = None, emit: Emit | None = None, **flags: Unpack[LookFlags]
) -> DriftReport:
    """Give in what a tenant differs from the files, and whether you or somebody else made it so.

    Nothing is written to the tenant. Raises ``InputError`` and ``TenantError`` as ``orchestrate``.
    """
    from cpi_tasks import app  # noqa: PLC0415 - as above

    selection = Selection(env=env, mode=Mode.UPDATE_AND_DEPLOY, **flags)
    return app.execute_drift(selection, root=root or current_folder(), emit=emit)


def _execute(
    selection: Selection, root: Path | None, emit: Emit | None, *, yes: bool, plan: str | None = None
) -> Report:
    from cpi_tasks import app  # noqa: PLC0415 - as above

    return app.execute(selection, root=root or current_folder(), emit=emit, is_confirmed=yes, plan=plan)


def _mode(mode: str | None) -> tuple[tuple[str, str], ...]:
    return () if mode is None else (("mode", mode),)
