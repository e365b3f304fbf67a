"""A project in a temporary folder, and shortcuts to load it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from cpi_tasks.environment import Fetch, Loaded, ProxyRules, Variables
from cpi_tasks.environment import load as load_environment
from cpi_tasks.errors import DownloadError
from cpi_tasks.model.config import BasicLogin, RunConfig, Selection

BASIC = {"CPI_HOST": "t1.example.com", "CPI_USERNAME": "deployer", "CPI_PASSWORD": "made-up"}
ENVIRONMENT = "packagesDir: packages\ndeployConfig: config.yml\n"
CONFIG = """\
    packages:
      - integrationSuiteId: Sales
        packageDir: Sales
        artifacts:
          - artifactId: Orders
            artifactDir: Orders
            type: IntegrationFlow
          - artifactId: Scripts
            artifactDir: Scripts
            type: ScriptCollection
      - integrationSuiteId: Stock
        packageDir: Stock
        artifacts:
          - artifactId: Count
            artifactDir: Count
            type: IntegrationFlow
    """

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]


def refuse(url: str, token: str | BasicLogin | None) -> bytes:
    """Stand in for a download where none is expected."""
    raise DownloadError("no download is expected here")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the project (with the usual indentation removed)."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def load(tmp_path: Path, write: Write) -> Load:
    """Load the environment ``x`` of the project; its files are small valid ones unless a test writes them."""

    def load_project(
        selection: Selection | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        fetch: Fetch = refuse,
        given: Variables | None = None,
        proxies: ProxyRules | None = None,
    ) -> Loaded:
        if not (tmp_path / "environments" / "x.yml").exists():
            write("environments/x.yml", ENVIRONMENT)
        if not (tmp_path / "config.yml").exists():
            write("config.yml", CONFIG)
        return load_environment(
            selection or Selection(env="x"),
            root=tmp_path,
            cwd=cwd or tmp_path,
            variables=given or Variables(BASIC if variables is None else variables),
            fetch=fetch,
            proxies=proxies,
        )

    return load_project


@pytest.fixture
def complaints(load: Load) -> Callable[..., list[str]]:
    """Load the project and give its problems as text."""

    def complain(
        selection: Selection | None = None, *, variables: Mapping[str, str] | None = None, fetch: Fetch = refuse
    ) -> list[str]:
        return [str(problem) for problem in load(selection, variables=variables, fetch=fetch).problems]

    return complain


@pytest.fixture
def run(load: Load) -> Callable[..., RunConfig]:
    """Load the project, which must have no problems."""

    def load_valid(
        selection: Selection | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        fetch: Fetch = refuse,
    ) -> RunConfig:
        loaded = load(selection, variables=variables, cwd=cwd, fetch=fetch)
        assert loaded.problems == ()
        assert loaded.run is not None
        return loaded.run

    return load_valid
