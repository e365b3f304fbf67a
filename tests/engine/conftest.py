"""The engine on a fake tenant. Tests ask for ``autojump_clock`` themselves: an hour takes milliseconds then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.timed_tenant import TimedTenant


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a bench with an empty tenant."""
    return Bench(tmp_path)


@pytest.fixture
def timed(tmp_path: Path) -> Bench:
    """Give a bench with an empty tenant that tells when each artifact was changed."""
    return Bench(tmp_path, tenant=TimedTenant())
