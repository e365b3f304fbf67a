"""Deploy configurations from a URL."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Fetch, Loaded
from cpi_tasks.errors import DownloadError
from cpi_tasks.model.config import BasicLogin, RunConfig, Selection

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Load = Callable[..., Loaded]
Complaints = Callable[..., list[str]]
Calls = list[tuple[str, str | BasicLogin | None]]

BODY = b"packages: [{integrationSuiteId: A, packageDir: A}]\n"


def environment(write: Write, text: str) -> None:
    write("environments/x.yml", "packagesDir: packages\n" + text)


def recorder(calls: Calls, body: bytes = BODY) -> Fetch:
    def fetch(url: str, token: str | BasicLogin | None) -> bytes:
        calls.append((url, token))
        return body

    return fetch


def test_url_is_fetched_with_the_token(write: Write, run: Run, tmp_path: Path) -> None:
    """The token goes along; paths inside are relative to the root; the query is not shown."""
    environment(write, "deployConfig: https://c.example.com/a.yml?x=1\ndeployConfigToken: t0ken\n")
    calls: Calls = []
    (config,) = run(fetch=recorder(calls)).configs
    assert calls == [("https://c.example.com/a.yml?x=1", "t0ken")]
    assert config.source == "https://c.example.com/a.yml"
    assert tmp_path / "packages" / "A" == config.packages[0].folder
    assert config.packages[0].position.file == "https://c.example.com/a.yml"


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://c.example.com/other.yml", "t0ken"),
        ("https://evil.example.com/a.yml", None),
        ("https://c.example.com:8443/a.yml", None),
    ],
)
def test_token_goes_only_to_its_own_host(write: Write, run: Run, url: str, token: str | None) -> None:
    """A URL given by flag gets the file's token only on the host of the file's URL."""
    environment(write, "deployConfig: https://c.example.com/a.yml\ndeployConfigToken: t0ken\n")
    calls: Calls = []
    run(Selection(env="x", deploy_config=url), fetch=recorder(calls))
    assert [(url, token)] == calls


def test_loopback_may_be_plain_http(write: Write, run: Run) -> None:
    """Plain http is for this machine."""
    environment(write, "deployConfig: http://127.0.0.1:8000/a.yml\n")
    calls: Calls = []
    run(fetch=recorder(calls))
    assert calls == [("http://127.0.0.1:8000/a.yml", None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployConfig: http://c.example.com/a.yml", "2:15: deployConfig: the URL must be an https address"),
        ("deployConfig: ftp://c.example.com/a.yml", "2:15: deployConfig: the URL must be an https address"),
        ("deployConfig: https://u:hunter2@c.example.com/a.yml", "the URL must not contain a user name or password"),
        ('deployConfig: https://c.example.com/a\ndeployConfigToken: "hunter2\\n"', "characters that no token has"),
    ],
)
def test_urls_that_are_not_fetched(write: Write, complaints: Complaints, text: str, expected: str) -> None:
    """An unsafe URL or token is refused before anything is sent."""
    environment(write, text + "\n")
    calls: Calls = []
    (found,) = complaints(fetch=recorder(calls))
    assert calls == []
    assert expected in found
    assert "hunter2" not in found


@pytest.mark.parametrize("token", ["${NOPE}", "[a]"])
def test_nothing_is_fetched_without_a_usable_token(write: Write, complaints: Complaints, token: str) -> None:
    """A token that is wrong is one problem; a download that must fail is not tried."""
    environment(write, f"deployConfig: https://c.example.com/a\ndeployConfigToken: {token}\n")
    calls: Calls = []
    (found,) = complaints(fetch=recorder(calls))
    assert "environments/x.yml:3:20: deployConfigToken: " in found
    assert calls == []


def test_failed_download(write: Write, complaints: Complaints) -> None:
    """What the fetcher says is the problem, at the URL without its query."""

    def fail(url: str, token: str | BasicLogin | None) -> bytes:
        raise DownloadError("could not be downloaded: 404 Not Found")

    environment(write, "deployConfig: https://c.example.com/a.yml?sig=hunter2\ndeployConfigToken: t0ken\n")
    assert complaints(fetch=fail) == ["https://c.example.com/a.yml: could not be downloaded: 404 Not Found"]
    flags = Selection(env="x", deploy_config="https://d.example.com/a.yml")
    expected = (
        "https://d.example.com/a.yml: could not be downloaded: 404 Not Found "
        "(deployConfigToken was not sent: it belongs to another host)"
    )
    assert [expected] == complaints(flags, fetch=fail)


def test_page_instead_of_yaml(write: Write, complaints: Complaints) -> None:
    """A login page that came instead of the file is a problem with its place."""
    environment(write, "deployConfig: https://c.example.com/a.yml\n")
    (found,) = complaints(fetch=recorder([], b"<html><body>Log in</body></html>"))
    assert found.startswith("https://c.example.com/a.yml:1:1: is an HTML page, probably a sign-in page")


BASIC = "deployConfigUsername: bob\ndeployConfigPassword: hunter2\n"


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("https://c.example.com/other.yml", True),
        ("https://evil.example.com/a.yml", False),
        ("https://c.example.com:8443/a.yml", False),
    ],
)
def test_basic_login_goes_only_to_its_own_host(write: Write, run: Run, url: str, *, is_sent: bool) -> None:
    """As the token does; a URL given by flag gets it only on the host of the file's URL."""
    environment(write, "deployConfig: https://c.example.com/a.yml\n" + BASIC)
    calls: Calls = []
    run(Selection(env="x", deploy_config=url), fetch=recorder(calls))
    assert calls == [(url, BasicLogin(username="bob", password="hunter2") if is_sent else None)]


