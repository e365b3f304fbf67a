"""Whether an artifact is deployed: it is left alone only where it is proved to run what design time holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, DraftPolicy, PackageId, ValueMappingPolicy
from cpi_tasks.model.plan import DeployAction, DeployStep
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.model.tenant import RuntimeArtifact
from tests.planning.builders import (
    DEPLOY_ONLY,
    FLOW,
    MAPPING,
    OTHER,
    RECORD,
    SAME,
    SCRIPTS,
    TRIGGERED,
    VALUES,
    content,
    decided,
    deploy_of,
    design,
    download,
    inventory,
    one_flow,
    plan_one,
    runtime,
    spec,
    tenant_package,
)

PENDING = ArtifactRecord(is_pending=True)


@pytest.mark.parametrize(
    ("kind", "entries", "parameters", "version", "reason"),
    [
        (FLOW, OTHER, {}, "1.0.0", "content is updated"),
        (FLOW, SAME, {"host": "prod"}, "1.0.0", "parameters are changed"),
        (FLOW, SAME, {}, "Active", "a version is saved"),
        (VALUES, OTHER, {}, "1.0.0", "value mapping is replaced"),
    ],
)
def test_whatever_is_written_is_deployed(
    kind: ArtifactKind, entries: dict[str, str], parameters: dict[str, str], version: str, reason: str
) -> None:
    """After a write nothing that runs can be current, whatever timestamps and records say."""
    of = content(spec(kind=kind, overrides=parameters), entries, parameters=parameters, values=frozenset())
    shown = inventory(
        design(kind=kind, version=version),
        parameters={"Flow": {"host": "qa"}},
        running=[runtime()],
        records={"Flow": RECORD},
        digests={"Flow": "digest of parameters"},
    )

    step = deploy_of(of, shown, Settings(value_mappings=ValueMappingPolicy.REPLACE))

    assert (step.action, step.reason) == (DeployAction.DEPLOY, reason)
    assert step.before == runtime()


def test_what_is_created_is_deployed() -> None:
    """A new artifact has no version yet, and nothing runs before."""
    step = deploy_of(content(spec()), inventory())

    assert step == DeployStep(action=DeployAction.DEPLOY, reason="new on the tenant")


def test_what_is_not_deployed_is_deployed() -> None:
    """Nothing on the runtime means a deployment, whatever the record says."""
    assert decided(one_flow(design(), None, RECORD)) == (DeployAction.DEPLOY, "not deployed")


@pytest.mark.parametrize("record", [None, RECORD, TRIGGERED])
def test_a_deployment_under_way_is_watched(record: ArtifactRecord | None) -> None:
    """STARTING in the wanted version is not triggered again."""
    assert decided(one_flow(design(), runtime(status="STARTING"), record)) == (
        DeployAction.WATCH,
        "a deployment of 1.0.0 is already under way",
    )


def test_a_deployment_under_way_from_before_our_write_is_not_watched() -> None:
    """After a write that was not followed by a trigger, what is starting cannot contain it."""
    assert decided(one_flow(design(), runtime(status="STARTING"), PENDING))[0] is DeployAction.DEPLOY


def test_a_deployment_under_way_from_before_the_last_change_is_not_watched() -> None:
    """What a person changed after the deployment began is not in it; watching it would end in a false success."""
    shown = one_flow(design(modified_at=2_001), runtime(status="STARTING", deployed_on=2_000))

    assert decided(shown) == (DeployAction.DEPLOY, "is STARTING on the tenant, since before the last change")


@pytest.mark.parametrize(("modified_at", "deployed_on"), [(2_000, 2_000), (None, 2_000), (2_000, None)])
def test_a_deployment_under_way_is_watched_where_nothing_shows_that_it_is_old(
    modified_at: int | None, deployed_on: int | None
) -> None:
    """Only a later time of change speaks against joining a deployment."""
    shown = one_flow(design(modified_at=modified_at), runtime(status="STARTING", deployed_on=deployed_on))

    assert decided(shown)[0] is DeployAction.WATCH


def test_a_deployment_under_way_in_another_version_is_not_watched() -> None:
    """What is starting in an old version is not what is wanted."""
    assert decided(one_flow(design(version="1.0.1"), runtime(status="STARTING"))) == (
        DeployAction.DEPLOY,
        "is STARTING on the tenant",
    )


@pytest.mark.parametrize("status", ["ERROR", "STOPPING", "STOPPED", "UNHEARD_OF"])
def test_whatever_is_not_started_is_deployed(status: str) -> None:
    """Every status but STARTED and STARTING means a deployment, with the status as the reason."""
    assert decided(one_flow(design(), runtime(status=status), RECORD)) == (
        DeployAction.DEPLOY,
        f"is {status} on the tenant",
    )


def test_another_version_is_deployed() -> None:
    """What runs must be the design-time version, newer or older."""
    assert decided(one_flow(design(version="1.0.1"), runtime(version="1.0.2"), RECORD)) == (
        DeployAction.DEPLOY,
        "runs 1.0.2, design time has 1.0.1",
    )


def test_a_draft_may_run_in_any_version() -> None:
    """A draft has no number that could be compared, so that times and records alone decide."""
    assert decided(one_flow(design(version="Active"), runtime(version="1.0.7")))[0] is DeployAction.RUNNING
    assert decided(one_flow(design(version="Active", modified_at=2_000), runtime(version="1.0.7")))[0] is (
        DeployAction.DEPLOY
    )
    assert decided(one_flow(design(version="Active"), runtime(status="STARTING")))[0] is DeployAction.WATCH


@pytest.mark.parametrize("running", [runtime(), runtime(status="STARTING"), runtime(status="ERROR"), None])
def test_force_deploys_whatever_runs(running: RuntimeArtifact | None) -> None:
    """``--force`` needs no other reason."""
    shown = one_flow(design(), running, RECORD)

    assert decided(shown, replace(DEPLOY_ONLY, force=True)) == (DeployAction.DEPLOY, "--force")


@pytest.mark.parametrize("is_forced", [False, True])
def test_what_design_time_lacks_cannot_be_deployed(*, is_forced: bool) -> None:
    """Without an update there is nothing to deploy, and the refusal says what is missing and where."""
    of = content(spec("Lib", SCRIPTS))

    step = deploy_of(of, one_flow(), replace(DEPLOY_ONLY, force=is_forced))

    assert step.action is DeployAction.REFUSE
    assert step.reason == "package 'Pack' on the tenant has no script collection 'Lib' to deploy"
    assert step.advice == "run update first, or check the id and the deployment prefix"


@pytest.mark.parametrize("is_forced", [False, True])
def test_an_unreadable_package_cannot_be_deployed(*, is_forced: bool) -> None:
    """What the tenant does not show is refused with the tenant's words."""
    shown = replace(one_flow(), unreadable_packages={PackageId("Pack"): "could not list: the tenant answered 403"})

    assert decided(shown, replace(DEPLOY_ONLY, force=is_forced)) == (
        DeployAction.REFUSE,
        "could not list: the tenant answered 403",
    )


