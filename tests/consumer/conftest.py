"""The wheel, installed without network beside the checkout, and a repository and a tenant to use it with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.consumer import CHECKOUT, Consumer, Tenant

_ENVIRONMENT = """packagesDir: packages
deployConfig: config.yml
deploymentPrefix: {prefix}
deployDelaySeconds: 1
deployTimeoutSeconds: 60
requestsPerSecond: {{designtime: 200, runtime: 200}}
"""


def _run(command: Sequence[str], cwd: Path) -> None:
    ended = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the checkout; it takes less time than workers would take to wait for each other."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(["hatchling", "build", "-t", "wheel", "-d", str(folder)], CHECKOUT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def library(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own; what it depends on is what the tests run with."""
    folder = tmp_path_factory.mktemp("library")
    options = ["--isolated", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-compile"]
    _run(["pip", "install", *options, "--target", str(folder), str(wheel)], folder)
    return folder


@pytest.fixture
def consumer(tmp_path: Path, library: Path) -> Consumer:
    """Give another repository that has nothing yet but the package."""
    return Consumer(root=tmp_path / "repository", library=library)


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    """Serve an empty tenant whose deployments take a moment."""
    simulator = Simulator(SimulatorSettings(deploy_s=0.1))
    with running(simulator) as url:
        yield Tenant(simulator=simulator, url=url)


@pytest.fixture
def repository(consumer: Consumer, tenant: Tenant) -> Consumer:
    """Give a repository with one flow and two environments, dev and qa, of one tenant."""
    consumer.project.flow("Sales", "Orders")
    consumer.configure("config.yml", ["Sales"])
    for name in ("dev", "qa"):
        consumer.write(f"environments/{name}.yml", _ENVIRONMENT.format(prefix=name.upper()))
    consumer.write("tasks.py", "from cpi_tasks import ns\n")
    consumer.variables = tenant.basic
    return consumer
