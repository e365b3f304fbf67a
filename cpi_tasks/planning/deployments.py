"""Whether an artifact must be deployed: it is left alone only if it is proved to run what design time holds."""

from __future__ import annotations

from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactKind, DeployProof
from cpi_tasks.model.plan import DeployAction, DeployStep, UpdateAction, UpdateStep
from cpi_tasks.model.records import NOT_KNOWN, ArtifactRecord
from cpi_tasks.model.tenant import DesigntimeArtifact, RuntimeArtifact

_WORDS = {
    UpdateAction.CREATE: "new on the tenant",
    UpdateAction.UPDATE: "content is updated",
    UpdateAction.CONFIGURE: "parameters are changed",
    UpdateAction.REPLACE: "value mapping is replaced",
    UpdateAction.SAVE_VERSION: "a version is saved",
}


def plan_deployment(
    spec: ArtifactSpec,
    update: UpdateStep | None,
    inventory: Inventory,
    *,
    is_forced: bool,
    proof: DeployProof = DeployProof.STRICT,
) -> DeployStep:
    """Decide about one artifact's deployment; ``update`` is what the update phase does to it first, if anything."""
    design = inventory.artifacts.get(spec.id)
    runtime = inventory.runtime.get(spec.id)
    if update is not None and update.writes:
        action, reason = DeployAction.DEPLOY, _WORDS[update.action]
    elif (refusal := _unreadable(spec, update, inventory)) is not None:
        action, reason = DeployAction.REFUSE, refusal
    elif design is None:
        return DeployStep(
            action=DeployAction.REFUSE,
            reason=f"package '{spec.ref.package}' on the tenant has no {spec.kind.label} '{spec.id}' to deploy",
            advice="run update first, or check the id and the deployment prefix",
        )
    elif is_forced:
        action, reason = DeployAction.DEPLOY, "--force"
    else:
        action, reason = _judge(design, runtime, inventory, proof)
    version = None if design is None else design.version
    return DeployStep(action=action, reason=reason, before=runtime, version=version)


def _unreadable(spec: ArtifactSpec, update: UpdateStep | None, inventory: Inventory) -> str | None:
    """Give why an artifact that could not be read is not deployed; ``None`` where it may be.

    Content that is not to be compared is read only to spare a deployment, so it does not stand in the way of one.
    """
    reason = inventory.unreadable_packages.get(spec.ref.package)
    return inventory.unreadable_artifacts.get(spec.id) if reason is None and update is not None else reason


def _judge(
    design: DesigntimeArtifact, runtime: RuntimeArtifact | None, inventory: Inventory, proof: DeployProof
) -> tuple[DeployAction, str]:
    if runtime is None:
        return DeployAction.DEPLOY, "not deployed"
    record = inventory.record(design.id)
    is_wanted_version = design.is_draft or runtime.version == design.version
    is_under_way = runtime.status == "STARTING" and is_wanted_version
    if is_under_way and _may_be_joined(design, runtime, record):
        return DeployAction.WATCH, f"a deployment of {runtime.version} is already under way"
    if record.is_pending:
        return DeployAction.DEPLOY, "an earlier run wrote a change that was never seen running"
    if runtime.status != "STARTED":
        note = ", since before the last change" if is_under_way else ""
        return DeployAction.DEPLOY, f"is {runtime.status} on the tenant{note}"
    if not is_wanted_version:
        return DeployAction.DEPLOY, f"runs {runtime.version}, design time has {design.version}"
    return _prove(design, runtime, inventory, proof)


def _is_proved_by_version(design: DesigntimeArtifact) -> bool:
    """Return whether the number of a version stands for all of an artifact: flows have parameters beside it."""
    is_flow = design.kind is ArtifactKind.INTEGRATION_FLOW
    return not is_flow and not design.is_draft and design.modified_at is None


def _may_be_joined(design: DesigntimeArtifact, runtime: RuntimeArtifact, record: ArtifactRecord) -> bool:
    """Return whether a deployment in progress may be of what design time holds now."""
    deployed, modified = runtime.deployed_on, design.modified_at
    if record.is_triggered:
        return modified is None or record.modified_at in {None, NOT_KNOWN, modified}
    is_outdated = deployed is not None and modified is not None and deployed < modified
    return not (record.is_pending or is_outdated)


def _prove(
    design: DesigntimeArtifact, runtime: RuntimeArtifact, inventory: Inventory, proof: DeployProof
) -> tuple[DeployAction, str]:
    """Prove that what runs was deployed after the last change, by our record or, without one, by the tenant's times."""
    deployed = runtime.deployed_on
    if proof is DeployProof.VERSIONS and _is_proved_by_version(design):
        return DeployAction.RUNNING, f"runs the saved version {runtime.version} (deployProof: versions)"
    if _has_last_change(design, runtime, inventory):
        return DeployAction.RUNNING, f"runs {runtime.version}, deployed after its last change"
    if deployed is not None and _is_as_recorded(design, deployed, inventory):
        return DeployAction.RUNNING, f"runs {runtime.version}, exactly as this tool deployed it"
    if is_behind(design, runtime, inventory):
        is_earlier = deployed is not None and design.modified_at is not None and deployed > design.modified_at
        when = "during" if is_earlier else "after"
        return DeployAction.DEPLOY, f"changed on the tenant {when} its last deployment"
    return DeployAction.DEPLOY, f"not provable: {_missing(design, runtime)}"


def _missing(design: DesigntimeArtifact, runtime: RuntimeArtifact) -> str:
    if runtime.deployed_on is None:
        return "the tenant gives no time of deployment"
    if design.modified_at is None:
        return "the tenant gives no time of change and .cpi/ has no record of this state"
    return ".cpi/ has no record of what its last deployment was built from"


def is_behind(design: DesigntimeArtifact, runtime: RuntimeArtifact, inventory: Inventory) -> bool:
    """Tell whether times show a change that is not in what runs, and no record shows it to be none."""
    deployed, modified, record = runtime.deployed_on, design.modified_at, inventory.record(design.id)
    if deployed is None or modified is None or _has_last_change(design, runtime, inventory):
        return False
    is_known = record.deployed_on == deployed and record.modified_at not in {None, NOT_KNOWN}
    return (is_known or deployed <= modified) and not _is_as_recorded(design, deployed, inventory)


def _has_last_change(design: DesigntimeArtifact, runtime: RuntimeArtifact, inventory: Inventory) -> bool:
    """Return whether times prove it, and no content that was recorded contradicts."""
    record, deployed = inventory.record(design.id), runtime.deployed_on
    if not record.has_last_change(deployed_on=deployed, modified_at=design.modified_at):
        return False
    known, recorded = inventory.fingerprints.get(design.id), record.content
    is_of_our_own = record.deployed_on == deployed and recorded is not None
    return not is_of_our_own or known is None or known == recorded


def _is_as_recorded(design: DesigntimeArtifact, deployed: int, inventory: Inventory) -> bool:
    """Tell whether the record names this content, these parameters and this deployment.

    Parameters that the tenant does not show may have changed unseen: then nothing is proved.
    """
    record = inventory.record(design.id)
    download = inventory.downloads.get(design.id)
    is_hidden = design.id in inventory.unreadable_artifacts or inventory.parameters.get(design.id, ()) is None
    return (
        not is_hidden
        and download is not None
        and record.deployed_on == deployed
        and record.content == download.digest.fingerprint
        and record.parameters is not None
        and record.parameters == inventory.parameter_digests.get(design.id)
    )
