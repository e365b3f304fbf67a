"""Benchmark 1: many deployments of the same length, with request rates out of the way."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import bounds
from tests.benchmarks.measures import Measure
from tests.benchmarks.processes import invoke, tenant
from tests.benchmarks.workload import ONE_AT_A_TIME, add_artifacts, rates, repository

_OUT_OF_THE_WAY = 1000


def measure(
    folder: Path,
    *,
    packages: int = 10,
    per_package: int = 20,
    deploy_s: float = 2.0,
    at_once: int = 5,
    overall: int = 50,
    has_sequential_run: bool = False,
) -> list[Measure]:
    """Run ``update``, then ``deploy``, each as a user does, and compare ``deploy`` with its slots.

    ``has_sequential_run``: then deploy all once more, one at a time, instead of adding up what that takes at least.
    """
    project = repository(
        folder / "repository",
        parallelDeployments=at_once,
        maxParallelDeployments=overall,
        requestsPerSecond=rates(_OUT_OF_THE_WAY, _OUT_OF_THE_WAY),
    )
    add_artifacts(project, packages=packages, per_package=per_package)
    durations = [[deploy_s] * per_package] * packages
    artifacts = packages * per_package
    with tenant(deploy_s=deploy_s) as running:
        environment = running.variables()
        update = invoke("update", "--env", "x", cwd=project.root, env=environment)
        running.seen()
        deploy = invoke("deploy", "--env", "x", cwd=project.root, env=environment)
        asked = len(running.seen())
        sequential_s = bounds.sequential_s([duration for package in durations for duration in package])
        if has_sequential_run:
            project.keys |= ONE_AT_A_TIME
            project.save()
            forced = invoke("deploy", "--env", "x", "--force", cwd=project.root, env=environment)
            sequential_s = forced.wall_s
    bound = bounds.slots_s(durations, per_package=at_once, overall=overall)
    return [
        Measure(
            benchmark=1,
            what=f"deploy {artifacts} artifacts, {deploy_s:g} s each, whole command",
            unit="s",
            measured=deploy.wall_s,
            bound=bound,
            sequential=sequential_s,
            most_ratio=1.2,
            note=f"{deploy.cpu_s:.2f} s CPU, {asked} requests",
        ),
        Measure(
            benchmark=1,
            what=f"update {artifacts} artifacts before it, whole command",
            unit="s",
            measured=update.wall_s,
            note=f"{update.cpu_s:.2f} s CPU",
        ),
    ]
