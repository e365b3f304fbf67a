"""The example environments of this repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.model.config import BasicLogin, RunConfig, Selection
from cpi_tasks.model.naming import Mode

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]

ENVIRONMENTS = Path(__file__).resolve().parents[2] / "environments"
CONFIG = """packages:
  - integrationSuiteId: {0}
    packageDir: {0}
    artifacts: [{{artifactId: F{0}, artifactDir: F, type: IntegrationFlow}}]
"""


@pytest.fixture
def consumer(write: Write, tmp_path: Path) -> Path:
    """Another repository with the folders that the examples name."""
    for name in ("dev", "prod", "ci"):
        text = (ENVIRONMENTS / f"{name}.yml").read_text(encoding="utf-8").replace("./environments/example/", "./")
        write(f"environments/{name}.yml", text)
    write("configs/dev/a.yml", CONFIG.format("A"))
    write("configs/dev/sub/b.yml", CONFIG.format("B"))
    write("configs/production.yml", CONFIG.format("C"))
    return tmp_path


def test_dev(consumer: Path, run: Run) -> None:
    """Development: a merged folder, five at once, 5 x 15 s."""
    found = run(Selection(env="dev"))
    settings = found.settings
    assert [[package.id for package in config.packages] for config in found.configs] == [["DEVA", "DEVB"]]
    assert (
        settings.mode,
        settings.parallel_deployments,
        settings.deploy_timeout_s,
        settings.deploy_delay_s,
    ) == (Mode.UPDATE_AND_DEPLOY, 5, 75.0, 15.0)
    assert consumer / "packages" / "A" / "F" == found.configs[0].packages[0].artifacts[0].folder


def test_prod(consumer: Path, run: Run) -> None:
    """Production: one file, two at once, 10 x 30 s."""
    found = run(Selection(env="prod"))
    settings = found.settings
    assert [package.id for package in found.configs[0].packages] == ["PRODC"]
    assert (settings.parallel_deployments, settings.deploy_timeout_s, settings.deploy_delay_s) == (2, 300.0, 30.0)


def test_ci(consumer: Path, run: Run) -> None:
    """Pipelines: a URL, ten at once, 5 x 10 s."""
    calls: list[tuple[str, str | BasicLogin | None]] = []

    def fetch(url: str, token: str | BasicLogin | None) -> bytes:
        calls.append((url, token))
        return CONFIG.format("D").encode()

    found = run(Selection(env="ci"), fetch=fetch)
    settings = found.settings
    assert calls == [("https://raw.githubusercontent.com/org/repo/main/config.yml", None)]
    assert [package.id for package in found.configs[0].packages] == ["CID"]
    assert (
        settings.parallel_deployments,
        settings.max_parallel_deployments,
        settings.deploy_timeout_s,
        settings.deploy_delay_s,
    ) == (10, 10, 50.0, 10.0)
