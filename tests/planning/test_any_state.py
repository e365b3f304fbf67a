"""Whatever the tenant's state: nothing is called running or unchanged without proof, and nothing gets lost."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from cpi_tasks.model.config import Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, DraftPolicy, Mode, ParameterPolicy, ValueMappingPolicy
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, UpdateAction
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.model.tenant import DesigntimeArtifact, RuntimeArtifact
from tests.planning.builders import (
    FLOW,
    OTHER,
    SAME,
    VALUES,
    content,
    design,
    digest,
    download,
    inventory,
    package,
    plan,
    runtime,
    spec,
    tenant_package,
)

MODIFIED = st.sampled_from([None, 1_000, 2_000, 3_000])
DEPLOYED = st.sampled_from([2_000, 2_000, 1_000, None])
MOSTLY = st.sampled_from([True, True, True, False])
RARELY = st.sampled_from([False, False, False, False, True])
VERSIONS = st.sampled_from(["1.0.0", "1.0.0", "1.0.1", "Active", "Draft"])
FINGERPRINTS = st.sampled_from([digest(SAME).fingerprint, digest(OTHER).fingerprint, None])
DIGESTS = st.sampled_from(["p", "q", None])


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One artifact on both sides."""

    name: str
    kind: ArtifactKind
    is_equal: bool
    host: str | None
    sync: bool
    deploy: bool
    design: DesigntimeArtifact | None
    running: RuntimeArtifact | None
    record: ArtifactRecord
    tenant_host: str | None
    digest: str
    is_unreadable: bool

    def content(self) -> ArtifactContent:
        """Give the files' side."""
        overrides = {"host": self.host} if self.host is not None and self.kind is FLOW else {}
        of = spec(self.name, self.kind, sync=self.sync, deploy=self.deploy, overrides=overrides)
        return content(of, SAME if self.is_equal else OTHER, parameters=overrides, known=["host"], values=frozenset())


@st.composite
def states(draw: st.DrawFn, name: str) -> State:
    kind = draw(st.sampled_from([FLOW, VALUES]))
    status = st.sampled_from(["STARTED", "STARTED", "STARTED", "STARTING", "ERROR", "STOPPING"])
    running = st.builds(
        lambda version, status, at: runtime(name, version=version, status=status, deployed_on=at),
        st.sampled_from(["1.0.0", "1.0.0", "1.0.1"]),
        status,
        DEPLOYED,
    )
    designed = st.builds(lambda version, at: design(name, kind, version=version, modified_at=at), VERSIONS, MODIFIED)
    return State(
        name=name,
        kind=kind,
        is_equal=draw(MOSTLY),
        host=draw(st.sampled_from([None, "", "prod"])),
        sync=draw(MOSTLY),
        deploy=draw(MOSTLY),
        design=draw(designed) if draw(MOSTLY) else None,
        running=draw(running) if draw(MOSTLY) else None,
        record=draw(
            st.builds(
                ArtifactRecord,
                uploaded=FINGERPRINTS,
                is_pending=RARELY,
                is_triggered=st.booleans(),
                content=FINGERPRINTS,
                parameters=DIGESTS,
                deployed_on=DEPLOYED,
            )
        ),
        tenant_host=draw(st.sampled_from([None, "", "qa", "prod"])),
        digest=draw(st.sampled_from(["p", "q"])),
        is_unreadable=draw(RARELY),
    )


RUNS = st.builds(
    Settings,
    mode=st.sampled_from([Mode.UPDATE_AND_DEPLOY, *Mode]),
    force=RARELY,
    parameter_policy=st.sampled_from(ParameterPolicy),
    value_mappings=st.sampled_from(ValueMappingPolicy),
    on_draft=st.sampled_from(DraftPolicy),
)


