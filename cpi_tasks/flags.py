"""The flags of the tasks, each declared once: its name and type here, its help text below, its default from the type.

A task takes its flags as ``**flags: Unpack[...]``; ``task_of`` gives Invoke the signature it reads flags from.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, get_type_hints

from invoke.context import Context
from invoke.tasks import Task

from cpi_tasks.bytecode import kept_bytecode
from cpi_tasks.streams import lasting_streams


class InputFlags(TypedDict):
    """What is worked on; the same for every task that reads the files."""

    env: str | None
    orchestrator_config: str | None
    packages_dir: str | None
    deploy_config: str | None
    deployment_prefix: str | None
    package_filter: str | None
    artifact_filter: str | None
    config_pattern: str | None
    merge_configs: bool


class ModeFlags(TypedDict):
    """Which phases."""

    mode: str | None
    update: bool
    update_only: bool
    deploy_only: bool


class DeployFlags(TypedDict):
    """Speed and patience of deployments."""

    deploy_retries: str | None
    deploy_delay: str | None
    parallel_deployments: str | None
    max_parallel_deployments: str | None
    deploy_timeout: str | None
    force: bool
    strict: bool


class RunFlags(TypedDict):
    """How a run goes about it."""

    verify: str | None
    dry_run: bool
    diff: bool
    run_dir: str | None
    on_failure: str | None
    max_failures: str | None
    lock_wait: str | None
    yes: bool
    debug: bool


class LookFlags(TypedDict):
    """How something that writes nothing is shown."""

    format: str | None
    detailed_exitcode: bool
    debug: bool


class OverwriteFlags(TypedDict):
    """What an update phase may overwrite."""

    on_drift: str | None
    allow_downgrade: bool


class UpdateTaskFlags(InputFlags, OverwriteFlags, RunFlags):
    """``update``."""

    keep_temp: bool


class DeployTaskFlags(InputFlags, DeployFlags, RunFlags):
    """``deploy``."""


class OrchestrateTaskFlags(InputFlags, ModeFlags, OverwriteFlags, DeployFlags, RunFlags):
    """``orchestrate``."""

    keep_temp: bool
    plan: str | None


class PlanTaskFlags(InputFlags, ModeFlags, OverwriteFlags, LookFlags):
    """``plan``."""

    force: bool
    strict: bool
    verify: str | None
    diff: bool
    out: str | None


class DriftTaskFlags(InputFlags, LookFlags):
    """``drift``."""

    verify: str | None


class ValidateTaskFlags(InputFlags):
    """``validate``."""

    format: str | None
    out: str | None


class RunsTaskFlags(TypedDict):
    """``runs``."""

    run: str | None
    run_dir: str | None
    format: str | None


class SimulatorTaskFlags(TypedDict):
    """``simulator``."""

    port: str | None
    host: str | None
    state: str | None
    seed: str | None
    profile: str | None
    tls: bool
    script: str | None
    deploy_seconds: str | None


_HELP: Mapping[str, str] = {
    "env": "Environment: a name in environments/ or a path to a file (default: CPI_ENV)",
    "orchestrator_config": "Path to an environment file; another spelling of --env PATH",
    "packages_dir": "Folder with the integration packages",
    "deploy_config": "Deploy configuration: a file, a folder or an https URL",
    "deployment_prefix": "Prefix for package and artifact ids (an empty text means none)",
    "package_filter": "Packages by their ids in the files, comma-separated; * and ? match, ! excludes",
    "artifact_filter": "Artifacts by their ids in the files, comma-separated; * and ? match, ! excludes",
    "config_pattern": "Which files of a folder of deploy configurations count (default: *.y*ml)",
    "merge_configs": "Work on all deploy configurations of a folder as one run",
    "mode": "Phases: update-and-deploy (default), update-only or deploy-only",
    "update": "Both phases, whatever the environment file's mode says",
    "update_only": "Only the update phase",
    "deploy_only": "Only the deploy phase",
    "keep_temp": "Keep what would be uploaded, unpacked, in a folder that is named",
    "deploy_retries": "Times deploy-delay is one artifact's time, where no timeout is given (default: 5)",
    "deploy_delay": "Longest pause between looks at a deployment, in seconds (default: 15)",
    "parallel_deployments": "Deployments at once within a package (default: 3)",
    "max_parallel_deployments": "Deployments at once in the whole run (default: 3 times as many, at most 10)",
    "deploy_timeout": "Seconds one artifact may take from its trigger until it runs (default: 600)",
    "force": "Deploy everything, also what is proved to run",
    "verify": "What is read again though nothing moved: full, parameters (default) or cached",
    "on_drift": "Edits on the tenant that a run would overwrite: warn, overwrite or fail",
    "allow_downgrade": "With versioning: exact, let versions go down",
    "dry_run": "Show what would be done, write nothing",
    "diff": "Show what changes in each file and parameter (with --dry-run)",
    "run_dir": "Where the folders with the backups of runs go (default: .cpi/runs)",
    "strict": "Refuse to begin where something is used that is neither deployed by the run nor on the tenant",
    "on_failure": "When something fails: continue (default) or stop",
    "max_failures": "So many artifacts may fail before nothing new is begun: a number, or a percentage such as 10%",
    "lock_wait": "Seconds to wait for another run on the same tenant (default: 0)",
    "run": "The run to tell of; without it all are listed",
    "yes": "Change a protected environment without asking",
    "plan": "Do exactly what a saved plan says; refused where anything has moved since",
    "format": "text (default) or json",
    "out": "Save the plan to a file, for: orchestrate --plan FILE",
    "detailed_exitcode": "End with 2 where anything differs or would change",
    "debug": "Show every request (never a secret)",
    "port": "Port to serve on; 0 takes a free one (default: 8080)",
    "host": "Address to serve on (default: 127.0.0.1, reachable from this machine only)",
    "state": "File that keeps the tenant; the next run with the same file continues",
    "seed": "Packages folder whose packages and artifacts the tenant begins with",
    "profile": "Kind of tenant: default, strict, lenient, drafts or legacy",
    "tls": "Serve HTTPS, with a certificate made for this run",
    "script": "Fault script to play (YAML or JSON)",
    "deploy_seconds": "Seconds a deployment takes (default: 1)",
}


class EnvironmentTask(Task[Any]):
    """A task whose only short flag is ``-e`` for ``--env``: Invoke's own ones depend on the order of arguments."""

    def arg_opts(self, name: str, default: str, taken_names: set[str]) -> dict[str, Any]:
        """Describe one argument to Invoke's parser, as its base class does, with the short flag added."""
        options = super().arg_opts(name, default, taken_names)
        return options | {"names": ("env", "e")} if name == "env" else options


def task_of(flags: type, texts: Mapping[str, str] | None = None) -> Callable[[Callable[..., None]], EnvironmentTask]:
    """Make an Invoke task of a function that takes ``flags``; ``texts`` are help texts that differ for this task.

    A flag that is not given has the default of its type: off, or ``None``; also where the task is called by another
    one with only some of them.
    """
    hints = get_type_hints(flags)
    defaults = {name: False if hint is bool else None for name, hint in hints.items()}
    helps = {name: (texts or {}).get(name, _HELP[name]) for name in hints}

    def decorate(function: Callable[..., None]) -> EnvironmentTask:
        @functools.wraps(function)
        def body(c: Context, **given: object) -> None:
            with kept_bytecode(), lasting_streams():
                function(c, **{**defaults, **given})

        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter(name, keyword, default=default) for name, default in defaults.items()]
        context = inspect.Parameter("c", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        body.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined] # PEP 362 allows it
        return EnvironmentTask(body, auto_shortflags=False, help=dict(helps))

    return decorate
