"""Whatever files and tenant look like: what the plan says is what the run does, and then there is nothing left."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import trio
import trio.testing
from hypothesis import event, given, settings
from hypothesis import strategies as st

from cpi_tasks import app
from cpi_tasks.events import PlanMade
from cpi_tasks.model.config import Selection
from cpi_tasks.model.naming import ArtifactKind
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, PackageAction, Plan, UpdateAction, UpdateStep
from cpi_tasks.model.version import is_same, next_patch
from cpi_tasks.report.tally import blockers, is_refused, tally
from cpi_tasks.simulator import SimulatorSettings
from tests.simulation.edits import POOL, PREFIX, apply, configure
from tests.support.world import Ran, World, make_world

Edits = list[tuple[str, str]]
FAMILIES = st.sampled_from(
    [
        frozenset({"Integration"}),
        frozenset[str](),
        frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"}),
    ]
)
POLICIES = st.fixed_dictionaries(
    {
        "parameterPolicy": st.sampled_from(["overrides", "all"]),
        "valueMappings": st.sampled_from(["replace", "safe", "keep"]),
        "onDraft": st.sampled_from(["overwrite", "fail", "skip"]),
        "versioning": st.sampled_from(["manifest", "exact", "keep", "bump"]),
        "verify": st.sampled_from(["parameters", "full", "cached"]),
        "onDrift": st.sampled_from(["warn", "overwrite", "warn", "fail"]),
        "deploymentPrefix": st.sampled_from(["", PREFIX]),
    }
)
TENANTS = st.fixed_dictionaries(
    {
        "version_mode": st.sampled_from(["manifest-if-higher", "keep", "draft"]),
        "modified_at_families": FAMILIES,
        "put_takes_file_values": st.booleans(),
        "create_version": st.sampled_from(["1.0.0", "manifest"]),
        "configurations_of_draft": st.sampled_from(["readable", "not-found"]),
        "gives_task_id_for_all": st.booleans(),
    }
)
ENDS = {
    UpdateAction.UNCHANGED: "unchanged",
    UpdateAction.KEEP: "skipped",
    UpdateAction.REFUSE: "failed",
    DeployAction.RUNNING: "unchanged",
    DeployAction.REFUSE: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A random state: what is configured, how the tenant behaves, and what was changed since the last run."""

    policies: Mapping[str, str]
    tenant: Mapping[str, object]
    has_run: bool
    edits: Edits
    is_forgotten: bool
    allows_downgrade: bool
    is_saved: bool

    @property
    def selection(self) -> Selection:
        """The flags."""
        return Selection(allow_downgrade=self.allows_downgrade)


