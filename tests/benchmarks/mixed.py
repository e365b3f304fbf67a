"""Benchmark 4: deployments of very different lengths that depend on each other, under the virtual clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random

import trio
from trio.testing import MockClock

from cpi_tasks.model.config import Settings
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan
from tests.benchmarks import bounds
from tests.benchmarks.measures import Measure
from tests.support.bench import Bench, deploy, deployment, plan_of, ref
from tests.support.script import Script

_SHORTEST_S, _LONGEST_S = 1.0, 20.0
_TAIL = 1.1
_CHAINS = 6
_CHAIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """Artifacts with the seconds their deployments take and what they need first."""

    package_of: Mapping[str, str]
    durations: Mapping[str, float]
    needs: Mapping[str, frozenset[str]]

    def bound_s(self, *, at_once: int, overall: int) -> float:
        """Give the critical path: the longest chain, or what the slots allow where that is longer."""
        packages: dict[str, list[float]] = {}
        for artifact, package in self.package_of.items():
            packages.setdefault(package, []).append(self.durations[artifact])
        slots_s = bounds.slots_s(list(packages.values()), per_package=at_once, overall=overall)
        return max(slots_s, bounds.chain_s(self.durations, self.needs))

    def plan(self, *, is_known: bool) -> list[ArtifactPlan]:
        """Plan the deployment of all; ``is_known``: an earlier run has seen how long each takes."""
        planned = []
        for artifact, package in self.package_of.items():
            needed = frozenset(self._ref(name) for name in self.needs[artifact])
            expected_s = self.durations[artifact] if is_known else None
            step = replace(deploy(package=package), depends_on=needed, expected_s=expected_s)
            planned.append(deployment(artifact, package=package, step=step))
        return planned

    def _ref(self, artifact: str) -> ArtifactRef:
        return ref(artifact, self.package_of[artifact])


def landscape(seed: int, *, packages: int, per_package: int) -> Landscape:
    """Draw durations with a heavy tail; in each package most use its script collection, and chains cross packages."""
    random = Random(seed)  # noqa: S311 - the same landscape every time is what is wanted
    package_of = {f"A{p}x{n}": f"P{p}" for p in range(packages) for n in range(per_package)}
    durations = {name: min(_LONGEST_S, _SHORTEST_S * random.paretovariate(_TAIL)) for name in package_of}
    needs: dict[str, set[str]] = {name: set() for name in package_of}
    for package in range(packages):
        for number in range(1, per_package):
            if random.random() < 0.6:
                needs[f"A{package}x{number}"].add(f"A{package}x0")
    others = [name for name in package_of if not name.endswith("x0")]
    random.shuffle(others)
    for begin in range(0, min(_CHAINS * _CHAIN, len(others)), _CHAIN):
        chain = others[begin : begin + _CHAIN]
        for needed, name in pairwise(chain):
            needs[name].add(needed)
    return Landscape(
        package_of=package_of,
        durations=durations,
        needs={name: frozenset(needed) for name, needed in needs.items()},
    )


def measure(
    folder: Path,
    *,
    packages: int = 10,
    per_package: int = 20,
    at_once: int = 5,
    overall: int = 50,
    scarce: int = 20,
    seeds: int = 5,
) -> list[Measure]:
    """Deploy some landscapes, with slots for all packages and with scarce ones; the one that comes off worst counts."""
    lands = [landscape(seed, packages=packages, per_package=per_package) for seed in range(seeds)]
    what = f"{packages * per_package} deployments of 1 to 20 s"
    sequential_s = [_deploy(folder, land, is_known=False, at_once=1, overall=1) for land in lands]
    found = []
    for slots, is_known in ((overall, True), (scarce, True), (overall, False)):
        measures = [
            Measure(
                benchmark=4,
                what=f"{what}, {slots} at once, {'seen before' if is_known else 'first run'}",
                unit="s",
                measured=_deploy(folder, land, is_known=is_known, at_once=at_once, overall=slots),
                bound=land.bound_s(at_once=at_once, overall=slots),
                sequential=one_by_one_s,
                # Nobody can know in a first run which deployments are better begun early.
                most_ratio=1.15 if is_known else None,
            )
            for land, one_by_one_s in zip(lands, sequential_s, strict=True)
        ]
        worst = max(measures, key=lambda one: one.ratio or 0.0)
        ratios = ", ".join(f"{one.ratio:.3f}" for one in measures)
        found.append(replace(worst, note=f"worst of {ratios}"))
    return found


def _deploy(folder: Path, land: Landscape, *, is_known: bool, at_once: int, overall: int) -> float:
    """Give how long the deploy phase takes on trio's clock; everything must run at its end."""
    settings = Settings(parallel_deployments=at_once, max_parallel_deployments=overall)

    async def main() -> float:
        bench = Bench(folder, settings=settings)
        for artifact, package in land.package_of.items():
            takes_s = land.durations[artifact]
            bench.tenant.have(artifact, package=package)
            bench.tenant.scripts[artifact] = Script(
                appears_s=takes_s / 3, takes_s=takes_s, task_s=min(1.0, takes_s / 2)
            )
        bench.tenant.latency_s = 0.05
        plan = replace(plan_of(*land.plan(is_known=is_known)), updates=False)
        started = trio.current_time()
        report = await bench.carry_out(plan)
        bad = [one.ref for one in report.artifacts() if one.deploy is None or one.deploy.status.is_bad]
        if bad:
            raise SystemExit(f"not deployed: {bad}")
        return trio.current_time() - started

    return trio.run(main, clock=MockClock(autojump_threshold=0))
