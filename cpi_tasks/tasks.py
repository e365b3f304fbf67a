"""The Invoke tasks: flags -> one call into ``app`` -> ``Exit``. Nothing else happens here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task, task

from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import Mode

_EARLIER = "cpi_earlier_environment"
_INTERRUPTED = 130

_PHASE_HELP = {
    "env": "Environment: a name in environments/ or a path to a file (default: CPI_ENV)",
    "orchestrator-config": "Path to an environment file; another spelling of --env PATH",
    "packages-dir": "Folder with the integration packages",
    "deploy-config": "Deploy configuration: a file, a folder or an https URL",
    "deployment-prefix": "Prefix for package and artifact ids (an empty text means none)",
    "package-filter": "Comma-separated packages, by their ids in the files",
    "artifact-filter": "Comma-separated artifacts, by their ids in the files",
    "config-pattern": "Which files of a folder of deploy configurations count (default: *.y*ml)",
    "merge-configs": "Work on all deploy configurations of a folder as one run",
}
_UPDATE_HELP = {"keep-temp": "Keep what would be uploaded, unpacked, in a folder that is named"}
_DEPLOY_HELP = {
    "deploy-retries": "Times deploy-delay is one artifact's time, where no timeout is given (default: 5)",
    "deploy-delay": "Longest pause between looks at a deployment, in seconds (default: 15)",
    "parallel-deployments": "Deployments at once within a package (default: 3)",
    "max-parallel-deployments": "Deployments at once in the whole run (default: 3 times as many, at most 10)",
    "deploy-timeout": "Seconds one artifact may take from its trigger until it runs (default: 600)",
    "force": "Deploy everything, also what is proved to run",
}
_DEBUG_HELP = {"debug": "Show every request (never a secret)"}
_MODE_HELP = {
    "mode": "Phases: update-and-deploy (default), update-only or deploy-only",
    "update": "Both phases, whatever the environment file's mode says",
    "update-only": "Only the update phase",
    "deploy-only": "Only the deploy phase",
}


_SIMULATOR_HELP = {
    "port": "Port to serve on; 0 takes a free one (default: 8080)",
    "host": "Address to serve on (default: 127.0.0.1, reachable from this machine only)",
    "state": "File that keeps the tenant; the next run with the same file continues",
    "seed": "Packages folder whose packages and artifacts the tenant begins with",
    "profile": "Kind of tenant: default, strict, lenient, drafts or legacy",
    "tls": "Serve HTTPS, with a certificate made for this run",
    "script": "Fault script to play (YAML or JSON)",
    "deploy-seconds": "Seconds a deployment takes (default: 1)",
}


class EnvironmentTask(Task[Any]):
    """A task whose only short flag is ``-e`` for ``--env``: Invoke's own ones depend on the order of arguments."""

    def arg_opts(self, name: str, default: str, taken_names: set[str]) -> dict[str, Any]:
        """Describe one argument to Invoke's parser, as its base class does, with the short flag added."""
        options = super().arg_opts(name, default, taken_names)
        return options | {"names": ("env", "e")} if name == "env" else options


@task(klass=EnvironmentTask, auto_shortflags=False, help=_PHASE_HELP | _UPDATE_HELP | _DEBUG_HELP)
def update(  # noqa: PLR0917 - Invoke reads the flags from the arguments
    c: Context,
    env: str | None = None,
    orchestrator_config: str | None = None,
    packages_dir: str | None = None,
    deploy_config: str | None = None,
    deployment_prefix: str | None = None,
    package_filter: str | None = None,
    artifact_filter: str | None = None,
    config_pattern: str | None = None,
    merge_configs: bool = False,  # noqa: FBT002 - this is how Invoke declares a flag
    keep_temp: bool = False,  # noqa: FBT002
    debug: bool = False,  # noqa: FBT002
) -> None:
    """Update packages, artifacts and parameters at design time; deploy nothing."""
    selection = Selection(
        env=env,
        env_fallbacks=_fallbacks(c),
        orchestrator_config=orchestrator_config,
        packages_dir=packages_dir,
        deploy_config=deploy_config,
        deployment_prefix=deployment_prefix,
        package_filter=package_filter,
        artifact_filter=artifact_filter,
        config_pattern=config_pattern,
        merge_configs=merge_configs or None,
        keep_temp=keep_temp or None,
        mode=Mode.UPDATE_ONLY,
    )
    _run(c, selection, debug=debug)


@task(klass=EnvironmentTask, auto_shortflags=False, help=_PHASE_HELP | _DEPLOY_HELP | _DEBUG_HELP)
def deploy(  # noqa: PLR0917 - Invoke reads the flags from the arguments
    c: Context,
    env: str | None = None,
    orchestrator_config: str | None = None,
    packages_dir: str | None = None,
    deploy_config: str | None = None,
    deployment_prefix: str | None = None,
    package_filter: str | None = None,
    artifact_filter: str | None = None,
    config_pattern: str | None = None,
    merge_configs: bool = False,  # noqa: FBT002
    deploy_retries: str | None = None,
    deploy_delay: str | None = None,
    parallel_deployments: str | None = None,
    max_parallel_deployments: str | None = None,
    deploy_timeout: str | None = None,
    force: bool = False,  # noqa: FBT002
    debug: bool = False,  # noqa: FBT002
) -> None:
    """Deploy what is not proved to run, in parallel, and watch until it runs; update nothing."""
    selection = Selection(
        env=env,
        env_fallbacks=_fallbacks(c),
        orchestrator_config=orchestrator_config,
        packages_dir=packages_dir,
        deploy_config=deploy_config,
        deployment_prefix=deployment_prefix,
        package_filter=package_filter,
        artifact_filter=artifact_filter,
        config_pattern=config_pattern,
        merge_configs=merge_configs or None,
        mode=Mode.DEPLOY_ONLY,
        deploy_retries=deploy_retries,
        deploy_delay=deploy_delay,
        parallel_deployments=parallel_deployments,
        max_parallel_deployments=max_parallel_deployments,
        deploy_timeout=deploy_timeout,
        force=force,
    )
    _run(c, selection, debug=debug)


