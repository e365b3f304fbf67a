"""Keys that begin with ``x-`` are ignored, so that YAML anchors have a place; aliases and merges keep positions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded
from cpi_tasks.model.config import RunConfig, Selection

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

ENVIRONMENT = """\
x-note: [anything, {at: all}]
x-speed: &speed {x-why: measured, parallelDeployments: 4, deployDelaySeconds: 5}
<<: *speed
packagesDir: packages
deployConfig: config.yml
requestsPerSecond: {x-from: SAP, runtime: 40}
tenant:
  x-who: the team
  simulator: {x-why: slow, deploySeconds: 2}
"""
CONFIG = """\
x-flow: &flow
  type: IntegrationFlow
  deploy: false
  x-owner: somebody
x-hosts: &hosts
  host: a.example.com
  x-request-id: abc
orchestrator: {x-note: 1, maxFailures: 3}
packages:
  - integrationSuiteId: A
    packageDir: A
    x-contact: them
    artifacts:
      - <<: *flow
        artifactId: One
        artifactDir: One
        configOverrides: *hosts
      - <<: *flow
        artifactId: Two
        artifactDir: Two
        deploy: true
        configOverrides:
          <<: *hosts
          host: b.example.com
          port: 0443
"""


def test_they_are_ignored_at_every_level(write: Write, run: Run) -> None:
    """Environment file, section, tenant, packages and artifacts; what is merged from them counts."""
    write("environments/x.yml", ENVIRONMENT)
    write("config.yml", CONFIG)
    found = run()
    assert (found.settings.parallel_deployments, found.settings.deploy_delay_s, found.settings.runtime_rate) == (
        4,
        5,
        40,
    )
    assert found.settings.max_failures is not None
    one, two = found.configs[0].packages[0].artifacts
    assert (one.deploy, two.deploy) == (False, True)


def test_parameters_may_have_such_names(write: Write, run: Run) -> None:
    """In ``configOverrides`` every key is a parameter, also one that comes from an anchor."""
    write("environments/x.yml", ENVIRONMENT)
    write("config.yml", CONFIG)
    one, two = run().configs[0].packages[0].artifacts
    assert one.overrides == {"host": "a.example.com", "x-request-id": "abc"}
    assert two.overrides == {"host": "b.example.com", "x-request-id": "abc", "port": "0443"}
    lines = {key: place.line for key, place in two.override_positions.items()}
    assert lines == {"host": 24, "x-request-id": 7, "port": 25}


def test_what_is_wrong_in_an_anchor_is_reported_where_it_is_written(write: Write, complaints: Complaints) -> None:
    """The line is that of the value, the path that of the entry that takes it over."""
    write("config.yml", CONFIG.replace("type: IntegrationFlow", "type: Floww").replace("0443", "[]"))
    found = complaints()
    assert [each.partition(": ")[0] for each in found] == ["config.yml:2:9", "config.yml:2:9", "config.yml:25:17"]
    assert found[0].startswith("config.yml:2:9: packages.0.artifacts.0.type: 'Floww' is not one of ")
    assert found[1].startswith("config.yml:2:9: packages.0.artifacts.1.type: 'Floww' is not one of ")
    assert found[2].startswith("config.yml:25:17: packages.0.artifacts.1.configOverrides.port: must be a single value")


def test_variables_count_where_an_alias_stands(write: Write, run: Run, complaints: Complaints) -> None:
    """A block that nothing uses needs no variables; one that is used does."""
    text = "packagesDir: packages\ndeployConfig: config.yml\nx-t: &t {simulator: {deploySeconds: '${WAIT}'}}\n"
    write("environments/x.yml", text)
    assert run().settings is not None
    write("environments/x.yml", f"{text}tenant: *t\n")
    assert complaints() == [
        "environments/x.yml:3:37: tenant.simulator.deploySeconds: the environment variable WAIT is not set"
    ]


def test_inline_packages(write: Write, run: Run) -> None:
    """An environment file with its packages has anchors as well."""
    write(
        "environments/x.yml",
        "packagesDir: packages\n" + CONFIG.replace("orchestrator: {x-note: 1, maxFailures: 3}\n", ""),
    )
    assert len(run(Selection(env="x")).configs[0].packages[0].artifacts) == 2


@pytest.mark.parametrize("key", ["X-speed", "x_speed", "xspeed"])
def test_other_keys_are_unknown(write: Write, complaints: Complaints, key: str) -> None:
    """Only ``x-`` itself: what looks like a slip stays one."""
    write("environments/x.yml", f"packagesDir: packages\ndeployConfig: config.yml\n{key}: 1\n")
    (found,) = complaints()
    assert found.startswith(f"environments/x.yml:3:1: {key}: unknown key")
