"""What may go wrong with one request: the faults a script can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class ConnectionDropped(ConnectionError):
    """Stands in, for callers in the same process, for what only a socket can show: a connection closed or cut."""


class AnswerStalled(TimeoutError):
    """Stands in, for callers in the same process, for the time-out of a client that waits for a stalled answer."""


class FaultKind(StrEnum):
    """The faults, by the names they have in script texts."""

    TOKEN_EXPIRED = "token-expired"  # noqa: S105 - no password
    """401; every access token issued so far really is worthless from then on."""
    CSRF_EXPIRED = "csrf-expired"
    """403 with ``X-CSRF-Token: Required``; every session really has ended."""
    LOCKED = "locked"
    """400: somebody has the artifact open."""
    TOO_MANY_REQUESTS = "too-many-requests"
    """429, with ``Retry-After`` as the fault says."""
    BUSINESS_ERROR = "business-error"
    """500 with a text about the content, which no repetition mends."""
    SESSION_FAULT = "session-fault"
    """500 about ``HttpSession.getAttribute``, which the next attempt does not meet."""
    BAD_GATEWAY = "bad-gateway"
    """502 with a gateway's HTML page."""
    UNAVAILABLE = "unavailable"
    """503 with a gateway's HTML page."""
    GATEWAY_TIMEOUT = "gateway-timeout"
    """504 with a gateway's HTML page; the request was not handled."""
    STATUS = "status"
    """Any status, body and headers."""
    HTML_PAGE = "html-page"
    """200 with an HTML page where data is expected; the request was not handled."""
    MALFORMED_JSON = "malformed-json"
    """The request is handled, the answer's body is no JSON."""
    TRUNCATED_JSON = "truncated-json"
    """The request is handled; ``Content-Length`` is right, half of the body comes, the connection ends."""
    EMPTY_BODY = "empty-body"
    """The request is handled, the answer comes without its body."""
    SLOW_FIRST_BYTE = "slow-first-byte"
    """The request is handled, the answer comes ``seconds`` later."""
    STALLED_BODY = "stalled-body"
    """The request is handled, the answer begins and does not go on until the client gives up."""
    RESET_BEFORE_HANDLING = "reset-before-handling"
    """The connection is reset; nothing was done."""
    RESET_AFTER_HANDLING = "reset-after-handling"
    """The change is made, then the connection is reset: the answer is lost."""
    CLOSED_BEFORE_HANDLING = "closed-before-handling"
    """As ``RESET_BEFORE_HANDLING``, closed in an orderly way."""
    CLOSED_AFTER_HANDLING = "closed-after-handling"
    """As ``RESET_AFTER_HANDLING``, closed in an orderly way."""


INSTEAD_OF_HANDLING = frozenset(
    {
        FaultKind.TOKEN_EXPIRED,
        FaultKind.CSRF_EXPIRED,
        FaultKind.LOCKED,
        FaultKind.TOO_MANY_REQUESTS,
        FaultKind.BUSINESS_ERROR,
        FaultKind.SESSION_FAULT,
        FaultKind.BAD_GATEWAY,
        FaultKind.UNAVAILABLE,
        FaultKind.GATEWAY_TIMEOUT,
        FaultKind.STATUS,
        FaultKind.HTML_PAGE,
        FaultKind.RESET_BEFORE_HANDLING,
        FaultKind.CLOSED_BEFORE_HANDLING,
    }
)
NEEDS_SOCKET = frozenset(
    {
        FaultKind.TRUNCATED_JSON,
        FaultKind.STALLED_BODY,
        FaultKind.RESET_BEFORE_HANDLING,
        FaultKind.RESET_AFTER_HANDLING,
        FaultKind.CLOSED_BEFORE_HANDLING,
        FaultKind.CLOSED_AFTER_HANDLING,
    }
)
IN_A_BATCH = INSTEAD_OF_HANDLING - NEEDS_SOCKET
"""What can strike a request inside of a ``$batch``: an answer in its place. All others strike whole batches only."""
_STATUSES = range(200, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault with what it needs; a field the kind has no use for is ignored.

    ``seconds`` is the delay of ``SLOW_FIRST_BYTE`` and, in process, the time before ``STALLED_BODY`` raises.
    ``text`` is a ``BUSINESS_ERROR``'s message. ``retry_after_s`` and ``retry_after_form`` make the header of a 429 or
    503; none is sent where the number is ``None``. ``status``, ``body``, ``headers`` are those of ``STATUS``. In one
    process what needs a socket raises ``error``, or ``ConnectionDropped`` or ``AnswerStalled`` where none is named.
    """

    kind: FaultKind
    seconds: float = 0.0
    text: str = ""
    retry_after_s: int | None = None
    retry_after_form: Literal["seconds", "date"] = "seconds"
    status: int = 500
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: type[Exception] | None = None

    @property
    def is_instead(self) -> bool:
        """Whether the request is not handled at all."""
        return self.kind in INSTEAD_OF_HANDLING

    @property
    def raised(self) -> type[Exception]:
        """The exception that stands in for it in one process."""
        if self.error is not None:
            return self.error
        return AnswerStalled if self.kind is FaultKind.STALLED_BODY else ConnectionDropped

    def problems(self) -> list[str]:
        """List what is wrong with the numbers."""
        found = []
        if not 0 <= self.seconds < float("inf"):
            found.append("seconds must be a number that is not negative")
        if self.kind is FaultKind.SLOW_FIRST_BYTE and self.seconds == 0:
            found.append("seconds must be given for slow-first-byte")
        if self.retry_after_s is not None and self.retry_after_s < 0:
            found.append("retry_after_s must not be negative")
        if self.status not in _STATUSES:
            found.append("status must be from 200 to 599")
        return found