@task(
    klass=EnvironmentTask,
    auto_shortflags=False,
    help=_PHASE_HELP | _UPDATE_HELP | _MODE_HELP | _DEPLOY_HELP | _DEBUG_HELP,
)
def orchestrate(  # noqa: PLR0917 - Invoke reads the flags from the arguments
    c: Context,
    env: str | None = None,
    orchestrator_config: str | None = None,
    packages_dir: str | None = None,
    deploy_config: str | None = None,
    deployment_prefix: str | None = None,
    package_filter: str | None = None,
    artifact_filter: str | None = None,
    config_pattern: str | None = None,
    merge_configs: bool = False,  # noqa: FBT002
    keep_temp: bool = False,  # noqa: FBT002
    mode: str | None = None,
    update: bool = False,  # noqa: FBT002
    update_only: bool = False,  # noqa: FBT002
    deploy_only: bool = False,  # noqa: FBT002
    deploy_retries: str | None = None,
    deploy_delay: str | None = None,
    parallel_deployments: str | None = None,
    max_parallel_deployments: str | None = None,
    deploy_timeout: str | None = None,
    force: bool = False,  # noqa: FBT002
    debug: bool = False,  # noqa: FBT002
) -> None:
    """Bring a tenant to what the files say: update everything, then deploy what changed and watch until it runs."""
    selection = Selection(
        env=env,
        env_fallbacks=_fallbacks(c),
        orchestrator_config=orchestrator_config,
        packages_dir=packages_dir,
        deploy_config=deploy_config,
        deployment_prefix=deployment_prefix,
        package_filter=package_filter,
        artifact_filter=artifact_filter,
        config_pattern=config_pattern,
        merge_configs=merge_configs or None,
        keep_temp=keep_temp or None,
        mode_flags=_mode_flags(mode, update=update, update_only=update_only, deploy_only=deploy_only),
        deploy_retries=deploy_retries,
        deploy_delay=deploy_delay,
        parallel_deployments=parallel_deployments,
        max_parallel_deployments=max_parallel_deployments,
        deploy_timeout=deploy_timeout,
        force=force,
    )
    _run(c, selection, debug=debug)


@task(klass=EnvironmentTask, auto_shortflags=False, help=_SIMULATOR_HELP)
def simulator(  # noqa: PLR0917 - Invoke reads the flags from the arguments
    c: Context,  # noqa: ARG001 - every task has one
    port: str | None = None,
    host: str | None = None,
    state: str | None = None,
    seed: str | None = None,
    profile: str | None = None,
    tls: bool = False,  # noqa: FBT002
    script: str | None = None,
    deploy_seconds: str | None = None,
) -> None:
    """Serve the embedded tenant, with a page to look at, until Ctrl-C."""
    try:
        from cpi_tasks import stand  # noqa: PLC0415 - keeps `invoke --list` and completion fast

        flags = stand.Flags(
            port=port,
            host=host,
            state=state,
            seed=seed,
            profile=profile,
            tls=tls,
            script=script,
            deploy_seconds=deploy_seconds,
        )
        code = stand.main(flags)
    except KeyboardInterrupt:
        raise Exit("interrupted before anything was served", code=_INTERRUPTED) from None
    if code:
        raise Exit(code=code)


def _mode_flags(mode: str | None, *, update: bool, update_only: bool, deploy_only: bool) -> tuple[tuple[str, str], ...]:
    """Give every mode flag that was typed, with the mode it stands for; more than one is bad input."""
    flags = [("--mode", mode)] if mode is not None else []
    flags += [("--update", Mode.UPDATE_AND_DEPLOY.value)] if update else []
    flags += [("--update-only", Mode.UPDATE_ONLY.value)] if update_only else []
    flags += [("--deploy-only", Mode.DEPLOY_ONLY.value)] if deploy_only else []
    return tuple(flags)


def _fallbacks(c: Context) -> tuple[tuple[str, str], ...]:
    """Where the environment's name may come from if neither ``--env`` nor ``CPI_ENV`` gives it."""
    setting = (c.config.get("cpi") or {}).get("env")
    earlier = c.config.get(_EARLIER)
    found = [(setting, "the Invoke setting cpi.env")] if setting else []
    found += [(earlier, "an earlier task of this command line")] if earlier else []
    return tuple(found)


def _run(c: Context, selection: Selection, *, debug: bool) -> None:
    if c.config.run.dry:
        raise Exit("invoke --dry is not supported by this version; nothing was sent", code=4)
    named = selection.env or selection.orchestrator_config
    if named:
        c.config[_EARLIER] = named
    try:
        from cpi_tasks import app  # noqa: PLC0415 - keeps `invoke --list` and completion fast

        code = app.main(selection, root=_project_root(c), debug=debug)
    except KeyboardInterrupt:
        # Only while the libraries load: a run takes signals itself.
        raise Exit("interrupted before anything was sent", code=_INTERRUPTED) from None
    if code:
        raise Exit(code=code)


def _project_root(c: Context) -> Path:
    """Give the folder of the tasks file that Invoke loaded; without one (a hand-made context) the current folder."""
    folder = getattr(c.config, "_project_prefix", None)
    return Path(folder) if folder else Path.cwd()


ns = Collection(orchestrate, update, deploy, simulator)
ns.configure({"cpi": {"env": None}})