def shown(present: list[State], *, is_read_only: bool) -> Inventory:
    """Give the tenant; a ``tenant_host`` of ``None`` is a flow whose parameters are not shown."""
    return inventory(
        *(one.design for one in present if one.design is not None),
        package=tenant_package(is_read_only=is_read_only),
        downloads={one.name: download(SAME, values=frozenset()) for one in present},
        parameters={
            one.name: None if one.tenant_host is None else {"host": one.tenant_host}
            for one in present
            if one.kind is FLOW and one.design is not None
        },
        running=[one.running for one in present if one.running is not None],
        records={one.name: one.record for one in present},
        digests={one.name: one.digest for one in present},
        unreadable_artifacts={ArtifactId(one.name): "could not download" for one in present if one.is_unreadable},
    )


@settings(deadline=None, max_examples=300)
@given(states("A"), states("B"), RUNS, RARELY)
def test_no_state_leads_to_a_false_claim(first: State, second: State, run: Settings, is_read_only: bool) -> None:
    """Each artifact is planned once; running and unchanged are said only where that is proved."""
    present = [first, second]
    contents = [one.content() for one in present]
    tenant = shown(present, is_read_only=is_read_only)

    planned = plan([package(*(of.spec for of in contents))], [of for of in contents if of.spec.sync], tenant, run)

    artifacts = list(planned.artifacts())
    assert [artifact.ref.artifact for artifact in artifacts] == ["A", "B"]
    for state, artifact in zip(present, artifacts, strict=True):
        check_steps(state, artifact, run)
        check_update(state, artifact, is_read_only=is_read_only)
        check_running(state, artifact, tenant)
        check_watched(state, artifact)


def check_steps(state: State, artifact: ArtifactPlan, run: Settings) -> None:
    update, deploy = artifact.update, artifact.deploy
    event(f"{update and update.action}, {deploy and deploy.action}")
    is_left_alone = update is not None and update.action is UpdateAction.KEEP
    assert (update is not None) == (run.mode.updates and state.sync)
    assert deploy is None or (run.mode.deploys and state.deploy)
    assert deploy is not None or is_left_alone or not (run.mode.deploys and state.deploy)
    assert bool(artifact.skip_reason) == (update is None and deploy is None)
    assert all(step.reason for step in (update, deploy) if step is not None)
    if update is not None and update.writes and deploy is not None:
        assert deploy.action is DeployAction.DEPLOY


def check_update(state: State, artifact: ArtifactPlan, *, is_read_only: bool) -> None:
    update = artifact.update
    if update is None:
        return
    if update.action is UpdateAction.UNCHANGED:
        assert state.design is not None
        assert not state.is_unreadable
        assert is_read_only or (state.is_equal and not state.design.is_draft)
        assert state.kind is VALUES or state.host in {None, state.tenant_host}
    if update.writes:
        assert not state.is_unreadable
        assert not is_read_only or update.action is UpdateAction.CONFIGURE
    if update.action is UpdateAction.CONFIGURE:
        assert [change.key for change in update.changes] == ["host"]


def check_running(state: State, artifact: ArtifactPlan, tenant: Inventory) -> None:
    if artifact.deploy is None or artifact.deploy.action is not DeployAction.RUNNING:
        return
    held, runs, record = state.design, state.running, state.record
    assert held is not None
    assert runs is not None
    assert artifact.update is None or not artifact.update.writes
    assert runs.status == "STARTED"
    assert held.is_draft or runs.version == held.version
    assert not record.is_pending
    assert runs.deployed_on is not None
    is_dated = held.modified_at is not None and runs.deployed_on > held.modified_at
    held_content = tenant.downloads[ArtifactId(state.name)].digest.fingerprint
    is_recorded = (record.content, record.parameters, record.deployed_on) == (
        held_content,
        state.digest,
        runs.deployed_on,
    )
    assert is_dated or is_recorded


def check_watched(state: State, artifact: ArtifactPlan) -> None:
    if artifact.deploy is None or artifact.deploy.action is not DeployAction.WATCH:
        return
    assert state.running is not None
    assert state.design is not None
    assert state.running.status == "STARTING"
    assert state.design.is_draft or state.running.version == state.design.version
    assert state.record.is_triggered or not state.record.is_pending
