"""One look, judged: every case of freshness, versions and tasks."""

from __future__ import annotations

from dataclasses import replace

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
NEW, ERROR = runs("STARTED", 2_000), runs("ERROR", 2_000)

CASES = {
    "fresh by DeployedOn": (OLD, Look(seen=runs("STARTED", 2_000)), SUCCEEDED),
    "an earlier DeployedOn is another deployment too": (OLD, Look(seen=runs("STARTED", 500)), SUCCEEDED),
    "old STARTED is not fresh": (OLD, Look(seen=OLD), WAIT),
    "old STARTED is not fresh however late": (OLD, Look(seen=OLD, has_changed=True, is_late=True), WAIT),
    "task SUCCESS does not make an old DeployedOn fresh": (OLD, Look(seen=OLD, task="SUCCESS"), WAIT),
    "old ERROR is waited through": (OLD_ERROR, Look(seen=OLD_ERROR), WAIT),
    "old ERROR is waited through after SUCCESS": (OLD_ERROR, Look(seen=OLD_ERROR, task="SUCCESS"), WAIT),
    "fresh ERROR fails where there is no task": (OLD, Look(seen=runs("ERROR", 2_000)), FAILED),
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
    "no DeployedOn: ERROR after SUCCESS fails": (
        UNDATED,
        Look(seen=runs("ERROR", None), task="SUCCESS", was_built=True),
        FAILED,
    ),
    "wrong version waits": (OLD, Look(seen=runs("STARTED", 2_000, "1.0.0")), WAIT),
    "wrong version waits though nothing ran before": (None, Look(seen=runs("STARTED", 2_000, "1.0.0")), WAIT),
    "fresh, but the task still builds: held back": (OLD, Look(seen=runs("STARTED", 2_000), task="DEPLOYING"), WAIT),
    "fresh and task SUCCESS": (OLD, Look(seen=runs("STARTED", 2_000), task="SUCCESS"), SUCCEEDED),
    "fresh and a task word nobody knows": (OLD, Look(seen=runs("STARTED", 2_000), task="QUEUED"), SUCCEEDED),
    "fresh ERROR, but the task still builds: held back": (OLD, Look(seen=ERROR, task="DEPLOYING"), WAIT),
    "fresh ERROR, but the task builds on: held back again": (
        OLD,
        Look(seen=ERROR, task="DEPLOYING", stood_while_building=True, is_late=True),
        WAIT,
    ),
    "nothing before, an ERROR while the task builds: held back": (None, Look(seen=ERROR, task="DEPLOYING"), WAIT),
    "fresh ERROR, the task hangs: held for ample time only": (
        OLD,
        Look(seen=ERROR, task="DEPLOYING", stood_while_building=True, was_held_long=True),
        FAILED,
    ),
    "fresh ERROR, the task has just ended: one more look": (OLD, Look(seen=ERROR, task="SUCCESS"), WAIT),
    "fresh ERROR, the task had ended before": (OLD, Look(seen=ERROR, task="SUCCESS", was_built=True), FAILED),
    "fresh ERROR, the task had ended with a word nobody knows": (
        OLD,
        Look(seen=ERROR, task="QUEUED", was_built=True),
        FAILED,
    ),
    "an ERROR seen while the task built is not ours after it": (
        OLD,
        Look(seen=ERROR, task="SUCCESS", was_built=True, stood_while_building=True),
        WAIT,
    ),
}

# What is known where one deployment was triggered before ours and may still be under way.
PRECEDED = {
    "a success while the task builds": (Look(seen=NEW, task="DEPLOYING", changes=1, was_candidate=True), WAIT),
    "an ERROR while the task builds": (Look(seen=ERROR, task="DEPLOYING", changes=1), WAIT),
    "the task hangs: held for ample time only": (
        Look(seen=NEW, task="DEPLOYING", changes=1, was_candidate=True, was_held_long=True),
        SUCCEEDED,
    ),
    "the task has just ended": (Look(seen=NEW, task="SUCCESS", changes=1, was_candidate=True), WAIT),
    "the task had ended before": (Look(seen=NEW, task="SUCCESS", changes=1, was_built=True), SUCCEEDED),
    "the task had ended before an ERROR": (Look(seen=ERROR, task="SUCCESS", changes=1, was_built=True), FAILED),
    "what stood there while the task built": (
        Look(seen=NEW, task="SUCCESS", changes=1, was_built=True, stood_while_building=True, was_candidate=True),
        WAIT,
    ),
    "the task failed": (Look(seen=NEW, task="FAIL", changes=1, was_candidate=True), FAILED),
    "no task, one change": (Look(seen=NEW, changes=1, was_candidate=True, is_late=True), WAIT),
    "no task, one change, an ERROR": (Look(seen=ERROR, changes=1), WAIT),
    "no task, a second change": (Look(seen=NEW, changes=2), SUCCEEDED),
    "no task, a second change, an ERROR": (Look(seen=ERROR, changes=2), FAILED),
    "no task, one change, for ample time": (Look(seen=NEW, changes=1, was_held_long=True), SUCCEEDED),
    "no task, an ERROR for ample time": (Look(seen=ERROR, changes=1, was_held_long=True), FAILED),
    "a second change while the task builds: one more look": (Look(seen=NEW, task="DEPLOYING", changes=2), WAIT),
    "a second change that stays": (Look(seen=NEW, task="DEPLOYING", changes=2, was_candidate=True), SUCCEEDED),
    "what ran before is no success however long": (Look(seen=OLD, task="SUCCESS", was_held_long=True), WAIT),
}


