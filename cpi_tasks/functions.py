"""The tasks as plain functions, for other programs: they print nothing and return the report."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from cpi_tasks.events import Emit
from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode
from cpi_tasks.model.report import Report


class Flags(TypedDict, total=False):
    """The flags of the tasks under their Python names; what is left out is not given. Paths: see ``Selection``."""

    orchestrator_config: str
    packages_dir: str
    deploy_config: str
    deployment_prefix: str
    package_filter: str
    artifact_filter: str
    config_pattern: str
    merge_configs: bool
    keep_temp: bool
    deploy_retries: str
    deploy_delay: str
    parallel_deployments: str
    max_parallel_deployments: str
    deploy_timeout: str
    force: bool


def orchestrate(
    env: str | None = None, *, root: Path | None = None, emit: Emit | None = None, **flags: Unpack[Flags]
) -> Report:
    """Bring a tenant to what the files say, in the phases its environment's ``mode`` names.

    ``env`` is an environment's name or file (default: ``CPI_ENV``), ``root`` the project root (default: the current
    folder); ``emit`` is called with every event of ``cpi_tasks.events``. Raises ``CpiTasksError`` where nothing could
    be begun: ``InputError`` for bad input, ``AuthenticationError`` or ``TenantUnavailable`` for a tenant that cannot be
    used. What failed afterwards is in the report, and in its ``exit_code``.
    """
    return _execute(Selection(env=env, **flags), root, emit)


def update(
    env: str | None = None, *, root: Path | None = None, emit: Emit | None = None, **flags: Unpack[Flags]
) -> Report:
    """Run the update phase only; everything else as for ``orchestrate``."""
    return _execute(Selection(env=env, mode=Mode.UPDATE_ONLY, **flags), root, emit)


def deploy(
    env: str | None = None, *, root: Path | None = None, emit: Emit | None = None, **flags: Unpack[Flags]
) -> Report:
    """Run the deploy phase only; everything else as for ``orchestrate``."""
    return _execute(Selection(env=env, mode=Mode.DEPLOY_ONLY, **flags), root, emit)


def _execute(selection: Selection, root: Path | None, emit: Emit | None) -> Report:
    from cpi_tasks import app  # noqa: PLC0415 - the heavy libraries load with the first run, not with the import

    return app.execute(selection, root=root or Path.cwd(), emit=emit)
