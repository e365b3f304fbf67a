"""OData 2.0 on the way out: envelopes, entities and errors as JSON or Atom."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote
from xml.etree import ElementTree as ET

from starlette.responses import Response

from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import SimulatorSettings

ATOM = "http://www.w3.org/2005/Atom"
METADATA = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"
SCHEME = "http://schemas.microsoft.com/ado/2007/08/dataservices/scheme"
RELATED = "http://schemas.microsoft.com/ado/2007/08/dataservices/related/"
NAMESPACE = "com.sap.hci.api"

ET.register_namespace("m", METADATA)
ET.register_namespace("d", DATA)


@dataclass(frozen=True, slots=True)
class DateTime:
    """An ``Edm.DateTime`` in milliseconds since 1970."""

    ms: int


@dataclass(frozen=True, slots=True)
class Complex:
    """A complex property of text fields: its type without namespace, and the fields."""

    type: str
    fields: Mapping[str, str]


Value = str | bool | DateTime | Complex | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity: its type without namespace, its path below the API root, properties and navigations.

    Navigations are links; what is ``expanded`` stands in place of its link.
    """

    type: str
    path: str
    properties: Mapping[str, Value]
    navigations: Sequence[str] = ()
    expanded: Mapping[str, Sequence[Entity]] = field(default_factory=dict)
    media_type: str | None = None

    def select(self, option: str | None) -> Entity:
        """Keep only the properties and navigations that ``$select`` names."""
        if option is None or option.strip() in {"", "*"}:
            return self
        names = {name.strip() for name in option.split(",")}
        return replace(
            self,
            properties={name: value for name, value in self.properties.items() if name in names},
            navigations=[name for name in self.navigations if name in names],
            expanded={name: entities for name, entities in self.expanded.items() if name in names},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a collection; ``next_url`` and ``count`` where there are such."""

    entities: Sequence[Entity]
    next_url: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How this caller wants answers: JSON or Atom, with absolute links that start with ``base_url``.

    The settings say what error documents are like.
    """

    as_json: bool
    base_url: str
    settings: SimulatorSettings = field(default_factory=SimulatorSettings)
    headers: Mapping[str, str] = field(default_factory=dict)

    def entity(self, entity: Entity, status: int = 200) -> Response:
        """Give one entity; where it has just been created, with its address (OData 2.0: ``Location``)."""
        if self.as_json:
            response = self._json({"d": self._json_entity(entity)}, status)
        else:
            response = self._xml(self._atom_entry(entity), status, "application/atom+xml;type=entry;charset=utf-8")
        if status == HTTPStatus.CREATED:
            response.headers["Location"] = self._url(entity.path)
        return response

    def page(self, page: Page) -> Response:
        """Give a collection."""
        if not self.as_json:
            return self._xml(self._atom_feed(page), 200, "application/atom+xml;type=feed;charset=utf-8")
        return self.json_page([self.json_text(entity) for entity in page.entities], page.next_url, page.count)

    def json_page(self, texts: Sequence[str], next_url: str | None, count: int | None) -> Response:
        """Give a collection in JSON of which the entities' texts are there already."""
        members = [] if count is None else [f'"__count":"{count}"']
        members.append(f'"results":[{",".join(texts)}]')
        if next_url is not None:
            members.append(f'"__next":{_json_text(next_url)}')
        return self._json_response(f'{{"d":{{{",".join(members)}}}}}', 200)

    def json_text(self, entity: Entity) -> str:
        """Give an entity as it stands in a collection in JSON."""
        return _json_text(self._json_entity(entity))

    def error(self, error: ODataError) -> Response:
        """Give an error document, or what this tenant sends in its place."""
        form = self.settings.error_body
        text = None if form == "null-message" and not error.keeps_text else self._ended(error.message)
        if form == "empty" or (error.status == HTTPStatus.FORBIDDEN and self.settings.forbidden_body == "empty"):
            response = Response(b"", error.status, self.headers)
        elif form == "json" or (self.as_json and form != "xml"):
            body = {"error": {"code": error.code, "message": {"lang": "en", "value": text}}}
            response = self._json(body, error.status)
        else:
            root = ET.Element(f"{{{METADATA}}}error")
            ET.SubElement(root, f"{{{METADATA}}}code").text = error.code
            message = ET.SubElement(
                root, f"{{{METADATA}}}message", {"{http://www.w3.org/XML/1998/namespace}lang": "en"}
            )
            message.text = None if text is None else _xml_text(text)
            response = self._xml(root, error.status, "application/xml;charset=utf-8", METADATA)
        response.headers.update(error.headers)
        return response

    def service_document(self, entity_sets: Sequence[str]) -> Response:
        """Give the list of entity sets."""
        if self.as_json:
            return self._json({"d": {"EntitySets": list(entity_sets)}}, 200)
        app = "http://www.w3.org/2007/app"
        root = ET.Element(f"{{{app}}}service", {"{http://www.w3.org/XML/1998/namespace}base": f"{self.base_url}/"})
        workspace = ET.SubElement(root, f"{{{app}}}workspace")
        ET.SubElement(workspace, f"{{{ATOM}}}title").text = "Default"
        for name in entity_sets:
            collection = ET.SubElement(workspace, f"{{{app}}}collection", {"href": name})
            ET.SubElement(collection, f"{{{ATOM}}}title").text = name
        return self._xml(root, 200, "application/atomsvc+xml;charset=utf-8")

    def _ended(self, text: str | None) -> str | None:
        """Give an error text the ending that the texts of this tenant have."""
        if not text or self.settings.text_ending == "as-observed":
            return text
        return text.rstrip(".") + ("." if self.settings.text_ending == "period" else "")

    def _url(self, path: str) -> str:
        return f"{self.base_url}/{path}"

    def _json(self, body: object, status: int) -> Response:
        return self._json_response(_json_text(body), status)

    def _json_response(self, text: str, status: int) -> Response:
        return Response(text, status, self.headers, media_type="application/json")

    def _xml(self, root: ET.Element, status: int, media_type: str, default_namespace: str | None = None) -> Response:
        text = ET.tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=default_namespace)
        return Response(text, status, {**self.headers, "Content-Type": media_type})

    def _json_entity(self, entity: Entity) -> dict[str, object]:
        url = self._url(entity.path)
        links: dict[str, object] = {"id": url, "uri": url, "type": f"{NAMESPACE}.{entity.type}"}
        if entity.media_type is not None:
            links |= {"content_type": entity.media_type, "media_src": f"{url}/$value", "edit_media": f"{url}/$value"}
        body: dict[str, object] = {"__metadata": links}
        for name, value in entity.properties.items():
            body[name] = _json_value(value)
        for name in entity.navigations:
            if name in entity.expanded:
                body[name] = {"results": [self._json_entity(item) for item in entity.expanded[name]]}
            else:
                body[name] = {"__deferred": {"uri": f"{url}/{name}"}}
        return body

    def _atom_entry(self, entity: Entity) -> ET.Element:
        entry = ET.Element(f"{{{ATOM}}}entry")
        ET.SubElement(entry, f"{{{ATOM}}}id").text = self._url(entity.path)
        ET.SubElement(entry, f"{{{ATOM}}}title", {"type": "text"}).text = entity.type
        ET.SubElement(entry, f"{{{ATOM}}}category", {"term": f"{NAMESPACE}.{entity.type}", "scheme": SCHEME})
        ET.SubElement(entry, f"{{{ATOM}}}link", {"rel": "edit", "title": entity.type, "href": entity.path})
        for name in entity.navigations:
            attributes = {"rel": f"{RELATED}{name}", "title": name, "href": f"{entity.path}/{name}"}
            link = ET.SubElement(entry, f"{{{ATOM}}}link", attributes)
            if name in entity.expanded:
                inline = ET.SubElement(link, f"{{{METADATA}}}inline")
                inline.append(self._atom_feed(Page(entities=entity.expanded[name])))
        if entity.media_type is None:
            holder = ET.SubElement(entry, f"{{{ATOM}}}content", {"type": "application/xml"})
        else:
            source = {"type": entity.media_type, "src": self._url(f"{entity.path}/$value")}
            ET.SubElement(entry, f"{{{ATOM}}}content", source)
            holder = entry
        properties = ET.SubElement(holder, f"{{{METADATA}}}properties")
        for name, value in entity.properties.items():
            element = ET.SubElement(properties, f"{{{DATA}}}{name}")
            _fill(element, value)
        return entry

    def _atom_feed(self, page: Page) -> ET.Element:
        feed = ET.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}base": f"{self.base_url}/"})
        ET.SubElement(feed, f"{{{ATOM}}}id").text = self.base_url
        if page.count is not None:
            ET.SubElement(feed, f"{{{METADATA}}}count").text = str(page.count)
        feed.extend([self._atom_entry(entity) for entity in page.entities])
        if page.next_url is not None:
            ET.SubElement(feed, f"{{{ATOM}}}link", {"rel": "next", "href": page.next_url})
        return feed


