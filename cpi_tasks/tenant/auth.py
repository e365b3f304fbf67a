"""Logging in: Basic on every call, or one OAuth token shared by all requests and refreshed by one of them."""

from __future__ import annotations

import base64
import http
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urlsplit

import trio

from cpi_tasks.errors import AuthenticationError, TenantGone, TenantUnavailable
from cpi_tasks.events import Emit
from cpi_tasks.model.config import BasicLogin, OAuthLogin
from cpi_tasks.tenant.errorbody import parse_error
from cpi_tasks.tenant.limits import LONGEST_PAUSE_S
from cpi_tasks.tenant.odata import json_body
from cpi_tasks.tenant.outage import Outage
from cpi_tasks.tenant.retry import REPEATABLE_READS, Trouble, TroubleKind, repeated
from cpi_tasks.tenant.shared import Shared
from cpi_tasks.tenant.text import fits_header
from cpi_tasks.tenant.verdict import transient_trouble
from cpi_tasks.tenant.wire import Answer, Wire

DEFAULT_LIFETIME_S = 300.0
"""How long a token is used whose answer does not say when it expires."""
LONGEST_LEAD_S = 60.0
"""How long before its end a token is replaced at the earliest."""

_REFUSALS = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Credential:
    """One ``Authorization`` header, to be replaced at ``refresh_at`` (trio time). Two of them are never the same."""

    header: str = field(repr=False)
    refresh_at: float = float("inf")


class Login(Protocol):
    """How requests to the tenant are authorised; ``advice`` is what to check where the tenant refuses."""

    advice: str

    async def credential(self) -> Credential:
        """Give the credential to send now."""

    async def replace(self, refused: Credential) -> Credential | None:
        """Give another one after the tenant answered 401; ``None`` where there is no other."""


class BasicAuth:
    """User and password with every call (SAP Help, basic authentication)."""

    advice = "check CPI_USERNAME and CPI_PASSWORD (or username and password of the environment file)"

    def __init__(self, login: BasicLogin, note_secret: Callable[[str], None]) -> None:
        """Take the login; its encoded form is as secret as the password."""
        encoded = basic_credential(login.username, login.password)
        note_secret(encoded)
        self._credential = Credential(header=f"Basic {encoded}")

    async def credential(self) -> Credential:
        """Give the one credential there is."""
        return self._credential

    async def replace(self, refused: Credential) -> Credential | None:
        """Give nothing: the same password would be refused again."""