def test_a_withheld_basic_login_is_named(write: Write, complaints: Complaints) -> None:
    """The reader learns why the other host refused."""

    def fail(url: str, login: str | BasicLogin | None) -> bytes:
        raise DownloadError("could not be downloaded: 401 Unauthorized")

    environment(write, "deployConfig: https://c.example.com/a.yml\n" + BASIC)
    flags = Selection(env="x", deploy_config="https://d.example.com/a.yml")
    assert complaints(flags, fetch=fail) == [
        (
            "https://d.example.com/a.yml: could not be downloaded: 401 Unauthorized "
            "(deployConfigUsername and deployConfigPassword were not sent: they belong to another host)"
        )
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            BASIC + "deployConfigToken: hunter2\n",
            "3:1: deployConfigUsername: cannot be combined with",
        ),
        (
            "deployConfigToken: hunter2\ndeployConfigPassword: hunter2\n",
            "4:1: deployConfigPassword: cannot be combined with deployConfigToken",
        ),
        ("deployConfigUsername: bob\n", "3:1: deployConfigUsername: needs deployConfigPassword as well"),
        ("deployConfigPassword: hunter2\n", "3:1: deployConfigPassword: needs deployConfigUsername as well"),
        ("deployConfigUsername: bob\ndeployConfigPassword: ''\n", "deployConfigUsername: needs deployConfigPassword"),
        ("deployConfigUsername: bob\ndeployConfigPassword: ${NOPE}\n", "4:23: deployConfigPassword: the environment"),
        ("deployConfigUsername: [a]\ndeployConfigPassword: hunter2\n", "3:23: deployConfigUsername: must be text"),
        ("deployConfigUsername: b:b\ndeployConfigPassword: hunter2\n", "deployConfigUsername contains a colon"),
        ('deployConfigUsername: bob\ndeployConfigPassword: "hunter2\\nx"\n', "contain a line break or another"),
    ],
)
def test_logins_that_cannot_be_used(write: Write, complaints: Complaints, text: str, expected: str) -> None:
    """Each is one problem, nothing is fetched, and no message quotes the password."""
    environment(write, "deployConfig: https://c.example.com/a\n" + text)
    calls: Calls = []
    (found,) = complaints(fetch=recorder(calls))
    assert expected in found
    assert "hunter2" not in found
    assert calls == []


def test_they_belong_in_the_environment_file(write: Write, complaints: Complaints) -> None:
    """A deploy configuration cannot say how it is fetched."""
    write("config.yml", "packages: [{integrationSuiteId: A, packageDir: A}]\norchestrator: {deployConfigUsername: a}\n")
    environment(write, "deployConfig: config.yml\n")
    (found,) = complaints()
    assert found.endswith("deployConfigUsername: belongs in the environment file")


def test_secrets_are_handed_over_to_be_masked(write: Write, load: Load) -> None:
    """Token, password and the encoded login; line ends are not part of them."""
    environment(write, "deployConfig: nope.yml\n" + BASIC.replace("hunter2", '"hunter2\\n"'))
    assert load().secrets == ("hunter2", b64encode(b"bob:hunter2").decode())
    environment(write, "deployConfig: nope.yml\ndeployConfigToken: t0ken\n")
    assert load().secrets == ("t0ken",)
