"""Whole runs made by lot, from one integer each: no seed may break what holds for every run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulation.seeds.drawing import play
from tests.simulation.seeds.invariants import judge
from tests.simulation.seeds.scenario import Scenario

_TASK = re.compile(r"TaskId='[^']*'")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play ``--seed K`` alone, or ``--seeds N`` from ``--first-seed K`` on."""
    if "seed" in metafunc.fixturenames:
        one, first, number = (metafunc.config.getoption(name) for name in ("--seed", "--first-seed", "--seeds"))
        metafunc.parametrize("seed", [one] if one is not None else range(first, first + number))


def test_a_seed(seed: int, tmp_path: Path) -> None:
    """No false green or red, one outcome for each step, nothing lost, and the runs after a storm repair everything."""
    play(seed, tmp_path / "repo", judge)


def _seen(scenario: Scenario) -> list[tuple[str, str, float, int]]:
    requests = scenario.world.simulator.requests
    return [(one.method, _TASK.sub("T", one.target), one.time, one.status) for one in requests]


def test_a_seed_replays_exactly(tmp_path: Path) -> None:
    """The same seed gives the same requests at the same moments, so that a failure can be looked at again."""
    first, second = (play(7, tmp_path / name, judge) for name in ("a", "b"))
    assert first.story == second.story
    assert _seen(first) == _seen(second)
