"""The whole way of a run: checked input, plan, two phases, report; signals end it in good order."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import trio

from cpi_tasks import engine, planning, records, report
from cpi_tasks.app.interruption import Interruption, watch_signals
from cpi_tasks.app.keeper import Keeper
from cpi_tasks.app.plans import Planned, check_allowed, make_plans, why_stale
from cpi_tasks.app.prepare import NoteSecret, Prepared, keep_uploads, login_name, prepare, tenant_name
from cpi_tasks.app.progress import Progress
from cpi_tasks.app.reach import Reach, reach_tenant
from cpi_tasks.errors import CpiTasksError, Interrupted, Refused, StateFolderError, raised_alone
from cpi_tasks.events import ConfirmationNeeded, Emit, PartStarted, PlanMade, WarningRaised
from cpi_tasks.model.config import RunConfig, Selection
from cpi_tasks.model.report import Report

T = TypeVar("T")

Confirm = Callable[[str], Awaitable[bool]]
"""Asks a person to confirm a run against a protected environment, given its name."""


def ignore(_: object) -> None:
    """Take an event or a secret and do nothing with it."""


async def confirmed(_: str) -> bool:
    """Confirm a protected environment for somebody who said yes beforehand."""
    await trio.lowlevel.checkpoint()
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a caller of a run brings besides the selection.

    ``confirm`` is asked before a protected environment is changed; ``None`` refuses such a run. ``saved`` is
    a saved plan that must be carried out exactly. ``is_attended``: a person at a terminal may interrupt twice.
    ``lock_wait_s`` is how long another run on the same tenant is waited for, ``locks`` the folder of such locks
    (default: the user's), ``in_background`` how blocking work is waited for.
    """

    emit: Emit = ignore
    note_secret: NoteSecret = ignore
    confirm: Confirm | None = None
    saved: planning.SavedPlan | None = None
    reach: Reach = reach_tenant
    in_background: records.InBackground = trio.to_thread.run_sync
    is_attended: bool = False
    lock_wait_s: float = 0.0
    locks: Path | None = None


async def run(selection: Selection, root: Path, terms: Terms) -> Report:
    """Load and check, read the tenant, plan, carry out: the whole way of a run. Signals end it in good order.

    They are heeded until the report is made; where this is the main thread, one that comes at the very end is handed
    on to whoever handled signals before.
    """
    progress = Progress(started=trio.current_time())
    redactor = report.Redactor()
    try:
        with raised_alone(CpiTasksError):
            async with trio.open_nursery() as watching:
                interruption = Interruption(progress, is_attended=terms.is_attended)
                await watch_signals(watching, interruption.begin)
                result = await _run(
                    selection, root, terms, progress=progress, redactor=redactor, interruption=interruption
                )
                # A run whose report is made has ended, also for a caller that cancels it now.
                watching.cancel_scope.shield = True
                watching.cancel_scope.cancel()
    except CpiTasksError as error:
        _note_end(error, progress, redactor, terms)
        raise
    if interruption.late is not None:
        signal.raise_signal(interruption.late)
    return result


async def _run(
    selection: Selection,
    root: Path,
    terms: Terms,
    *,
    progress: Progress,
    redactor: report.Redactor,
    interruption: Interruption,
) -> Report:
    with ExitStack() as stack:
        keeper: Keeper | None = None
        with interruption.scope:
            logged = replace(terms, note_secret=_both(terms.note_secret, redactor.add))
            prepared = prepare(selection, root=root, note_secret=logged.note_secret)
            progress.prepared = prepared
            _check_confirmable(prepared.config, terms)
            progress.kept_folder = keep_uploads(prepared)
            await trio.lowlevel.checkpoint()
            journal = stack.enter_context(
                closing(records.RunJournal(prepared.folder, redactor.mask, terms.in_background))
            )
            keeper = Keeper(prepared=prepared, progress=progress, redactor=redactor, journal=journal, tell=terms.emit)
            interruption.use(keeper.emit, keeper.write_report)
            await _work(keeper, replace(logged, emit=keeper.emit))
        if keeper is None or not progress.ledgers:
            raise Interrupted("interrupted before anything was changed; nothing was sent that changes the tenant")
        interruption.end()
        return keeper.finish()


def _note_end(error: CpiTasksError, progress: Progress, redactor: report.Redactor, terms: Terms) -> None:
    """Have the journal tell that a run without a report has ended, if the journal can still be written."""
    if progress.prepared is not None:
        with (
            suppress(StateFolderError),
            closing(records.RunJournal(progress.prepared.folder, redactor.mask, terms.in_background)) as journal,
        ):
            journal.note_end(error.exit_code)


def _both(first: Callable[[T], None], second: Callable[[T], None]) -> Callable[[T], None]:
    def call(value: T) -> None:
        first(value)
        second(value)

    return call


async def _work(keeper: Keeper, terms: Terms) -> None:
    prepared, progress = keeper.prepared, keeper.progress
    config = prepared.config
    name = tenant_name(config)
    lock = records.tenant_lock(
        terms.locks or _lock_folder(prepared, keeper),
        tenant=name,
        run=prepared.folder.run,
        wait_s=terms.lock_wait_s,
        note_waiting=lambda text: terms.emit(WarningRaised(text=text)),
    )
    async with lock:
        memory = engine.Memory(
            records=records.LossyRecords(prepared.folder, tenant=name, login=login_name(config), notice=keeper.notice),
            cache=records.TenantCache(prepared.folder, tenant=name),
            backups=records.LossyBackups(prepared.folder, notice=keeper.notice),
        )
        async with terms.reach(config, terms.emit, terms.note_secret, keeper.before_write) as client:
            with ExitStack() as unless_begun:
                unless_begun.callback(_drop_everything, config, memory)
                planned = await make_plans(prepared, client, memory, terms.emit)
                _drop_needless(planned, memory)
                check_allowed(planned, prepared)
                _check_saved(planned, prepared, terms)
                asked = trio.current_time()
                is_shown = await _confirm(planned, config, terms)
                progress.confirmation_s = trio.current_time() - asked
                # What runs leave is digested with it: a disk that cannot keep it is found out before anything is begun.
                prepared.folder.key()
                unless_begun.pop_all()
            brake = progress.begin(planned, config.settings)
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
                    brake=brake,
                )


def _lock_folder(prepared: Prepared, keeper: Keeper) -> Path:
    """Return the user's folder of locks, or one of the project where the user has none."""
    folder = records.lock_folder()
    if folder is not None:
        return folder
    keeper.emit(
        WarningRaised(
            text="the home folder cannot be used, so locks are kept in .cpi/locks and only protect against runs of "
            "this folder; set XDG_STATE_HOME to a folder that all projects share"
        )
    )
    return prepared.folder.ensure("locks")


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
    terms.emit(ConfirmationNeeded(environment=config.environment, is_confirmed=terms.confirm is confirmed))
    if not await terms.confirm(config.environment):
        raise Refused(
            f"environment '{config.environment}' is protected and its name was not typed; nothing was sent that "
            "changes the tenant"
        )
    return True
