"""Two hundred artifacts in ten packages, over real sockets, with both logins."""

from __future__ import annotations

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.program import Program
from tests.support.project import SCRIPT

KINDS = ("flow", "flow", "flow", "collection", "mapping")
NOTHING_TO_DO = "200 artifacts unchanged"


def add_two_hundred(program: Program) -> None:
    """Configure ten packages with twenty artifacts each: twelve flows and eight others."""
    project = program.project
    for number in range(10):
        package = f"Package{number}"
        for index in range(20):
            artifact = f"Artifact{number}x{index}"
            match KINDS[index % len(KINDS)]:
                case "flow":
                    project.flow(package, artifact, parameters={"Host": "a.example", "Port": "443"})
                    project.override(artifact, {"Host": f"host{number}.example"})
                case "collection":
                    project.collection(package, artifact)
                case _:
                    project.values(package, artifact)
    project.keys |= {
        "parallelDeployments": 5,
        "maxParallelDeployments": 50,
        "requestsPerSecond": {"designtime": 500, "runtime": 500},
    }
    project.save()


@pytest.fixture
def settings() -> SimulatorSettings:
    """Let deployments take so long that all that may be under way at once are."""
    return SimulatorSettings(deploy_s=2.0)


@pytest.mark.parametrize("login", ["basic", "oauth"])
def test_two_hundred_artifacts_come_up_once(program: Program, login: str) -> None:
    """The first run does everything, the second nothing, and later ones exactly what was changed."""
    add_two_hundred(program)
    first = program.run("orchestrate", "--env", "x")

    assert first.code == 0, first.said
    assert len([write for write in first.writes if write.startswith("POST Deploy")]) == 200
    assert len(first.writes) == 10 + 200 + 200
    simulator = program.simulator
    assert len(simulator.artifacts) == 200
    assert all(simulator.is_running_design_time(artifact) for artifact in simulator.artifacts)
    assert max(simulator.peak_deployments_by_package.values()) == 5

    second = program.run("orchestrate", "--env", "x")
    assert second.code == 0
    assert second.writes == ()
    assert NOTHING_TO_DO in second.said

    program.project.edit("Package3", "Artifact3x0", SCRIPT, b"// changed\n")
    program.project.override("Artifact7x1", {"Host": "other.example"})
    program.project.save()
    changed = program.run("orchestrate", "--env", "x")
    assert changed.code == 0
    assert sorted(changed.writes) == [
        "POST DeployIntegrationDesigntimeArtifact?Id='Artifact3x0'&Version='active'",
        "POST DeployIntegrationDesigntimeArtifact?Id='Artifact7x1'&Version='active'",
        "PUT IntegrationDesigntimeArtifacts(Id='Artifact3x0',Version='active')",
        "PUT IntegrationDesigntimeArtifacts(Id='Artifact7x1',Version='active')/$links/Configurations('Host')",
    ]
