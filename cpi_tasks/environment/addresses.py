"""Hosts and URLs as people write them -> checked addresses. Messages never quote the address: it may hold secrets."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LARGEST_PORT = 65535
_API = "the API has another host: the 'url' of a service key of plan 'api'"
_OTHER_HOSTS = (
    (re.compile(r"\.integrationsuite(-[a-z]+)?\."), f"is the address of the web pages; {_API} (…it-cpi…cfapps…)"),
    (re.compile(r"\.it-[a-z0-9]+-rt\.cfapps\."), f"is the address of the runtime, where flows are called; {_API}"),
    (re.compile(r"\.authentication\.[a-z0-9\-]+\.hana\."), f"is the address that hands out tokens; {_API}"),
)
"""Hosts of a tenant that are not its API, and what to use instead (SAP Help, Cloud Integration)."""


class AddressError(ValueError):
    """The address cannot be used; ``str()`` says why and how it should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address: ``origin`` is scheme, host and port, ``rest`` path and query."""

    origin: str
    path: str
    query: str

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.origin}{self.path}?{self.query}" if self.query else self.origin + self.path

    @property
    def without_query(self) -> str:
        """The address as it may be shown."""
        return self.origin + self.path


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def parse_address(text: str) -> Address:
    """Check a URL, or a bare host, which means https; plain http is only for loopback.

    Raises ``AddressError`` for anything else, and for addresses with a user name or password in them.
    """
    written = text.strip()
    try:
        parts = urlsplit(written if "://" in written else f"https://{written}")
        port = parts.port
    except ValueError:
        raise AddressError("is not a usable address; write it like https://host.example.com") from None
    if port == 0:
        raise AddressError("has the port 0, which cannot be connected to")
    if parts.username is not None or parts.password is not None:
        raise AddressError("must not contain a user name or password")
    host = _checked_host(parts, written)
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressError("must be an https address")
    if parts.scheme == "http" and not is_loopback(host):
        raise AddressError("must be an https address; plain http is only for loopback addresses")
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return Address(origin=f"{parts.scheme}://{shown_host}{shown_port}", path=parts.path, query=parts.query)


def tenant_url(text: str) -> str:
    """Give scheme, host and port of a tenant's API; its ``/api/v1`` may be written too. Raises ``AddressError``."""
    address = parse_address(text)
    for pattern, what in _OTHER_HOSTS:
        if pattern.search(urlsplit(address.origin).hostname or ""):
            raise AddressError(what)
    path = address.path.rstrip("/")
    if address.query or not (path.lower() in {"", "/api"} or path.lower().startswith("/api/")):
        raise AddressError("must be the host of the tenant's API alone, without a path such as that of the web pages")
    return address.origin


def _checked_host(parts: SplitResult, written: str) -> str:
    host = parts.hostname or ""
    if _UNPRINTABLE.search(written):
        raise AddressError("contains blanks or characters that no address has")
    if "[" in parts.netloc or ":" in host:
        return _checked_ipv6(host)
    return _checked_name(host)


def _checked_ipv6(host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise AddressError("has an IPv6 address that is not one") from None


def _checked_name(host: str) -> str:
    name = host.removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            name = ""
    if not _HOST.fullmatch(name):
        raise AddressError("has no usable host name; write it like https://host.example.com")
    return name


def checked_host(host: str) -> str:
    """Return a host as an address holds it, an IPv6 address in brackets; raises ``AddressError``."""
    return f"[{_checked_ipv6(host[1:-1])}]" if host.startswith("[") else _checked_name(host)


def checked_port(text: str | None) -> str:
    """Return ``:port``, or nothing where none is written; raises ``AddressError``."""
    if not text:
        return ""
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) <= _LARGEST_PORT):
        raise AddressError(f"has a port that is not a number from 1 to {_LARGEST_PORT}")
    return f":{int(text)}"
