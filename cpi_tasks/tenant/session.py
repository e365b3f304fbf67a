"""A logged-in conversation with one tenant: requests in, parsed answers out, everything in between kept here."""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TypeVar

import trio

from cpi_tasks.errors import (
    AuthenticationError,
    NotRecorded,
    RequestFailed,
    RequestRejected,
    TenantGone,
    TenantUnavailable,
    UnreadableAnswer,
)
from cpi_tasks.events import Emit, RequestFinished, WriteBegins
from cpi_tasks.tenant.auth import Credential, Login
from cpi_tasks.tenant.csrf import HEADER, CsrfPair, CsrfSession, is_csrf_refusal, pair_in
from cpi_tasks.tenant.errorbody import parse_error
from cpi_tasks.tenant.limits import Pace, Paces
from cpi_tasks.tenant.odata import API_ROOT, Entity, next_path, origin, rows
from cpi_tasks.tenant.outage import Outage
from cpi_tasks.tenant.retry import Trouble, TroubleKind, repeated, retry_after_s
from cpi_tasks.tenant.verdict import Request, is_session_fault, is_wordless_fault, judge, reading, sentence, trouble_in
from cpi_tasks.tenant.wire import Answer, Wire

T = TypeVar("T")

_NO_CONTENT = http.HTTPStatus.NO_CONTENT
_UNAUTHORIZED = http.HTTPStatus.UNAUTHORIZED
_TOO_MANY = frozenset({http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.SERVICE_UNAVAILABLE})
_DOUBTFUL = frozenset({TroubleKind.UNANSWERED, TroubleKind.UNUSABLE})
_RENEWALS = 2
_WRITES = 3
_SETTLING_S = 1.0
"""A write whose answer was lost may still be under way: so long is waited before looking."""


def is_unknown(rejected: RequestRejected) -> bool:
    """Whether the tenant said that there is no such thing."""
    return rejected.status == http.HTTPStatus.NOT_FOUND


