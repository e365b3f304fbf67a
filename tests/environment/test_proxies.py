"""Which proxy an address has, and which variables are looked at for that."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.environment import Loaded, ProxyError, ProxyRules, Variables
from cpi_tasks.environment.no_proxy import read_exceptions
from cpi_tasks.environment.proxy_url import ProxyUrlError, read_proxy_url
from cpi_tasks.model.config import Proxy, Route, TenantAccess

TENANT = "https://t1.example.com"
P, Q = "http://p.example.com:8080", "http://q.example.com:8080"


def rules(variables: dict[str, str], *, system: dict[str, str] | None = None, has_socks: bool = True) -> ProxyRules:
    return ProxyRules(Variables(variables), system=lambda: system or {}, has_socks=lambda: has_socks)


def chosen(variables: dict[str, str], url: str = TENANT, *, system: dict[str, str] | None = None) -> str:
    proxy = rules(variables, system=system).choose(url)
    return "" if proxy is None else proxy.url


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, TENANT, ""),
        ({"HTTPS_PROXY": P}, TENANT, P),
        ({"https_proxy": P}, TENANT, P),
        ({"https_proxy": P, "HTTPS_PROXY": Q}, TENANT, P),
        ({"https_proxy": "", "HTTPS_PROXY": Q}, TENANT, ""),
        ({"https_proxy": "", "ALL_PROXY": Q}, TENANT, Q),
        ({"HTTP_PROXY": P}, TENANT, ""),
        ({"HTTP_PROXY": "socks5://p:1"}, TENANT, ""),
        ({"ALL_PROXY": P}, TENANT, P),
        ({"all_proxy": P, "HTTPS_PROXY": Q}, TENANT, Q),
        ({"HTTP_PROXY": P}, "http://other.example.com", P),
        ({"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, "http://other.example.com", ""),
        ({"HTTPS_PROXY": P, "NO_PROXY": "x", "no_proxy": "example.com"}, TENANT, ""),
        ({"HTTPS_PROXY": P, "NO_PROXY": "example.com", "no_proxy": ""}, TENANT, P),
        ({"HTTPS_PROXY": "p.example.com:8080"}, TENANT, P),
        ({"HTTPS_PROXY": P + "/\r\n"}, TENANT, P),
    ],
)
def test_which_variable_wins(variables: dict[str, str], url: str, expected: str) -> None:
    """That of the scheme before ``ALL_PROXY``, lower case before upper case."""
    assert chosen(variables, url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080",
        "https://localhost",
        "http://127.0.0.1:1",
        "https://127.9.9.9",
        "http://[::1]:5",
        "https://a.localhost",
    ],
)
def test_this_machine_is_never_reached_through_a_proxy(url: str) -> None:
    """Whatever the variables say, usable or not."""
    assert chosen({"HTTPS_PROXY": "nonsense://", "HTTP_PROXY": P, "ALL_PROXY": "'"}, url) == ""


def test_the_settings_of_the_system() -> None:
    """They count where no variable names a proxy, and are named as what they are."""
    assert chosen({}, system={"https": "p.example.com:8080"}) == P
    assert chosen({"NO_PROXY": "example.com"}, system={"https": P}) == ""
    assert chosen({"HTTP_PROXY": Q}, system={"https": P}) == ""
    with pytest.raises(ProxyError, match=r"^proxy settings of the system: names a proxy of an unknown kind"):
        chosen({}, system={"https": "ftp://p"})


@pytest.mark.parametrize(
    ("exceptions", "url", "is_direct"),
    [
        ("*", TENANT, True),
        ("a,*,b", TENANT, True),
        ("example.com", TENANT, True),
        (".example.com", TENANT, True),
        ("*.example.com", TENANT, True),
        ("*.example.com", "https://example.com", False),
        (".example.com", "https://example.com", True),
        ("EXAMPLE.com.", TENANT, True),
        ("xample.com", TENANT, False),
        ("t1.example.com", TENANT, True),
        ("t1.example.com.evil.com", TENANT, False),
        ("t1.example.com:443", TENANT, True),
        ("t1.example.com:8080", TENANT, False),
        ("t1.example.com:8080", TENANT + ":8080", True),
        ("t1.example.com:*", TENANT, True),
        ("t1.example.com:http", TENANT, False),
        ("t1.example.com:99999", TENANT, False),
        ("https://t1.example.com", TENANT, True),
        ("http://t1.example.com", TENANT, False),
        ("t1.*.com", TENANT, True),
        ("t2*", TENANT, False),
        (" a  t1.example.com ", TENANT, True),
        (",,;, ,t1.example.com", TENANT, True),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.1.2.3/8", "https://10.9.9.9", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/8:8443", "https://10.1.2.3:8443", True),
        ("10.1.*", "https://10.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3:8443", "https://10.1.2.3", False),
        ("10.0.0.0/99", "https://10.1.2.3", False),
        ("[fd00::1]", "https://[fd00::1]:8443", True),
        ("fd00::1", "https://[fd00::1]", True),
        ("fd00::/8", "https://[fd00::1]", True),
        ("[fd00::]/8", "https://[fd00::1]", True),
        ("[fd00::1]:8443", "https://[fd00::1]:8443", True),
        ("[fd00::1]:8443", "https://[fd00::1]", False),
        ("[::1],fe80::/10,localhost:*,m\u00fcnchen.example.com", TENANT, False),
        ("m\u00fcnchen.example.com", "https://xn--mnchen-3ya.example.com", True),
        ("<local>", "https://cpi", True),
        ("<local>", TENANT, False),
        ("[", TENANT, False),
        ("fe80::1%eth0", TENANT, False),
        ("\ud800.example.com", TENANT, False),
        (".", TENANT, False),
        ("-", TENANT, False),
    ],
)
def test_exceptions(exceptions: str, url: str, *, is_direct: bool) -> None:
    """Names, networks, ports and patterns; what cannot match is skipped."""
    assert (chosen({"HTTPS_PROXY": P, "NO_PROXY": exceptions}, url) == "") is is_direct


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_may_stand_in_no_proxy(text: str) -> None:
    """No value fails."""
    read_exceptions(text).hold("https", "t1.example.com", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://u:p%40s%23s@h.example.com:3128/", ("http://h.example.com:3128", "u", "p@s#s")),
        ("https://h.example.com", ("https://h.example.com", "", "")),
        ("u:pw@h:3128", ("http://h:3128", "u", "pw")),
        ("HTTP://H.example.com:0080", ("http://H.example.com:80", "", "")),
        ("socks5h://u@h:1080", ("socks5h://h:1080", "u", "")),
        ("http://[fd00::1]:3128", ("http://[fd00::1]:3128", "", "")),
        ("http://DOMAIN\\u:p%zz:x@h", ("http://h", "DOMAIN\\u", "p%zz:x")),
        ("http://pr\u00f6xy.example.com", ("http://xn--prxy-6qa.example.com", "", "")),
    ],
)
def test_addresses_of_proxies(text: str, expected: tuple[str, str, str]) -> None:
    """As curl reads them; user and password are decoded."""
    proxy = read_proxy_url(text)
    assert (proxy.url, proxy.username, proxy.password) == expected
    assert "p@s" not in repr(proxy)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"http://u:hunter2@h:3128"', "has quotation marks"),
        ("'http://u:hunter2@h:3128", "has quotation marks"),
        ("ftp://u:hunter2@h:3128", "names a proxy of an unknown kind"),
        ("socks4://u:hunter2@h:3128", "names a proxy of an unknown kind"),
        ("socks://u:hunter2@h:3128", "names a proxy of an unknown kind"),
        ("://u:hunter2@h", "has a character"),
        ("http://u:hun#ter2@h:3128", "has a character"),
        ("http://u:hun?ter2@h:3128", "has a character"),
        ("http://u:hun/ter2@h:3128", "has a character"),
        ("http://u:hun@ter2@h:3128", "has a character"),
        ("http://u:hun ter2@h:3128", "has a blank"),
        ("http://u:hun%FFter2@h:3128", "has percent-encoded bytes"),
        ("http://u:hunter2@h:99999", "names a proxy whose address has a port"),
        ("http://u:hunter2@h:0", "names a proxy whose address has a port"),
        ("http://u:hunter2@h:\u0663", "names a proxy whose address has a port"),
        ("http://u:hunter2@:3128", "names a proxy whose address has no usable host name"),
        ("http://", "names a proxy whose address has no usable host name"),
        ("http://u:hunter2@", "names a proxy whose address has no usable host name"),
        ("http://u:hunter2@h..x", "names a proxy whose address has no usable host name"),
        (f"http://u:hunter2@{'h' * 64}", "names a proxy whose address has no usable host name"),
        ("http://u:hunter2@[h]:1", "names a proxy whose address has an IPv6 address"),
        ("http://u:hunter2@fd00::1", "is not the address of a proxy"),
        ("http://h:3128/proxy.pac", "has something after host and port"),
        ("http://u:hunter2#h", "has something after host and port"),
        (f"socks5://u:{'x' * 256}@h", "has a user name or password longer"),
    ],
)
def test_unusable_addresses_of_proxies(text: str, expected: str) -> None:
    """The reason says what is wrong, and nothing of the address."""
    with pytest.raises(ProxyUrlError) as caught:
        read_proxy_url(text)
    assert str(caught.value).startswith(expected)
    assert "ter2" not in str(caught.value)


@given(st.text(max_size=40) | st.from_regex(r"(http|socks5h?)://[\[\]:@/?#a.% ]{0,14}", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_proxy_or_an_explained_error(text: str) -> None:
    """No text fails in another way, here or where the proxy is used."""
    try:
        proxy = read_proxy_url(text)
    except ProxyUrlError:
        return
    assert proxy.url.partition("://")[0] in {"http", "https", "socks5", "socks5h"}


def test_socks_without_its_library() -> None:
    """The extra is named, where the proxy matters."""
    with pytest.raises(ProxyError, match=r"^ALL_PROXY: .*pip install 'cpi-tasks\[socks\]'$"):
        rules({"ALL_PROXY": "socks5h://h:1080"}, has_socks=False).choose(TENANT)
    assert rules({"ALL_PROXY": "socks5h://h:1080", "HTTPS_PROXY": P}, has_socks=False).choose(TENANT)
    assert rules({"ALL_PROXY": "socks5h://h:1080"}).choose(TENANT) == Proxy(url="socks5h://h:1080")


def test_a_reference_that_nobody_expanded() -> None:
    """It is named as such."""
    with pytest.raises(ProxyError, match=r"^HTTPS_PROXY: still holds the text of a reference"):
        chosen({"HTTPS_PROXY": "$(HTTPS_PROXY)"})


KEY = {
    "oauth": {"url": TENANT, "tokenurl": "https://auth.example.com/t", "clientid": "c", "clientsecret": "s3cr3t"},
}


def test_each_address_of_a_run_has_its_own(write: Callable[[str, str], object], load: Callable[..., Loaded]) -> None:
    """Tenant and token service may differ; only the proxies that are used are secrets, problems and warnings."""
    variables = {
        "CPI_SERVICE_KEY": json.dumps(KEY),
        "HTTPS_PROXY": "http://u:hun%23ter2@p:3128\n",
        "NO_PROXY": "t1.example.com",
    }
    given = Variables(variables)
    loaded = load(given=given, proxies=ProxyRules(given))
    assert loaded.run is not None
    tenant = loaded.run.tenant
    assert isinstance(tenant, TenantAccess)
    expected = Proxy(url="http://p:3128", username="u", password="hun#ter2", password_as_written="hun%23ter2")
    assert tenant.routes == (Route(origin="https://auth.example.com", proxy=expected),)
    assert set(tenant.secrets) == {"s3cr3t", "hun#ter2", "hun%23ter2"}
    assert [text.partition(" has ")[0] for text in loaded.run.warnings] == ["HTTPS_PROXY"]
    write("environments/x.yml", "packagesDir: packages\ndeployConfig: config.yml\ntenant: {simulator: {}}\n")
    given = Variables(variables | {"HTTPS_PROXY": "'"})
    assert load(given=given, proxies=ProxyRules(given)).problems == ()


def test_what_cannot_be_used_is_a_problem(load: Callable[..., Loaded]) -> None:
    """It names the variable, once, and is none where nothing is sent."""
    given = Variables({"CPI_SERVICE_KEY": json.dumps(KEY), "HTTPS_PROXY": '"http://u:hunter2@p:3128"'})
    (problem,) = load(given=given, proxies=ProxyRules(given)).problems
    assert str(problem) == "HTTPS_PROXY: has quotation marks around the address of the proxy; store it without them"
    assert load(given=given).problems == ()