def test_unreadable_content_refuses_the_deployment_of_what_should_have_been_compared() -> None:
    """Where the update failed for it, so does the deployment."""
    shown = replace(one_flow(design(), runtime()), unreadable_artifacts={ArtifactId("Flow"): "could not download"})

    assert decided(shown, Settings()) == (DeployAction.REFUSE, "could not download")


def test_unreadable_content_does_not_keep_a_deploy_only_run_from_deploying() -> None:
    """There content is read only to spare a deployment; without it the deployment is not spared."""
    shown = replace(
        one_flow(design(modified_at=None), runtime(), RECORD),
        unreadable_artifacts={ArtifactId("Flow"): "could not download"},
    )

    assert decided(shown)[0] is DeployAction.DEPLOY


def test_a_deployment_knows_the_state_before_it() -> None:
    """What ran and the design-time version go along, for freshness is judged by them."""
    step = deploy_of(content(spec()), one_flow(design(version="1.0.1"), runtime()), DEPLOY_ONLY)

    assert step.before == runtime()
    assert step.version == "1.0.1"


def test_an_unchanged_artifact_of_a_full_run_is_judged_too() -> None:
    """Nothing to write is no proof that it runs."""
    assert decided(one_flow(design(), None), Settings()) == (DeployAction.DEPLOY, "not deployed")
    assert decided(one_flow(design(), runtime()), Settings())[0] is DeployAction.RUNNING


def test_an_artifact_with_deploy_false_is_updated_only() -> None:
    """``deploy: false`` plans no deployment."""
    planned = plan_one(content(spec(deploy=False), OTHER), one_flow(design()))

    assert planned.update is not None
    assert planned.deploy is None


def test_a_skipped_draft_is_not_deployed() -> None:
    """What is left alone as somebody's unsaved work does not get onto the runtime either."""
    planned = plan_one(content(spec(), OTHER), one_flow(design(version="Active")), Settings(on_draft=DraftPolicy.SKIP))

    assert planned.deploy is None
    assert planned.skip_reason == ""


def test_a_value_mapping_that_is_kept_is_deployed_as_it_is() -> None:
    """A saved mapping that differs is left alone at design time, and must run nevertheless."""
    of = content(spec("Codes", VALUES), OTHER, values=frozenset())

    planned = plan_one(of, inventory(design("Codes", VALUES)), Settings(value_mappings=ValueMappingPolicy.KEEP))

    assert planned.deploy is not None
    assert planned.deploy.action is DeployAction.DEPLOY


@pytest.mark.parametrize("kind", [FLOW, MAPPING, SCRIPTS, VALUES])
def test_a_read_only_package_is_deployed_all_the_same(kind: ArtifactKind) -> None:
    """Content that may not be written may be deployed."""
    shown = inventory(design(kind=kind), package=tenant_package(is_read_only=True), downloads={"Flow": download(OTHER)})

    assert deploy_of(content(spec(kind=kind), values=frozenset()), shown).action is DeployAction.DEPLOY
