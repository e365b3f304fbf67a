"""Problems that a check without a tenant treats differently carry the name of their kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]

FILES = "packagesDir: packages\ndeployConfig: config.yml\n"
HOST = {"CPI_HOST": "t1.example.com"}
BASIC = {"CPI_USERNAME": "u", "CPI_PASSWORD": "p"}


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("", {}, ["login", "login"]),
        ("", HOST, ["login"]),
        ("", HOST | {"CPI_USERNAME": "u"}, ["login"]),
        ("", BASIC, ["login"]),
        ("tenant: {host: '${NOPE}'}\n", BASIC, ["unset-variable"]),
        ("mode: ${NOPE}\n", HOST | BASIC, ["unset-variable"]),
        ("tenant: {serviceKey: keys/of-prod.json}\n", {}, ["login"]),
        ("tenant: {serviceKey: '{}'}\n", {}, [""]),
        ("tenant: {host: 'http://t1.example.com'}\n", BASIC, [""]),
        ("tenant: {username: u, clientId: c}\n", HOST, [""]),
        ("mode: '${'\n", HOST | BASIC, [""]),
    ],
)
def test_what_only_a_run_needs_is_told_from_what_is_wrong(
    write: Write, load: Load, text: str, variables: dict[str, str], expected: list[str]
) -> None:
    """A login or variable that is not there has a rule; one that is there and wrong has none."""
    write("environments/x.yml", FILES + text)
    assert expected == [problem.rule for problem in load(variables=variables).problems]


def test_a_download_that_fails_has_a_rule(write: Write, load: Load) -> None:
    """Whoever works without a network can tell it from a wrong address."""
    write("environments/x.yml", "packagesDir: p\ndeployConfig: https://config.example.com/c.yml\n")
    assert [problem.rule for problem in load(variables=HOST | BASIC).problems] == ["download"]
    write("environments/x.yml", "packagesDir: p\ndeployConfig: http://config.example.com/c.yml\n")
    assert [problem.rule for problem in load(variables=HOST | BASIC).problems] == [""]
