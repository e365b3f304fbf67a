"""Benchmark 2: a large landscape in which nothing has changed, and one in which one artifact has."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import bounds
from tests.benchmarks.measures import Measure
from tests.benchmarks.processes import Seen, TenantProcess, invoke, tenant
from tests.benchmarks.workload import add_artifacts, rates, repository
from tests.support.project import SCRIPT, Project

_PUBLISHED = {"designtime": 9.0, "runtime": 45.0}


def measure(folder: Path, *, packages: int = 50, per_package: int = 20, rate: float = 200.0) -> list[Measure]:
    """Bring everything up, then run again without a change, with one, and with what the cache proves taken for true."""
    project = repository(
        folder / "repository",
        parallelDeployments=per_package,
        maxParallelDeployments=packages * per_package,
        requestsPerSecond=rates(1000, 1000),
    )
    add_artifacts(project, packages=packages, per_package=per_package)
    count = packages * per_package
    with tenant(deploy_s=0.05) as running:
        invoke("orchestrate", "--env", "x", cwd=project.root, env=running.variables())
        project.keys["requestsPerSecond"] = rates(rate, rate)
        project.save()
        measures = [_run(f"{count} artifacts, nothing changed", running, project, rate)]
        measures.append(_run(f"{count} artifacts, nothing changed, verify cached", running, project, rate, "cached"))
        project.edit("Package0", "Artifact0x0", SCRIPT, b"// changed\n")
        measures.append(_run(f"{count} artifacts, one changed", running, project, rate))
    return measures


def _run(what: str, running: TenantProcess, project: Project, rate: float, verify: str = "parameters") -> Measure:
    running.seen()
    ran = invoke("orchestrate", "--env", "x", "--verify", verify, cwd=project.root, env=running.variables())
    seen = running.seen()
    needed_s = max(bounds.requests_s(_count(seen, family), rate) for family in _PUBLISHED)
    published_s = max(bounds.requests_s(_count(seen, family), limit) for family, limit in _PUBLISHED.items())
    return Measure(
        benchmark=2,
        what=what,
        unit="s",
        measured=ran.wall_s,
        bound=needed_s,
        sequential=bounds.requests_s(len(seen), rate),
        note=f"{len(seen)} requests at {rate:g}/s, {ran.cpu_s:.2f} s CPU, {ran.peak_mib:.0f} MiB; "
        f"under the published limits at least {published_s:.0f} s",
    )


def _count(seen: list[Seen], family: str) -> int:
    return sum(one.family == family for one in seen)
