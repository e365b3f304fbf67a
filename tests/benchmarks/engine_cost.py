"""Benchmark 5: what the engine itself costs for each artifact, under the virtual clock, and how that grows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.benchmarks import bounds
from tests.benchmarks.engine_child import AT_ONCE, DEPLOY_S, Part
from tests.benchmarks.measures import Measure
from tests.benchmarks.processes import HERE, run
from tests.support.stand import variables

_PARTS = ("read and plan", "update", "deploy")
_TWICE = 2.1


def measure(folder: Path, *, artifacts: int = 10_000, packages: int = 100, rounds: int = 5) -> list[Measure]:
    """Run half of the artifacts and all of them, in as many packages; the round with least CPU counts.

    As much is under way at once in both, so that twice the work is all that differs. What twice the packages cost, and
    with them twice as many deployments under way, is told beside it.
    """
    per_package = artifacts // packages
    shapes = {
        "half": (packages, per_package // 2),
        "whole": (packages, per_package),
        "few": (packages // 2, per_package),
    }
    ran = dict[str, list[dict[str, Part]]]()
    for _ in range(rounds):
        # By turns: what else the machine does meanwhile falls on all of them.
        for name, shape in shapes.items():
            ran.setdefault(name, []).append(_once(folder, *shape, "cpu"))
    half, whole, few = (_least(ran[name], _once(folder, *shape, "bytes")) for name, shape in shapes.items())
    measures = []
    for part in _PARTS:
        took, size = whole[part]["cpu_s"] / artifacts, whole[part]["bytes"] / artifacts
        measures += [
            Measure(benchmark=5, what=f"{part}: CPU for each artifact", unit="µs", measured=took * 1e6),
            Measure(benchmark=5, what=f"{part}: memory for each artifact", unit="bytes", measured=size),
        ]
    for key, name in (("cpu_s", "CPU"), ("bytes", "memory")):
        twice = f"{name}, {artifacts} instead of {artifacts // 2} artifacts"
        measures += [_growth(f"{part}: {twice}", half, whole, part, key) for part in _PARTS]
        measures.append(_growth(f"all: {twice}", half, whole, "all", key, most_ratio=_TWICE / 2))
        measures.append(_growth(f"all: {twice}, in twice the packages", few, whole, "all", key))
    durations = [[DEPLOY_S] * per_package] * packages
    measures.append(
        Measure(
            benchmark=5,
            what=f"deploy {artifacts}, {DEPLOY_S:g} s each, virtual time",
            unit="s",
            measured=whole["deploy"]["virtual_s"],
            bound=bounds.slots_s(durations, per_package=AT_ONCE, overall=AT_ONCE * packages),
            sequential=bounds.sequential_s([DEPLOY_S] * artifacts),
            note=f"{whole['deploy']['looks']:.0f} looks; the fake tenant's own work is in all of these",
        )
    )
    return measures


def _growth(
    what: str, half: dict[str, Part], whole: dict[str, Part], part: str, key: str, *, most_ratio: float | None = None
) -> Measure:
    measured = _sum(whole, part, key) / _sum(half, part, key)
    return Measure(
        benchmark=5, what=what, unit="times", measured=measured, bound=2.0, most_ratio=most_ratio, pick="middle"
    )


def _sum(parts: dict[str, Part], part: str, key: str) -> float:
    return max(1e-9, sum(parts[name][key] for name in _PARTS if part in {name, "all"}))


def _least(rounds: list[dict[str, Part]], counted: dict[str, Part]) -> dict[str, Part]:
    """Give the round that took the least CPU, with the bytes of the one that counted them."""
    least = min(rounds, key=lambda parts: _sum(parts, "all", "cpu_s"))
    return {name: {**part, "bytes": counted[name]["bytes"]} for name, part in least.items()}


def _once(folder: Path, packages: int, per_package: int, what: str) -> dict[str, Part]:
    """Run in a process of its own."""
    cwd = folder / f"engine{packages}x{per_package}"
    cwd.mkdir(exist_ok=True)
    command = [sys.executable, str(HERE / "engine_child.py"), str(packages), str(per_package), what]
    ran = run(command, cwd=cwd, env=variables())
    if ran.code:
        raise SystemExit(f"the engine's run ended with {ran.code}:\n{ran.said}")
    found: dict[str, Part] = json.loads(ran.said.splitlines()[-1])
    return found
