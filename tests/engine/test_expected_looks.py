"""Looks are close where an artifact's own last deployment ended, whatever others take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.model.naming import PollingPolicy
from tests.support.bench import Bench, deploy, deployment, plan_of
from tests.support.script import Script

LONG_S = 100.3


async def seen_after_s(bench: Bench, expected_s: float | None) -> float:
    """Deploy one that takes a hundred seconds, after one that took two; gives how late its end was seen."""
    bench.settings = replace(bench.settings, parallel_deployments=1, max_parallel_deployments=1)
    for artifact, takes_s in {"Short": 2.0, "Long": LONG_S}.items():
        bench.tenant.have(artifact)
        bench.tenant.scripts[artifact] = Script(takes_s=takes_s, has_task=False)
    # The short one goes first, so that the run has an idea of what deployments take.
    first = deployment("Short", step=replace(deploy(), expected_s=1_000.0))
    second = deployment("Long", step=replace(deploy(), expected_s=expected_s))

    await bench.carry_out(plan_of(first, second, updates=False))

    return bench.tenant.at("look Long")[-1] - bench.tenant.at("trigger Long")[0] - LONG_S


async def test_an_artifacts_own_time_counts(bench: Bench, autojump_clock: MockClock) -> None:
    """With its last time on record the end is seen half a second later at most; without, much later."""
    assert 0.0 <= await seen_after_s(bench, LONG_S) <= 0.5


async def test_without_it_looks_have_widened(bench: Bench, autojump_clock: MockClock) -> None:
    """What is not known is looked at ever more rarely."""
    assert await seen_after_s(bench, None) > 2.0


@pytest.mark.parametrize("expected_s", [None, LONG_S])
async def test_fixed_polling_knows_nothing(bench: Bench, autojump_clock: MockClock, expected_s: float | None) -> None:
    """Under ``polling: fixed`` the look after 105 s is the one that sees the end, whatever is on record."""
    bench.settings = replace(bench.settings, polling=PollingPolicy.FIXED, deploy_delay_s=15.0)

    assert await seen_after_s(bench, expected_s) == pytest.approx(105.0 - LONG_S, abs=0.05)
