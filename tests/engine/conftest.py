"""The engine on a fake tenant, under a clock that jumps: an hour takes milliseconds."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio.testing

from tests.support.bench import Bench


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> Bench:
    """Give a bench whose time jumps wherever everything waits."""
    return Bench(tmp_path)
