"""CSRF protection: a token and the session cookies it came with, kept together as one pair."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cpi_tasks.tenant.shared import Shared
from cpi_tasks.tenant.text import decoded, fits_header
from cpi_tasks.tenant.wire import Answer

HEADER = "X-CSRF-Token"
_NO_TOKEN = frozenset({"", "fetch", "required"})
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CsrfPair:
    """A token and its session's cookies; ``token`` is empty where the tenant answered the request for one without."""

    token: str = field(default="", repr=False)
    cookies: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers of a modifying request."""
        headers = {HEADER: self.token, "Cookie": self.cookies}
        return {name: value for name, value in headers.items() if value}


class CsrfSession:
    """The pair all modifying requests share.

    Tenants want one from Basic logins and none from OAuth clients (SAP, Integration Content; flashpipe); one that
    asks an OAuth client all the same gets it from then on.
    """

    def __init__(self, fetch: Callable[[], Awaitable[CsrfPair]], *, is_wanted: bool) -> None:
        """Take the call that fetches a pair, and whether one is sent before the tenant asked for it."""
        self._pairs = Shared(fetch)
        self._is_wanted = is_wanted

    async def pair(self) -> CsrfPair | None:
        """Give the pair to send with a modifying request; ``None`` where none is wanted."""
        if not self._is_wanted:
            return None
        return self._pairs.current or await self._pairs.replace(None)

    async def renew(self, refused: CsrfPair | None) -> CsrfPair:
        """Give a newer pair than the one refused; many refusals of one pair cause one fetch."""
        self._is_wanted = True
        return await self._pairs.replace(refused)


def pair_in(answer: Answer) -> CsrfPair:
    """Read the pair from the answer to ``X-CSRF-Token: Fetch``; without a token the cookies are of no use either."""
    token = answer.headers.get(HEADER, "").strip()
    is_usable = token.lower() not in _NO_TOKEN and fits_header(token) and fits_header(answer.cookies)
    return CsrfPair(token=token, cookies=answer.cookies) if is_usable else CsrfPair()


def is_csrf_refusal(answer: Answer) -> bool:
    """Whether a 403 is about the CSRF token rather than about a missing role."""
    if answer.status != _FORBIDDEN:
        return False
    return answer.headers.get(HEADER, "").strip().lower() == "required" or "csrf" in decoded(answer.content).lower()
