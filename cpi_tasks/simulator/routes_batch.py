"""``POST $batch``: several requests in one (SAP Help, OData API of Cloud Integration)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from urllib.parse import urlsplit

from starlette.responses import Response

from cpi_tasks.simulator import routing
from cpi_tasks.simulator.batch import Changeset, PartAnswer, PartRequest, parse, render
from cpi_tasks.simulator.call import Call
from cpi_tasks.simulator.checkpoint import all_or_nothing
from cpi_tasks.simulator.odata import API_ROOT, ODataError, parse_path, parse_query
from cpi_tasks.simulator.rendering import wants_json
from cpi_tasks.simulator.state import new_guid


def batch(call: Call) -> Response:
    """Answer 202 or 200 with one answer per part; a malformed batch is a 400 and nothing of it happens.

    A change set happens as a whole or, at its first error, not at all: then the error is its only answer.
    """
    settings = call.state.settings
    parts = parse(call.content_type, call.body)
    if sum(len(part.requests) if isinstance(part, Changeset) else 1 for part in parts) > settings.batch_max_parts:
        raise ODataError(400, f"The batch request has more than {settings.batch_max_parts} parts.")
    answers = [_changeset(call, part) if isinstance(part, Changeset) else _single(call, part) for part in parts]
    boundary = f"batch_{new_guid()}"
    headers = {"DataServiceVersion": "1.0", "Content-Type": f"multipart/mixed; boundary={boundary}"}
    return Response(render(answers, boundary), settings.batch_status, headers)


def _changeset(call: Call, changeset: Changeset) -> PartAnswer | Sequence[PartAnswer]:
    is_atomic = call.state.settings.changesets_are_atomic
    answers: list[PartAnswer] = []
    failed: PartRequest | None = None
    try:
        with all_or_nothing(call.state) if is_atomic else nullcontext():
            for part in changeset.requests:
                failed = part
                answers.append(_performed(call, part) if is_atomic else _single(call, part))
    except ODataError as error:
        form = _part_call(call, failed).format if failed else call.format
        return PartAnswer(response=form.error(error), content_id=failed.content_id if failed else None)
    return answers


def _single(call: Call, part: PartRequest) -> PartAnswer:
    try:
        return _performed(call, part)
    except ODataError as error:
        return PartAnswer(response=_part_call(call, part).format.error(error), content_id=part.content_id)


def _performed(call: Call, part: PartRequest) -> PartAnswer:
    inner = _part_call(call, part)
    path = _path(part.target, is_absolute_allowed=call.state.settings.batch_absolute_paths)
    response = routing.answer(replace(inner, segments=parse_path(path)))
    if response.status_code == 202 and not response.body:  # noqa: PLR2004 - Accepted
        response.status_code = call.state.settings.batch_part_status
    return PartAnswer(response=response, content_id=part.content_id)


def _part_call(call: Call, part: PartRequest) -> Call:
    """Give the call of a part: the same caller, its own method, query, headers and body."""
    query = parse_query(part.target.partition("?")[2])
    accept = part.headers.get("accept", call.accept)
    return replace(
        call,
        method=part.method,
        query=query,
        accept=accept,
        body=part.body,
        content_type=part.headers.get("content-type", ""),
        format=replace(call.format, as_json=wants_json(query, accept)),
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
