"""The real program and real sockets: never together with a virtual clock, which would jump while sockets are busy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.program import Program, make_program


@pytest.fixture(autouse=True)
def _no_virtual_clock(request: pytest.FixtureRequest) -> None:
    """Refuse tests that ask for a virtual clock."""
    if {"autojump_clock", "mock_clock"} & set(request.fixturenames):
        pytest.fail("a virtual clock and real sockets do not go together")


@pytest.fixture
def settings() -> SimulatorSettings:
    """Give the tenant's behaviour; tests replace this fixture to have another."""
    return SimulatorSettings(deploy_s=0.2)


@pytest.fixture
def login() -> str:
    """Give the login method; tests replace this fixture, too."""
    return "basic"


@pytest.fixture
def program(tmp_path: Path, settings: SimulatorSettings, login: str) -> Iterator[Program]:
    """Give the program with a running tenant; afterwards none of its outputs may have a secret in it."""
    simulator = Simulator(settings)
    with running(simulator) as url:
        started = make_program(tmp_path / "repo", simulator, url, login=login)
        yield started
    started.check_outputs()
