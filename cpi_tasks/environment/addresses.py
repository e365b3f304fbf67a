"""Hosts and URLs as people write them -> checked addresses. Messages never quote the address: it may hold secrets."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
_DEFAULT_PORTS = {"https": 443, "http": 80}


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
    path = address.path.rstrip("/")
    if address.query or not (path in {"", "/api"} or path.startswith("/api/")):
        raise AddressError("must be the host of the tenant's API alone, without a path such as that of the web pages")
    return address.origin


def _checked_host(parts: SplitResult, written: str) -> str:
    host = parts.hostname or ""
    if _UNPRINTABLE.search(written):
        raise AddressError("contains blanks or characters that no address has")
    if "[" in parts.netloc or ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise AddressError("has an IPv6 address that is not one") from None
    if not _HOST.fullmatch(host):
        raise AddressError("has no usable host name; write it like https://host.example.com")
    return host
