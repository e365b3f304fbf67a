"""Looking without writing: what a run would do, and in what a tenant has drifted from the files."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import trio

from cpi_tasks import content, engine, planning, records
from cpi_tasks.app.interruption import watch_signals
from cpi_tasks.app.plans import Planned, basis_of, make_plans, why_stale
from cpi_tasks.app.prepare import Prepared, login_name, prepare, tenant_name
from cpi_tasks.app.run import Terms
from cpi_tasks.cwd import current_folder
from cpi_tasks.errors import CpiTasksError, Interrupted, TenantError, raised_alone
from cpi_tasks.events import DiffMade, DriftFound, PartStarted, PlanFinished, PlanMade, WarningRaised
from cpi_tasks.model.config import Selection
from cpi_tasks.model.content import ArtifactContent, FileDiff
from cpi_tasks.model.drift import DriftReport
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan
from cpi_tasks.model.preview import Preview
from cpi_tasks.model.tenant import Tenant


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What one look at a tenant gave."""

    prepared: Prepared | None = None
    planned: tuple[Planned, ...] = ()
    diffs: dict[ArtifactRef, tuple[FileDiff, ...]] = field(default_factory=dict)


async def preview(selection: Selection, root: Path, terms: Terms, *, wants_diff: bool) -> Preview:
    """Plan without writing to the tenant; raises as a run does before it begins."""
    seen = await _look(selection, root, terms, wants_diff=wants_diff)
    prepared, planned = seen.prepared, seen.planned
    if prepared is None:
        raise Interrupted("interrupted; nothing was sent that changes the tenant")
    plans = tuple(one.plan for one in planned)
    refusals = planning.why_refused(plans, prepared.config.settings)
    if terms.saved is not None:
        stale = why_stale(terms.saved, planned, prepared)
        refusals = (*refusals, *(f"the saved plan is out of date: {reason}" for reason in stale))
    for number, plan in enumerate(plans, start=1):
        terms.emit(PartStarted(source=plan.source, number=number, total=len(plans)))
        terms.emit(PlanMade(plan=plan))
        if wants_diff:
            for artifact in plan.artifacts():
                terms.emit(DiffMade(ref=artifact.ref, diffs=seen.diffs.get(artifact.ref, ())))
    for refusal in refusals:
        terms.emit(WarningRaised(text=f"a run would be refused (exit code 5): {refusal}"))
    terms.emit(PlanFinished(plans=plans, is_refused=bool(refusals)))
    return Preview(
        environment=prepared.config.environment,
        tenant=tenant_name(prepared.config),
        plans=plans,
        diffs=seen.diffs,
        refusals=refusals,
        saved=planning.save_plan(
            basis_of(planned),
            config=prepared.config,
            selection=selection,
            tenant=tenant_name(prepared.config),
            cwd=current_folder(),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        ),
    )


async def find_drift(selection: Selection, root: Path, terms: Terms) -> DriftReport:
    """Compare a tenant with the files and with what the last run left; raises as a run does before it begins."""
    seen = await _look(selection, root, terms, wants_diff=False)
    if seen.prepared is None:
        raise Interrupted("interrupted; nothing was sent that changes the tenant")
    config = seen.prepared.config
    report = DriftReport(
        environment=config.environment,
        tenant=tenant_name(config),
        artifacts_total=sum(len(package.artifacts) for part in config.configs for package in part.packages),
        entries=tuple(
            entry
            for one in seen.planned
            for entry in planning.find_drift(one.config, one.contents, one.inventory, config.settings)
        ),
        unrecorded=next((one.inventory.unrecorded for one in seen.planned), ()),
    )
    terms.emit(DriftFound(report=report))
    return report


async def _look(selection: Selection, root: Path, terms: Terms, *, wants_diff: bool) -> _Seen:
    seen = _Seen()
    with raised_alone(CpiTasksError):
        async with trio.open_nursery() as nursery:
            await watch_signals(nursery, lambda _: nursery.cancel_scope.cancel())
            prepared = prepare(selection, root=root, note_secret=terms.note_secret)
            await trio.lowlevel.checkpoint()
            await _read(prepared, seen, terms, wants_diff=wants_diff)
            seen.prepared = prepared
            nursery.cancel_scope.cancel()
    return seen


async def _read(prepared: Prepared, seen: _Seen, terms: Terms, *, wants_diff: bool) -> None:
    name = tenant_name(prepared.config)
    async with AsyncExitStack() as stack:
        archives = stack.enter_context(records.ScratchArchives())
        memory = engine.Memory(
            records=records.DeploymentRecords(prepared.folder, tenant=name, login=login_name(prepared.config)),
            cache=records.TenantCache(prepared.folder, tenant=name),
            backups=archives,
        )
        client = await stack.enter_async_context(
            terms.reach(prepared.config, terms.emit, terms.note_secret, trio.lowlevel.checkpoint)
        )
        planned = await make_plans(prepared, client, memory, terms.emit)
        locks = await engine.read_locks(client)
        seen.planned = tuple(
            replace(
                one,
                inventory=replace(one.inventory, locks=locks),
                plan=planning.with_lock_warnings(one.plan, locks),
            )
            for one in planned
        )
        if wants_diff:
            for one in planned:
                for artifact in one.plan.artifacts():
                    await _diff(artifact, one.contents.get(artifact.ref), client, memory, seen.diffs)


async def _diff(
    artifact: ArtifactPlan,
    files: ArtifactContent | None,
    client: Tenant,
    memory: engine.Memory,
    diffs: dict[ArtifactRef, tuple[FileDiff, ...]],
) -> None:
    """Compare an artifact's files with what the tenant sent for comparing, or sends now; a refusal leaves them out."""
    step = artifact.update
    if step is None or step.before is None or not step.paths or files is None:
        return
    kept = memory.backups.archive(artifact.ref)
    try:
        archive = (
            await trio.Path(kept).read_bytes()
            if kept
            else await client.download_artifact(artifact.ref.artifact, artifact.kind)
        )
        diffs[artifact.ref] = content.diff_archive(files, archive)
    except TenantError:
        return
