"""Service keys."""

from __future__ import annotations

import base64
import json
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


def wrapped() -> dict[str, str]:
    """Return the key as stores and shells change it."""
    data = OUTER.encode()
    standard, safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    upper = OUTER.upper().replace("HTTPS://T9.EXAMPLE.COM", "https://t9.example.com")
    upper = upper.replace("HTTPS://A.EXAMPLE.COM/OAUTH/TOKEN", "https://a.example.com/oauth/token")
    return {
        "base64": standard,
        "url-safe, no padding": safe.rstrip("="),
        "line breaks": "\n".join(standard[at : at + 60] for at in range(0, len(standard), 60)) + "\n",
        "base64 twice": base64.b64encode(standard.encode()).decode(),
        "base64 of UTF-16": base64.b64encode(OUTER.encode("utf-16-le")).decode(),
        "base64 of UTF-16 with a mark": base64.b64encode(OUTER.encode("utf-16")).decode(),
        "base64 with a mark": base64.b64encode(b"\xef\xbb\xbf" + data).decode(),
        "base64 in quotes": f'"{standard}"',
        "a JSON text": json.dumps(OUTER),
        "a JSON text twice": json.dumps(json.dumps(OUTER)),
        "backslashes": json.dumps(OUTER)[1:-1],
        "backslashes twice": json.dumps(json.dumps(OUTER)[1:-1])[1:-1],
        "backslashes, indented": json.dumps(json.dumps(json.loads(OUTER), indent=2))[1:-1],
        "single quotes": f"'{OUTER}'",
        "double quotes": f'"{OUTER}"',
        "mark": "\ufeff" + OUTER,
        "mark and line ends": f"\ufeff{OUTER}\r\n",
        "cf service-key": f'{{"credentials": {OUTER}}}',
        "upper case": upper.replace('"C"', '"c"').replace("S3CR3T", "s3cr3t"),
        "camel case": OUTER.replace("tokenurl", "tokenUrl").replace("clientid", "clientId"),
    }


@pytest.mark.parametrize("form", wrapped())
def test_forms_that_stores_and_shells_make_of_it(write: Write, run: Run, form: str) -> None:
    """They work in a variable, in a file that it names, and from the environment file."""
    key = wrapped()[form]
    assert run(variables={"CPI_SERVICE_KEY": key}).tenant == EXPECTED
    write("key.json", "x").write_text(key, encoding="utf-8")
    assert run(variables={"CPI_SERVICE_KEY": "key.json"}).tenant == EXPECTED
    write("environments/x.yml", f"{FILES}tenant: {{serviceKey: '${{K}}'}}\n")
    assert run(variables={"K": key}).tenant == EXPECTED


def test_a_file_as_powershell_writes_it(write: Write, run: Run) -> None:
    """UTF-16 with a mark is what ``>`` makes."""
    write("key.json", "x").write_text(OUTER + "\r\n", encoding="utf-16")
    assert run(variables={"CPI_SERVICE_KEY": " key.json\r\n"}).tenant == EXPECTED


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
        ("nope.json", "CPI_SERVICE_KEY: is neither JSON text (as it is, or in base64) nor the path"),
        ("x" * 5000, "CPI_SERVICE_KEY: is neither JSON text (as it is, or in base64) nor the path"),
        ("a\0b", "CPI_SERVICE_KEY: is neither JSON text (as it is, or in base64) nor the path"),
        (".", "CPI_SERVICE_KEY: is neither JSON text (as it is, or in base64) nor the path"),
        (OUTER.replace('"', ""), "CPI_SERVICE_KEY: is not valid JSON (its quotation marks are lost"),
        (OUTER.replace("s3cr3t", "<clientsecret>"), "CPI_SERVICE_KEY: clientsecret in it still holds the text"),
        (OUTER.replace("t9.example.com", "<host>"), "CPI_SERVICE_KEY: url in it still holds the text"),
        (
            OUTER.replace("t9.example.com", "t.it-cpi001-rt.cfapps.eu10.hana.ondemand.com"),
            "CPI_SERVICE_KEY: its url is the address of the runtime",
        ),
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
