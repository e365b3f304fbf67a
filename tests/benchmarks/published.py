"""Benchmark 3: a first run under the limits SAP publishes, which must be used and never crossed."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import bounds
from tests.benchmarks.measures import Measure
from tests.benchmarks.processes import Ran, Seen, invoke, tenant
from tests.benchmarks.workload import ONE_AT_A_TIME, add_artifacts, rates, repository

PUBLISHED = 10.0
PERMITTED = 9.0
_USED = 0.9
_TOO_MANY = 429


def measure(
    folder: Path,
    *,
    packages: int = 10,
    per_package: int = 20,
    deploy_s: float = 2.0,
    has_sequential_run: bool = False,
) -> list[Measure]:
    """Create and deploy everything on a tenant that refuses what goes beyond its limits.

    ``has_sequential_run``: do the same on another tenant with one deployment at a time, instead of adding up what that
    takes at least.
    """
    shape = {"packages": packages, "per_package": per_package}
    ran, seen = _run(
        folder / "repository", **shape, deploy_s=deploy_s, parallelDeployments=5, maxParallelDeployments=50
    )
    designtime = [one for one in seen if one.family == "designtime"]
    count = len(designtime)
    work_s = designtime[-1].at - designtime[0].at
    artifacts = packages * per_package
    sequential_s = bounds.requests_s(count, PERMITTED) + bounds.sequential_s([deploy_s] * artifacts)
    if has_sequential_run:
        sequential, _ = _run(folder / "sequential", **shape, deploy_s=deploy_s, **ONE_AT_A_TIME)
        sequential_s = sequential.wall_s
    return [
        Measure(
            benchmark=3,
            what=f"{artifacts} new artifacts, first to last design-time request",
            unit="s",
            measured=work_s,
            bound=bounds.requests_s(count, PERMITTED),
            most_ratio=1 / _USED,
            note=f"{count} requests, {100 * bounds.requests_s(count, PERMITTED) / work_s:.1f} % of {PERMITTED:g}/s and "
            f"{100 * bounds.requests_s(count, PUBLISHED) / work_s:.1f} % of {PUBLISHED:g}/s used",
        ),
        Measure(
            benchmark=3,
            what="refused with 429",
            unit="requests",
            measured=sum(one.status == _TOO_MANY for one in seen),
            most=0,
            note=f"at most {most_in_a_second(designtime)} design-time requests in any second",
        ),
        Measure(
            benchmark=3,
            what=f"{artifacts} new artifacts, whole command",
            unit="s",
            measured=ran.wall_s,
            bound=bounds.requests_s(count, PERMITTED) + deploy_s,
            sequential=sequential_s,
            note=f"{ran.cpu_s:.2f} s CPU, {len(seen)} requests",
        ),
    ]


def _run(root: Path, *, packages: int, per_package: int, deploy_s: float, **keys: int) -> tuple[Ran, list[Seen]]:
    """Bring a new repository to a new tenant; gives how that went, and the requests."""
    project = repository(root, requestsPerSecond=rates(PERMITTED, 45), **keys)
    add_artifacts(project, packages=packages, per_package=per_package)
    with tenant(
        deploy_s=deploy_s,
        designtime_rate=PUBLISHED,
        designtime_tenant_rate=15,
        runtime_rate=50,
        runtime_tenant_rate=120,
    ) as running:
        ran = invoke("orchestrate", "--env", "x", cwd=project.root, env=running.variables())
        return ran, running.seen()


def most_in_a_second(seen: list[Seen]) -> int:
    """Give the most requests that arrived within one second, wherever it begins."""
    moments = sorted(one.at for one in seen)
    first = most = 0
    for number, moment in enumerate(moments):
        while moments[first] <= moment - 1.0:
            first += 1
        most = max(most, number - first + 1)
    return most