class Session:
    """Sends requests to one tenant: at its pace, logged in, with CSRF token where it wants one, repeated where safe.

    All methods raise ``AuthenticationError``, ``TenantUnavailable``, ``RequestRejected`` or ``UnreadableAnswer``: a row
    or entity that cannot be read fails what was asked for, not the run.
    """

    def __init__(
        self,
        url: str,
        *,
        wire: Wire,
        login: Login,
        paces: Paces,
        outage: Outage,
        is_csrf_wanted: bool,
        emit: Emit,
        before_write: Callable[[], Awaitable[None]],
        note_secret: Callable[[str], None],
    ) -> None:
        """Take the tenant's address (scheme, host, port) and the parts; nothing is sent yet."""
        self._url = url.rstrip("/")
        self._host = origin(url)[1]
        self._wire = wire
        self._login = login
        self._paces = paces
        self._outage = outage
        self._emit = emit
        self._before_write = before_write
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

    async def write(
        self, request: Request, *, has_happened: Callable[[], Awaitable[bool]] | None = None
    ) -> Answer | None:
        """Send a modifying request; ``None`` where it was carried out though its answer was lost.

        Sent again as it is only where the first surely was not processed. Where that is not known, ``has_happened``
        reads the tenant's state and tells; ``None`` leaves that to the caller, who gets ``TenantUnavailable``.
        """
        for tries in count(1):
            try:
                return await self._repeat(request, _as_is)
            except Trouble as trouble:
                is_doubtful = trouble.kind in _DOUBTFUL and has_happened is not None and tries < _WRITES
                if not is_doubtful or has_happened is None:
                    raise self._unavailable(request, trouble) from trouble
                if await self._find_out(request, trouble, has_happened):
                    return None
            except RequestRejected:
                # A creation that was under way all the time refuses its own repetition.
                if tries > 1 and has_happened is not None and await has_happened():
                    return None
                raise
        raise AssertionError("counting has no end")

    async def _find_out(self, request: Request, trouble: Trouble, has_happened: Callable[[], Awaitable[bool]]) -> bool:
        await trio.sleep(_SETTLING_S)
        try:
            return await has_happened()
        except (TenantUnavailable, RequestFailed) as error:
            raise self._unavailable(request, trouble) from error

    async def _run(self, request: Request, parse: Callable[[Answer], T]) -> T:
        try:
            return await self._repeat(request, parse)
        except Trouble as trouble:
            raise self._unavailable(request, trouble) from trouble

    def _unavailable(self, request: Request, trouble: Trouble) -> TenantUnavailable | UnreadableAnswer:
        if trouble.kind is TroubleKind.ODD:
            return UnreadableAnswer(sentence(request, trouble, self._host))
        error = TenantGone if trouble.is_final else TenantUnavailable
        return error(sentence(request, trouble, self._host))

    async def _repeat(self, request: Request, parse: Callable[[Answer], T]) -> T:
        async def attempt() -> T:
            return parse(judge(request, await self._answer(request), host=self._host))

        return await repeated(
            attempt,
            after=request.repeatable_after,
            is_down=lambda: self._outage.is_down,
            budget_s=self._outage.budget_s,
        )

    async def _answer(self, request: Request) -> Answer:
        """Exchange, at most twice more for expired tokens and CSRF pairs, and once for a fault that passes.

        That is the known session fault, and a 500 without a body where the request changes nothing.
        """
        credential = await self._login.credential()
        pair = None if request.is_read else await self._csrf.pair()
        renewals, has_faulted = 0, False
        while True:
            answer = await self._exchange(request, credential, pair)
            if renewals < _RENEWALS and answer.status == _UNAUTHORIZED:
                newer = await self._login.replace(credential)
                if newer is None:
                    break
                credential = newer
                renewals += 1
            elif renewals < _RENEWALS and not request.is_read and is_csrf_refusal(answer):
                pair = await self._csrf.renew(pair)
                renewals += 1
            elif not has_faulted and (is_session_fault(answer) or (request.is_read and is_wordless_fault(answer))):
                has_faulted = True
                pair = None if pair is None else await self._csrf.renew(pair)
            else:
                break
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
        pace = self._paces.of(request.path)
        while True:
            await self._outage.passage(partial(self._probe, credential))
            # Who waited for a turn while the tenant went away waits with the others.
            async with pace.turn(unless=lambda: self._outage.is_in_doubt) as left:
                if left is not None:
                    return await self._send(request, headers, pace=pace, left=left)

    async def _probe(self, credential: Credential) -> None:
        """Send a small request of its own, whose answer tells only whether there is a tenant."""
        request = replace(
            reading(API_ROOT, action="ask for a sign of life", role=""),
            success=frozenset({_NO_CONTENT, http.HTTPStatus.OK}),
        )
        headers = {"Accept": request.accept, "Authorization": credential.header}
        pace = self._paces.of(request.path)
        with suppress(Trouble):
            async with pace.turn() as left:
                if left is not None:
                    await self._send(request, headers, pace=pace, left=left)

    async def _send(self, request: Request, headers: Mapping[str, str], *, pace: Pace, left: float) -> Answer:
        """Exchange, and note what the answer says about the rate and about the tenant as a whole."""
        if not request.is_read:
            await self._announce(request)
        try:
            answer = await self._wire.exchange(
                request.method,
                self._url + request.path,
                target=request.path,
                headers=headers,
                content=request.content,
            )
        except Trouble as trouble:
            self._outage.note_trouble(trouble)
            raise
        if answer.status in _TOO_MANY:
            pace.slow_down(left=left, status=answer.status, retry_after_s=retry_after_s(answer.headers))
        else:
            pace.note_taken(left=left)
        trouble_found = trouble_in(request, answer)
        if trouble_found is None or trouble_found.kind is TroubleKind.THROTTLED:
            self._outage.note_answer()
        else:
            self._outage.note_trouble(trouble_found)
        return answer

    async def _announce(self, request: Request) -> None:
        """Tell of a write before it is sent; raises ``NotRecorded`` where it must not be."""
        self._emit(WriteBegins(method=request.method, target=request.path))
        try:
            await self._before_write()
        except NotRecorded:
            self._emit(RequestFinished(method=request.method, target=request.path, result="not sent", duration_s=0.0))
            raise

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
        except RequestFailed:
            pair = CsrfPair()
        if pair.token:
            self._note_secret(pair.token)
        return pair


async def repeat_anyway() -> bool:
    """Answer ``has_happened`` for a write that leaves the same state however often it is carried out."""
    await trio.lowlevel.checkpoint()
    return False


def _as_is(answer: Answer) -> Answer:
    return answer


def _page(parse_row: Callable[[Entity], T], answer: Answer) -> tuple[list[T], str | None]:
    if answer.status == _NO_CONTENT:
        return [], None
    found, link = rows(answer.content)
    return [parse_row(row) for row in found], link
