"""``POST $batch``: several requests in one (SAP Help, OData API of Cloud Integration; OData 2.0, batch processing).

Each request inside is one to the tenant: it has a record in the log, counts against the rate limit of its family, and a
planned fault that answers in place of the tenant may strike it. Faults of the connection, and those that spoil an
answer's body, strike batches as a whole only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from starlette.responses import Response

from cpi_tasks.simulator import routing
from cpi_tasks.simulator.batch import Changeset, PartAnswer, PartRequest, parse, render
from cpi_tasks.simulator.call import Call
from cpi_tasks.simulator.desk import Desk
from cpi_tasks.simulator.odata import API_ROOT, ODataError, parse_path, parse_query
from cpi_tasks.simulator.rendering import wants_json
from cpi_tasks.simulator.request_log import RequestRecord
from cpi_tasks.simulator.state import new_guid

_REFERENCE = re.compile(r"/\$([^/]+)(.*)", re.DOTALL)
_SYSTEM_RESOURCES = frozenset({"batch", "metadata"})
_FIRST_FAILURE = 400


class _Struck(ODataError):
    """A planned fault answers a request."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code, None)
        self.response = response


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    request: PartRequest
    record: RequestRecord


@dataclass(frozen=True, slots=True)
class _Created:
    """What the requests of one change set created: paths below the API root, by content id."""

    paths: dict[str, str] = field(default_factory=dict)

    def note(self, part: _Part, response: Response, base_url: str) -> None:
        location = response.headers.get("Location", "")
        if part.request.content_id is not None and location.startswith(base_url):
            self.paths[part.request.content_id] = location.removeprefix(base_url)

    def resolved(self, path: str) -> str:
        """Put the path of the entity in place of ``$<Content-ID>``; 400 where there is none of that id."""
        found = _REFERENCE.fullmatch(path)
        name = unquote(found[1]) if found else ""
        if found is None or (name in _SYSTEM_RESOURCES and name not in self.paths):
            return path
        if name not in self.paths:
            raise ODataError(400, f"No earlier request of the change set with Content-ID '{name}' created an entity.")
        return f"{self.paths[name]}{found[2]}"


def batch(call: Call, desk: Desk, record: RequestRecord) -> Response:
    """Answer 202 or 200 with one answer per part; a malformed batch is a 400 and nothing of it happens.

    A change set happens as a whole or, at its first error (a 429 is one), not at all: then the error is its only
    answer. In a change set ``$<Content-ID>`` at the beginning of a path names what an earlier request of it created.
    """
    settings = call.state.settings
    parts = parse(call.content_type, call.body, takes_blanks=settings.batch_blanks)
    if sum(len(part.requests) if isinstance(part, Changeset) else 1 for part in parts) > settings.batch_max_parts:
        raise ODataError(400, f"The batch request has more than {settings.batch_max_parts} parts.")
    answers = _Batch(call, desk).answers([_logged(part, desk, record) for part in parts])
    boundary = f"batch_{new_guid()}"
    headers = {"DataServiceVersion": "1.0", "Content-Type": f"multipart/mixed; boundary={boundary}"}
    return Response(render(answers, boundary), settings.batch_status, headers)


def _logged(part: PartRequest | Changeset, desk: Desk, batch_record: RequestRecord) -> _Part | list[_Part]:
    if isinstance(part, Changeset):
        return [_logged_request(request, desk, batch_record) for request in part.requests]
    return _logged_request(part, desk, batch_record)


def _logged_request(request: PartRequest, desk: Desk, batch_record: RequestRecord) -> _Part:
    path, _, query = request.target.partition("?")
    # A malformed address is shown as it is, and answered with 400 when its turn comes.
    with suppress(ValueError):
        path = urlsplit(path).path
    shown = unquote(path) if path.startswith("/") else f"{API_ROOT}/{unquote(path)}"
    record = desk.log_part(batch_record, request.method, shown, unquote(query.replace("+", " ")))
    return _Part(request=request, record=record)


@dataclass(frozen=True, slots=True)
class _Batch:
    call: Call
    desk: Desk

    def answers(self, parts: Sequence[_Part | list[_Part]]) -> list[PartAnswer | Sequence[PartAnswer]]:
        return [self._single(part, _Created()) if isinstance(part, _Part) else self._changeset(part) for part in parts]

    def _changeset(self, parts: Sequence[_Part]) -> PartAnswer | Sequence[PartAnswer]:
        created = _Created()
        if not self.call.state.settings.changesets_are_atomic:
            return [self._single(part, created) for part in parts]
        try:
            with self.desk.all_or_nothing():
                return [self._performed(part, created) for part in parts]
        except ODataError as error:
            failed = next(part for part in parts if not part.record.status)
            for part in parts:
                part.record.status = part.record.handled = 0
            return self._refused(failed, error)
        finally:
            # Not before it is certain what becomes of the change set: what others do now is not undone with it.
            for part in parts:
                self.desk.finish(part.record)

    def _single(self, part: _Part, created: _Created) -> PartAnswer:
        try:
            return self._performed(part, created)
        except ODataError as error:
            return self._refused(part, error)
        finally:
            self.desk.finish(part.record)

    def _refused(self, part: _Part, error: ODataError) -> PartAnswer:
        if isinstance(error, _Struck):
            response = error.response
        else:
            response = self._call(part.request).format.error(error)
            part.record.handled = response.status_code
        part.record.status = response.status_code
        return PartAnswer(response=response, content_id=part.request.content_id)

    def _performed(self, part: _Part, created: _Created) -> PartAnswer:
        inner, record, settings = self._call(part.request), part.record, self.call.state.settings
        path = created.resolved(_path(part.request.target, is_absolute_allowed=settings.batch_absolute_paths))
        record.path = f"{API_ROOT}{unquote(path)}"
        fault = self.desk.fault_for(record)
        if fault is not None:
            response = self.desk.instead(fault, inner.format.error)
            if response.status_code >= _FIRST_FAILURE:
                raise _Struck(response)
        else:
            segments = parse_path(path)
            self.desk.check_rate(record, inner.user)
            response = routing.answer(replace(inner, segments=segments))
            if response.status_code == 202 and not response.body:  # noqa: PLR2004 - Accepted
                response.status_code = settings.batch_part_status
            record.handled = response.status_code
            created.note(part, response, inner.format.base_url)
        record.status = response.status_code
        return PartAnswer(response=response, content_id=part.request.content_id)

    def _call(self, request: PartRequest) -> Call:
        """Give the call of a part: the same caller, its own method, query, headers and body."""
        query = parse_query(request.target.partition("?")[2])
        accept = request.headers.get("accept", self.call.accept)
        return replace(
            self.call,
            method=request.method,
            query=query,
            accept=accept,
            body=request.body,
            content_type=request.headers.get("content-type", ""),
            format=replace(self.call.format, as_json=wants_json(query, accept)),
        )


def _path(target: str, *, is_absolute_allowed: bool) -> str:
    """Give a target's path below the API root; relative targets begin there."""
    path = target.partition("?")[0]
    if path.startswith(("http://", "https://")):
        try:
            path = urlsplit(path).path
        except ValueError as error:
            raise ODataError(400, "A part of the batch request has a malformed address.") from error
    if path.startswith("/"):
        if not is_absolute_allowed or not path.startswith(f"{API_ROOT}/"):
            raise ODataError(404, f"Could not find an entity set or function import for '{path[:200]}'.")
        return path.removeprefix(API_ROOT)
    return f"/{path}"
