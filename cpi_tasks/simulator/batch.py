"""``$batch`` bodies: multipart texts of requests on the way in, of answers on the way out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import Response

from cpi_tasks.simulator.odata import ODataError

_LINE_END = rb"\r?\n"
_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.[01]")
_LINE_WITH_BLANKS = re.compile(r"([A-Z]+) (\S(?:[^\r\n]*\S)?) HTTP/1\.[01]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRequest:
    """One request inside of a batch: the target as written, header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeset:
    """Requests that happen together."""

    requests: Sequence[PartRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAnswer:
    """The answer to one request, with the content id it came with."""

    response: Response
    content_id: str | None = None


def parse(content_type: str, body: bytes, *, takes_blanks: bool = False) -> list[PartRequest | Changeset]:
    """Read a batch, with CR LF or LF at the ends of its lines; anything malformed is a 400.

    Where blanks are taken, one inside of the address of a request line, such as that of an unescaped parameter key, is
    part of the address.
    """
    line = _LINE_WITH_BLANKS if takes_blanks else _REQUEST_LINE
    parts: list[PartRequest | Changeset] = []
    for headers, content in _parts(content_type, body):
        if headers.get("content-type", "").lower().startswith("multipart/mixed"):
            inner = [_request(*part, line) for part in _parts(headers["content-type"], content)]
            if any(request.method == "GET" for request in inner):
                raise ODataError(400, "A change set must not contain GET requests.")
            parts.append(Changeset(requests=inner))
        else:
            parts.append(_request(headers, content, line))
    if not parts:
        raise ODataError(400, "The batch request has no parts.")
    return parts


def _parts(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Split multipart text into headers and content of its parts."""
    found = re.fullmatch(
        r"multipart/mixed\s*;(?:.*;)?\s*boundary=(?:\"([^\"]{1,70})\"|([^\s;\"]{1,70}))\s*(?:;.*)?",
        content_type.strip(),
        re.IGNORECASE,
    )
    if found is None:
        raise ODataError(400, "The content type must be multipart/mixed with a boundary.")
    boundary = re.escape((found[1] or found[2]).encode("latin-1", "replace"))
    pieces = re.split(rb"(?:\A|" + _LINE_END + rb")--" + boundary + rb"(--)?[ \t]*(?=\r?\n|\Z)", body)
    # Text before the first boundary and after the last one does not count: text, end mark, text, end mark, text, …
    texts, ends = pieces[2::2], pieces[1::2]
    if b"--" not in ends:
        raise ODataError(400, "The multipart body has no closing boundary.")
    return [_split(text) for text in texts[: ends.index(b"--")]]


def _split(text: bytes) -> tuple[dict[str, str], bytes]:
    """Part headers from content at the first empty line."""
    head, separator, content = _partition(re.sub(rb"\A\r?\n", b"", text, count=1))
    if not separator:
        raise ODataError(400, "A part of the batch request has no empty line after its headers.")
    return _headers(head), content


def _partition(text: bytes) -> tuple[bytes, bytes, bytes]:
    if blank := re.match(_LINE_END, text):
        return b"", blank[0], text[blank.end() :]
    blank = re.search(_LINE_END + _LINE_END, text)
    return (text, b"", b"") if blank is None else (text[: blank.start()], blank[0], text[blank.end() :])


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in re.split(_LINE_END, head):
        name, colon, value = line.decode("latin-1").partition(":")
        if line and not colon:
            raise ODataError(400, "A part of the batch request has a malformed header.")
        if line:
            headers[name.strip().lower()] = value.strip()
    return headers


def _request(headers: Mapping[str, str], content: bytes, line_pattern: re.Pattern[str]) -> PartRequest:
    if not headers.get("content-type", "").lower().startswith("application/http"):
        raise ODataError(400, "A part of the batch request is neither application/http nor multipart/mixed.")
    # A request without headers ends with its first line; nothing needs to follow.
    first, end, rest = content.lstrip(b"\r\n").partition(b"\n")
    line = line_pattern.fullmatch(first.decode("latin-1").strip())
    if line is None:
        raise ODataError(400, "A part of the batch request has a malformed request line.")
    head, _, body = _partition(rest) if end else (b"", b"", b"")
    own = _headers(head)
    return PartRequest(
        method=line[1],
        target=line[2],
        headers=own,
        body=_cut(body, own.get("content-length")),
        content_id=headers.get("content-id", own.get("content-id")),
    )


def _cut(body: bytes, length: str | None) -> bytes:
    """Take as much body as announced, where that is less than there is; clients miscount, so more is no error."""
    return body[: int(length)] if length is not None and re.fullmatch(r"\d{1,9}", length) else body


def render(answers: Sequence[PartAnswer | Sequence[PartAnswer]], boundary: str) -> bytes:
    """Write the answers; the answers of a change set stand in a multipart text of their own."""
    chunks: list[bytes] = []
    for number, answer in enumerate(answers):
        if isinstance(answer, PartAnswer):
            chunks.append(_part(answer))
        else:
            inner = f"changeset_{number}_{boundary}"
            content = _joined([_part(item) for item in answer], inner)
            chunks.append(_lines(f"Content-Type: multipart/mixed; boundary={inner}") + b"\r\n" + content)
    return _joined(chunks, boundary)


def _joined(chunks: Sequence[bytes], boundary: str) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + chunk + b"\r\n" for chunk in chunks) + mark + b"--\r\n"


def _part(answer: PartAnswer) -> bytes:
    response = answer.response
    body = bytes(response.body)
    headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in response.raw_headers}
    headers["Content-Length"] = str(len(body))
    echo = {} if answer.content_id is None else {"Content-Id": answer.content_id}
    phrase = HTTPStatus(response.status_code).phrase
    status = f"HTTP/1.1 {response.status_code} {phrase}"
    message = _lines(status, *_rendered({**echo, **headers})) + b"\r\n" + body
    outer = {"Content-Type": "application/http", "Content-Transfer-Encoding": "binary", **echo}
    outer["Content-Length"] = str(len(message))
    return _lines(*_rendered(outer)) + b"\r\n" + message


def _rendered(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def _lines(*lines: str) -> bytes:
    return b"".join(line.encode("latin-1", "replace") + b"\r\n" for line in lines)
