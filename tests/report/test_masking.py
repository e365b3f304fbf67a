"""Which parameter values are never shown: where key or value look secret, or where that is doubtful."""

from __future__ import annotations

import pytest

from cpi_tasks.report.masking import looks_secret


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "dbPassword",
        "DB_PASSWORD",
        "Receiver Passwort",
        "pass_word",
        "PWD",
        "pwdReceiver",
        "smtp.pw",
        "passphrase",
        "clientSecret",
        "CLIENT-SECRET",
        "accessToken",
        "token_url",
        "apiKey",
        "API-KEY",
        "x-api-key",
        "apikey",
        "KeyVault",
        "credentialName",
        "creds",
        "privateKeyAlias",
        "Authorization",
        "oauthClient",
        "sasSignature",
        "jwt",
        "PIN",
        "cookie",
        "kennwort",
        "kenn-wort",
        "auth-order",
        "Schlüssel",
        "schluessel",
    ],
)
def test_keys_that_look_secret(key: str) -> None:
    """However the words of a key are joined, one that names a secret is enough."""
    assert looks_secret(key, "harmless")


@pytest.mark.parametrize(
    "key",
    [
        "host",
        "Receiver_Host",
        "timeout",
        "monkey",
        "Turkey",
        "keyboardLayout",
        "author",
        "authors",
        "compass",
        "bypassProxy",
        "spinner",
        "pinned",
        "basalt",
        "interval",
        "Pfad",
        "",
    ],
)
def test_keys_that_only_contain_the_letters_of_a_secret(key: str) -> None:
    """What is masked without need cannot be checked by the person who reads the plan."""
    assert not looks_secret(key, "harmless")


@pytest.mark.parametrize(
    "value",
    [
        "https://user:geheim@host/path",
        "jdbc:sap://db:30015/?user=u&password=geheim",
        "Server=db;Pwd=geheim",
        "Basic dXNlcjpwYXNz",
        " bearer eyJhbGciOi",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "api_key=12345",
        "token: 12345",
    ],
)
def test_values_that_look_secret(value: str) -> None:
    """A secret inside a value is seen under any key."""
    assert looks_secret("target", value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "https://host:443/path",
        "https://host/a@b",
        "mailto:someone@example.com",
        "Basic",
        "basic usage",
        "-----BEGIN CERTIFICATE-----",
        "password",
        "${header.token}",
        "0 0/5 * * * ?",
    ],
)
def test_values_that_do_not(value: str | None) -> None:
    """Addresses, certificates, expressions and schedules are shown."""
    assert not looks_secret("target", value)
