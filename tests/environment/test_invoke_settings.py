"""The Invoke settings below ``cpi``."""

from __future__ import annotations

import pytest

from cpi_tasks.environment.invoke_settings import InvokeSettings, read_invoke_settings


@pytest.mark.parametrize("section", [None, {}, {"env": None}, {"env": ""}, {"env": " "}, {"x-own": 1}])
def test_nothing_is_set(section: object) -> None:
    """An empty section or key counts as not given; keys that begin with ``x-`` are somebody's own."""
    assert read_invoke_settings(section, {"INVOKE_CPI_ENV": "", "INVOKE_RUN_ECHO": "1"}) == InvokeSettings()


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("dev", "the Invoke setting cpi must be a mapping such as {env: dev}"),
        (["dev"], "the Invoke setting cpi must be a mapping such as {env: dev}"),
        ({"Env": "dev"}, "unknown Invoke setting cpi.Env; did you mean 'env'?"),
        ({"host": "h"}, "unknown Invoke setting cpi.host"),
        ({"env": True}, "the Invoke setting cpi.env must be text: put it in quotes"),
    ],
)
def test_what_cannot_be_meant(section: object, expected: str) -> None:
    """It is named, with the setting that may be meant."""
    assert read_invoke_settings(section, {}).problems == (expected,)
