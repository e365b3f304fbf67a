"""``NO_PROXY``: the hosts that are reached without a proxy. What cannot match anything is skipped.

Entries are separated by commas or blanks. As curl has it, ``example.com`` and ``.example.com`` stand for the domain and
everything below it, a network such as ``10.0.0.0/8`` or ``fd00::/8`` for its addresses, a port restricts an entry to
that port. Besides: ``*`` within an entry stands for any characters (``*.example.com``, ``10.1.*``, ``host:*``), and
``<local>`` for names without a dot.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_SEPARATORS = re.compile(r"[,;\s]+")
_ENTRY = re.compile(r"(?:(?P<scheme>[a-z]+)://)?(?P<rest>.*)")
_BRACKETED = re.compile(r"\[(?P<address>[^\[\]]*)\](?P<mask>/\d+)?(?P<port>:[^:]*)?")
_NAMED = re.compile(r"(?P<name>[^:\[\]]+)(?P<port>:[^:]*)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LARGEST_PORT = 65535
_LONGEST = 253

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exception:
    """One entry; ``None`` as scheme or port means any."""

    scheme: str | None
    port: int | None
    network: _Network | None = None
    name: re.Pattern[str] | None = None

    def holds(self, scheme: str, host: str, port: int | None) -> bool:
        if self.scheme not in {None, scheme} or self.port not in {None, port}:
            return False
        if self.network is not None:
            address = _address(host)
            return address is not None and address in self.network
        return self.name is not None and self.name.fullmatch(host) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """All entries."""

    entries: tuple[_Exception, ...] = ()

    def hold(self, scheme: str, host: str, port: int | None) -> bool:
        """Return whether an address is reached without a proxy."""
        host = host.lower().rstrip(".")
        port = port or _DEFAULT_PORTS.get(scheme)
        return any(entry.holds(scheme, host, port) for entry in self.entries)


def read_exceptions(text: str) -> Exceptions:
    """Read the value of ``NO_PROXY``; never fails."""
    found = [_read(part.strip("\"'").lower()) for part in _SEPARATORS.split(text)]
    return Exceptions(entries=tuple(entry for entry in found if entry is not None))


def _read(part: str) -> _Exception | None:
    match = _ENTRY.fullmatch(part)
    scheme, rest = (match["scheme"], match["rest"]) if match is not None else (None, part)
    if not rest or len(rest) > _LONGEST:
        return None
    host, port, is_port = _split(rest)
    network = _network(host)
    name = None if network is not None else _name(host)
    if not is_port or (network is None and name is None):
        return None
    return _Exception(scheme=None if scheme == "all" else scheme, port=port, network=network, name=name)


def _split(rest: str) -> tuple[str, int | None, bool]:
    """Return host or network, the port, and whether there can be one like it."""
    if _network(rest) is not None:
        return rest, None, True
    bracketed = _BRACKETED.fullmatch(rest)
    if bracketed is not None:
        return bracketed["address"] + (bracketed["mask"] or ""), *_port(bracketed["port"])
    named = _NAMED.fullmatch(rest.rstrip("/"))
    return ("", None, False) if named is None else (named["name"], *_port(named["port"]))


def _port(text: str | None) -> tuple[int | None, bool]:
    """Return the port, and whether there can be one like it."""
    digits = (text or "").removeprefix(":")
    if digits in {"", "*"}:
        return None, True
    is_port = digits.isascii() and digits.isdecimal() and 0 < int(digits[:6]) <= _LARGEST_PORT
    return (int(digits) if is_port else None), is_port


def _name(text: str) -> re.Pattern[str] | None:
    if text == "<local>":
        return re.compile(r"[^.:]+")
    if text == "*":
        return re.compile(r".+")
    written = text.rstrip(".")
    bare = written.lstrip(".")
    if not bare.isascii():
        try:
            bare = bare.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return None
    if not re.fullmatch(r"[a-z0-9_.*\-]+", bare):
        return None
    pattern = ".*".join(map(re.escape, re.split(r"\*+", bare)))
    return re.compile(pattern) if "*" in bare else re.compile(rf"(.+\.)?{pattern}")


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
