"""Service keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.model.config import OAuthLogin, RunConfig, TenantAccess

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

FILES = "packagesDir: packages\ndeployConfig: config.yml\n"
INNER = (
    '{"url": "https://t9.example.com", "tokenurl": "https://a.example.com/oauth/token", '
    '"clientid": "c", "clientsecret": "s3cr3t", "createdate": "2026-01-01"}'
)
OUTER = f'{{"oauth": {INNER}}}'
EXPECTED = TenantAccess(
    url="https://t9.example.com",
    login=OAuthLogin(token_url="https://a.example.com/oauth/token", client_id="c", client_secret="s3cr3t"),
)


@pytest.mark.parametrize("key", [OUTER, INNER, f"\n  {OUTER}\n"])
def test_key_as_text_in_a_variable(run: Run, key: str) -> None:
    """The JSON is accepted with and without its outer part, and names the host too."""
    basic = {"CPI_USERNAME": "u", "CPI_PASSWORD": "p"}
    assert run(variables={"CPI_SERVICE_KEY": key} | basic).tenant == EXPECTED


@pytest.mark.parametrize("value", ["keys/t9.json", "${CPI_SERVICE_KEY}", "'" + OUTER + "'", "|\n    " + OUTER])
def test_key_in_the_file(write: Write, run: Run, value: str) -> None:
    """The file may hold a path relative to the root, a variable, or the JSON as quoted or block text."""
    write("keys/t9.json", "\ufeff" + OUTER)
    write("environments/x.yml", f"{FILES}tenant:\n  serviceKey: {value}\n")
    assert run(variables={"CPI_SERVICE_KEY": OUTER}).tenant == EXPECTED


def test_a_host_given_elsewhere_wins_with_a_warning(run: Run) -> None:
    """CPI_HOST is stronger than the key's own host, and a difference is pointed out."""
    found = run(variables={"CPI_SERVICE_KEY": OUTER, "CPI_HOST": "t1.example.com"})
    assert isinstance(found.tenant, TenantAccess)
    assert found.tenant.url == "https://t1.example.com"
    assert found.warnings == ("CPI_HOST names another host than the service key; CPI_HOST is used",)


def test_the_same_host_twice_is_no_warning(run: Run) -> None:
    """CPI_HOST may repeat what the key says."""
    assert run(variables={"CPI_SERVICE_KEY": OUTER, "CPI_HOST": "t9.example.com/api/v1"}).warnings == ()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("{", "CPI_SERVICE_KEY: is not valid JSON"),
        ('{"a":' + "[" * 100_000, "CPI_SERVICE_KEY: is not valid JSON"),
        ("nope.json", "CPI_SERVICE_KEY: is neither JSON text nor the path of a file"),
        ("x" * 5000, "CPI_SERVICE_KEY: is neither JSON text nor the path of a file"),
        ("a\0b", "CPI_SERVICE_KEY: is neither JSON text nor the path of a file"),
        (".", "CPI_SERVICE_KEY: is neither JSON text nor the path of a file"),
        ('{"oauth": 1}', "CPI_SERVICE_KEY: is not a service key: it has no 'oauth' part"),
        ('{"oauth": {"clientid": "c", "clientsecret": 7}}', "it has no tokenurl, clientsecret"),
        (OUTER.replace("https://a.", "http://a."), "CPI_SERVICE_KEY: its tokenurl must be an https address"),
        (OUTER.replace("https://t9", "http://t9"), "CPI_SERVICE_KEY: its url must be an https address"),
        (OUTER.replace("https://t9.example.com", ""), "tenant: the tenant's host is missing"),
    ],
)
def test_unusable_keys(complaints: Complaints, key: str, expected: str) -> None:
    """An unusable key gives one problem, without any of its content."""
    (found,) = complaints(variables={"CPI_SERVICE_KEY": key})
    assert expected in found
    assert "s3cr3t" not in found
    assert len(found) < 300


def test_a_key_written_as_yaml_mapping_is_explained(write: Write, complaints: Complaints) -> None:
    """JSON without quotes is a YAML mapping; the problem says that text is needed."""
    write("environments/x.yml", f"{FILES}tenant:\n  serviceKey: {OUTER}\n")
    assert complaints(variables={}) == ["environments/x.yml:4:15: tenant.serviceKey: must be text, not a mapping"]