CASES = st.builds(
    Case,
    policies=POLICIES,
    tenant=TENANTS,
    has_run=st.sampled_from([True, True, True, False]),
    edits=st.lists(st.sampled_from(POOL), min_size=2, max_size=7),
    is_forgotten=st.sampled_from([False, False, False, True]),
    allows_downgrade=st.booleans(),
    is_saved=st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(case=CASES)
def test_a_run_does_what_the_plan_says_and_leaves_nothing_to_do(case: Case) -> None:
    """Writes, versions, parameters, deployments and outcomes are as planned; then plan and drift are empty."""
    with tempfile.TemporaryDirectory() as folder:
        trio.run(_try, case, Path(folder), clock=trio.testing.MockClock(autojump_threshold=0))


async def _try(case: Case, folder: Path) -> None:
    world = make_world(folder / "repo", settings=SimulatorSettings(**case.tenant))  # type: ignore[arg-type]
    world.project.keys |= case.policies
    configure(world)
    if case.has_run:
        await world.run()
    await trio.sleep(60)
    for name, artifact in case.edits:
        apply(world, name, artifact)
        await trio.sleep(5)
    if case.is_forgotten and case.has_run:
        world.forget()
    before = snapshot(world)
    seen = await world.plan(case.selection)
    if seen.refusals:
        await check_refused(world, seen, case)
        return
    assert snapshot(world) == before
    ran = await (world.carry_out(seen) if case.is_saved else world.run(case.selection))
    (plan,) = seen.plans
    if case.policies["verify"] != "cached":
        # From the cache it is not known which values are kept though they differ.
        assert [one.plan for one in ran.events if isinstance(one, PlanMade)] == [plan]
    check_writes(plan, ran)
    check_state(plan, world, before, case)
    check_outcomes(plan, ran)
    await check_nothing_is_left(plan, ran, world, case)


def snapshot(world: World) -> Mapping[str, tuple[object, ...]]:
    """Give what design time holds of each artifact."""
    artifacts = world.simulator.artifacts.values()
    return {one.id: (one.archive, one.version, one.is_draft, dict(one.parameters)) for one in artifacts}


async def check_refused(world: World, seen: app.Preview, case: Case) -> None:
    """Check that what the plan calls refused is refused, with the same reasons, and nothing is written."""
    event("refused")
    said = await (world.refuse(plan=seen) if case.is_saved else world.refuse(case.selection))
    assert all(reason in said for reason in seen.refusals)


def check_writes(plan: Plan, ran: Ran) -> None:
    """Check that the tenant took exactly the planned writes and deployments, each once."""
    saves = [write for write in ran.uploads if "SaveAsVersion" in write]
    others = Counter(write for write in ran.uploads if "SaveAsVersion" not in write)
    wanted, maybe = Counter(planned_writes(plan)), Counter(uncertain_writes(plan))
    assert not wanted - others, "everything planned was written"
    assert not others - wanted - maybe, "nothing else was written"
    versioned = {a.ref.artifact for a in plan.artifacts() if a.update is not None and a.update.version}
    assert {save.partition("Id='")[2].partition("'")[0] for save in saves} <= versioned
    held_up = blockers(plan)
    deploys = [a.ref for a in plan.artifacts() if a.deploy is not None and a.deploy.action is DeployAction.DEPLOY]
    refused = {artifact.ref for artifact in plan.artifacts() if is_refused(artifact)}
    assert ran.deployed == tuple(sorted(ref.artifact for ref in deploys if ref not in held_up and ref not in refused))
    assert tally([plan]).deploys[DeployAction.DEPLOY] == len(ran.deployed), "the counts line is right"


def planned_writes(plan: Plan) -> Iterator[str]:
    for package in plan.packages:
        match package.action:
            case PackageAction.CREATE:
                yield "POST IntegrationPackages"
            case PackageAction.UPDATE:
                yield f"PUT IntegrationPackages('{package.id}')"
    for artifact in plan.artifacts():
        step = artifact.update
        if step is not None:
            event(step.action.value)
            yield from _content_writes(artifact, step)
            if step.writes and not _sends_content(step):
                yield from _parameter_writes(artifact, step)


def uncertain_writes(plan: Plan) -> Iterator[str]:
    """Give writes that an upload may make needless: a tenant may take the archive's values."""
    for artifact in plan.artifacts():
        if artifact.update is not None and _sends_content(artifact.update):
            yield from _parameter_writes(artifact, artifact.update)


def _content_writes(artifact: ArtifactPlan, step: UpdateStep) -> Iterator[str]:
    family = f"{artifact.kind.api_name}DesigntimeArtifacts"
    if step.action is UpdateAction.REPLACE:
        yield f"DELETE {_path(artifact)}"
    if step.action in {UpdateAction.REPLACE, UpdateAction.CREATE}:
        yield f"POST {family}"
    elif _sends_content(step):
        yield f"PUT {_path(artifact)}"


def _parameter_writes(artifact: ArtifactPlan, step: UpdateStep) -> Iterator[str]:
    for change in step.changes:
        yield f"PUT {_path(artifact)}/$links/Configurations('{change.key}')"


def _path(artifact: ArtifactPlan) -> str:
    return f"{artifact.kind.api_name}DesigntimeArtifacts(Id='{artifact.ref.artifact}',Version='active')"


def _sends_content(step: UpdateStep) -> bool:
    is_draft = step.before is not None and step.before.is_draft
    return step.action in {UpdateAction.CREATE, UpdateAction.UPDATE, UpdateAction.REPLACE} or (
        step.action is UpdateAction.SAVE_VERSION
        and not is_draft
        and step.content is not None
        and step.content.spec.kind is not ArtifactKind.VALUE_MAPPING
    )


def check_state(plan: Plan, world: World, before: Mapping[str, tuple[object, ...]], case: Case) -> None:
    """Check that design time holds what was planned, and what was not to be written is what it was, byte for byte."""
    now = snapshot(world)
    for artifact in plan.artifacts():
        step, id_ = artifact.update, artifact.ref.artifact
        if step is None or not step.writes:
            assert now.get(id_) == before.get(id_)
            continue
        stored = world.simulator.artifact(id_)
        assert not stored.is_draft
        if step.version:
            # A draft cannot be saved under the number that is there already.
            next_one = next_patch(step.base_version) if case.tenant["version_mode"] == "draft" else step.version
            assert is_same(stored.version, step.version) or is_same(stored.version, next_one)
        else:
            assert stored.version == step.base_version
        assert {key: stored.parameters[key] for key in step.enforced} == step.enforced
        if not (_sends_content(step) and case.tenant["put_takes_file_values"]):
            assert all(stored.parameters[kept.key] == kept.old for kept in step.kept)


def check_outcomes(plan: Plan, ran: Ran) -> None:
    """Check that every step ended as planned."""
    held_up = blockers(plan)
    for artifact in plan.artifacts():
        outcome = ran.outcome(artifact.ref.artifact)
        if artifact.update is not None:
            assert outcome.update is not None
            assert outcome.update.status.value == ENDS.get(artifact.update.action, "done")
        if artifact.deploy is not None:
            has_failed = artifact.update is not None and artifact.update.action is UpdateAction.REFUSE
            is_aborted = has_failed or artifact.ref in held_up
            assert outcome.deploy is not None
            assert outcome.deploy.status.value == (
                "aborted" if is_aborted else ENDS.get(artifact.deploy.action, "done")
            )
    assert ran.exit_code == (1 if tally([plan]).all_refused else 0)


async def check_nothing_is_left(plan: Plan, ran: Ran, world: World, case: Case) -> None:
    """Check that after a success plan and drift are empty, and after a planned failure no other write is left."""
    after = await world.plan(case.selection)
    (left,) = after.plans
    assert not any(artifact.update is not None and artifact.update.writes for artifact in left.artifacts())
    event(f"exit code {ran.exit_code}")
    if ran.exit_code != 0:
        return
    assert not after.has_changes
    drift = await world.drift(case.selection)
    kept = {a.ref for a in plan.artifacts() if a.update is not None and a.update.action is UpdateAction.KEEP}
    assert [entry for entry in drift.entries if entry.ref not in kept] == []
