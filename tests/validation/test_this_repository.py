"""The environments that this repository ships are valid, as a user sees them in a fresh clone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
URL = "https://raw.githubusercontent.com/org/repo/main/config.yml"


def validate(*flags: str) -> subprocess.CompletedProcess[str]:
    """Run ``invoke validate`` in the repository, with no variable of a tenant set."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CPI_")}
    command = [sys.executable, "-m", "invoke", "validate", *flags]
    return subprocess.run(command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, check=False)


def test_every_shipped_environment_is_valid_without_a_login() -> None:
    """``validate`` without ``--env`` ends with 0; nothing but the login and the URL draws a warning."""
    ended = validate("--format", "json")
    document = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stdout
    assert document["environments"] == ["ci", "demo", "dev", "prod"]
    assert document["counts"]["error"] == 0
    assert {each["rule"] for each in document["findings"]} == {"login", "not-read"}


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "gitlab"])
def test_a_configuration_from_a_url_is_noted_as_not_checked(form: str) -> None:
    """Whatever the format, the reader sees that one configuration was not checked, and which."""
    ended = validate("--env", "ci", "--format", form)
    assert ended.returncode == 0
    assert URL in ended.stdout
    assert "were not checked: validate works offline" in ended.stdout
