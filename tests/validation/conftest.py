"""The desk that all checks of the files start with."""

from __future__ import annotations

import pytest

from tests.validation.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """Give an empty configuration."""
    return Desk()
