"""Composition root: puts the rooms together under the only ``trio.run`` and maps the end to an exit code."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import trio

from cpi_tasks import content, engine, environment, planning, records, report, tenant
from cpi_tasks.errors import CpiTasksError, InputError, Interrupted, Problem
from cpi_tasks.events import Emit, Event, PartStarted, RunFinished, RunStarted, WarningRaised
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
from cpi_tasks.model.tenant import Tenant

NoteSecret = Callable[[str], None]
Reach = Callable[[RunConfig, Emit, NoteSecret], AbstractAsyncContextManager[Tenant]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The checked input of a run: nothing was sent yet."""

    config: RunConfig
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
        sys.stdout.write(report.render_problems(error.problems, redactor, stdout=sys.stdout))
        return error.exit_code
    except CpiTasksError as error:
        sys.stdout.write(report.render_error(error, redactor, stdout=sys.stdout))
        return error.exit_code


def execute(selection: Selection, *, root: Path, emit: Emit | None = None) -> Report:
    """Run what ``selection`` asks for without printing and give the report; ``emit`` is called with every event.

    Raises ``CpiTasksError`` where nothing could be begun: ``InputError`` for bad input, ``AuthenticationError`` and
    ``TenantUnavailable`` for a tenant that cannot be used. What failed afterwards is in the report.
    """
    return trio.run(run, selection, root, emit or _ignore, _ignore)


async def _show_run(selection: Selection, root: Path, view: report.View, redactor: report.Redactor) -> int:
    send, receive = trio.open_memory_channel[Event](math.inf)
    result: list[Report | CpiTasksError] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(report.show, receive, view)
        with send:
            try:
                result.append(await run(selection, root, send.send_nowait, redactor.add))
            except CpiTasksError as error:
                result.append(error)
    ended = result[0]
    if isinstance(ended, CpiTasksError):
        raise ended
    if view.failure is not None:
        with suppress(OSError, ValueError):
            sys.stdout.write(report.render_report(ended, redactor, stdout=sys.stdout))
    return ended.exit_code


async def run(
    selection: Selection, root: Path, emit: Emit, note_secret: NoteSecret, reach: Reach | None = None
) -> Report:
    """Load and check, read the tenant, plan, carry out: the whole way of a run. Signals end it in good order.

    ``reach`` opens the tenant; what the run's environment says where it is not given.
    """
    started = trio.current_time()
    progress = _Progress()
    try:
        async with trio.open_nursery() as nursery:
            if threading.current_thread() is threading.main_thread():
                await nursery.start(_cancel_on_signal, nursery.cancel_scope, progress)
            prepared = prepare(selection, root=root, note_secret=note_secret)
            await trio.lowlevel.checkpoint()
            await _work(prepared, progress, emit, (reach or reach_tenant)(prepared.config, emit, note_secret))
            nursery.cancel_scope.cancel(reason="the work is done")
    except* CpiTasksError as group:
        raise _first(group) from None
    if not progress.plans and progress.is_interrupted:
        raise Interrupted("interrupted before anything was changed; nothing was sent that changes the tenant")
    result = Report(
        environment=prepared.config.environment,
        tenant=_tenant_name(prepared.config),
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
    config = loaded.run
    for secret in _secrets(config):
        note_secret(secret)
    contents: dict[str, Mapping[ArtifactRef, ArtifactContent]] = {}
    for part in config.configs:
        found, wrong = content.load_contents(part)
        contents[part.source] = found
        if config.settings.mode.updates:
            problems.extend(wrong)
    if problems:
        raise InputError(problems)
    folder = records.StateFolder(root, run=datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ"))
    kept = _keep_content(folder, contents) if config.settings.keep_temp and config.settings.mode.updates else ""
    return Prepared(config=config, contents=contents, folder=folder, kept_folder=kept)


async def _work(
    prepared: Prepared, progress: _Progress, emit: Emit, reached: AbstractAsyncContextManager[Tenant]
) -> None:
    config, settings = prepared.config, prepared.config.settings
    kept = records.DeploymentRecords(prepared.folder, tenant=_tenant_name(config))
    async with reached as client:
        for warning in config.warnings:
            emit(WarningRaised(text=warning))
        planned = [(part, *await _plan(part, prepared, client, kept)) for part in config.configs]
        progress.plans = [(plan, engine.Ledger()) for _, plan, _ in planned]
        steps = zip(planned, progress.plans, strict=True)
        for number, ((part, plan, inventory), (_, ledger)) in enumerate(steps, start=1):
            emit(PartStarted(source=part.source, number=number, total=len(planned)))
            await engine.carry_out(
                plan, inventory, tenant=client, records=kept, settings=settings, emit=emit, ledger=ledger
            )


async def _plan(
    part: DeployConfig, prepared: Prepared, client: Tenant, kept: records.DeploymentRecords
) -> tuple[Plan, Inventory]:
    contents, settings = prepared.contents[part.source], prepared.config.settings
    inventory = await engine.read_inventory(client, part, contents, settings, kept)
    return planning.make_plan(part, contents, inventory, settings), inventory


@asynccontextmanager
async def reach_tenant(config: RunConfig, emit: Emit, note_secret: NoteSecret) -> AsyncIterator[Tenant]:
    """Open a client for the environment's tenant; an embedded one is served on a free loopback port meanwhile."""
    settings = config.settings
    async with _serve_embedded(config.tenant, note_secret) as access:
        emit(
            RunStarted(
                environment=config.environment,
                environment_origin=config.environment_origin,
                tenant=access.url if access is config.tenant else f"embedded tenant at {access.url}",
                login=_login_name(access),
            )
        )
        async with tenant.connect(
            access,
            designtime_rate=settings.designtime_rate,
            runtime_rate=settings.runtime_rate,
            request_timeout_s=settings.request_timeout_s,
            emit=emit,
            note_secret=note_secret,
        ) as client:
            yield client


@asynccontextmanager
async def _serve_embedded(
    access: TenantAccess | EmbeddedTenant, note_secret: NoteSecret
) -> AsyncIterator[TenantAccess]:
    if isinstance(access, TenantAccess):
        yield access
        return
    from cpi_tasks import simulator  # noqa: PLC0415 - its server libraries load only where it is used

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
    for found in contents.values():
        for ref, artifact in found.items():
            folder.keep_upload(ref, partial(content.write_unpacked, artifact))
    return str(folder.upload_folder)


def _secrets(config: RunConfig) -> tuple[str, ...]:
    if isinstance(config.tenant, EmbeddedTenant):
        return ()
    login = config.tenant.login
    return (login.password,) if isinstance(login, BasicLogin) else (login.client_secret,)


def _login_name(access: TenantAccess) -> str:
    if isinstance(access.login, BasicLogin):
        return "Basic"
    return "OAuth client credentials"


def _tenant_name(config: RunConfig) -> str:
    return f"embedded:{config.tenant.state}" if isinstance(config.tenant, EmbeddedTenant) else config.tenant.url


def _first(group: BaseExceptionGroup[CpiTasksError]) -> CpiTasksError:
    """Give the one error that a person should read: of several the first, they mostly say the same."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _ignore(_: object) -> None:
    """Take an event or a secret and do nothing with it."""
