"""State folders of a project in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.records import DeploymentRecords, StateFolder

OpenRecords = Callable[[], DeploymentRecords]


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """Give the state folder of a project that has none yet."""
    return StateFolder(tmp_path, run="20260105T080000")


@pytest.fixture
def open_records(folder: StateFolder) -> OpenRecords:
    """Give a function that opens the records of one tenant, as each new run does."""
    return lambda: DeploymentRecords(folder, tenant="https://t1.example.com")
