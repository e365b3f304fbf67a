"""The address of a proxy as people write it -> a checked one. Messages hold nothing of it: it may hold a password."""

from __future__ import annotations

import re
from urllib.parse import unquote

from cpi_tasks.environment.addresses import AddressError, checked_host, checked_port
from cpi_tasks.model.config import SOCKS_SCHEMES, Proxy

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://")
_USABLE = ("http", "https", *SOCKS_SCHEMES)
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
_BLANK = re.compile(r"\s")
_TO_ESCAPE = re.compile(r"[/?#@\[\]]")
_END_OF_HOST = re.compile(r"[/?#]")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")
_LONGEST_FOR_SOCKS = 255


class ProxyUrlError(ValueError):
    """The address cannot be used; ``str()`` is the rest of a sentence."""


def read_proxy_url(text: str) -> Proxy:
    """Read ``scheme://user:password@host:port``; without a scheme it is http, as curl has it. Raises ``ProxyUrlError``.

    User and password may be percent-encoded.
    """
    if text[:1] in _QUOTES or text[-1:] in _QUOTES:
        raise ProxyUrlError("has quotation marks around the address of the proxy; store it without them")
    if _BLANK.search(text):
        raise ProxyUrlError("has a blank in the address of the proxy; write it as %20 in a password")
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match is not None else "http"
    rest = text[match.end() :] if match is not None else text
    if scheme not in _USABLE:
        known = ", ".join(f"{each}://" for each in _USABLE)
        raise ProxyUrlError(f"names a proxy of an unknown kind: the address must start with one of {known}")
    login, at, place = rest.rpartition("@")
    if _TO_ESCAPE.search(login):
        raise ProxyUrlError(
            "has a character in the user name or password of the proxy that an address cannot hold: write # as %23, "
            "? as %3F, / as %2F, @ as %40, [ as %5B and ] as %5D"
        )
    if not at and (end := _END_OF_HOST.search(place)) is not None and place[end.start() :] != "/":
        raise ProxyUrlError(
            "has something after host and port of the proxy; in a password write # as %23, ? as %3F and / as %2F (the "
            "address of a PAC file cannot be used)"
        )
    username, _, password = login.partition(":")
    proxy = Proxy(
        url=f"{scheme}://{_checked_place(place.removesuffix('/'))}",
        username=_unquoted(username),
        password=_unquoted(password),
        password_as_written=password,
    )
    if proxy.is_socks and max(len(each.encode()) for each in (proxy.username, proxy.password)) > _LONGEST_FOR_SOCKS:
        raise ProxyUrlError("has a user name or password longer than the 255 bytes that SOCKS allows")
    return proxy


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ProxyUrlError("has percent-encoded bytes in the user name or password that are not UTF-8") from None


def _checked_place(place: str) -> str:
    match = _HOST_AND_PORT.fullmatch(place)
    if match is None:
        raise ProxyUrlError("is not the address of a proxy; write it like http://proxy.example.com:8080")
    try:
        host = checked_host(match["host"])
        port = checked_port(match["port"])
    except AddressError as error:
        raise ProxyUrlError(f"names a proxy whose address {error}") from None
    return f"{host}{port}"
