"""Resources of integration flows, and of other families where the tenant has them (SAP Help, Integration Content)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.responses import PlainTextResponse, Response

from cpi_tasks.simulator import archive, operations, resources
from cpi_tasks.simulator.call import Call, Handler, Route, decode_base64, empty
from cpi_tasks.simulator.filters import choose
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import Entity, literal
from cpi_tasks.simulator.resources import Resource
from cpi_tasks.simulator.routes_designtime import addressed, path_of
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import NOT_FOUND, StoredArtifact

PROPERTIES = ("Name", "ResourceType", "ReferencedResourceType")
FamilyHandler = Callable[[Kind, Call], Response]


def _readable(kind: Kind, call: Call) -> StoredArtifact:
    if kind is not Kind.FLOW and call.state.settings.resources_of_other_families != "allowed":
        raise ODataError(404, NOT_FOUND)
    return addressed(kind, call)


def _writable(kind: Kind, call: Call) -> StoredArtifact:
    if kind is not Kind.FLOW and call.state.settings.resources_of_other_families == "not-found":
        raise ODataError(404, NOT_FOUND)
    artifact = addressed(kind, call)
    call.state.check_writable(artifact, "update")
    return artifact


def _row(item: Resource) -> dict[str, str]:
    return {"Name": item.name, "ResourceType": item.type, "ReferencedResourceType": item.referenced_type}


def _referenced_type(call: Call, item: Resource) -> str | None:
    """Return the type, or what this tenant shows where there is none."""
    return item.referenced_type or (None if call.state.settings.plain_referenced_type == "null" else "")


def _entity(call: Call, artifact: StoredArtifact, item: Resource) -> Entity:
    key = f"Name={literal(item.name)},ResourceType={literal(item.type)}"
    return Entity(
        type="Resource",
        path=f"{path_of(call, artifact)}/Resources({key})",
        properties={
            **_row(item),
            "ReferencedResourceType": _referenced_type(call, item),
            "ResourceContent": None,
        },
        media_type="application/octet-stream",
    )


def _chosen(call: Call, artifact: StoredArtifact) -> list[Resource]:
    return choose(call.query, resources.find(archive.unpack(artifact.archive)), _row, PROPERTIES)


def _found(call: Call, artifact: StoredArtifact) -> Resource:
    segment = next(part for part in call.segments if part.name == "Resources")
    name, type_ = segment.key("Name"), segment.key("ResourceType")
    referenced = (segment.keys or {}).get("ReferencedResourceType", call.query.get("ReferencedResourceType", ""))
    for item in resources.find(archive.unpack(artifact.archive)):
        if (item.name, item.type) == (name, type_) and referenced.strip("'") in {"", item.referenced_type}:
            return item
    raise ODataError(404, f"Resource '{name}' of type '{type_}' not found.")


def list_resources(kind: Kind, call: Call) -> Response:
    """``GET …/Resources``: 200; ``ResourceContent`` is null, ``$value`` gives it."""
    artifact = _readable(kind, call)
    return call.listing(_chosen(call, artifact), partial(_entity, call, artifact))


def count_resources(kind: Kind, call: Call) -> Response:
    """``GET …/Resources/$count``: 200 with a plain number."""
    return PlainTextResponse(str(len(_chosen(call, _readable(kind, call)))))


def read_resource(kind: Kind, call: Call) -> Response:
    """``GET …/Resources(Name='n',ResourceType='t')``: 200 or 404."""
    artifact = _readable(kind, call)
    return call.one(_entity(call, artifact, _found(call, artifact)))


def download_resource(kind: Kind, call: Call) -> Response:
    """``GET …/Resources(…)/$value``: 200 with the bytes of the file; refused in a read-only package."""
    artifact = _readable(kind, call)
    call.state.check_content_writable(call.state.package(artifact.package_id), kind)
    item = _found(call, artifact)
    return Response(archive.unpack(artifact.archive)[item.path], 200, media_type="application/octet-stream")


def add_resource(kind: Kind, call: Call) -> Response:
    """``POST …/Resources``: 201 with the entity; an existing name, unknown type or bad content 400."""
    artifact = _writable(kind, call)
    sent = call.fields()
    for name in ("Name", "ResourceType", "ResourceContent"):
        if not sent.get(name):
            raise ODataError(400, f"Property '{name}' cannot be empty")
    path = resources.place(sent["Name"], sent["ResourceType"], sent.get("ReferencedResourceType", ""))
    entries = archive.unpack(artifact.archive)
    if path in entries:
        raise ODataError(400, f"Resource '{sent['Name']}' of type '{sent['ResourceType']}' already exists.")
    content = decode_base64(sent["ResourceContent"], "resource content")
    operations.change_files(call.state, artifact, {**entries, path: content}, call.user)
    # A mapping's file is renamed on storing: what is answered is what is there now.
    added = next((item for item in resources.find(archive.unpack(artifact.archive)) if item.path == path), None)
    answered = added or Resource(name=sent["Name"], type=sent["ResourceType"], path=path)
    return call.format.entity(_entity(call, artifact, answered), 201)


def change_resource(kind: Kind, call: Call) -> Response:
    """``PUT …/$links/Resources(…)``: 202 or 200 without a body; unknown 404, bad content 400."""
    artifact = _writable(kind, call)
    item = _found(call, artifact)
    text = call.fields().get("ResourceContent")
    if text is None:
        raise ODataError(400, "Property 'ResourceContent' is missing.")
    entries = {**archive.unpack(artifact.archive), item.path: decode_base64(text, "resource content")}
    operations.change_files(call.state, artifact, entries, call.user)
    return empty(call.state.settings.resource_update_status)


def delete_resource(kind: Kind, call: Call) -> Response:
    """``DELETE …/$links/Resources(…)``: 200 without a body; unknown 404."""
    artifact = _writable(kind, call)
    item = _found(call, artifact)
    entries = {path: data for path, data in archive.unpack(artifact.archive).items() if path != item.path}
    operations.change_files(call.state, artifact, entries, call.user)
    return empty(200)


def _unknown(_call: Call) -> Response:
    raise ODataError(404, NOT_FOUND)


def _routes(kind: Kind) -> dict[Route, FamilyHandler]:
    name = kind.entity_set
    return {
        ("GET", f"{name}()/Resources"): list_resources,
        ("GET", f"{name}()/Resources/$count"): count_resources,
        ("GET", f"{name}()/Resources()"): read_resource,
        ("GET", f"{name}()/Resources()/$value"): download_resource,
        ("POST", f"{name}()/Resources"): add_resource,
        ("PUT", f"{name}()/$links/Resources()"): change_resource,
        ("DELETE", f"{name}()/$links/Resources()"): delete_resource,
    }


_FAMILIES = (Kind.FLOW, Kind.MESSAGE_MAPPING, Kind.SCRIPT_COLLECTION)
ROUTES: dict[Route, Handler] = {
    route: partial(handler, kind) for kind in _FAMILIES for route, handler in _routes(kind).items()
} | {("GET", f"{Kind.VALUE_MAPPING.entity_set}()/Resources"): _unknown}
