"""A logged-in conversation with one tenant: requests in, parsed answers out, everything in between kept here."""

from __future__ import annotations

import http
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from cpi_tasks.errors import AuthenticationError, RequestRejected, TenantUnavailable
from cpi_tasks.tenant.auth import Credential, Login
from cpi_tasks.tenant.csrf import HEADER, CsrfPair, CsrfSession, is_csrf_refusal, pair_in
from cpi_tasks.tenant.errorbody import parse_error
from cpi_tasks.tenant.limits import Paces
from cpi_tasks.tenant.odata import API_ROOT, Entity, next_path, origin, rows
from cpi_tasks.tenant.retry import Trouble, TroubleKind, repeated
from cpi_tasks.tenant.verdict import Request, judge, reading
from cpi_tasks.tenant.wire import Answer, Wire

T = TypeVar("T")

_NO_CONTENT = http.HTTPStatus.NO_CONTENT
_UNAUTHORIZED = http.HTTPStatus.UNAUTHORIZED


def is_unknown(rejected: RequestRejected) -> bool:
    """Whether the tenant said that there is no such thing."""
    return rejected.status == http.HTTPStatus.NOT_FOUND


class Session:
    """Sends requests to one tenant: at its pace, logged in, with CSRF token where it wants one, repeated where safe.

    All methods raise ``AuthenticationError``, ``TenantUnavailable`` or ``RequestRejected``.
    """

    def __init__(
        self,
        url: str,
        *,
        wire: Wire,
        login: Login,
        paces: Paces,
        is_csrf_wanted: bool,
        note_secret: Callable[[str], None],
    ) -> None:
        """Take the tenant's address (scheme, host, port) and the parts; nothing is sent yet."""
        self._url = url.rstrip("/")
        self._host = origin(url)[1]
        self._wire = wire
        self._login = login
        self._paces = paces
        self._note_secret = note_secret
        self._csrf = CsrfSession(self._fetch_csrf, is_wanted=is_csrf_wanted)

    async def read(self, request: Request, parse: Callable[[Answer], T]) -> T:
        """Send a reading request; an answer that ``parse`` finds unusable (``Trouble``) is asked for again."""
        return await self._run(request, parse)

    async def find(
        self,
        request: Request,
        parse: Callable[[Answer], T],
        is_absent: Callable[[RequestRejected], bool] = is_unknown,
    ) -> T | None:
        """Like ``read``; ``None`` where the tenant says that the thing does not exist."""
        try:
            return await self.read(request, parse)
        except RequestRejected as rejected:
            if is_absent(rejected):
                return None
            raise

    async def collect(self, request: Request, parse_row: Callable[[Entity], T]) -> tuple[T, ...]:
        """Read all pages of a collection, at the tenant's own address only."""
        collected: list[T] = []
        seen = {request.path}
        page = request
        while True:
            found, link = await self.read(page, partial(_page, parse_row))
            collected += found
            if link is None:
                return tuple(collected)
            following = next_path(self._url, page.path, link)
            if following is None:
                raise TenantUnavailable(
                    f"could not {request.action}: the answer points to another host for its next page, which is not"
                    f" followed; check what answers under {self._host}"
                )
            if following in seen:
                raise TenantUnavailable(
                    f"could not {request.action}: the answer's pages lead back to one already read; run again"
                )
            seen.add(following)
            page = replace(request, path=following)

    async def write(self, request: Request) -> Answer:
        """Send a modifying request; sent again only where the first surely was not processed."""
        return await self._run(request, _as_is)

    async def _run(self, request: Request, parse: Callable[[Answer], T]) -> T:
        async def attempt() -> T:
            return parse(judge(request, await self._answer(request), host=self._host))

        try:
            return await repeated(attempt, after=request.repeatable_after)
        except Trouble as trouble:
            raise TenantUnavailable(_sentence(request, trouble, self._host)) from trouble

    async def _answer(self, request: Request) -> Answer:
        """Exchange once, and once more each for a token that expired and a CSRF pair that is no longer known."""
        credential = await self._login.credential()
        pair = None if request.is_read else await self._csrf.pair()
        answer = await self._exchange(request, credential, pair)
        if answer.status == _UNAUTHORIZED and (newer := await self._login.replace(credential)):
            credential = newer
            answer = await self._exchange(request, credential, pair)
        if not request.is_read and is_csrf_refusal(answer):
            pair = await self._csrf.renew(pair)
            answer = await self._exchange(request, credential, pair)
        if answer.status == _UNAUTHORIZED:
            _, detail = parse_error(answer.content)
            said = f" ({detail})" if detail else ""
            raise AuthenticationError(
                f"could not {request.action}: {self._host} refused the login with 401{said}; {self._login.advice}"
            )
        return answer

    async def _exchange(self, request: Request, credential: Credential, pair: CsrfPair | None) -> Answer:
        headers = {"Accept": request.accept, **request.headers, "Authorization": credential.header}
        if pair is not None:
            headers |= pair.headers
        async with self._paces.of(request.path).turn():
            return await self._wire.exchange(
                request.method,
                self._url + request.path,
                target=request.path,
                headers=headers,
                content=request.content,
            )

    async def _fetch_csrf(self) -> CsrfPair:
        """``GET /api/v1/`` with ``X-CSRF-Token: Fetch``, 200 (SAP, Integration Content).

        A tenant that answers otherwise, or without a token, gets the write without one and says what it thinks of it.
        """
        request = replace(
            reading(API_ROOT, action="fetch a CSRF token", role="WorkspacePackagesRead"),
            success=frozenset({_NO_CONTENT, http.HTTPStatus.OK}),
            headers={HEADER: "Fetch"},
        )
        try:
            pair = await self.read(request, pair_in)
        except RequestRejected:
            pair = CsrfPair()
        if pair.token:
            self._note_secret(pair.token)
        return pair


def _as_is(answer: Answer) -> Answer:
    return answer


def _page(parse_row: Callable[[Entity], T], answer: Answer) -> tuple[list[T], str | None]:
    if answer.status == _NO_CONTENT:
        return [], None
    found, link = rows(answer.content)
    return [parse_row(row) for row in found], link


def _sentence(request: Request, trouble: Trouble, host: str) -> str:
    if trouble.kind is TroubleKind.NOT_SENT:
        advice = "check CPI_HOST, the network and the proxy settings (HTTPS_PROXY, NO_PROXY)"
    elif trouble.kind is TroubleKind.THROTTLED:
        advice = "run again later or lower requestsPerSecond"
    elif request.is_read:
        advice = "check CPI_HOST and whether the tenant is up, then run again"
    else:
        advice = "whether it was carried out is not known; run again, which looks first"
    return f"could not {request.action}: no usable answer from {host}: {trouble.cause}; {advice}"