class TokenSource:
    """OAuth 2.0 client credentials: one token for all requests, fetched by its own way, without authorisation.

    ``POST`` to the token URL with Basic client authentication and ``grant_type=client_credentials`` as form body,
    answered by 200 and JSON with ``access_token`` and ``expires_in`` (SAP Help, OAuth client credentials; flashpipe).
    A client without a secret sends ``client_id`` in the form instead, over a connection with its certificate.
    """

    advice = (
        "check that the service key (CPI_CLIENT_ID, CPI_CLIENT_SECRET, CPI_TOKEN_URL) is one for this tenant's API"
        " (plan api)"
    )

    def __init__(
        self, login: OAuthLogin, wire: Wire, note_secret: Callable[[str], None], *, budget_s: float, emit: Emit
    ) -> None:
        """Take the client's login; nothing is sent before the first request needs a token.

        ``budget_s`` is how long a service that went away is waited for; it may be away while the tenant answers.
        """
        self._login = login
        self._wire = wire
        self._note_secret = note_secret
        self._host = urlsplit(login.token_url).hostname or login.token_url
        self._outage = Outage(budget_s=budget_s, emit=emit, name=f"the token service {self._host}")
        self._not_before = -math.inf
        self._headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        self._form = {"grant_type": "client_credentials"}
        if login.client_secret:
            encoded = basic_credential(login.client_id, login.client_secret)
            note_secret(encoded)
            self._headers["Authorization"] = f"Basic {encoded}"
        else:
            self._form["client_id"] = login.client_id  # RFC 8705: the certificate of the connection proves it
        self._tokens = Shared(self._fetch)

    async def credential(self) -> Credential:
        """Give the current token, or a new one ahead of its expiry.

        Raises ``AuthenticationError`` where the token service refuses the client, ``TenantUnavailable`` where it gives
        no usable answer.
        """
        current = self._tokens.current
        if current is not None and trio.current_time() < current.refresh_at:
            return current
        return await self._tokens.replace(current)

    async def replace(self, refused: Credential) -> Credential | None:
        """Give a newer token than the one refused."""
        return await self._tokens.replace(refused)

    async def _fetch(self) -> Credential:
        try:
            return await repeated(
                self._ask,
                after=REPEATABLE_READS,
                is_down=lambda: self._outage.is_down,
                budget_s=self._outage.budget_s,
            )
        except Trouble as trouble:
            error = TenantGone if trouble.is_final else TenantUnavailable
            raise error(
                f"could not get a token from {self._host}: {trouble.cause};"
                " check CPI_TOKEN_URL (or CPI_OAUTH_HOST), the network and the proxy settings"
            ) from trouble

    async def _ask(self) -> Credential:
        await self._outage.passage()
        await trio.sleep_until(self._not_before)
        started = trio.current_time()
        try:
            answer = await self._wire.exchange(
                "POST",
                self._login.token_url,
                target=urlsplit(self._login.token_url).path or "/",
                headers=self._headers,
                content=urlencode(self._form).encode(),
            )
            if trouble := transient_trouble(answer):
                raise trouble
        except Trouble as trouble:
            self._outage.note_trouble(trouble)
            self._not_before = trio.current_time() + min(trouble.retry_after_s or 0.0, LONGEST_PAUSE_S)
            raise
        self._outage.note_answer()
        self._judge(answer)
        token, lifetime_s = _token(answer)
        self._note_secret(token)
        lead_s = min(LONGEST_LEAD_S, lifetime_s / 5)
        return Credential(header=f"Bearer {token}", refresh_at=started + lifetime_s - lead_s)

    def _judge(self, answer: Answer) -> None:
        """Raise for everything but a 200: a refusal of the client or a wrong address."""
        if answer.status == http.HTTPStatus.OK:
            return
        _, detail = parse_error(answer.content)
        said = f"{answer.status}: {detail}" if detail else str(answer.status)
        if answer.status in _REFUSALS:
            raise AuthenticationError(
                f"could not log in: the token service {self._host} refused the client ({said});"
                " check CPI_CLIENT_ID, CPI_CLIENT_SECRET and CPI_TOKEN_URL, or the service key they come from"
            )
        raise TenantUnavailable(
            f"could not get a token from {self._host}: it answered {said}; check CPI_TOKEN_URL, or CPI_OAUTH_HOST and"
            " CPI_OAUTH_PATH"
        )


def _token(answer: Answer) -> tuple[str, float]:
    """Read token and lifetime in seconds; ``expires_in`` may be missing, text or nonsense."""
    document = json_body(answer.content)
    token = document.get("access_token") if isinstance(document, dict) else None
    if (
        not isinstance(document, dict)
        or not isinstance(token, str)
        or not token.strip()
        or not fits_header(token.strip())
    ):
        raise Trouble("the token service's answer holds no usable token", kind=TroubleKind.UNUSABLE)
    try:
        lifetime_s = float(document.get("expires_in", DEFAULT_LIFETIME_S))
    except (TypeError, ValueError):
        lifetime_s = DEFAULT_LIFETIME_S
    return token.strip(), lifetime_s if lifetime_s > 0 else DEFAULT_LIFETIME_S


def basic_credential(name: str, secret: str) -> str:
    """Return what follows ``Basic`` in the header (RFC 7617)."""
    return base64.b64encode(f"{name}:{secret}".encode()).decode("ascii")
