"""Logins: Basic, OAuth 2.0 client credentials, and CSRF tokens that are bound to their session's cookies."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cpi_tasks.simulator.clock import Clock
from cpi_tasks.simulator.odata import ODataError, parse_query
from cpi_tasks.simulator.settings import SimulatorSettings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_Value = TypeVar("_Value")
_KEPT = 10_000


class Gatekeeper:
    """Knows who may come in: issued tokens and sessions with their CSRF tokens.

    Of each the latest 10,000 are known, so that a server may run for months.
    """

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        """Begin with no token and no session."""
        self._settings = settings
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._sessions: dict[str, tuple[str, str]] = {}

    def issue_token(self, request: Request, body: bytes) -> Response:
        """Answer ``POST /oauth/token``: grant type and client in query, body or Basic header; 400 or 401 otherwise."""
        given = parse_query(request.scope["query_string"].decode("latin-1"))
        given |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if request.method != "POST":
            return JSONResponse({"error": "method_not_allowed"}, 405)
        client = _basic(request.headers) or (given.get("client_id", ""), given.get("client_secret", ""))
        if client != (self._settings.client_id, self._settings.client_secret):
            text = {"error": "unauthorized", "error_description": "Bad credentials"}
            return JSONResponse(text, 401, {"WWW-Authenticate": 'Basic realm="UAA/client"'})
        grant = given.get("grant_type")
        if grant not in {"client_credentials", "password"}:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        user = (given.get("username"), given.get("password"))
        if grant == "password" and user != (self._settings.username, self._settings.password):
            return JSONResponse({"error": "unauthorized", "error_description": "Bad credentials"}, 401)
        token = secrets.token_urlsafe(24)
        _remember(self._tokens, token, self._clock.now_ms() + self._settings.token_lifetime_s * 1000)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": int(self._settings.token_lifetime_s)}
        return JSONResponse(answer)

    def user(self, request: Request) -> str:
        """Who is calling; 401 where that cannot be told."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._tokens.get(credentials.strip(), 0) > self._clock.now_ms():
            return f"sb-{self._settings.client_id}"
        if scheme.lower() == "basic" and _basic(request.headers) == (self._settings.username, self._settings.password):
            return self._settings.username
        raise ODataError(401, None, {"WWW-Authenticate": 'Basic realm="SAP Cloud Integration"'})

    def check_csrf(self, request: Request) -> None:
        """Refuse a modifying call whose token and cookies do not belong together (403, ``X-CSRF-Token: Required``)."""
        if request.method in SAFE_METHODS or self._settings.enforce_csrf == "never":
            return
        if self._settings.enforce_csrf == "basic" and not _is_basic(request.headers):
            return
        session = self._sessions.get(request.cookies.get("JSESSIONID", ""))
        sent = (request.headers.get("X-CSRF-Token", ""), request.cookies.get("__VCAP_ID__", ""))
        if session is None or session != sent:
            raise ODataError(403, "CSRF token validation failed", {"X-CSRF-Token": "Required"})

    def hand_out_csrf(self, request: Request, response: Response) -> None:
        """Answer ``X-CSRF-Token: Fetch`` on a GET or HEAD with a token; a session that is known keeps its own.

        The SAP Cloud SDK fetches its tokens by HEAD.
        """
        if request.method not in {"GET", "HEAD"} or request.headers.get("X-CSRF-Token", "").lower() != "fetch":
            return
        session_id = request.cookies.get("JSESSIONID", "")
        if session_id not in self._sessions:
            session_id = secrets.token_hex(16)
            _remember(self._sessions, session_id, (secrets.token_hex(16), secrets.token_hex(8)))
        token, instance = self._sessions[session_id]
        response.headers["X-CSRF-Token"] = token
        response.set_cookie("JSESSIONID", session_id, path="/api/v1", httponly=True)
        response.set_cookie("__VCAP_ID__", instance, path="/", httponly=True)

    def expire_tokens(self) -> None:
        """Forget every access token."""
        self._tokens.clear()

    def expire_sessions(self) -> None:
        """Forget every session and its CSRF token."""
        self._sessions.clear()


def _remember(known: dict[str, _Value], name: str, value: _Value) -> None:
    known[name] = value
    while len(known) > _KEPT:
        del known[next(iter(known))]


def _is_basic(headers: Mapping[str, str]) -> bool:
    return headers.get("Authorization", "").lower().startswith("basic ")


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    if not _is_basic(headers):
        return None
    try:
        text = base64.b64decode(headers["Authorization"][6:].strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ("", "")
    user, _, password = text.partition(":")
    return user, password
