"""What a deploy call sets in motion: the snapshot, and whether the build can succeed."""

from __future__ import annotations

from dataclasses import replace

from cpi_tasks.simulator.endpoints import addresses_of
from cpi_tasks.simulator.fates import Ending
from cpi_tasks.simulator.lifecycle import Deployment, Fate, RuntimeArtifact, Snapshot, Undeployment
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import PROFILE_KEY, StoredArtifact, TenantState, new_guid

_ENDINGS = {
    Ending.STARTED: Fate.STARTS,
    Ending.BUILD_FAILS: Fate.FAILS_BUILD,
    Ending.FAILS_LATE: Fate.FAILS_LATE,
    Ending.NEVER_APPEARS: Fate.NEVER_APPEARS,
    Ending.STAYS_STARTING: Fate.STAYS_STARTING,
}
_FAILURES = frozenset({Fate.FAILS_BUILD, Fate.FAILS_LATE, Fate.LACKS_LICENSE})
_FAMILY_WORDS = {"scriptcollection": "Script collection", "messagemapping": "Message mapping"}


def snapshot_of(artifact: StoredArtifact) -> Snapshot:
    """Tell what would run if the artifact were deployed now; a draft shows the version its manifest carries."""
    return Snapshot(
        name=artifact.name,
        version=artifact.content.version or artifact.version,
        runtime_type=artifact.kind.runtime_type,
        digest=artifact.content.digest,
        parameters=artifact.parameters,
        endpoints=addresses_of(artifact.findings.senders, artifact.parameters) if artifact.kind is Kind.FLOW else {},
    )


def deploy(state: TenantState, artifact: StoredArtifact, user: str) -> Deployment:
    """Begin a deployment of the artifact as it is at this moment.

    What is just being undeployed is a 400, as is what goes to another runtime where the tenant refuses that.
    """
    now_ms = state.clock.now_ms()
    _check_deployable(state, artifact)
    said, seconds = state.fates.next(artifact.id)
    duration_ms = (state.settings.duration_of(artifact.id) if seconds is None else seconds) * 1000
    problems = build_problems(state, artifact)
    fate = Fate.FAILS_BUILD if problems else _planned_fate(state, artifact, said.ends)
    lingers_ms = None if said.old_version_s is None else said.old_version_s * 1000
    record = state.record(artifact.id)
    before = record.look(now_ms)
    stamps_late = state.settings.deployed_on_stamp == "started"
    deployment = Deployment(
        task_id=new_guid(),
        artifact_id=artifact.id,
        deployed_by=user,
        triggered_ms=now_ms,
        duration_ms=duration_ms,
        deployed_on=record.next_deployed_on(
            max(_stamp_ms(state, fate, now_ms, duration_ms, lingers_ms or 0), artifact.modified_ms + 1)
        ),
        starting_on=(before.deployed_on if before else int(now_ms)) if stamps_late else None,
        snapshot=_deployed_snapshot(state, artifact, fate, before),
        fate=fate,
        task_hangs=artifact.id in state.settings.stuck_tasks if said.task_hangs is None else said.task_hangs,
        error=_error_text(artifact, fate, problems) if problems or not said.error else said.error,
        lingers_ms=lingers_ms,
        error_looks=said.error_looks,
        error_delay_ms=None if said.error_s is None else said.error_s * 1000,
    )
    record.add(deployment)
    state.tasks[deployment.task_id] = deployment
    state.counter.add(artifact.package_id, now_ms, deployment.final_ms)
    state.is_dirty = True
    return deployment


def undeploy(state: TenantState, artifact_id: str) -> None:
    """Begin to stop what is deployed under an id, the way this tenant shows it."""
    settings = state.settings
    duration_ms = 0.0 if settings.undeployment == "gone" else settings.stop_s * 1000
    lingers_ms = duration_ms / 3 if settings.undeployment == "old-first" else 0.0
    call = Undeployment(triggered_ms=state.clock.now_ms(), duration_ms=duration_ms, lingers_ms=lingers_ms)
    state.record(artifact_id).add(call)
    state.is_dirty = True


def _check_deployable(state: TenantState, artifact: StoredArtifact) -> None:
    record = state.runtime.get(artifact.id)
    is_stopping = record is not None and record.is_stopping(state.clock.now_ms())
    if is_stopping and not state.settings.deploys_while_stopping:
        raise ODataError(400, f"The artifact {artifact.id} cannot be deployed while it is being undeployed.")
    if state.settings.other_runtime_trigger == "refused" and _goes_elsewhere(state, artifact):
        # Without a text (SAP/jenkins-library, issue 4820).
        raise ODataError(400, None)


def _goes_elsewhere(state: TenantState, artifact: StoredArtifact) -> bool:
    is_configured = artifact.parameters.get(PROFILE_KEY) == "integrationcell"
    return is_configured or artifact.id in state.settings.other_runtime


def _stamp_ms(state: TenantState, fate: Fate, now_ms: float, duration_ms: float, lingers_ms: float) -> float:
    """Tell when ``DeployedOn`` is taken, by the tenant's habit; a failure has no STARTING to take it at."""
    if state.settings.deployed_on_stamp == "trigger":
        return now_ms
    at_the_end = fate in _FAILURES or state.settings.deployed_on_stamp == "started"
    return now_ms + max(duration_ms if at_the_end else duration_ms / 3, lingers_ms)


def _deployed_snapshot(
    state: TenantState, artifact: StoredArtifact, fate: Fate, before: RuntimeArtifact | None
) -> Snapshot:
    snapshot = snapshot_of(artifact)
    if before is not None and fate in _FAILURES and state.settings.failed_version == "old":
        return replace(snapshot, version=before.version)
    return snapshot


def _planned_fate(state: TenantState, artifact: StoredArtifact, ending: Ending | None) -> Fate:
    if ending is not None:
        return _ENDINGS[ending]
    settings = state.settings
    planned = {
        Fate.FAILS_BUILD: settings.failing,
        Fate.LACKS_LICENSE: settings.license_failing,
        Fate.FAILS_LATE: settings.late_failing,
        Fate.NEVER_APPEARS: settings.never_appearing,
        Fate.STAYS_STARTING: settings.stuck_starting,
    }
    usual = Fate.GOES_ELSEWHERE if _goes_elsewhere(state, artifact) else Fate.STARTS
    return next((fate for fate, ids in planned.items() if artifact.id in ids), usual)


def build_problems(state: TenantState, artifact: StoredArtifact) -> list[str]:
    """Return what makes a build of the artifact fail, as sentences; an empty list where it can succeed."""
    problems = list(artifact.findings.problems)
    for reference in sorted(artifact.findings.references):
        if reference.is_optional and state.settings.optional_references == "ignored":
            continue
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
    if fate is Fate.LACKS_LICENSE:
        return f"The artifact {artifact.id} needs a feature that the license of this tenant does not include."
    if fate is not Fate.FAILS_BUILD:
        return ""
    detail = "\n".join(problems or ["The artifact is not valid"])
    return (
        "The generation and build of the artifact were unsuccessful.\n"
        f"Generation and build failed for {artifact.id} as validation of resource is failed\n{detail}"
    )
