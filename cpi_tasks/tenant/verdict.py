"""What an answer means for the request it belongs to. Pure."""

from __future__ import annotations

import http
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cpi_tasks.errors import Call, RequestRejected, TenantUnavailable
from cpi_tasks.tenant.csrf import is_csrf_refusal
from cpi_tasks.tenant.errorbody import parse_error
from cpi_tasks.tenant.outage import Spent
from cpi_tasks.tenant.retry import REPEATABLE_READS, REPEATABLE_WRITES, Trouble, TroubleKind, retry_after_s
from cpi_tasks.tenant.text import decoded, is_html, one_line
from cpi_tasks.tenant.upload import Upload, json_bytes
from cpi_tasks.tenant.wire import Answer

READ_SUCCESS = frozenset({200})
LIST_SUCCESS = frozenset({200, 204})
"""An empty navigation may be answered without a body."""
WRITE_SUCCESS = frozenset({200, 201, 202, 204})
"""Sources disagree about the exact code of several writes; what was written is read back where it matters."""

_OK = 200
_FIRST_REDIRECT = 300
_FIRST_ERROR = 400
_FORBIDDEN = 403
_NOT_FOUND = 404
_THROTTLED = 429
_SERVER_ERROR = 500
_PASSING = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of the API: percent-encoded ``path`` with query, ``action`` in words, ``role`` that it likely needs."""

    method: str
    path: str
    action: str
    role: str
    accept: str = "application/json"
    success: frozenset[int] = READ_SUCCESS
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Upload | None = field(default=None, repr=False)
    call: Call = Call.READ

    @property
    def is_read(self) -> bool:
        """Whether the request changes nothing."""
        return self.method == "GET"

    @property
    def repeatable_after(self) -> frozenset[TroubleKind]:
        """After which kinds of trouble it may be sent again."""
        return REPEATABLE_READS if self.is_read else REPEATABLE_WRITES


def reading(path: str, *, action: str, role: str) -> Request:
    """Describe a GET that is answered by 200 and JSON."""
    return Request(method="GET", path=path, action=action, role=role)


def listing(path: str, *, action: str, role: str) -> Request:
    """Describe a GET of a collection."""
    return Request(method="GET", path=path, action=action, role=role, success=LIST_SUCCESS)


def writing(
    method: str,
    path: str,
    *,
    action: str,
    role: str,
    body: Mapping[str, str] | Upload | None = None,
    call: Call = Call.WRITE,
) -> Request:
    """Describe a modifying request with a JSON body or none."""
    return Request(
        method=method,
        path=path,
        action=action,
        role=role,
        success=WRITE_SUCCESS,
        headers={} if body is None else {"Content-Type": "application/json"},
        content=body if body is None or isinstance(body, Upload) else json_bytes(body),
        call=call,
    )


def judge(request: Request, answer: Answer, *, host: str) -> Answer:
    """Give the answer where it is a success for this request, else raise what it means.

    Raises ``Trouble`` for passing and unusable answers, ``TenantUnavailable`` for a redirect, ``RequestRejected`` for
    every other error status. A 401 is judged elsewhere.
    """
    if trouble := trouble_in(request, answer):
        raise trouble
    if answer.status in request.success:
        return answer
    if _FIRST_REDIRECT <= answer.status < _FIRST_ERROR:
        raise TenantUnavailable(
            f"could not {request.action}: {host} answered {answer.status} and points to"
            f" {_redirect_host(answer) or 'another address'} instead of answering; check that CPI_HOST is the API host"
            " (url of the service key), not the web interface"
        )
    raise rejection(request, answer)


def trouble_in(request: Request, answer: Answer) -> Trouble | None:
    """Give the trouble behind an answer that is none of the tenant's own; ``None`` for what it did say."""
    return transient_trouble(answer) or _foreign_trouble(request, answer)


def is_session_fault(answer: Answer) -> bool:
    """Whether a 500 is the known fault of the tenant's session, after which the same request succeeds (flashpipe)."""
    return answer.status == _SERVER_ERROR and "httpsession" in decoded(answer.content).lower()


