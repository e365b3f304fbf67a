"""Which proxy an address is reached through: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.

Names and precedence are those of ``urllib.request.getproxies`` (lower case wins, also an empty one; without any of the
three, the settings of Windows or macOS count) and of curl's manual. Only the variable that decides about an address is
read. This machine itself is never reached through a proxy.
"""

from __future__ import annotations

import importlib.util
import sys
import urllib.request
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from cpi_tasks.environment.addresses import is_loopback
from cpi_tasks.environment.no_proxy import Exceptions, read_exceptions
from cpi_tasks.environment.process import Use, Variables
from cpi_tasks.environment.proxy_url import ProxyUrlError, read_proxy_url
from cpi_tasks.model.config import Proxy

_SOCKS_LIBRARY = "socksio"
_SYSTEM = "proxy settings of the system"


class ProxyError(ValueError):
    """A proxy that is needed cannot be used; neither part holds anything of its address."""

    def __init__(self, variable: str, reason: str) -> None:
        """Keep the variable to correct and the rest of the sentence."""
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


def system_proxies() -> Mapping[str, str]:
    """Return what Windows' or macOS' own settings say, by scheme; empty elsewhere."""
    if sys.platform == "win32":
        return urllib.request.getproxies_registry()
    if sys.platform == "darwin":
        return urllib.request.getproxies_macosx_sysconf()
    return {}


def has_socks() -> bool:
    """Return whether the library for SOCKS proxies is installed."""
    return importlib.util.find_spec(_SOCKS_LIBRARY) is not None


class ProxyRules:
    """Chooses the proxy for each address a run uses."""

    def __init__(
        self,
        variables: Variables,
        *,
        system: Callable[[], Mapping[str, str]] = system_proxies,
        has_socks: Callable[[], bool] = has_socks,
    ) -> None:
        """Take the variables of the process, and how to ask the system; nothing is read yet."""
        self._variables = variables
        self._system = system
        self._has_socks = has_socks
        self._exceptions: Exceptions | None = None

    def choose(self, url: str) -> Proxy | None:
        """Return the proxy for an address, ``None`` where it is reached directly; raises ``ProxyError``."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host):
            return None
        found = self._find(parts.scheme)
        if found is None:
            return None
        if self._exceptions is None:
            self._exceptions = self._read_exceptions()
        if self._exceptions.hold(parts.scheme, host, parts.port):
            return None
        name, text = found
        if text is None:
            value = self._variables.clean(name, Use.PROXY)
            if value.fault:
                raise ProxyError(name, value.fault)
            text = value.text
        try:
            proxy = read_proxy_url(text)
        except ProxyUrlError as error:
            raise ProxyError(name, str(error)) from None
        if proxy.is_socks and not self._has_socks():
            raise ProxyError(name, "names a SOCKS proxy, which needs: pip install 'cpi-tasks[socks]'")
        return proxy

    def _find(self, scheme: str) -> tuple[str, str | None] | None:
        """Return the name of what decides, and its text unless it is a variable that is still to be read."""
        schemes = (scheme, "all")
        for each in schemes:
            name = self._name(f"{each}_proxy")
            if name is not None:
                return name, None
        if any(self._is_set(f"{each}_proxy") for each in ("http", "https", "all")):
            return None
        system = self._system()
        return next(((_SYSTEM, system[each]) for each in schemes if system.get(each)), None)

    def _name(self, lower: str) -> str | None:
        """Return the spelling of a variable that counts; ``None`` where it has no value."""
        names = (lower,) if self._variables.has(lower) else (lower.upper(),)
        # A server hands the header "Proxy" of a request to CGI programs as HTTP_PROXY.
        is_trusted = names[0] != "HTTP_PROXY" or not self._variables.has("REQUEST_METHOD")
        return next((name for name in names if is_trusted and self._variables.is_given(name)), None)

    def _is_set(self, lower: str) -> bool:
        return self._name(lower) is not None

    def _read_exceptions(self) -> Exceptions:
        name = self._name("no_proxy")
        return read_exceptions("" if name is None else self._variables.clean(name, Use.TEXT).text)
