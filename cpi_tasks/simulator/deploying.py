"""What a deploy call sets in motion: the snapshot, and whether the build can succeed."""

from __future__ import annotations

from cpi_tasks.simulator.lifecycle import Deployment, Fate, Snapshot
from cpi_tasks.simulator.state import StoredArtifact, TenantState, new_guid

_FAMILY_WORDS = {"scriptcollection": "Script collection", "messagemapping": "Message mapping"}


def snapshot_of(artifact: StoredArtifact) -> Snapshot:
    """Tell what would run if the artifact were deployed now; a draft shows the version its manifest carries."""
    return Snapshot(
        name=artifact.name,
        version=artifact.content.version or artifact.version,
        runtime_type=artifact.kind.runtime_type,
        digest=artifact.content.digest,
        parameters=artifact.parameters,
    )


def deploy(state: TenantState, artifact: StoredArtifact, user: str) -> Deployment:
    """Begin a deployment of the artifact as it is at this moment."""
    now_ms = state.clock.now_ms()
    duration_ms = state.settings.duration_of(artifact.id) * 1000
    problems = _build_problems(state, artifact)
    fate = Fate.FAILS_BUILD if problems else _planned_fate(state, artifact.id)
    arrival_ms = now_ms + (duration_ms if fate in {Fate.FAILS_BUILD, Fate.FAILS_LATE} else duration_ms / 3)
    record = state.record(artifact.id)
    deployment = Deployment(
        task_id=new_guid(),
        artifact_id=artifact.id,
        deployed_by=user,
        triggered_ms=now_ms,
        duration_ms=duration_ms,
        deployed_on=record.next_deployed_on(max(arrival_ms, artifact.modified_ms + 1)),
        snapshot=snapshot_of(artifact),
        fate=fate,
        task_hangs=artifact.id in state.settings.stuck_tasks,
        error=_error_text(artifact, fate, problems),
    )
    record.add(deployment)
    state.tasks[deployment.task_id] = deployment
    state.counter.add(artifact.package_id, now_ms, deployment.final_ms)
    state.is_dirty = True
    return deployment


def _planned_fate(state: TenantState, artifact_id: str) -> Fate:
    settings = state.settings
    if artifact_id in settings.failing:
        return Fate.FAILS_BUILD
    if artifact_id in settings.late_failing:
        return Fate.FAILS_LATE
    if artifact_id in settings.never_appearing:
        return Fate.NEVER_APPEARS
    return Fate.STAYS_STARTING if artifact_id in settings.stuck_starting else Fate.STARTS


def _build_problems(state: TenantState, artifact: StoredArtifact) -> list[str]:
    problems = list(artifact.findings.problems)
    for reference in sorted(artifact.findings.references):
        words = _FAMILY_WORDS[reference.kind_name]
        record = state.runtime.get(reference.id)
        shown = record.look(state.clock.now_ms()) if record else None
        if state.settings.requires_started_references and (shown is None or shown.status != "STARTED"):
            problems.append(f"{words} '{reference.id}' is not deployed")
        elif state.settings.requires_running_references and shown is None and reference.id not in state.artifacts:
            problems.append(f"{words} '{reference.id}' not found")
    return problems


def _error_text(artifact: StoredArtifact, fate: Fate, problems: list[str]) -> str:
    if fate is Fate.FAILS_LATE:
        return f"The artifact {artifact.id} could not be started.\nThe endpoint address is already in use"
    if fate is not Fate.FAILS_BUILD:
        return ""
    detail = "\n".join(problems or ["The artifact is not valid"])
    return (
        "The generation and build of the artifact were unsuccessful.\n"
        f"Generation and build failed for {artifact.id} as validation of resource is failed\n{detail}"
    )
