"""Urgencies: the longest chain of deployments that waits for one, by what they took the last time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from cpi_tasks.engine.urgency import urgencies
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, DeployStep, Plan
from tests.support.bench import deployment, plan_of, ref


def one(
    artifact: str,
    expected_s: float | None,
    *,
    needs: Iterable[str] = (),
    after: Iterable[str] = (),
    action: DeployAction = DeployAction.DEPLOY,
) -> ArtifactPlan:
    step = DeployStep(
        action=action,
        reason="asked for",
        depends_on=frozenset(ref(name) for name in needs),
        goes_after=frozenset(ref(name) for name in after),
        expected_s=expected_s,
    )
    return deployment(artifact, step=step)


def found(*artifacts: ArtifactPlan) -> dict[str, float]:
    plan: Plan = plan_of(*artifacts, updates=False)
    return {str(ref.artifact): urgency for ref, urgency in urgencies(plan).items()}


def test_an_artifact_alone_is_as_urgent_as_it_is_slow() -> None:
    """Without dependencies the longest expected deployment is the most urgent."""
    assert found(one("A", 5.0), one("B", 60.0)) == {"A": 5.0, "B": 60.0}


def test_a_chain_counts_whole() -> None:
    """A short one with a long chain behind it is more urgent than a long one alone."""
    chain = [one("Last", 30.0, needs=["Middle"]), one("Middle", 10.0, needs=["First"]), one("First", 1.0)]

    assert found(*chain, one("Alone", 40.0)) == {"Last": 30.0, "Middle": 40.0, "First": 41.0, "Alone": 40.0}


def test_the_longest_of_several_chains_counts() -> None:
    """Branches are not added up: only the longest has to be waited for."""
    assert found(one("A", 1.0), one("B", 20.0, needs=["A"]), one("C", 7.0, needs=["A"]))["A"] == 21.0


def test_order_alone_makes_a_chain_too() -> None:
    """What goes after another without needing it waits for it all the same."""
    assert found(one("A", 1.0), one("B", 20.0, after=["A"]))["A"] == 21.0


def test_an_unknown_one_takes_what_others_take() -> None:
    """Without a record an artifact is taken for an average one."""
    assert found(one("A", 10.0), one("B", 20.0), one("New", None)) == {"A": 10.0, "B": 20.0, "New": 15.0}


def test_nothing_known_at_all() -> None:
    """Where nothing is on record, lengths of chains decide."""
    chain = found(one("A", None), one("B", None, needs=["A"]), one("C", None))

    assert chain["A"] == 2 * chain["C"] == 2 * chain["B"] > 0


@pytest.mark.parametrize("action", [DeployAction.RUNNING, DeployAction.REFUSE])
def test_what_is_not_deployed_takes_no_time(action: DeployAction) -> None:
    """What runs already or is refused is in no chain, and its time is not part of the average."""
    idle = one("Idle", 1_000.0, needs=["A"], action=action)

    assert found(one("A", 10.0), idle, one("B", None, needs=["Idle"])) == {"A": 10.0, "B": 10.0}


def test_a_watched_deployment_counts() -> None:
    """A deployment that is joined holds up what waits for it like one of ours."""
    watched = one("W", 5.0, action=DeployAction.WATCH)

    assert found(watched, one("B", 20.0, needs=["W"])) == {"W": 25.0, "B": 20.0}


def test_a_very_long_chain() -> None:
    """Depth is no limit."""
    chain = [one(f"A{n}", 1.0, needs=[f"A{n + 1}"] if n < 4_999 else []) for n in range(5_000)]

    assert found(*chain)["A4999"] == 5_000.0
