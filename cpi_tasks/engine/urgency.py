"""Which deployments to begin first: those on whose end most of the rest waits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import DeployAction, Plan

_UNKNOWN_S = 30.0


def urgencies(plan: Plan) -> Mapping[ArtifactRef, float]:
    """Give for each deployment the seconds from its start to the end of the longest chain that waits for it.

    What an artifact took the last time stands for what it takes; one that was never seen is taken for one that takes as
    long as those that were, on average.
    """
    steps = {artifact.ref: artifact.deploy for artifact in plan.artifacts() if artifact.deploy is not None}
    working = {ref: step for ref, step in steps.items() if step.action in {DeployAction.DEPLOY, DeployAction.WATCH}}
    known = [step.expected_s for step in working.values() if step.expected_s is not None]
    usual_s = sum(known) / len(known) if known else _UNKNOWN_S
    needs = {ref: (step.depends_on | step.goes_after) & working.keys() for ref, step in working.items()}
    chains = dict.fromkeys(working, 0.0)
    # From the last to the first: a chain is known when all that wait for its head are.
    for ref in reversed(tuple(TopologicalSorter(needs).static_order())):
        expected_s = working[ref].expected_s
        chains[ref] += usual_s if expected_s is None else expected_s
        for needed in needs[ref]:
            chains[needed] = max(chains[needed], chains[ref])
    return chains
