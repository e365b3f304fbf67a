"""Whether an artifact must be deployed: it is left alone only if it is proved to run what design time holds."""

from __future__ import annotations

from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import DeployAction, DeployStep, UpdateAction, UpdateStep
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
    depends_on: frozenset[ArtifactRef],
) -> DeployStep:
    """Decide about one artifact's deployment; ``update`` is what the update phase does to it first, if anything."""
    design = inventory.artifacts.get(spec.id)
    runtime = inventory.runtime.get(spec.id)
    if update is not None and update.writes:
        action, reason = DeployAction.DEPLOY, _WORDS[update.action]
    elif spec.id in inventory.unreadable or spec.ref.package in inventory.unreadable:
        action = DeployAction.REFUSE
        reason = inventory.unreadable.get(spec.ref.package) or inventory.unreadable[spec.id]
    elif design is None:
        return DeployStep(
            action=DeployAction.REFUSE,
            reason=f"package '{spec.ref.package}' on the tenant has no {spec.kind.label} '{spec.id}' to deploy",
            advice="run update first, or check the id and the deployment prefix",
        )
    elif is_forced:
        action, reason = DeployAction.DEPLOY, "--force"
    else:
        action, reason = _judge(design, runtime, inventory)
    version = None if design is None else design.version
    return DeployStep(action=action, reason=reason, before=runtime, version=version, depends_on=depends_on)


def _judge(
    design: DesigntimeArtifact, runtime: RuntimeArtifact | None, inventory: Inventory
) -> tuple[DeployAction, str]:
    record = inventory.record(design.id)
    is_wanted_version = runtime is not None and (design.is_draft or runtime.version == design.version)
    if runtime is None:
        return DeployAction.DEPLOY, "not deployed"
    if runtime.status == "STARTING" and is_wanted_version and (record.is_triggered or not record.is_pending):
        return DeployAction.WATCH, f"a deployment of {runtime.version} is already under way"
    if record.is_pending:
        return DeployAction.DEPLOY, "an earlier run wrote a change that was never seen running"
    if runtime.status != "STARTED":
        return DeployAction.DEPLOY, f"is {runtime.status} on the tenant"
    if not is_wanted_version:
        return DeployAction.DEPLOY, f"runs {runtime.version}, design time has {design.version}"
    return _prove(design, runtime, inventory)


def _prove(design: DesigntimeArtifact, runtime: RuntimeArtifact, inventory: Inventory) -> tuple[DeployAction, str]:
    """Prove that what runs was deployed after the last change, by the tenant's timestamps or by our record."""
    deployed, modified = runtime.deployed_on, design.modified_at
    if deployed is not None and modified is not None and deployed > modified:
        return DeployAction.RUNNING, f"runs {runtime.version}, deployed after its last change"
    record = inventory.record(design.id)
    download = inventory.downloads.get(design.id)
    is_recorded = (
        deployed is not None
        and record.deployed_on == deployed
        and download is not None
        and record.content == download.digest.fingerprint
        and record.parameters == inventory.parameter_digests.get(design.id)
    )
    if is_recorded:
        return DeployAction.RUNNING, f"runs {runtime.version}, exactly as this tool deployed it"
    if deployed is not None and modified is not None:
        return DeployAction.DEPLOY, "changed on the tenant after its last deployment"
    return DeployAction.DEPLOY, "not provable: the tenant gives no time of change and .cpi/ has no record of it"
