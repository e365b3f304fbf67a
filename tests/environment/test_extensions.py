"""Keys that begin with ``x-`` are ignored, and carry the anchors that other keys use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.model.config import RunConfig

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

ENVIRONMENT = """\
x-speed: &speed
  parallelDeployments: 7
  x-note: ${NOBODY_SETS_THIS}
<<: *speed
packagesDir: packages
deployConfig: config.yml
requestsPerSecond: {designtime: 4, x-why: "a slow tenant"}
tenant:
  x-who: [operations]
  host: t9.example.com
"""
CONFIG = """\
x-flow: &flow
  type: IntegrationFlow
  deploy: false
x-values: &values
  x-trace-id: "1"
  Host: a
orchestrator:
  x-note: {any: thing}
  deployTimeoutSeconds: 11
packages:
  - integrationSuiteId: Sales
    x-owner: Team A
    packageDir: Sales
    artifacts:
      - <<: *flow
        x-ticket: ABC-1
        artifactId: Orders
        artifactDir: Orders
        configOverrides:
          <<: *values
          x-api-key: k
"""


def test_x_keys_are_ignored_at_every_level(write: Write, run: Run) -> None:
    """Environment file, tenant, settings, configuration, ``orchestrator:``, packages and artifacts; merges work."""
    write("environments/x.yml", ENVIRONMENT)
    write("config.yml", CONFIG)
    found = run()
    (spec,) = found.configs[0].packages[0].artifacts
    assert (found.settings.parallel_deployments, found.settings.designtime_rate) == (7, 4)
    assert found.settings.deploy_timeout_s == 11
    assert (spec.kind.value, spec.deploy) == ("IntegrationFlow", False)
    assert (spec.position.line, spec.position.column) == (17, 21)


def test_overrides_that_begin_with_x_are_parameters(write: Write, run: Run) -> None:
    """Parameter names are what the flow has, whatever they begin with, also where they come from an anchor."""
    write("config.yml", CONFIG)
    (spec,) = run().configs[0].packages[0].artifacts
    assert spec.overrides == {"x-trace-id": "1", "Host": "a", "x-api-key": "k"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x-a: 1\nxmode: 2\n", "environments/x.yml:4:1: xmode: unknown key"),
        ("x-a: &a {mode: nope}\n<<: *a\n", "environments/x.yml:3:16: mode: 'nope' is not one of "),
        ("X-a: 1\n", "environments/x.yml:3:1: X-a: unknown key"),
    ],
)
def test_what_is_wrong_beside_them_keeps_its_place(
    write: Write, complaints: Complaints, text: str, expected: str
) -> None:
    """A value that an anchor brings in is reported where it is written."""
    write("environments/x.yml", "packagesDir: packages\ndeployConfig: config.yml\n" + text)
    (found,) = complaints()
    assert found.startswith(expected)


def test_inline_packages_have_them_too(write: Write, run: Run) -> None:
    """The environment file may hold the packages itself."""
    write("environments/x.yml", "x-p: &p {integrationSuiteId: A, x-b: 1}\npackages: [{<<: *p, packageDir: A}]\n")
    assert [package.source_id for package in run().configs[0].packages] == ["A"]
