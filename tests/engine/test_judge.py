"""One look, judged: every case of freshness, versions and tasks."""

from __future__ import annotations

import pytest

from cpi_tasks.engine.judge import Expectation, Look, Verdict, is_candidate, judge
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.tenant import RuntimeArtifact

WAIT, SUCCEEDED, FAILED = Verdict.WAIT, Verdict.SUCCEEDED, Verdict.FAILED


def runs(status: str, deployed_on: int | None, version: str = "1.0.1") -> RuntimeArtifact:
    return RuntimeArtifact(id=ArtifactId("A"), version=version, status=status, deployed_on=deployed_on)


OLD = runs("STARTED", 1_000)
OLD_ERROR = runs("ERROR", 1_000)
UNDATED = runs("STARTED", None)

CASES = {
    "fresh by DeployedOn": (OLD, Look(seen=runs("STARTED", 2_000)), SUCCEEDED),
    "an earlier DeployedOn is another deployment too": (OLD, Look(seen=runs("STARTED", 500)), SUCCEEDED),
    "old STARTED is not fresh": (OLD, Look(seen=OLD), WAIT),
    "old STARTED is not fresh however late": (OLD, Look(seen=OLD, has_changed=True, is_late=True), WAIT),
    "task SUCCESS does not make an old DeployedOn fresh": (OLD, Look(seen=OLD, task="SUCCESS"), WAIT),
    "old ERROR is waited through": (OLD_ERROR, Look(seen=OLD_ERROR), WAIT),
    "old ERROR is waited through after SUCCESS": (OLD_ERROR, Look(seen=OLD_ERROR, task="SUCCESS"), WAIT),
    "fresh ERROR fails": (OLD, Look(seen=runs("ERROR", 2_000)), FAILED),
    "fresh ERROR fails whatever its version": (OLD, Look(seen=runs("ERROR", 2_000, "0.9.0")), FAILED),
    "fresh ERROR after an old one fails": (OLD_ERROR, Look(seen=runs("ERROR", 2_000)), FAILED),
    "task FAIL fails though the old version runs": (OLD, Look(seen=OLD, task="FAIL"), FAILED),
    "a missing licence fails": (OLD, Look(seen=OLD, task="FAIL_ON_LICENSE_ERROR"), FAILED),
    "task FAIL fails though nothing is there": (None, Look(seen=None, task="FAIL"), FAILED),
    "fresh STARTING waits": (OLD, Look(seen=runs("STARTING", 2_000)), WAIT),
    "an unknown status waits": (OLD, Look(seen=runs("STOPPED", 2_000)), WAIT),
    "absence waits": (None, Look(seen=None, is_late=True), WAIT),
    "nothing deployed before: presence counts": (None, Look(seen=runs("STARTED", 2_000)), SUCCEEDED),
    "nothing deployed before: undated presence counts": (None, Look(seen=UNDATED), SUCCEEDED),
    "nothing deployed before: ERROR fails": (None, Look(seen=runs("ERROR", 2_000)), FAILED),
    "no DeployedOn: presence alone waits": (UNDATED, Look(seen=UNDATED), WAIT),
    "no DeployedOn: task SUCCESS stands in": (UNDATED, Look(seen=UNDATED, task="SUCCESS"), SUCCEEDED),
    "no DeployedOn: a seen change stands in": (UNDATED, Look(seen=UNDATED, has_changed=True), SUCCEEDED),
    "no DeployedOn: late presence counts": (UNDATED, Look(seen=UNDATED, is_late=True), SUCCEEDED),
    "no DeployedOn: late, but the task still builds": (
        UNDATED,
        Look(seen=UNDATED, task="DEPLOYING", is_late=True),
        WAIT,
    ),
    "no DeployedOn: an old ERROR waits": (runs("ERROR", None), Look(seen=runs("ERROR", None)), WAIT),
    "no DeployedOn: ERROR after SUCCESS fails": (UNDATED, Look(seen=runs("ERROR", None), task="SUCCESS"), FAILED),
    "wrong version waits": (OLD, Look(seen=runs("STARTED", 2_000, "1.0.0")), WAIT),
    "wrong version waits though nothing ran before": (None, Look(seen=runs("STARTED", 2_000, "1.0.0")), WAIT),
    "fresh, but the task still builds: held back": (OLD, Look(seen=runs("STARTED", 2_000), task="DEPLOYING"), WAIT),
    "fresh and task SUCCESS": (OLD, Look(seen=runs("STARTED", 2_000), task="SUCCESS"), SUCCEEDED),
    "fresh and a task word nobody knows": (OLD, Look(seen=runs("STARTED", 2_000), task="QUEUED"), SUCCEEDED),
}


@pytest.mark.parametrize(("before", "look", "verdict"), CASES.values(), ids=CASES.keys())
def test_look(before: RuntimeArtifact | None, look: Look, verdict: Verdict) -> None:
    """A first look is judged by freshness, version and task."""
    expected = Expectation(version="1.0.1", before=before)

    assert verdict is judge(expected, look, was_candidate=False)


def test_deploying_holds_once() -> None:
    """A task that hangs in DEPLOYING holds success back for exactly one look."""
    expected = Expectation(version="1.0.1", before=OLD)
    look = Look(seen=runs("STARTED", 2_000), task="DEPLOYING")

    assert WAIT is judge(expected, look, was_candidate=False)
    assert is_candidate(expected, look)
    assert SUCCEEDED is judge(expected, look, was_candidate=True)


def test_draft_accepts_any_version() -> None:
    """Where design time is a draft, whatever version runs is the wanted one, if it is fresh."""
    expected = Expectation(version=None, before=OLD)

    assert SUCCEEDED is judge(expected, Look(seen=runs("STARTED", 2_000, "7.0.0")), was_candidate=False)
    assert WAIT is judge(expected, Look(seen=runs("STARTED", 1_000, "7.0.0")), was_candidate=False)


@pytest.mark.parametrize(("status", "verdict"), [("STARTING", WAIT), ("STARTED", SUCCEEDED), ("ERROR", FAILED)])
def test_joined_deployment(status: str, verdict: Verdict) -> None:
    """A deployment that was under way already is fresh with the DeployedOn it had."""
    expected = Expectation(version="1.0.1", before=runs("STARTING", 1_000), is_joined=True)

    assert verdict is judge(expected, Look(seen=runs(status, 1_000)), was_candidate=False)


def test_joined_deployment_of_another_version_waits() -> None:
    """A joined deployment that ends in another version than the wanted one is no success."""
    expected = Expectation(version="1.0.1", before=runs("STARTING", 1_000, "1.0.0"), is_joined=True)

    assert WAIT is judge(expected, Look(seen=runs("STARTED", 1_000, "1.0.0")), was_candidate=False)