@pytest.mark.parametrize(("before", "look", "verdict"), CASES.values(), ids=CASES.keys())
def test_look(before: RuntimeArtifact | None, look: Look, verdict: Verdict) -> None:
    """A first look is judged by freshness, version and task."""
    expected = Expectation(version="1.0.1", before=before)

    assert verdict is judge(expected, look)


@pytest.mark.parametrize(("look", "verdict"), PRECEDED.values(), ids=PRECEDED.keys())
def test_look_where_an_earlier_deployment_is_known(look: Look, verdict: Verdict) -> None:
    """An end is ours once our task had ended before it was seen, or after as many changes as are due."""
    expected = Expectation(version="1.0.1", before=OLD, changes_due=2)

    assert verdict is judge(expected, look)


def test_deploying_holds_once() -> None:
    """A task that hangs in DEPLOYING holds success back for exactly one look."""
    expected = Expectation(version="1.0.1", before=OLD)
    look = Look(seen=runs("STARTED", 2_000), task="DEPLOYING")

    assert WAIT is judge(expected, look)
    assert is_candidate(expected, look)
    assert SUCCEEDED is judge(expected, replace(look, was_candidate=True))


def test_presence_counts_only_where_the_trigger_was_accepted() -> None:
    """Late presence without any sign of freshness is no success where no trigger is known to have arrived."""
    expected = Expectation(version="1.0.1", before=UNDATED, is_accepted=False)

    assert WAIT is judge(expected, Look(seen=UNDATED, is_late=True))


def test_draft_accepts_any_version() -> None:
    """Where design time is a draft, whatever version runs is the wanted one, if it is fresh."""
    expected = Expectation(version=None, before=OLD)

    assert SUCCEEDED is judge(expected, Look(seen=runs("STARTED", 2_000, "7.0.0")))
    assert WAIT is judge(expected, Look(seen=runs("STARTED", 1_000, "7.0.0")))
    assert WAIT is judge(replace(expected, changes_due=2), Look(seen=runs("STARTED", 2_000, "7.0.0"), changes=1))


@pytest.mark.parametrize(("status", "verdict"), [("STARTING", WAIT), ("STARTED", SUCCEEDED), ("ERROR", FAILED)])
def test_joined_deployment(status: str, verdict: Verdict) -> None:
    """A deployment that was under way already is fresh with the DeployedOn it had."""
    expected = Expectation(version="1.0.1", before=runs("STARTING", 1_000), is_joined=True)

    assert verdict is judge(expected, Look(seen=runs(status, 1_000)))


@pytest.mark.parametrize(("status", "verdict"), [("STARTED", SUCCEEDED), ("ERROR", FAILED)])
def test_joined_deployment_before_another(status: str, verdict: Verdict) -> None:
    """Where two of ours are under way, the end of the one that is seen starting is not that of the second."""
    expected = Expectation(version="1.0.1", before=runs("STARTING", 1_000), is_joined=True, changes_due=1)

    assert WAIT is judge(expected, Look(seen=runs(status, 1_000)))
    assert verdict is judge(expected, Look(seen=runs(status, 2_000), changes=1))


def test_joined_deployment_of_another_version_waits() -> None:
    """A joined deployment that ends in another version than the wanted one is no success."""
    expected = Expectation(version="1.0.1", before=runs("STARTING", 1_000, "1.0.0"), is_joined=True)

    assert WAIT is judge(expected, Look(seen=runs("STARTED", 1_000, "1.0.0")))
