"""The tenant: file, variables and login methods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded
from cpi_tasks.model.config import BasicLogin, EmbeddedTenant, OAuthLogin, RunConfig, TenantAccess

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

FILES = "packagesDir: packages\ndeployConfig: config.yml\n"
BASIC = {"CPI_USERNAME": "u", "CPI_PASSWORD": "hunter2"}
OAUTH = {"CPI_TOKEN_URL": "https://a.example.com/oauth/token", "CPI_CLIENT_ID": "c", "CPI_CLIENT_SECRET": "s3cr3t"}
HOST = {"CPI_HOST": "t1.example.com"}


def tenant(write: Write, text: str) -> None:
    write("environments/x.yml", FILES + "tenant:\n" + text)


def test_basic_login_from_variables(run: Run) -> None:
    """Without a tenant section everything comes from variables."""
    expected = TenantAccess(url="https://t1.example.com", login=BasicLogin(username="u", password="hunter2"))
    assert expected == run(variables=HOST | BASIC).tenant


def test_oauth_is_preferred_among_variables(run: Run) -> None:
    """OAuth wins over Basic where the variables hold both."""
    login = OAuthLogin(token_url="https://a.example.com/oauth/token", client_id="c", client_secret="s3cr3t")
    assert TenantAccess(url="https://t1.example.com", login=login) == run(variables=HOST | BASIC | OAUTH).tenant


def test_a_complete_login_is_preferred_to_a_begun_one(run: Run) -> None:
    """Left-over variables of an incomplete OAuth login do not hide a complete Basic login."""
    found = run(variables=HOST | BASIC | {"CPI_CLIENT_ID": "c", "CPI_CLIENT_SECRET": ""}).tenant
    assert isinstance(found, TenantAccess)
    assert BasicLogin(username="u", password="hunter2") == found.login


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, "https://a.example.com/oauth/token"),
        ({"CPI_OAUTH_PATH": "my/token"}, "https://a.example.com/my/token"),
        ({"CPI_OAUTH_PATH": "/oauth2/api/v1/token"}, "https://a.example.com/oauth2/api/v1/token"),
        ({"CPI_TOKEN_URL": "https://b.example.com/t"}, "https://b.example.com/t"),
    ],
)
def test_token_url_from_host_and_path(run: Run, extra: dict[str, str], expected: str) -> None:
    """CPI_OAUTH_HOST and CPI_OAUTH_PATH stand in for CPI_TOKEN_URL."""
    variables = HOST | {"CPI_OAUTH_HOST": "a.example.com", "CPI_CLIENT_ID": "c", "CPI_CLIENT_SECRET": "s"} | extra
    found = run(variables=variables).tenant
    assert isinstance(found, TenantAccess)
    assert OAuthLogin(token_url=expected, client_id="c", client_secret="s") == found.login


def test_the_file_wins_over_variables(write: Write, run: Run) -> None:
    """Keys of the file are stronger than their variables, and expanded."""
    tenant(write, "  host: https://t2.example.com/api/v1\n  username: me\n  password: ${PW}\n")
    found = run(variables=HOST | BASIC | OAUTH | {"PW": "12345"}).tenant
    assert TenantAccess(url="https://t2.example.com", login=BasicLogin(username="me", password="12345")) == found


def test_a_begun_login_is_completed_from_its_variables(write: Write, run: Run) -> None:
    """A login method begun in the file takes the rest from the variables of that method."""
    tenant(write, "  username: me\n")
    found = run(variables=HOST | BASIC | OAUTH).tenant
    assert TenantAccess(url="https://t1.example.com", login=BasicLogin(username="me", password="hunter2")) == found


@pytest.mark.parametrize("text", ["", "  host:\n  username: ''\n"])
def test_keys_without_a_value_count_as_left_out(write: Write, run: Run, text: str) -> None:
    """An empty tenant section, or empty keys in it, leave everything to the variables."""
    tenant(write, text)
    assert isinstance(run(variables=HOST | BASIC).tenant, TenantAccess)


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("", BASIC, "environments/x.yml:3:8: tenant: the tenant's host is missing: set 'host' or CPI_HOST"),
        ("", HOST, "environments/x.yml:3:8: tenant: no login is given: set CPI_SERVICE_KEY"),
        (
            "",
            HOST | {"CPI_USERNAME": "u"},
            "tenant: the login is incomplete: besides CPI_USERNAME it needs 'password' or CPI_PASSWORD",
        ),
        (
            "  clientId: c\n",
            HOST | BASIC | {"CPI_TOKEN_URL": "https://a.example.com/t"},
            (
                "tenant: the login is incomplete: besides CPI_TOKEN_URL and 'clientId' it needs 'clientSecret' or "
                "CPI_CLIENT_SECRET"
            ),
        ),
        (
            "  clientId: c\n  password: hunter2\n",
            HOST,
            "tenant: two login methods are given ('clientId' and 'password'); keep one",
        ),
        (
            "  serviceKey: key.json\n  tokenUrl: https://a.example.com/t\n",
            HOST,
            "tenant: two login methods are given ('serviceKey' and 'tokenUrl'); keep one",
        ),
        ("  password: 12345\n", HOST | BASIC, "tenant.password: must be text: put the value in quotes"),
        ("  password: [hunter2]\n", HOST | BASIC, "tenant.password: must be text, not a list"),
        ("  pasword: hunter2\n", HOST | BASIC, "tenant.pasword: unknown key; did you mean 'password'?"),
        ("  host: http://t1.example.com\n", BASIC, "tenant.host: must be an https address; plain http is only"),
        ("  host: u:hunter2@t1.example.com\n", BASIC, "tenant.host: must not contain a user name or password"),
        ("  tokenUrl: http://a.example.com/t\n", HOST | OAUTH, "tenant.tokenUrl: must be an https address"),
        ("  host: ${NOPE}\n", BASIC, "x.yml:4:9: tenant.host: the environment variable NOPE is not set"),
        ("  password: ${NOPE}\n", HOST | BASIC, "tenant.password: the environment variable NOPE is not set"),
        ("  - host\n", HOST | BASIC, "environments/x.yml:4:3: tenant: must be a mapping of keys, not a list"),
        ("  {}\n", BASIC | {"CPI_HOST": "http://t1.example.com"}, "CPI_HOST: must be an https address"),
        ("  {}\n", HOST | OAUTH | {"CPI_TOKEN_URL": "http://a.b/"}, "CPI_TOKEN_URL: must be an https address"),
    ],
)
def test_problems_say_what_to_set_and_show_no_secret(
    write: Write, complaints: Complaints, text: str, variables: dict[str, str], expected: str
) -> None:
    """Each problem is reported once, names key or variable, and never a value."""
    tenant(write, text)
    (found,) = complaints(variables=variables)
    assert expected in found
    assert not any(value in found for value in ("hunter2", "s3cr3t", "12345"))


def test_everything_missing_is_reported_at_once(complaints: Complaints) -> None:
    """Host and login are looked at together."""
    found = complaints(variables={})
    assert len(found) == 2
    assert "no login is given" in found[0]
    assert "host is missing" in found[1]


def test_the_run_is_still_built_for_further_checks(write: Write, load: Load) -> None:
    """With a wrong tenant the packages are there, so that their folders can be checked too."""
    tenant(write, "  host: http://t1.example.com\n")
    loaded = load(variables=BASIC)
    assert loaded.problems
    assert loaded.run is not None
    assert [package.id for package in loaded.run.configs[0].packages] == ["Sales", "Stock"]


def test_simulator_with_settings(write: Write, run: Run, tmp_path: Path) -> None:
    """The embedded tenant takes its settings from the file."""
    tenant(write, "  simulator: {deploySeconds: 0.5, fail: [Orders, DEV_Count], state: tmp/s.json}\n")
    expected = EmbeddedTenant(state=tmp_path / "tmp/s.json", deploy_s=0.5, failing=frozenset({"Orders", "DEV_Count"}))
    assert expected == run(variables={}).tenant


@pytest.mark.parametrize("text", ["  simulator: {}\n", "  simulator:\n", "  simulator:\n  host: \n"])
def test_simulator_ignores_variables(write: Write, run: Run, tmp_path: Path, text: str) -> None:
    """A simulator environment needs no settings and never looks at the variables of a real tenant."""
    tenant(write, text)
    expected = EmbeddedTenant(state=tmp_path / ".cpi" / "demo-tenant.json", deploy_s=1.0, failing=frozenset())
    assert expected == run(variables=HOST | OAUTH).tenant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  simulator: {}\n  host: h\n", "x.yml:5:3: tenant.host: cannot be combined with 'simulator'"),
        ("  simulator: {deploySeconds: -1}\n", "tenant.simulator.deploySeconds: must not be negative, as '-1' is"),
        ("  simulator: {fail: Orders}\n", "tenant.simulator.fail: must be a list"),
        ("  simulator: {fail: [007]}\n", "tenant.simulator.fail.0: must be text: put '007' in quotes"),
        ("  simulator: {states: x}\n", "tenant.simulator.states: unknown key; did you mean 'state'?"),
        ("  simulator: true\n", "tenant.simulator: must be a mapping of keys, not a single value"),
    ],
)
def test_simulator_problems(write: Write, complaints: Complaints, text: str, expected: str) -> None:
    """The simulator's settings are checked, and it excludes a real tenant."""
    tenant(write, text)
    (found,) = complaints(variables={})
    assert found.endswith(expected)
