"""What to do about an answer that refuses a call. Pure: the advice fits what the answer says, and no more."""

from __future__ import annotations

import http
from collections.abc import Mapping

from cpi_tasks.errors import Call, RequestRejected

_FIX = "fix what the tenant names, then rerun"
_RUNTIME_PROFILE = (
    "the tenant gives no reason. In practice the artifact is built for another runtime: compare SAP-RuntimeProfile in "
    "its META-INF/MANIFEST.MF with the runtime profiles of this tenant, then rerun. If it fits, deploy the artifact "
    "once in the Web UI, which shows the cause"
)
_NO_REASON = (
    "the tenant gives no reason. Make the same change once in the Web UI, which shows the cause; rerun after you fix it"
)
_SERVER_FAULT = (
    "the tenant gives no reason, so the fault is probably its own: rerun later; if it happens again, report it to SAP"
)
_PAGE = "a proxy or gateway answered instead of the tenant: check CPI_HOST and the proxy settings, then rerun"
_TOO_LARGE = (
    "the request is larger than the tenant, or a proxy before it, accepts: remove large files, such as JARs that are "
    "not needed, from the artifact, then rerun"
)
_LOCKED = "have the artifact saved or closed in the Web UI, then rerun"
_REREAD = "the tenant's state has changed since it was read: rerun, which reads it again"
_UNSUPPORTED = (
    "this tenant does not offer the call: do this step in the Web UI, or set sync or deploy to false for the artifact"
)
_UNEXPECTED = "something between here and the tenant may have changed the request: check the proxy settings, then rerun"
_ROLE = "give the login the role that is named, then rerun"
_CSRF = "rerun; if it happens again, check that no proxy removes cookies or the X-CSRF-Token header"

_BY_STATUS: Mapping[int, str] = {
    http.HTTPStatus.FORBIDDEN: _ROLE,
    http.HTTPStatus.NOT_FOUND: _REREAD,
    http.HTTPStatus.METHOD_NOT_ALLOWED: _UNSUPPORTED,
    http.HTTPStatus.NOT_ACCEPTABLE: _UNEXPECTED,
    http.HTTPStatus.CONFLICT: _REREAD,
    http.HTTPStatus.PRECONDITION_FAILED: _REREAD,
    http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _TOO_LARGE,
    http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE: _UNEXPECTED,
    http.HTTPStatus.LOCKED: _LOCKED,
    http.HTTPStatus.NOT_IMPLEMENTED: _UNSUPPORTED,
}
"""Statuses that say by themselves what is wrong, with or without a text."""


def advice_for(error: RequestRejected) -> str:
    """Return what to do next; it refers to a text of the tenant only where the tenant gave one."""
    if error.advice:
        return error.advice
    if error.is_page and error.status != http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _PAGE
    if error.is_token_refused:
        return _CSRF
    return _BY_STATUS.get(error.status) or (_FIX if error.detail else _without_text(error))


def _without_text(error: RequestRejected) -> str:
    if error.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or error.call is Call.READ:
        return _SERVER_FAULT
    return _RUNTIME_PROFILE if error.call is Call.DEPLOY else _NO_REASON
