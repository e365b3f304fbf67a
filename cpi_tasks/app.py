"""Composition root: puts the rooms together under the only ``trio.run`` and maps the end to an exit code."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import trio

from cpi_tasks import content, engine, environment, planning, records, report, simulator, tenant
from cpi_tasks.errors import CpiTasksError, InputError, Problem
from cpi_tasks.events import Emit, Event, PartStarted, RunFinished, RunStarted
from cpi_tasks.model.config import (
    BasicLogin,
    DeployConfig,
    EmbeddedTenant,
    OAuthLogin,
    RunConfig,
    Selection,
    TenantAccess,
)
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import Plan
from cpi_tasks.model.report import PartReport, Report

_INTERRUPTED = 130
NoteSecret = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The checked input of a run: nothing was sent yet."""

    run: RunConfig
    contents: Mapping[str, Mapping[ArtifactRef, ArtifactContent]]
    """What was read of the artifact folders, by the ``source`` of their configuration."""
    folder: records.StateFolder
    kept_folder: str


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far a run has come, so that its report can be made whenever it ends."""

    plans: list[tuple[Plan, engine.Ledger]] = field(default_factory=list)
    is_interrupted: bool = False

    def parts(self) -> tuple[PartReport, ...]:
        """Give the report of each deploy configuration as far as it got."""
        return tuple(ledger.fold(plan) for plan, ledger in self.plans)


def main(selection: Selection, *, root: Path, debug: bool = False) -> int:
    """Run what the flags ask for, show it on standard output, and give the exit code."""
    redactor = report.Redactor()
    is_live = report.wants_live(sys.stdout, environment.process_variables())
    view = report.open_view(stdout=sys.stdout, is_live=is_live, debug=debug, redactor=redactor)
    try:
        return trio.run(_show_run, selection, root, view, redactor)
    except InputError as error:
        sys.stdout.write(report.render_problems(error.problems, stdout=sys.stdout, redactor=redactor) + "\n")
        return error.exit_code
    except CpiTasksError as error:
        sys.stdout.write(redactor.clean(f"{error}\n"))
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED


def execute(selection: Selection, *, root: Path, emit: Emit | None = None) -> Report:
    """Run what ``selection`` asks for without printing and give the report; ``emit`` is called with every event.

    Raises ``CpiTasksError`` where nothing could be begun: ``InputError`` for bad input, ``AuthenticationError`` and
    ``TenantUnavailable`` for a tenant that cannot be used. What failed afterwards is in the report.
    """
    return trio.run(_run, selection, root, emit or _ignore, _ignore)


async def _show_run(selection: Selection, root: Path, view: report.View, redactor: report.Redactor) -> int:
    send, receive = trio.open_memory_channel[Event](math.inf)
    result: list[Report | CpiTasksError] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(report.show, receive, view)
        with send:
            try:
                result.append(await _run(selection, root, send.send_nowait, redactor.add))
            except CpiTasksError as error:
                result.append(error)
    if isinstance(result[0], CpiTasksError):
        raise result[0]
    return result[0].exit_code


async def _run(selection: Selection, root: Path, emit: Emit, note_secret: NoteSecret) -> Report:
    """Load and check, read the tenant, plan, carry out: the whole way of a run. Signals end it in good order."""
    started = trio.current_time()
    progress = _Progress()
    try:
        async with trio.open_nursery() as nursery:
            if threading.current_thread() is threading.main_thread():
                await nursery.start(_cancel_on_signal, nursery.cancel_scope, progress)
            prepared = prepare(selection, root=root, note_secret=note_secret)
            await trio.lowlevel.checkpoint()
            await _work(prepared, progress, emit, note_secret)
            nursery.cancel_scope.cancel(reason="the work is done")
    except* CpiTasksError as group:
        raise _first(group) from None
    if not progress.plans and progress.is_interrupted:
        raise KeyboardInterrupt
    result = Report(
        environment=prepared.run.environment,
        tenant=_tenant_name(prepared.run),
        parts=progress.parts(),
        duration_s=trio.current_time() - started,
        is_interrupted=progress.is_interrupted,
        kept_folder=prepared.kept_folder,
    )
    emit(RunFinished(report=result))
    return result


def prepare(selection: Selection, *, root: Path, note_secret: NoteSecret) -> Prepared:
    """Load environment, deploy configuration and artifact folders; raises ``InputError`` with all that is wrong."""
    loaded = environment.load(
        selection,
        root=root,
        cwd=Path.cwd(),
        variables=environment.process_variables(),
        fetch=tenant.fetch,
    )
    problems: list[Problem] = list(loaded.problems)
    if loaded.run is None:
        raise InputError(problems)
    run = loaded.run
    for secret in _secrets(run):
        note_secret(secret)
    contents: dict[str, Mapping[ArtifactRef, ArtifactContent]] = {}
    for config in run.configs:
        found, wrong = content.load_contents(config)
        contents[config.source] = found
        if run.settings.mode.updates:
            problems.extend(wrong)
    if problems:
        raise InputError(problems)
    folder = records.StateFolder(root, run=datetime.now(UTC).strftime("%Y%m%dT%H%M%S"))
    kept = _keep_content(folder, contents) if run.settings.keep_temp and run.settings.mode.updates else ""
    return Prepared(run=run, contents=contents, folder=folder, kept_folder=kept)


async def _work(prepared: Prepared, progress: _Progress, emit: Emit, note_secret: NoteSecret) -> None:
    run, settings = prepared.run, prepared.run.settings
    async with _reach(run.tenant, note_secret) as access:
        emit(
            RunStarted(
                environment=run.environment,
                environment_origin=run.environment_origin,
                tenant=access.url if access is run.tenant else f"embedded tenant at {access.url}",
                login=_login_name(access),
            )
        )
        kept = records.DeploymentRecords(prepared.folder, tenant=_tenant_name(run))
        async with tenant.connect(
            access,
            designtime_rate=settings.designtime_rate,
            runtime_rate=settings.runtime_rate,
            request_timeout_s=settings.request_timeout_s,
            emit=emit,
            note_secret=note_secret,
        ) as client:
            planned = [(c, *await _plan(c, prepared, client, kept)) for c in run.configs]
            progress.plans = [(plan, engine.Ledger()) for _, plan, _ in planned]
            steps = zip(planned, progress.plans, strict=True)
            for number, ((config, plan, inventory), (_, ledger)) in enumerate(steps, start=1):
                emit(PartStarted(source=config.source, number=number, total=len(planned)))
                await engine.carry_out(
                    plan, inventory, tenant=client, records=kept, settings=settings, emit=emit, ledger=ledger
                )


async def _plan(
    config: DeployConfig, prepared: Prepared, client: tenant.TenantClient, kept: records.DeploymentRecords
) -> tuple[Plan, Inventory]:
    contents, settings = prepared.contents[config.source], prepared.run.settings
    inventory = await engine.read_inventory(client, config, contents, settings, kept)
    return planning.make_plan(config, contents, inventory, settings), inventory


@asynccontextmanager
async def _reach(access: TenantAccess | EmbeddedTenant, note_secret: NoteSecret) -> AsyncIterator[TenantAccess]:
    """Give the address of the tenant; an embedded one is served on a free loopback port meanwhile."""
    if isinstance(access, TenantAccess):
        yield access
        return
    settings = simulator.SimulatorSettings(deploy_s=access.deploy_s, failing=access.failing)
    note_secret(settings.client_secret)
    embedded = simulator.Simulator(settings, state_file=access.state)
    async with trio.open_nursery() as nursery:
        url = await nursery.start(simulator.serve, embedded)
        yield TenantAccess(
            url=url,
            login=OAuthLogin(
                token_url=f"{url}/oauth/token", client_id=settings.client_id, client_secret=settings.client_secret
            ),
        )
        nursery.cancel_scope.cancel(reason="the run is over")


async def _cancel_on_signal(
    scope: trio.CancelScope, progress: _Progress, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            progress.is_interrupted = True
            scope.cancel(reason="interrupted by a signal")


def _keep_content(folder: records.StateFolder, contents: Mapping[str, Mapping[ArtifactRef, ArtifactContent]]) -> str:
    kept = folder.upload_folder()
    folder.ensure()
    for found in contents.values():
        for ref, artifact in found.items():
            content.write_unpacked(artifact, kept / ref.package / ref.artifact)
    return str(kept)


def _secrets(run: RunConfig) -> tuple[str, ...]:
    if isinstance(run.tenant, EmbeddedTenant):
        return ()
    login = run.tenant.login
    return (login.password,) if isinstance(login, BasicLogin) else (login.client_secret,)


def _login_name(access: TenantAccess) -> str:
    if isinstance(access.login, BasicLogin):
        return f"Basic as {access.login.username}"
    return "OAuth client credentials"


def _tenant_name(run: RunConfig) -> str:
    return f"embedded:{run.tenant.state}" if isinstance(run.tenant, EmbeddedTenant) else run.tenant.url


def _first(group: BaseExceptionGroup[CpiTasksError]) -> CpiTasksError:
    """Give the one error that a person should read: of several the first, they mostly say the same."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _ignore(_: object) -> None:
    """Take an event or a secret and do nothing with it."""
