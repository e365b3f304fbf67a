"""The plan of one deploy configuration, put together in the order of the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cpi_tasks.content import fires_on_deployment
from cpi_tasks.errors import InputError, Problem
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactRef, DriftPolicy
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
    PackageAction,
    PackagePlan,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.planning.deployments import plan_deployment
from cpi_tasks.planning.order import find_absent, with_order
from cpi_tasks.planning.overwrites import drift_refusal, package_warnings, record_warnings, with_drift_warning
from cpi_tasks.planning.packages import plan_package
from cpi_tasks.planning.parameters import coming_values, unknown_overrides
from cpi_tasks.planning.updates import plan_update
from cpi_tasks.planning.versions import downgrade_refusal, version_warnings


def why_refused(plans: Sequence[Plan], settings: Settings) -> tuple[str, ...]:
    """Say why a run of all these plans is refused as a whole, before anything is sent; empty where it is not.

    So it is where a version would be lowered without ``allow_downgrade`` or, under ``onDrift: fail``, what somebody
    changed on the tenant would be overwritten.
    """
    packages = [package for plan in plans for package in plan.packages]
    downgrades = "" if settings.allow_downgrade else downgrade_refusal(a for p in packages for a in p.artifacts)
    drift = drift_refusal(packages) if settings.on_drift is DriftPolicy.FAIL else ""
    return tuple(text for text in (downgrades, drift) if text)


def make_plan(
    config: DeployConfig,
    contents: Mapping[ArtifactRef, ArtifactContent],
    inventory: Inventory,
    settings: Settings,
    *,
    earlier: Sequence[Plan] = (),
) -> Plan:
    """Decide everything a run would do, whether it may be done (``why_refused``) or not.

    ``contents`` has what was read of the artifact folders; where the mode does not update it serves the order and the
    foresight about timers only. ``earlier`` are the plans that the same run carries out before this one. Raises
    ``InputError`` with all problems only the tenant's state could show.
    """
    problems: list[Problem] = []
    packages: list[PackagePlan] = []
    for spec in config.packages:
        artifacts = []
        for artifact in spec.artifacts:
            content = contents.get(artifact.ref)
            if settings.mode.updates and artifact.sync and content is not None:
                problems.extend(unknown_overrides(artifact, content, inventory))
            artifacts.append(_artifact(artifact, content, inventory, settings))
        package = _package(spec, inventory, settings)
        if isinstance(package, Problem):
            problems.append(package)
        else:
            packages.append(replace(package, artifacts=tuple(artifacts)))
    coming = {one.ref.artifact for plan in earlier for one in plan.artifacts() if one.deploy is not None}
    absent = find_absent(packages, config, contents, inventory, coming=coming)
    if settings.is_strict:
        problems.extend(absent)
    if problems:
        raise InputError(problems)
    return Plan(
        source=config.source,
        packages=with_order(packages, config, contents),
        updates=settings.mode.updates,
        deploys=settings.mode.deploys,
        warnings=(
            *_address_warnings(config, contents),
            *(() if earlier else record_warnings(inventory.unrecorded, settings.on_drift)),
            *package_warnings(packages, settings.on_drift),
            *(problem.message for problem in absent),
        ),
    )


def _package(spec: PackageSpec, inventory: Inventory, settings: Settings) -> PackagePlan | Problem:
    if not settings.mode.updates:
        return PackagePlan(id=spec.id, action=PackageAction.KEEP, reason="deployed as it is on the tenant")
    return plan_package(spec, inventory)


def _artifact(
    spec: ArtifactSpec, content: ArtifactContent | None, inventory: Inventory, settings: Settings
) -> ArtifactPlan:
    update: UpdateStep | None = None
    if settings.mode.updates and spec.sync and content is not None:
        update = plan_update(spec, content, inventory, settings)
    is_left_alone = update is not None and update.action is UpdateAction.KEEP and not _is_saved(spec, inventory)
    deploy = None
    if settings.mode.deploys and spec.deploy and not is_left_alone:
        deploy = plan_deployment(spec, update, inventory, is_forced=settings.force, proof=settings.deploy_proof)
        deploy = replace(
            deploy,
            fires_timer=_fires_timer(deploy, update, content, inventory),
            expected_s=inventory.record(spec.id).took_s,
        )
    planned = ArtifactPlan(
        ref=spec.ref,
        kind=spec.kind,
        update=update,
        deploy=deploy,
        skip_reason="" if update or deploy else _skip_reason(settings),
        warnings=()
        if update is None
        else version_warnings(update, settings.versioning, allow_downgrade=settings.allow_downgrade),
    )
    return with_drift_warning(planned, settings.on_drift)


def _fires_timer(
    deploy: DeployStep, update: UpdateStep | None, content: ArtifactContent | None, inventory: Inventory
) -> bool:
    if deploy.action is not DeployAction.DEPLOY or content is None or not content.timers:
        return False
    enforced = {} if update is None else update.enforced
    return fires_on_deployment(content.timers, coming_values(content, inventory, enforced))


def _is_saved(spec: ArtifactSpec, inventory: Inventory) -> bool:
    before = inventory.artifacts.get(spec.id)
    return before is not None and not before.is_draft


def _skip_reason(settings: Settings) -> str:
    if settings.mode.updates and settings.mode.deploys:
        return "sync and deploy are false"
    return "sync is false" if settings.mode.updates else "deploy is false"


def _address_warnings(config: DeployConfig, contents: Mapping[ArtifactRef, ArtifactContent]) -> tuple[str, ...]:
    if not config.prefix:
        return ()
    sent = [content for content in contents.values() if content.spec.sync]
    fixed = [f"{c.spec.id} ({', '.join(c.fixed_addresses)})" for c in sent if c.fixed_addresses]
    if not fixed:
        return ()
    shown = 5
    more = f" and {len(fixed) - shown} more" if len(fixed) > shown else ""
    text = (
        f"sender addresses fixed in the model do not follow the prefix '{config.prefix}' and collide with another copy "
        f"on the same tenant; make them parameters: {'; '.join(fixed[:shown])}{more}"
    )
    return (text,)
