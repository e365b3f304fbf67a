"""Whole runs under the virtual clock: an hour of deployments takes milliseconds and repeats exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.world import MakeWorld, World, make_world


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the variables of this machine out of the runs."""
    for name in ("CPI_ENV", "CPI_HOST", "CPI_USERNAME", "CPI_PASSWORD", "CPI_SERVICE_KEY", "CPI_TOKEN_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make(tmp_path: Path) -> MakeWorld:
    """Give a function that makes a world: ``make(deploy_s=120)`` has a slow tenant, ``login="oauth"`` another login."""

    def begin(*, login: str = "basic", **settings: object) -> World:
        return make_world(tmp_path / "repo", login=login, settings=SimulatorSettings(**settings))  # type: ignore[arg-type]

    return begin


@pytest.fixture
def world(make: MakeWorld) -> World:
    """Give a world with the usual tenant."""
    return make()
