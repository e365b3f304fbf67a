"""Downloading a deploy configuration from a URL: bounded in size, time and redirects, the login to one host only."""

from __future__ import annotations

import http
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import httpx

from cpi_tasks.errors import DownloadError
from cpi_tasks.model.config import BasicLogin, Certificates, Proxy
from cpi_tasks.tenant.auth import basic_credential
from cpi_tasks.tenant.odata import origin
from cpi_tasks.tenant.retry import Trouble
from cpi_tasks.tenant.routes import as_httpx
from cpi_tasks.tenant.text import fits_header, is_html, one_line
from cpi_tasks.tenant.trust import TlsRefused, make_context
from cpi_tasks.tenant.wire import CONNECT_TIMEOUT_S, is_loopback, translated, user_agent

MAX_BYTES = 10 * 1024 * 1024
MAX_SECONDS = 60.0
MAX_REDIRECTS = 5

ChooseProxy = Callable[[str], Proxy | None]

_NONE = Certificates()
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BASIC_KEYS = "deployConfigUsername and deployConfigPassword"
_ANY_LOGIN = f"deployConfigToken, or {_BASIC_KEYS}"
_TOKEN_MAY_HELP = frozenset({401, 403, 404})


def directly(_: str) -> None:
    """Return no proxy for any address."""


def fetch(
    url: str,
    login: str | BasicLogin | None,
    *,
    certificates: Certificates = _NONE,
    choose_proxy: ChooseProxy = directly,
) -> bytes:
    """Download a deploy configuration with GET, blocking the thread.

    ``https`` only, plain ``http`` to this machine; at most 10 MiB, 60 s and 5 redirects, never from ``https`` to
    ``http``. ``login``, a bearer token or user name and password, is sent to the URL's own scheme, host and port,
    not to where it redirects, a client certificate to nobody. ``choose_proxy`` returns the proxy of an address; it may
    raise ``DownloadError``, too. Raises ``DownloadError``, whose sentence has the URL without query.
    """
    authorities = replace(certificates, client=None, client_key=None)
    results: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put(_fetch(url, login, authorities, choose_proxy))
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits
            results.put(error)

    # In a thread of its own: a server that sends byte after byte is within the time of every single read.
    threading.Thread(target=work, name="download", daemon=True).start()
    try:
        result = results.get(timeout=MAX_SECONDS)
    except queue.Empty:
        raise _too_slow(url) from None
    if isinstance(result, Exception):
        raise result
    return result


def _fetch(url: str, login: str | BasicLogin | None, certificates: Certificates, choose_proxy: ChooseProxy) -> bytes:
    authorization = _authorization(login)
    if not fits_header(authorization):
        raise _failed(url, "the token has characters that cannot be sent", "check deployConfigToken")
    deadline = time.monotonic() + MAX_SECONDS
    home = _checked_origin(url, url)
    current = url
    for _ in range(MAX_REDIRECTS + 1):
        here = _checked_origin(current, url)
        if home[0] == "https" and here[0] != "https":
            raise _failed(url, "it redirects from https to http", "give the final address")
        headers = {"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity"}
        if authorization and here == home:
            headers["Authorization"] = authorization
        status, location, content = _get(
            current, headers, certificates, choose_proxy(current), deadline=deadline, shown=url
        )
        if status == http.HTTPStatus.OK:
            return _checked_content(url, content)
        if status not in _REDIRECTS or not location:
            raise _failed(url, f"the server answered {status}", _advice(status, login))
        try:
            current = urljoin(current, location)
        except ValueError:
            raise _failed(url, "it redirects to something that is no address", "check the address") from None
    raise _failed(url, f"it redirects more than {MAX_REDIRECTS} times", "give the final address")


def shown_url(url: str) -> str:
    """Give an address without what may be secret in it: user, query and fragment."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return one_line(url.partition("?")[0].rpartition("@")[2], 300)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return one_line(f"{parts.scheme}://{host}{port}{parts.path}", 300)


def _get(
    url: str, headers: dict[str, str], certificates: Certificates, proxy: Proxy | None, *, deadline: float, shown: str
) -> tuple[int, str, bytes]:
    """Make one request; give status, ``Location`` and, for a 200, the body."""
    left_s = _seconds_left(shown, deadline)
    try:
        with (
            translated(),
            httpx.Client(
                verify=make_context((url,), certificates),
                proxy=None if proxy is None else as_httpx(proxy, certificates),
                trust_env=False,
                timeout=httpx.Timeout(left_s, connect=min(CONNECT_TIMEOUT_S, left_s)),
            ) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            content = _body(response, deadline, shown) if response.status_code == http.HTTPStatus.OK else b""
            return response.status_code, response.headers.get("location", ""), content
    except TlsRefused as refused:
        raise _failed(shown, refused.cause, refused.advice) from None
    except Trouble as trouble:
        # The reason may quote the whole address; the words before it do not.
        cause = trouble.cause.replace(url, shown_url(url))
        raise _failed(shown, cause, "check the address, the network and the proxy settings") from None


def _body(response: httpx.Response, deadline: float, shown: str) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_BYTES:
            limit = f"it is larger than {MAX_BYTES // 1024 // 1024} MiB"
            raise _failed(shown, limit, "check that it is a deploy configuration")
        _seconds_left(shown, deadline)
    return bytes(content)


def _seconds_left(shown: str, deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise _too_slow(shown)
    return left_s


def _checked_origin(target: str, shown: str) -> tuple[str, str, int | None]:
    try:
        found = origin(target)
        has_user = "@" in urlsplit(target).netloc
    except ValueError:
        raise _failed(shown, "it is or redirects to something that is no address", "check the address") from None
    scheme, host, _ = found
    if scheme not in {"https", "http"} or (scheme == "http" and not is_loopback(host)):
        place = "its scheme" if target == shown else "the scheme it redirects to"
        raise _failed(shown, f"{place} is {one_line(scheme, 20)!r}", "use https")
    if has_user:
        raise _failed(shown, "it has a user name in it", f"use {_ANY_LOGIN} instead")
    return found


def _checked_content(url: str, content: bytes) -> bytes:
    if is_html(content):
        raise _failed(
            url, "a web page came instead of a file", "use the address of the raw file, with a token if needed"
        )
    return content


def _authorization(login: str | BasicLogin | None) -> str:
    """Return the value of the header; empty without a login."""
    if isinstance(login, BasicLogin):
        return f"Basic {basic_credential(login.username, login.password)}"
    token = (login or "").strip()
    return f"Bearer {token}" if token else ""


def _advice(status: int, login: str | BasicLogin | None) -> str:
    if status not in _TOKEN_MAY_HELP:
        return "check the address or try again later"
    if isinstance(login, BasicLogin):
        return f"check the address, {_BASIC_KEYS}"
    return "check the address and deployConfigToken" if login else f"check the address; it may need {_ANY_LOGIN}"


def _too_slow(url: str) -> DownloadError:
    return _failed(url, f"it took longer than {MAX_SECONDS:.0f} s", "try again or use a local file")


def _failed(url: str, cause: str, advice: str) -> DownloadError:
    return DownloadError(f"could not download the deploy configuration {shown_url(url)}: {cause}; {advice}")
