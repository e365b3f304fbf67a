"""How long a deployment is expected to take: what this artifact took the last time, by its record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.naming import Mode
from tests.planning.builders import OTHER, RECORD, content, deploy_of, design, inventory, runtime, spec

SETTINGS = [Settings(), Settings(mode=Mode.DEPLOY_ONLY, force=True)]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("took_s", [None, 42.5])
def test_the_record_says_how_long(settings: Settings, took_s: float | None) -> None:
    """Every deployment that is planned carries the seconds on record, or that nothing is known."""
    record = replace(RECORD, took_s=took_s)
    tenant = inventory(design(), running=[runtime()], records={"Flow": record})

    assert deploy_of(content(spec(), OTHER), tenant, settings).expected_s == took_s


def test_another_artifacts_record_says_nothing() -> None:
    """What others took is not what this one takes."""
    tenant = inventory(records={"Other": replace(RECORD, took_s=42.5)})

    assert deploy_of(content(spec()), tenant, Settings()).expected_s is None
