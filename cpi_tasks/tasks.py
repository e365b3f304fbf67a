"""The Invoke tasks: flags -> one call into ``app`` -> ``Exit``. Nothing else happens here.

What a task needs is imported when it runs: ``invoke --list`` and completion load every task module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Unpack

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from cpi_tasks.cwd import current_folder
from cpi_tasks.flags import (
    DeployTaskFlags,
    DriftTaskFlags,
    OrchestrateTaskFlags,
    PlanTaskFlags,
    RunFlags,
    RunsTaskFlags,
    SimulatorTaskFlags,
    UpdateTaskFlags,
    ValidateTaskFlags,
    task_of,
)
from cpi_tasks.garbage import collected_rarely, not_while_loading
from cpi_tasks.hints import command
from cpi_tasks.signals import held_signals

if TYPE_CHECKING:
    from cpi_tasks.model.config import Selection

# ruff: noqa: PLC0415 - see above
_EARLIER = "cpi_earlier_environment"
_INVALID = 4
_INTERRUPTED = 130


@task_of(OrchestrateTaskFlags)
def orchestrate(c: Context, **flags: Unpack[OrchestrateTaskFlags]) -> None:
    """Bring a tenant to what the files say: update everything, then deploy what changed and watch until it runs."""
    from cpi_tasks import selecting

    _run(c, selecting.for_orchestrate(flags, _fallbacks(c)), flags, plan=flags["plan"])


@task_of(UpdateTaskFlags)
def update(c: Context, **flags: Unpack[UpdateTaskFlags]) -> None:
    """Update packages, artifacts and parameters at design time; deploy nothing."""
    from cpi_tasks import selecting

    _run(c, selecting.for_update(flags, _fallbacks(c)), flags)


@task_of(DeployTaskFlags)
def deploy(c: Context, **flags: Unpack[DeployTaskFlags]) -> None:
    """Deploy what is not proved to run, in parallel, and watch until it runs; update nothing."""
    from cpi_tasks import selecting

    _run(c, selecting.for_deploy(flags, _fallbacks(c)), flags)


@task_of(PlanTaskFlags, {"diff": "Also show what changes in each file and parameter"})
def plan(c: Context, **flags: Unpack[PlanTaskFlags]) -> None:
    """Show what orchestrate would do and why; read the tenant, write nothing."""
    from cpi_tasks import selecting

    selection = selecting.for_plan(flags, _fallbacks(c))
    with _application(c, selection) as app:
        looks = app.Looks(
            debug=flags["debug"],
            diff=flags["diff"],
            format=flags["format"],
            out=flags["out"],
            detailed_exitcode=flags["detailed_exitcode"],
        )
        code = app.show_plan(selection, root=_project_root(c), looks=looks)
    _end(code)


@task_of(DriftTaskFlags)
def drift(c: Context, **flags: Unpack[DriftTaskFlags]) -> None:
    """Show in what a tenant differs from the files, and whether you or somebody else made it so; write nothing."""
    from cpi_tasks import selecting

    selection = selecting.for_drift(flags, _fallbacks(c))
    with _application(c, selection) as app:
        looks = app.Looks(debug=flags["debug"], format=flags["format"], detailed_exitcode=flags["detailed_exitcode"])
        code = app.show_drift(selection, root=_project_root(c), looks=looks)
    _end(code)


@task_of(
    ValidateTaskFlags,
    {
        "env": "Environment: a name in environments/ or a path to a file (default: CPI_ENV, else all of environments/)",
        "format": "text (default), json, sarif, github (annotations) or gitlab (Code Quality)",
        "out": "Write the report to a file, and text to the terminal",
    },
)
def validate(c: Context, **flags: Unpack[ValidateTaskFlags]) -> None:
    """Check the files of one or all environments, for pull requests: without tenant, network and login."""
    try:
        from cpi_tasks import offline, selecting

        selection = selecting.for_input(flags, _fallbacks(c))
        code = offline.main(selection, root=_project_root(c), form=flags["format"], out=flags["out"])
    except KeyboardInterrupt:
        raise Exit("interrupted; validate changes nothing", code=_INTERRUPTED) from None
    _end(code)


@task_of(RunsTaskFlags, {"run_dir": "Where the folders of runs are (default: .cpi/runs)"})
def runs(c: Context, **flags: Unpack[RunsTaskFlags]) -> None:
    """Show earlier runs of this project, or what one of them had done, also where it was killed."""
    from cpi_tasks import app

    _end(app.show_runs(_project_root(c), run=flags["run"], run_dir=flags["run_dir"], form=flags["format"]))


@task_of(SimulatorTaskFlags)
def simulator(c: Context, **flags: Unpack[SimulatorTaskFlags]) -> None:  # noqa: ARG001 - every task has a context
    """Serve the embedded tenant, with a page to look at, until Ctrl-C."""
    try:
        from cpi_tasks import stand

        code = stand.main(stand.Flags(**flags))
    except KeyboardInterrupt:
        raise Exit("interrupted before anything was served", code=_INTERRUPTED) from None
    _end(code)


def _fallbacks(c: Context) -> tuple[tuple[str, str], ...]:
    """Return where the environment's name may come from if neither ``--env`` nor ``CPI_ENV`` gives it.

    Ends with 4 where a setting below ``cpi`` is misspelt: it would have no effect.
    """
    from cpi_tasks.environment.invoke_settings import read_invoke_settings
    from cpi_tasks.environment.process import process_variables

    settings = read_invoke_settings(c.config.get("cpi"), process_variables())
    if settings.problems:
        raise Exit("\n".join(settings.problems), code=_INVALID)
    earlier = c.config.get(_EARLIER)
    found = [(settings.env, "the Invoke setting cpi.env")] if settings.env else []
    found += [(earlier, "an earlier task of this command line")] if earlier else []
    return tuple(found)


def _run(c: Context, selection: Selection, flags: RunFlags, *, plan: str | None = None) -> None:
    """Carry out a selection, or only show its plan where ``--dry-run`` or Invoke's own ``--dry`` ask for that."""
    is_dry = flags["dry_run"] or c.config.run.dry
    if flags["diff"] and not is_dry:
        raise Exit(f"--diff shows what would change: use it with --dry-run, or with {command('plan')}", code=_INVALID)
    with _application(c, selection) as app:
        if is_dry:
            looks = app.Looks(debug=flags["debug"], diff=flags["diff"], plan=plan)
            code = app.show_plan(selection, root=_project_root(c), looks=looks)
        else:
            orders = app.Orders(debug=flags["debug"], yes=flags["yes"], plan=plan, lock_wait=flags["lock_wait"])
            code = app.show_run(selection, root=_project_root(c), orders=orders)
    _end(code)


@contextmanager
def _application(c: Context, selection: Selection) -> Iterator[ModuleType]:
    """Give ``cpi_tasks.app``; a signal while the libraries load ends the run, or the look, before it begins.

    A later task of the same command line may use this environment.
    """
    named = selection.env or selection.orchestrator_config
    if named:
        c.config[_EARLIER] = named
    with held_signals():
        try:
            with not_while_loading():
                from cpi_tasks import app
            with collected_rarely():
                yield app
        except KeyboardInterrupt:
            # A second one while the libraries load: a run takes signals itself, and what comes later is dropped.
            raise Exit("interrupted before anything was sent", code=_INTERRUPTED) from None


def _end(code: int) -> None:
    if code:
        raise Exit(code=code)


def _project_root(c: Context) -> Path:
    """Give the folder of the tasks file that Invoke loaded; without one (a hand-made context) the current folder."""
    folder = getattr(c.config, "_project_prefix", None)
    return Path(folder) if folder else current_folder()


ns = Collection(orchestrate, update, deploy, plan, drift, validate, runs, simulator)
ns.configure({"cpi": {"env": None}})
