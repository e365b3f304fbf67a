"""What proves that an artifact runs what design time holds: the tenant's timestamps, or our own record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.plan import DeployAction
from cpi_tasks.model.records import NOT_KNOWN, ArtifactRecord
from tests.planning.builders import FINGERPRINT, OTHER, RECORD, TRIGGERED, decided, design, digest, one_flow, runtime


@pytest.mark.parametrize(
    ("deployed_on", "modified_at", "action", "reason"),
    [
        (1_001, 1_000, DeployAction.RUNNING, "runs 1.0.0, deployed after its last change"),
        (1_000, 1_000, DeployAction.DEPLOY, "changed on the tenant after its last deployment"),
        (999, 1_000, DeployAction.DEPLOY, "changed on the tenant after its last deployment"),
        (
            1_001,
            None,
            DeployAction.DEPLOY,
            "not provable: the tenant gives no time of change and .cpi/ has no record of this state",
        ),
        (None, 1_000, DeployAction.DEPLOY, "not provable: the tenant gives no time of deployment"),
        (None, None, DeployAction.DEPLOY, "not provable: the tenant gives no time of deployment"),
    ],
)
def test_timestamps_prove_only_what_was_deployed_strictly_later(
    deployed_on: int | None, modified_at: int | None, action: DeployAction, reason: str
) -> None:
    """In one and the same millisecond the order is unknown, and without both times nothing is proved."""
    shown = one_flow(design(modified_at=modified_at), runtime(deployed_on=deployed_on))

    assert decided(shown) == (action, reason)


def test_a_record_that_names_what_runs_is_a_proof() -> None:
    """Where the tenant gives no time of change, our record of exactly this deployment stands in."""
    assert decided(one_flow(design(modified_at=None), runtime(), RECORD)) == (
        DeployAction.RUNNING,
        "runs 1.0.0, exactly as this tool deployed it",
    )


def test_a_record_that_names_what_runs_is_a_proof_where_a_time_of_change_is_later() -> None:
    """Saving a version moves the time of change and not the content."""
    assert decided(one_flow(design(modified_at=5_000), runtime(), RECORD))[0] is DeployAction.RUNNING


@pytest.mark.parametrize(
    "record",
    [
        replace(RECORD, content=digest(OTHER).fingerprint),
        replace(RECORD, content=None),
        replace(RECORD, parameters="another digest"),
        replace(RECORD, parameters=None),
        replace(RECORD, deployed_on=1_999),
        replace(RECORD, deployed_on=None),
        ArtifactRecord(uploaded=FINGERPRINT),
    ],
)
def test_a_record_that_differs_in_anything_proves_nothing(record: ArtifactRecord) -> None:
    """Content, parameters and time of deployment must all match."""
    assert decided(one_flow(design(modified_at=None), runtime(), record))[0] is DeployAction.DEPLOY


def test_a_record_proves_nothing_without_a_time_of_deployment() -> None:
    """Where the tenant gives no ``DeployedOn`` two absent times are no match."""
    shown = one_flow(design(modified_at=None), runtime(deployed_on=None), replace(RECORD, deployed_on=None))

    assert decided(shown)[0] is DeployAction.DEPLOY


def test_a_record_proves_nothing_where_the_content_was_not_read() -> None:
    """In a read-only package nobody knows the content, so that no record can match it."""
    shown = replace(one_flow(design(modified_at=None), runtime(), RECORD), downloads={})

    assert decided(shown)[0] is DeployAction.DEPLOY


def test_a_record_proves_nothing_where_parameters_are_hidden() -> None:
    """Values the tenant does not show may have been changed by a person."""
    shown = replace(one_flow(design(modified_at=None), runtime(), RECORD), parameters={ArtifactId("Flow"): None})

    assert decided(shown)[0] is DeployAction.DEPLOY


def test_two_absent_parameter_digests_are_no_match() -> None:
    """A record without parameters does not match an artifact whose digest was not made."""
    shown = replace(
        one_flow(design(modified_at=None), runtime(), replace(RECORD, parameters=None)), parameter_digests={}
    )

    assert decided(shown)[0] is DeployAction.DEPLOY


DURING = "changed on the tenant during its last deployment"
UNRECORDED = "not provable: .cpi/ has no record of what its last deployment was built from"
OURS = replace(RECORD, content=digest(OTHER).fingerprint, modified_at=1_000)
FOREIGN = replace(OURS, deployed_on=1_500)


@pytest.mark.parametrize(
    ("record", "deployed_on", "modified_at", "action", "reason"),
    [
        # Of our own deployment the time of change at its trigger decides, whatever the order of the times.
        (replace(OURS, content=None), 2_000, 1_000, DeployAction.RUNNING, "runs 1.0.0, deployed after its last change"),
        (replace(OURS, content=None), 2_000, 1_001, DeployAction.DEPLOY, DURING),
        (OURS, 2_000, 1_001, DeployAction.DEPLOY, DURING),
        (OURS, 2_000, 2_001, DeployAction.DEPLOY, "changed on the tenant after its last deployment"),
        (replace(OURS, modified_at=2_500, content=None), 2_000, 2_500, DeployAction.RUNNING, ""),
        (replace(RECORD, modified_at=1_000), 2_000, 1_001, DeployAction.RUNNING, ""),
        (replace(OURS, modified_at=NOT_KNOWN), 2_000, 1_000, DeployAction.DEPLOY, UNRECORDED),
        (replace(RECORD, modified_at=NOT_KNOWN), 2_000, 1_000, DeployAction.RUNNING, ""),
        # Of somebody else's after it we know what it was built from only where nothing was changed since ours.
        (FOREIGN, 2_000, 1_000, DeployAction.RUNNING, "runs 1.0.0, deployed after its last change"),
        (FOREIGN, 2_000, 1_800, DeployAction.DEPLOY, UNRECORDED),
        (FOREIGN, 601_800, 1_800, DeployAction.DEPLOY, UNRECORDED),
        (FOREIGN, 601_801, 1_800, DeployAction.RUNNING, "runs 1.0.0, deployed after its last change"),
        (replace(FOREIGN, took_s=4.5), 10_801, 1_800, DeployAction.RUNNING, ""),
        (replace(FOREIGN, took_s=4.5), 10_800, 1_800, DeployAction.DEPLOY, UNRECORDED),
        (FOREIGN, 1_400, 1_000, DeployAction.DEPLOY, UNRECORDED),
        # A record of an earlier release says nothing of the time of change, but of the content it does.
        (replace(RECORD, modified_at=None), 2_000, 1_000, DeployAction.RUNNING, ""),
        (replace(OURS, modified_at=None), 2_000, 1_000, DeployAction.DEPLOY, UNRECORDED),
        (ArtifactRecord(), 2_000, 1_999, DeployAction.RUNNING, "runs 1.0.0, deployed after its last change"),
    ],
)
def test_what_was_deployed_is_known_or_it_is_deployed_again(
    record: ArtifactRecord, deployed_on: int, modified_at: int, action: DeployAction, reason: str
) -> None:
    """The order of two clocks is no proof where a record says otherwise: a deployment takes its content at once."""
    shown = one_flow(design(modified_at=modified_at), runtime(deployed_on=deployed_on), record)
    shown = replace(shown, fingerprints={ArtifactId("Flow"): FINGERPRINT})

    decision = decided(shown)

    assert decision[0] is action
    assert not reason or decision[1] == reason


@pytest.mark.parametrize(
    ("recorded", "modified_at", "action"),
    [
        (1_000, 1_000, DeployAction.WATCH),
        (1_000, 1_001, DeployAction.DEPLOY),
        (1_000, None, DeployAction.WATCH),
        (None, 1_001, DeployAction.WATCH),
        (NOT_KNOWN, 1_001, DeployAction.WATCH),
    ],
)
def test_our_own_deployment_is_watched_unless_something_was_changed_since(
    recorded: int | None, modified_at: int | None, action: DeployAction
) -> None:
    """What a killed run triggered does not contain what was saved after its trigger."""
    record = replace(TRIGGERED, modified_at=recorded)

    assert decided(one_flow(design(modified_at=modified_at), runtime(status="STARTING"), record))[0] is action


def test_a_pending_write_beats_every_proof() -> None:
    """What an earlier run wrote and never saw running is deployed, however new the deployment looks."""
    record = replace(RECORD, is_pending=True)

    assert decided(one_flow(design(), runtime(), record)) == (
        DeployAction.DEPLOY,
        "an earlier run wrote a change that was never seen running",
    )


def test_a_triggered_deployment_that_was_never_seen_running_is_repeated() -> None:
    """STARTED after a trigger may still be the old deployment."""
    assert decided(one_flow(design(), runtime(), TRIGGERED))[0] is DeployAction.DEPLOY
