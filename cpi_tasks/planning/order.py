"""What waits for what: the order of deployments comes from the content and from ``dependsOn``, not from types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from cpi_tasks.content import needs_of
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import ArtifactSpec, DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, PackagePlan, UpdateAction
from cpi_tasks.planning.circles import Edges, without_circles

_Contents = Mapping[ArtifactRef, ArtifactContent]
_WHERE = {True: "is not deployed on the tenant", False: "does not exist on the tenant"}
_LEFT_ALONE = "is left alone as somebody's draft and is not deployed on the tenant"
_WORKING = frozenset({DeployAction.DEPLOY, DeployAction.WATCH})


def with_order(packages: Sequence[PackagePlan], config: DeployConfig, contents: _Contents) -> tuple[PackagePlan, ...]:
    """Make every deployment wait for what it needs and, without insisting on it, for what it works with.

    It needs the script collections and message mappings it uses and what ``dependsOn`` names; it works with flows whose
    ProcessDirect addresses it calls, and with value mappings if it looks anything up.
    """
    artifacts = [artifact for package in packages for artifact in package.artifacts]
    awaited = {artifact.ref.artifact: artifact.ref for artifact in artifacts if _is_awaited(artifact)}
    waiting = [artifact.ref for artifact in artifacts if artifact.deploy is not None]
    specs = {spec.ref: spec for package in config.packages for spec in package.artifacts}
    named = {ref: frozenset(awaited[id_] for id_ in specs[ref].depends_on if id_ in awaited) for ref in waiting}
    used = {
        ref: frozenset(awaited[id_] for id_ in _references(ref, contents) if id_ in awaited and awaited[id_] != ref)
        for ref in waiting
    }
    hard = without_circles(named, used)
    working = {a.ref: a.kind for a in artifacts if a.deploy is not None and a.deploy.action in _WORKING}
    everything = without_circles(hard, _soft(working, contents))

    def ordered(artifact: ArtifactPlan) -> ArtifactPlan:
        if artifact.deploy is None:
            return artifact
        depends_on = hard.get(artifact.ref, frozenset())
        goes_after = everything.get(artifact.ref, frozenset()) - depends_on
        return replace(artifact, deploy=replace(artifact.deploy, depends_on=depends_on, goes_after=goes_after))

    return tuple(replace(p, artifacts=tuple(ordered(a) for a in p.artifacts)) for p in packages)


def find_absent(
    packages: Sequence[PackagePlan],
    config: DeployConfig,
    contents: _Contents,
    inventory: Inventory,
    *,
    coming: AbstractSet[ArtifactId],
) -> tuple[Problem, ...]:
    """Complain about everything that is needed, that this run does not deploy, and that does not run on the tenant.

    It is not in the configuration, or it is left alone as somebody's draft. ``coming`` is what earlier configurations
    of the same run deploy.
    """
    artifacts = [artifact for package in packages for artifact in package.artifacts]
    specs = {spec.ref: spec for package in config.packages for spec in package.artifacts}
    own = {spec.id for spec in specs.values() if spec.deploy}
    absent = {needed: _WHERE[is_there] for needed, is_there in inventory.elsewhere.items() if needed not in own}
    absent |= {artifact.ref.artifact: _LEFT_ALONE for artifact in artifacts if _is_left_alone(artifact)}
    if not absent:
        return ()
    needs = needs_of(config, contents)
    return tuple(
        _absent(specs[artifact.ref], needed, absent[needed])
        for artifact in artifacts
        if artifact.deploy is not None and artifact.deploy.action in _WORKING
        for needed in sorted(needs[artifact.ref] - coming)
        if needed in absent and needed not in inventory.runtime
    )


def _is_left_alone(artifact: ArtifactPlan) -> bool:
    return artifact.deploy is None and artifact.update is not None and artifact.update.action is UpdateAction.KEEP


def _absent(spec: ArtifactSpec, needed: ArtifactId, where: str) -> Problem:
    position = spec.depends_on.get(needed, spec.position)
    return Problem(
        file=position.file,
        line=position.line,
        column=position.column,
        path=position.path,
        message=f"{spec.kind.label} '{spec.id}' needs '{needed}', which {where}; nor does this run deploy it first",
    )


def _references(ref: ArtifactRef, contents: _Contents) -> Iterator[ArtifactId]:
    content = contents.get(ref)
    if content is not None:
        yield from (ArtifactId(id_) for id_ in sorted(content.references))


def _soft(working: Mapping[ArtifactRef, ArtifactKind], contents: _Contents) -> Edges[ArtifactRef]:
    listeners: dict[str, set[ArtifactRef]] = {}
    for ref in working:
        if (content := contents.get(ref)) is not None:
            for address in content.listens_to:
                listeners.setdefault(address, set()).add(ref)
    mappings = frozenset(ref for ref, kind in working.items() if kind is ArtifactKind.VALUE_MAPPING)
    found = {}
    for ref in working:
        if (content := contents.get(ref)) is None:
            continue
        called = {other for address in content.calls for other in listeners.get(address, ())}
        found[ref] = frozenset(called | (mappings if content.looks_up_values else frozenset())) - {ref}
    return found


def _is_awaited(artifact: ArtifactPlan) -> bool:
    is_written = artifact.update is not None and (
        artifact.update.writes or artifact.update.action is UpdateAction.REFUSE
    )
    is_deployed = artifact.deploy is not None and artifact.deploy.action is not DeployAction.RUNNING
    return is_written or is_deployed
