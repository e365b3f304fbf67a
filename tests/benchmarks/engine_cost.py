"""Benchmark 5: what the engine itself costs for each artifact, under the virtual clock, and how that grows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.benchmarks import bounds
from tests.benchmarks.engine_child import AT_ONCE, DEPLOY_S, PER_PACKAGE, Part
from tests.benchmarks.measures import Measure
from tests.benchmarks.processes import HERE, run
from tests.support.stand import variables

_PARTS = ("read and plan", "update", "deploy")
_TWICE = 2.1


def measure(folder: Path, *, artifacts: int = 10_000, rounds: int = 5) -> list[Measure]:
    """Run half of the artifacts and all of them, with slots that grow with them; the round with least CPU counts."""
    packages = artifacts // PER_PACKAGE
    # By turns: what else the machine does meanwhile falls on both.
    ran = [(_once(folder, artifacts // 2, "cpu"), _once(folder, artifacts, "cpu")) for _ in range(rounds)]
    half = _least([one for one, _ in ran], _once(folder, artifacts // 2, "bytes"))
    whole = _least([one for _, one in ran], _once(folder, artifacts, "bytes"))
    measures = []
    for part in _PARTS:
        took, size = whole[part]["cpu_s"] / artifacts, whole[part]["bytes"] / artifacts
        measures += [
            Measure(benchmark=5, what=f"{part}: CPU for each artifact", unit="µs", measured=took * 1e6),
            Measure(benchmark=5, what=f"{part}: memory for each artifact", unit="bytes", measured=size),
        ]
    measures += [
        Measure(
            benchmark=5,
            what=f"{part}: {name}, {artifacts} instead of {artifacts // 2} artifacts",
            unit="times",
            measured=_sum(whole, part, key) / _sum(half, part, key),
            bound=2.0,
            most_ratio=_TWICE / 2 if part == "all" else None,
            pick="middle",
        )
        for part in (*_PARTS, "all")
        for key, name in (("cpu_s", "CPU"), ("bytes", "memory"))
    ]
    durations = [[DEPLOY_S] * PER_PACKAGE] * packages
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


def _sum(parts: dict[str, Part], part: str, key: str) -> float:
    return max(1e-9, sum(parts[name][key] for name in _PARTS if part in {name, "all"}))


def _least(rounds: list[dict[str, Part]], counted: dict[str, Part]) -> dict[str, Part]:
    """Give the round that took the least CPU, with the bytes of the one that counted them."""
    least = min(rounds, key=lambda parts: _sum(parts, "all", "cpu_s"))
    return {name: {**part, "bytes": counted[name]["bytes"]} for name, part in least.items()}


def _once(folder: Path, artifacts: int, what: str) -> dict[str, Part]:
    """Run in a process of its own."""
    overall = max(AT_ONCE, AT_ONCE * artifacts // PER_PACKAGE)
    cwd = folder / f"engine{artifacts}"
    cwd.mkdir(exist_ok=True)
    command = [sys.executable, str(HERE / "engine_child.py"), str(artifacts), str(overall), what]
    ran = run(command, cwd=cwd, env=variables())
    if ran.code:
        raise SystemExit(f"the engine's run ended with {ran.code}:\n{ran.said}")
    found: dict[str, Part] = json.loads(ran.said.splitlines()[-1])
    return found
