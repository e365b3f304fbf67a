"""Repositories as the measured program gets them."""

from __future__ import annotations

from pathlib import Path

from tests.support.project import Project

ONE_AT_A_TIME = {"parallelDeployments": 1, "maxParallelDeployments": 1}
"""Keys of a run that deploys one artifact after another."""

_KINDS = ("flow", "flow", "flow", "collection", "mapping")


def repository(root: Path, **keys: object) -> Project:
    """Begin a repository with the packaged tasks and some keys in its environment ``x``."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "tasks.py").write_text("from cpi_tasks import ns\n", encoding="utf-8")
    return Project(root, keys=dict(keys))


def add_artifacts(project: Project, *, packages: int, per_package: int) -> None:
    """Configure artifacts: of five three flows with an override, a script collection and a value mapping."""
    for package in range(packages):
        for index in range(per_package):
            artifact = f"Artifact{package}x{index}"
            match _KINDS[index % len(_KINDS)]:
                case "flow":
                    parameters = {"Host": "a.example", "Port": "443"}
                    project.flow(f"Package{package}", artifact, parameters=parameters)
                    project.override(artifact, {"Host": f"host{package}.example"})
                case "collection":
                    project.collection(f"Package{package}", artifact)
                case _:
                    project.values(f"Package{package}", artifact)
    project.save()


def rates(designtime: float, runtime: float) -> dict[str, float]:
    """Give the setting ``requestsPerSecond``."""
    return {"designtime": designtime, "runtime": runtime}