def _json_text(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _json_value(value: Value) -> object:
    if isinstance(value, DateTime):
        return f"/Date({value.ms})/"
    if isinstance(value, Complex):
        return {"__metadata": {"type": f"{NAMESPACE}.{value.type}"}, **value.fields}
    return value


def _xml_text(text: str) -> str:
    """Leave out what XML cannot carry."""
    return "".join(char for char in text if char >= " " or char in "\t\n\r").translate({0xFFFE: None, 0xFFFF: None})


def _fill(element: ET.Element, value: Value) -> None:
    """Write one property as Atom does: null, Edm.Boolean, Edm.DateTime, complex, or text that XML can carry."""
    if value is None:
        element.set(f"{{{METADATA}}}null", "true")
    elif isinstance(value, bool):
        element.set(f"{{{METADATA}}}type", "Edm.Boolean")
        element.text = str(value).lower()
    elif isinstance(value, DateTime):
        element.set(f"{{{METADATA}}}type", "Edm.DateTime")
        element.text = iso_time(value.ms)
    elif isinstance(value, Complex):
        element.set(f"{{{METADATA}}}type", f"{NAMESPACE}.{value.type}")
        for name, text in value.fields.items():
            _fill(ET.SubElement(element, f"{{{DATA}}}{name}"), text)
    else:
        element.text = _xml_text(value)


def wants_json(query: Mapping[str, str], accept: str) -> bool:
    """Whether ``$format``, or else ``Accept``, asks for JSON; everything else gets Atom."""
    wanted = query.get("$format", "").lower()
    return wanted == "json" or (not wanted and "json" in accept.lower())


def iso_time(ms: int) -> str:
    """Milliseconds since 1970 as ``2026-01-02T03:04:05.678``."""
    moment = datetime.fromtimestamp(ms // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}"


def literal(value: str) -> str:
    """Give a string literal for a link: quotes doubled, then percent-encoded."""
    return "'" + quote(value.replace("'", "''"), safe="") + "'"
