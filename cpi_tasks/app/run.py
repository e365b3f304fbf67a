"""The whole way of a run: checked input, plan, two phases, report; signals end it in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import trio

from cpi_tasks import engine, planning, records
from cpi_tasks.app.plans import Planned, check_allowed, make_plans, why_stale
from cpi_tasks.app.prepare import NoteSecret, Prepared, keep_uploads, prepare, tenant_name
from cpi_tasks.app.reach import Reach, reach_tenant
from cpi_tasks.errors import CpiTasksError, Interrupted, Refused
from cpi_tasks.events import ConfirmationNeeded, Emit, PartStarted, PlanMade, RunFinished
from cpi_tasks.model.config import RunConfig, Selection
from cpi_tasks.model.report import PartReport, Report

Confirm = Callable[[str], Awaitable[bool]]
"""Asks a person to confirm a run against a protected environment, given its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a caller of a run brings besides the selection.

    ``confirm`` is asked before a protected environment is changed; ``None`` refuses such a run. ``saved`` is
    the text of a saved plan that must be carried out exactly, with the name of its file.
    """

    emit: Emit
    note_secret: NoteSecret
    confirm: Confirm | None = None
    saved: planning.SavedPlan | None = None
    reach: Reach = reach_tenant


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far a run has come, so that its report can be made whenever it ends."""

    planned: tuple[Planned, ...] = ()
    ledgers: list[engine.Ledger] = field(default_factory=list)
    is_interrupted: bool = False

    def parts(self) -> tuple[PartReport, ...]:
        """Give the report of each deploy configuration as far as it got."""
        return tuple(ledger.fold(one.plan) for one, ledger in zip(self.planned, self.ledgers, strict=True))


async def run(selection: Selection, root: Path, terms: Terms) -> Report:
    """Load and check, read the tenant, plan, carry out: the whole way of a run. Signals end it in good order."""
    started = trio.current_time()
    progress = _Progress()
    kept_folder = ""
    try:
        async with trio.open_nursery() as nursery:
            await watch_signals(nursery, lambda: setattr(progress, "is_interrupted", True))
            prepared = prepare(selection, root=root, note_secret=terms.note_secret)
            _check_confirmable(prepared.config, terms)
            kept_folder = keep_uploads(prepared)
            await trio.lowlevel.checkpoint()
            await _work(prepared, progress, terms)
            nursery.cancel_scope.cancel(reason="the work is done")
    except* CpiTasksError as group:
        raise first_error(group) from None
    if not progress.ledgers and progress.is_interrupted:
        raise Interrupted("interrupted before anything was changed; nothing was sent that changes the tenant")
    result = Report(
        environment=prepared.config.environment,
        tenant=tenant_name(prepared.config),
        parts=progress.parts(),
        duration_s=trio.current_time() - started,
        is_interrupted=progress.is_interrupted,
        kept_folder=kept_folder,
    )
    terms.emit(RunFinished(report=result))
    return result


async def _work(prepared: Prepared, progress: _Progress, terms: Terms) -> None:
    config = prepared.config
    name = tenant_name(config)
    memory = engine.Memory(
        records=records.DeploymentRecords(prepared.folder, tenant=name),
        cache=records.TenantCache(prepared.folder, tenant=name),
        backups=records.RunBackups(prepared.folder),
    )
    async with terms.reach(config, terms.emit, terms.note_secret) as client:
        with ExitStack() as unless_begun:
            unless_begun.callback(_drop_everything, config, memory)
            planned = await make_plans(prepared, client, memory, terms.emit)
            _drop_needless(planned, memory)
            check_allowed(planned, prepared)
            _check_saved(planned, prepared, terms)
            is_shown = await _confirm(planned, config, terms)
            unless_begun.pop_all()
        progress.planned, progress.ledgers = planned, [engine.Ledger() for _ in planned]
        for number, (one, ledger) in enumerate(zip(planned, progress.ledgers, strict=True), start=1):
            terms.emit(PartStarted(source=one.config.source, number=number, total=len(planned)))
            if not is_shown:
                terms.emit(PlanMade(plan=one.plan))
            await engine.carry_out(
                one.plan,
                one.inventory,
                tenant=client,
                memory=memory,
                settings=config.settings,
                emit=terms.emit,
                ledger=ledger,
            )


def _drop_everything(config: RunConfig, memory: engine.Memory) -> None:
    """Delete what was kept for backups by a run that ends before its first write."""
    for part in config.configs:
        for package in part.packages:
            for artifact in package.artifacts:
                memory.backups.drop(artifact.ref)


def _drop_needless(planned: tuple[Planned, ...], memory: engine.Memory) -> None:
    """Delete what was kept for a backup of content that is not overwritten after all."""
    for one in planned:
        for artifact in one.plan.artifacts():
            if artifact.update is None or not artifact.update.writes:
                memory.backups.drop(artifact.ref)


def _check_saved(planned: tuple[Planned, ...], prepared: Prepared, terms: Terms) -> None:
    reasons = () if terms.saved is None else why_stale(terms.saved, planned, prepared)
    if reasons:
        raise Refused("\n".join(("the saved plan is out of date; nothing was sent that changes the tenant:", *reasons)))


def _check_confirmable(config: RunConfig, terms: Terms) -> None:
    """Refuse early, before anything is read, where nobody could be asked."""
    if config.settings.is_protected and terms.confirm is None:
        raise Refused(
            f"environment '{config.environment}' is protected and nobody can be asked here; nothing was sent. Give "
            "--yes to run without asking"
        )


async def _confirm(planned: tuple[Planned, ...], config: RunConfig, terms: Terms) -> bool:
    """Have a person confirm what was planned, where the environment is protected and anything would be done.

    Tells whether the plans were shown for that; raises ``Refused`` where they were not confirmed.
    """
    if not config.settings.is_protected or terms.confirm is None or not any(one.plan.has_changes for one in planned):
        return False
    for one in planned:
        terms.emit(PlanMade(plan=one.plan))
    terms.emit(ConfirmationNeeded(environment=config.environment))
    if not await terms.confirm(config.environment):
        raise Refused(
            f"environment '{config.environment}' is protected and its name was not typed; nothing was sent that "
            "changes the tenant"
        )
    return True


async def watch_signals(nursery: trio.Nursery, note: Callable[[], None]) -> None:
    """Cancel ``nursery`` at SIGINT and SIGTERM, after calling ``note``; only where this is the main thread."""
    if threading.current_thread() is threading.main_thread():
        await nursery.start(_cancel_on_signal, nursery.cancel_scope, note)


async def _cancel_on_signal(
    scope: trio.CancelScope, note: Callable[[], None], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            note()
            scope.cancel(reason="interrupted by a signal")


def first_error(group: BaseExceptionGroup[CpiTasksError]) -> CpiTasksError:
    """Give the one error that a person should read: of several the first, they mostly say the same."""
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first
