"""What is counted while a run goes on."""

from __future__ import annotations

from cpi_tasks.events import ArtifactUpdated, ArtifactUpdateStarted, Phase, PhaseFinished, PhaseStarted, PlanMade
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import ArtifactPlan, PackageAction, PackagePlan, Plan, UpdateAction, UpdateStep
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.report.board import Board

FLOW = ArtifactKind.INTEGRATION_FLOW


def ref(name: str) -> ArtifactRef:
    return ArtifactRef(package=PackageId("P"), artifact=ArtifactId(name))


def settled(name: str, status: Status) -> ArtifactUpdated:
    return ArtifactUpdated(ref=ref(name), kind=FLOW, outcome=StepOutcome(status=status, summary="settled"))


def started(name: str) -> ArtifactUpdateStarted:
    return ArtifactUpdateStarted(ref=ref(name), kind=FLOW, action=UpdateAction.UPDATE)


def begun(*, pending: int) -> Board:
    board = Board()
    board.note(PhaseStarted(phase=Phase.UPDATE, total=10, pending=pending), 0.0)
    return board


def test_what_is_settled_counts_as_progress() -> None:
    """Work that ended counts, what needed none does not, and what has not begun waits."""
    board = begun(pending=4)
    board.note(settled("Same", Status.UNCHANGED), 1.0)
    board.note(started("A"), 1.0)
    board.note(started("B"), 1.0)
    board.note(settled("A", Status.DONE), 2.0)
    assert (board.settled, len(board.in_flight), board.waiting, board.failed) == (1, 1, 2, 0)


def test_only_failures_of_their_own_count_as_failures() -> None:
    """What was kept out because of another failure is settled, but the failure is counted once."""
    board = begun(pending=3)
    board.note(settled("A", Status.FAILED), 1.0)
    board.note(settled("B", Status.ABORTED), 1.0)
    assert (board.settled, board.waiting, board.failed) == (2, 1, 1)


def test_what_was_refused_in_planning_is_no_progress() -> None:
    """A refused step fails at once without having been pending: it must not fill the bar."""
    refused = ArtifactPlan(ref=ref("R"), kind=FLOW, update=UpdateStep(action=UpdateAction.REFUSE, reason="draft"))
    package = PackagePlan(id=PackageId("P"), action=PackageAction.KEEP, reason="", artifacts=(refused,))
    board = Board()
    board.note(PlanMade(plan=Plan(source="c.yml", packages=(package,), updates=True, deploys=True)), 0.0)
    board.note(PhaseStarted(phase=Phase.UPDATE, total=2, pending=1), 0.0)
    board.note(settled("R", Status.FAILED), 1.0)
    assert (board.settled, board.waiting, board.failed) == (0, 1, 1)


def test_the_bar_is_never_full_while_something_is_in_flight() -> None:
    """Whatever else was settled, an artifact in flight is not."""
    board = begun(pending=2)
    board.note(started("A"), 1.0)
    board.note(settled("X", Status.FAILED), 1.0)
    board.note(settled("Y", Status.FAILED), 1.0)
    assert (board.settled, board.waiting) == (1, 0)


def test_a_new_phase_begins_from_nothing() -> None:
    """The end of a phase leaves no activity; failures are counted on."""
    board = begun(pending=2)
    board.note(settled("A", Status.FAILED), 1.0)
    board.note(PhaseFinished(phase=Phase.UPDATE, duration_s=1.0), 1.0)
    assert not board.activity
    board.note(PhaseStarted(phase=Phase.DEPLOY, total=1, pending=1), 2.0)
    assert (board.activity, board.settled, board.failed) == ("Phase 2: deploying", 0, 1)
