"""Proxies as httpx takes them. httpx reads no variable itself: one that does not matter must do no harm."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import replace

import httpx

from cpi_tasks.model.config import Certificates, Proxy, Route
from cpi_tasks.tenant.trust import make_context


def as_httpx(proxy: Proxy, certificates: Certificates) -> httpx.Proxy:
    """Return a proxy for httpx; one that is reached by https is checked like any server, and sees no certificate."""
    has_login = bool(proxy.username or proxy.password)
    is_https = proxy.url.startswith("https:")
    own = replace(certificates, client=None, client_key=None)
    return httpx.Proxy(
        proxy.url,
        auth=(proxy.username, proxy.password) if has_login else None,
        ssl_context=make_context((proxy.url,), own) if is_https else None,
    )


def mounts(
    routes: Iterable[Route], certificates: Certificates, *, verify: ssl.SSLContext, limits: httpx.Limits
) -> dict[str, httpx.AsyncBaseTransport | None]:
    """Return the transport of each address that has a proxy."""
    return {
        route.origin: httpx.AsyncHTTPTransport(
            verify=verify, limits=limits, trust_env=False, proxy=as_httpx(route.proxy, certificates)
        )
        for route in routes
    }
