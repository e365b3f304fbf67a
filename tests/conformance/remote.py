"""A tenant as the conformance tests reach it: plain HTTP, and a guard that lets only our own ids be written to."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, unquote_plus

import httpx
import pytest

Found = TypeVar("Found")
READING = ("GET", "HEAD")
# A key in brackets or the Id of a function: what a request is about.
_IDS = re.compile(r"(?:\(|[?&]Id=|\(Id=)'([^']*)'")
_CREATED = ("Id", "PackageId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Credentials; a token URL means OAuth client credentials, none means Basic."""

    user: str
    secret: str
    token_url: str = ""

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Login | None:
        """Find credentials in the ``CPI_*`` variables; ``None`` where there are none."""
        key = variables.get("CPI_SERVICE_KEY", "")
        if key:
            text = key if key.lstrip().startswith("{") else Path(key).read_text(encoding="utf-8")
            found = json.loads(text)["oauth"]
            return cls(user=found["clientid"], secret=found["clientsecret"], token_url=found["tokenurl"])
        if {"CPI_TOKEN_URL", "CPI_CLIENT_ID", "CPI_CLIENT_SECRET"} <= variables.keys():
            client, secret = variables["CPI_CLIENT_ID"], variables["CPI_CLIENT_SECRET"]
            return cls(user=client, secret=secret, token_url=variables["CPI_TOKEN_URL"])
        if {"CPI_USERNAME", "CPI_PASSWORD"} <= variables.keys():
            return cls(user=variables["CPI_USERNAME"], secret=variables["CPI_PASSWORD"])
        return None

    def token(self) -> str:
        """Fetch an access token."""
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(self.token_url, data=form, auth=(self.user, self.secret), timeout=60)
        assert answer.status_code == 200, "the login was refused"
        return str(answer.json()["access_token"])


class Remote:
    """A session with a tenant. Paths are relative to ``/api/v1/`` and sent as they are written."""

    def __init__(self, url: str, login: Login, *, prefix: str, requests_per_second: float, deadline_s: float) -> None:
        """Log in. Requests are spread, so that the tenant's limits are kept; ``deadline_s`` bounds each wait."""
        self.prefix = prefix
        self.is_basic = not login.token_url
        self._pause_s = 1 / requests_per_second
        self._deadline_s = deadline_s
        self._token = ""
        auth = httpx.BasicAuth(login.user, login.secret) if self.is_basic else None
        bearer = {} if self.is_basic else {"Authorization": f"Bearer {login.token()}"}
        self.client = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            auth=auth,
            headers={"Accept": "application/json", **bearer},
            timeout=180,
            event_hooks={"request": [self._guard]},
        )

    def begin_again(self) -> None:
        """Forget the session."""
        self.client.cookies.clear()
        self._token = ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Read; an absolute link is read verbatim."""
        return self.client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def results(self, path: str) -> list[dict[str, str]]:
        """Read a list, with all of its pages."""
        rows: list[dict[str, str]] = []
        link: str | None = path
        while link:
            answer = self.get(link)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
            rows += answer.json()["d"]["results"]
            link = answer.json()["d"].get("__next")
        return rows

    def write(self, method: str, path: str, body: object = None, *, without_token: bool = False) -> httpx.Response:
        """Send a change, in a Basic session with its CSRF token."""
        headers = {}
        if self.is_basic and not without_token:
            if not self._token:
                self._token = self.get("", X_CSRF_Token="Fetch").headers.get("X-CSRF-Token", "")
            headers = {"X-CSRF-Token": self._token}
        content = None if body is None else json.dumps(body).encode()
        sent = {**headers, "Content-Type": "application/json"} if body is not None else headers
        return self.client.request(method, path, content=content, headers=sent)

    def batch(self, body: str, boundary: str) -> httpx.Response:
        """Send a ``$batch``."""
        headers = {"X-CSRF-Token": self.get("", X_CSRF_Token="Fetch").headers.get("X-CSRF-Token", "")}
        headers["Content-Type"] = f"multipart/mixed; boundary={boundary}"
        return self.client.post("$batch", content=body.encode(), headers=headers)

    def wait_until(self, look: Callable[[], Found | None], what: str) -> Found:
        """Look again and again until there is something; fail where that takes too long."""
        ends = time.monotonic() + self._deadline_s
        while time.monotonic() < ends:
            found = look()
            if found is not None:
                return found
        pytest.fail(f"{what} did not come within {self._deadline_s:.0f} s")

    def _guard(self, request: httpx.Request) -> None:
        """Keep the pace, and keep every change away from what is not ours."""
        time.sleep(self._pause_s)
        if request.method in READING:
            return
        ids = written_to(request)
        strangers = [found for found in ids if not found.startswith(self.prefix)]
        if strangers or not ids:
            pytest.fail(
                f"a test wanted to write to {', '.join(strangers) or 'nothing in particular'}; nothing was sent"
            )


def written_to(request: httpx.Request) -> list[str]:
    """Tell the ids a request changes: of its path, of what its body creates, of each line of a batch."""
    target = unquote(request.url.raw_path.decode())
    if target.endswith("/$batch"):
        lines = re.findall(r"^(?:PUT|POST|DELETE|PATCH|MERGE) (\S+) HTTP", request.content.decode(), re.MULTILINE)
        return [_first_id(unquote_plus(line)) for line in lines]
    if "'" in target:
        return [_first_id(target)]
    body = json.loads(request.content or b"{}")
    fields = body.get("d", body)
    return [str(fields[name]) for name in _CREATED if name in fields]


def _first_id(target: str) -> str:
    found = _IDS.search(target)
    return found.group(1) if found else ""
