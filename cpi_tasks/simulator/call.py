"""One API request, parsed: what the handlers see."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, urlencode

from starlette.responses import Response

from cpi_tasks.simulator import archive, odata
from cpi_tasks.simulator.odata import ODataError, Segment
from cpi_tasks.simulator.rendering import Entity, Format, Page, literal
from cpi_tasks.simulator.state import TenantState

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An API request after login: path segments, decoded query, body, who calls, how they want answers."""

    state: TenantState
    method: str
    segments: Sequence[Segment]
    query: Mapping[str, str]
    accept: str
    body: bytes
    user: str
    format: Format
    content_type: str = ""

    @property
    def head(self) -> Segment:
        """The first path segment."""
        return self.segments[0]

    def fields(self) -> dict[str, str]:
        """Give the text fields of a JSON body, bare or wrapped in ``d``; a malformed or other body is a 400."""
        media_type = self.content_type.partition(";")[0].strip().lower()
        if media_type and "json" not in media_type:
            raise ODataError(400, f"The content type '{media_type}' is not supported; send application/json.")
        try:
            data = json.loads(self.body.decode("utf-8"))
            inner = data.get("d", data) if isinstance(data, dict) else None
            json.dumps(inner, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise ODataError(400, "The request body is not well-formed.") from error
        if not isinstance(inner, dict):
            raise ODataError(400, "The request body is not an entity.")
        return {key: value for key, value in inner.items() if isinstance(value, str)}

    def argument(self, name: str) -> str:
        """Give a function import's string argument, which carries its quotes; a missing one is a 400."""
        text = self.query.get(name)
        if text is None:
            raise ODataError(400, f"Missing parameter '{name}'.")
        return odata.parse_literal(text)

    def one(self, entity: Entity, status: int = 200) -> Response:
        """Answer with one entity, reduced to what ``$select`` names."""
        return self.format.entity(entity.select(self.query.get("$select")), status)

    def listing(
        self,
        items: Sequence[_T],
        entity: Callable[[_T], Entity],
        *,
        skips: bool = True,
        counts: bool = True,
        json_text: Callable[[_T], str] | None = None,
    ) -> Response:
        """Answer with one page of a collection; only the entities of that page are built.

        ``$top`` cuts the whole, ``$skip`` and ``$inlinecount`` are ignored where ``skips`` or ``counts`` is not set;
        what exceeds the page follows under a next link with ``$skiptoken``. ``json_text`` gives entities as they stand
        in JSON, for whoever keeps such texts.
        """
        begin = (odata.count_option(self.query, "$skip") or 0) if skips else 0
        top = odata.count_option(self.query, "$top")
        chosen = items[begin:] if top is None else items[begin : begin + top]
        token = odata.count_option(self.query, "$skiptoken") or 0
        size = self.state.settings.page_size
        shown = chosen[token : token + size]
        next_url = self._next_url(token + size) if token + size < len(chosen) else None
        count = len(items) if counts and self._wants_count() else None
        if json_text is not None and self.format.as_json and "$select" not in self.query:
            return self.format.json_page([json_text(item) for item in shown], next_url, count)
        entities = [entity(item).select(self.query.get("$select")) for item in shown]
        return self.format.page(Page(entities=entities, next_url=next_url, count=count))

    def _wants_count(self) -> bool:
        wish = self.query.get("$inlinecount", "none")
        if wish not in {"allpages", "none"}:
            raise ODataError(400, "Invalid value for system query option '$inlinecount'.")
        return wish == "allpages"

    def _next_url(self, token: int) -> str:
        path = "/".join(render_segment(segment) for segment in self.segments)
        options = {**self.query, "$skiptoken": str(token)}
        return f"{self.format.base_url}/{path}?{urlencode(options, safe='$', quote_via=quote)}"


def render_segment(segment: Segment) -> str:
    """Give a path segment as it stands in links."""
    if segment.keys is None:
        return quote(segment.name, safe="$")
    parts = [(f"{name}=" if name else "") + literal(value) for name, value in segment.keys.items()]
    return f"{segment.name}({','.join(parts)})"


def decode_base64(text: str, what: str) -> bytes:
    """Decode base64, standard or URL-safe; anything else is a 400 that says what it was about."""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ODataError(400, f"The {what} is not valid base64.") from error


def decode_archive(text: str) -> dict[str, bytes]:
    """Unpack ``ArtifactContent``; anything but an archive in base64 is a 400."""
    return archive.unpack(decode_base64(text, "artifact content"))


def attachment(name: str) -> str:
    """Return the ``Content-Disposition`` of a download: quoted, and with ``filename*`` beyond ASCII (RFC 6266)."""
    clean = "".join("_" if char < " " or char in "/\\\x7f" else char for char in name)
    plain = "".join(char if char.isascii() else "_" for char in clean).replace('"', '\\"')
    extended = "" if clean.isascii() else f"; filename*=UTF-8''{quote(clean, safe='', errors='replace')}"
    return f'attachment; filename="{plain}"{extended}'


def empty(status: int) -> Response:
    """Give an answer without a body."""
    return Response(b"", status)


Handler = Callable[[Call], Response]
Route = tuple[str, str]
"""Method and path shape, e.g. ``("GET", "IntegrationPackages()/$value")``."""