def is_wordless_fault(answer: Answer) -> bool:
    """Return whether a 500 has no body: then nothing of the tenant's has answered, and a read may succeed at once."""
    return answer.status == _SERVER_ERROR and not answer.content.strip()


def transient_trouble(answer: Answer) -> Trouble | None:
    """Give the trouble behind an answer that a later repeat may not meet: request rate, gateway, cut-off body."""
    said = f"the answer was {answer.status} {_phrase(answer.status)}".strip()
    wait_s = retry_after_s(answer.headers)
    result = str(answer.status)
    if answer.status == _THROTTLED:
        cause = f"{said} (request limit; others may use the same tenant)"
        return Trouble(cause, kind=TroubleKind.THROTTLED, result=result, retry_after_s=wait_s)
    if answer.status in _PASSING:
        return Trouble(said, kind=TroubleKind.UNANSWERED, result=result, retry_after_s=wait_s)
    if answer.status == _OK and not answer.is_complete:
        return Trouble("the answer broke off", kind=TroubleKind.UNUSABLE)
    return None


def rejection(request: Request, answer: Answer) -> RequestRejected:
    """Build the error of a refused request, with the likely missing role for a 403."""
    code, detail = parse_error(answer.content)
    phrase = _phrase(answer.status)
    if detail.rstrip(".").casefold() in {phrase.casefold(), f"{answer.status} {phrase}".casefold(), str(answer.status)}:
        detail = ""  # the status once more
    is_token_refused = answer.status == _FORBIDDEN and is_csrf_refusal(answer)
    is_page = is_html(answer.content)
    hint = ""
    if is_token_refused:
        hint = "the tenant refused the CSRF token it had just given; run again"
    elif answer.status == _FORBIDDEN and not is_page:
        hint = f"the login probably lacks the role {request.role}"
    return RequestRejected(
        action=request.action,
        status=answer.status,
        code=code or phrase,
        detail=detail,
        hint=hint,
        call=request.call,
        is_page=is_page,
        is_token_refused=is_token_refused,
    )


def sentence(request: Request, trouble: Trouble, host: str) -> str:
    """Say for a person what a request met that is not sent again, and what to check."""
    if trouble.kind is TroubleKind.ODD:
        return f"could not {request.action}: {host} answered, but {trouble.cause}; look at it in the Web UI, then rerun"
    is_gone = isinstance(trouble, Spent) and trouble.was_reached
    if trouble.kind is TroubleKind.NOT_SENT or (isinstance(trouble, Spent) and not is_gone):
        advice = "check CPI_HOST, the network and the proxy settings (HTTPS_PROXY, NO_PROXY)"
    elif trouble.kind in {TroubleKind.THROTTLED, TroubleKind.NOT_ADMITTED}:
        advice = "run again later or lower requestsPerSecond"
    elif is_gone:
        advice = "run again when the tenant answers, or raise outageBudgetSeconds"
    elif request.is_read:
        advice = "check CPI_HOST and whether the tenant is up, then run again"
    else:
        advice = "whether it was carried out is not known; run again, which looks first"
    return f"could not {request.action}: no usable answer from {host}: {trouble.cause}; {advice}"


def _foreign_trouble(request: Request, answer: Answer) -> Trouble | None:
    """Give the trouble of an answer that something before the tenant gave in its place."""
    is_success = answer.status < _FIRST_REDIRECT
    if is_success and answer.status not in request.success:
        cause = f"the answer was {answer.status} {_phrase(answer.status)}, which this call never has"
    elif is_success and is_html(answer.content):
        cause = "an HTML page came instead of an answer: a gateway answered instead of the tenant"
    elif answer.status == _NOT_FOUND and ("x-cf-routererror" in answer.headers or is_html(answer.content)):
        cause = "the answer was 404 from a gateway that knows no such tenant"
    else:
        return None
    return Trouble(cause, kind=TroubleKind.UNUSABLE)


def _redirect_host(answer: Answer) -> str:
    try:
        return one_line(urlsplit(answer.headers.get("location", "")).hostname or "", 100)
    except ValueError:
        return ""


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
