"""Hosts and URLs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.environment.addresses import AddressError, is_loopback, parse_address, tenant_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t1.example.com", "https://t1.example.com"),
        ("  T1.Example.com:443 ", "https://t1.example.com"),
        ("https://t1.example.com/api/v1", "https://t1.example.com"),
        ("https://t1.example.com:8443/api/v1/", "https://t1.example.com:8443"),
        ("https://t1.example.com/", "https://t1.example.com"),
        ("http://localhost:8080/api/v1", "http://localhost:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://T1.EXAMPLE.COM/API/V1", "https://t1.example.com"),
        ("https://t1.example.com./api/v1/\r\n", "https://t1.example.com"),
        ("https://m\u00fcller.example.com", "https://xn--mller-kva.example.com"),
        ("t.it-cpi001.cfapps.eu10.hana.ondemand.com", "https://t.it-cpi001.cfapps.eu10.hana.ondemand.com"),
    ],
)
def test_tenant_url_is_scheme_host_and_port(text: str, expected: str) -> None:
    """Bare hosts mean https; the API's own path and default ports are dropped."""
    assert expected == tenant_url(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://t1.example.com", "plain http is only for loopback"),
        ("http://localhost.example.com", "plain http is only for loopback"),
        ("ftp://t1.example.com", "must be an https address"),
        ("https://user:pw@t1.example.com", "must not contain a user name or password"),
        ("user@t1.example.com", "must not contain a user name or password"),
        ("https://t1.example.com/itspaces", "without a path"),
        ("https://t1.example.com/location/eic/api/v1", "without a path"),
        ("https://t1.example.com?x=1", "without a path"),
        ("https://", "no usable host name"),
        ("a..b", "no usable host name"),
        ("a" * 64, "no usable host name"),
        ("a.b" * 100, "no usable host name"),
        ("-a.b", "no usable host name"),
        ("t1.example.com:0", "has the port 0"),
        ("t1.example.com:70000", "is not a usable address"),
        ("https://x.integrationsuite.cfapps.eu10.hana.ondemand.com/shell/home", "is the address of the web pages"),
        ("x.integrationsuite-trial.cfapps.us10.hana.ondemand.com", "is the address of the web pages"),
        ("https://x.it-cpi001-rt.cfapps.eu10.hana.ondemand.com", "is the address of the runtime"),
        ("x.authentication.eu10.hana.ondemand.com", "is the address that hands out tokens"),
        ("https://t1 example.com", "contains blanks"),
        ("https://t1.example.com\\@evil.example.com", "must not contain a user name"),
        ("https://t1.example.com\\x", "contains blanks or characters"),
        ("https://t1.example.com:port", "is not a usable address"),
        ("https://[::1", "is not a usable address"),
        ("https://[v1.x]", "IPv6|is not a usable"),
    ],
)
def test_unusable_tenant_urls(text: str, expected: str) -> None:
    """Every unusable address says why, without quoting it."""
    with pytest.raises(AddressError, match=expected) as caught:
        tenant_url(text)
    assert "t1" not in str(caught.value)


def test_loopback() -> None:
    """Loopback is this machine by name or address, and nothing that only looks like it."""
    names = ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"]
    assert [is_loopback(name) for name in names] == [True] * 5
    assert [is_loopback(name) for name in ("localhost.com", "10.0.0.1", "127.0.0.1.nip.io")] == [False] * 3


def test_query_is_kept_for_use_and_left_out_for_show() -> None:
    """The query belongs to the address but is never shown."""
    address = parse_address("https://h.example.com/a/b.yml?token=t")
    assert (
        address.url,
        address.without_query,
    ) == ("https://h.example.com/a/b.yml?token=t", "https://h.example.com/a/b.yml")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"https?://[\[\]:@/?#a.\\ ]{0,12}", fullmatch=True))
def test_any_text_is_an_address_or_an_explained_error(text: str) -> None:
    """No text makes the reader fail in another way, and plain http never gets through."""
    try:
        url = tenant_url(text)
    except AddressError:
        return
    assert url.startswith(("https://", "http://localhost", "http://127.", "http://[::1]", "http://"))
    assert url.startswith("https://") or is_loopback(parse_address(url).origin.split("//")[1].split(":")[0].strip("[]"))
