"""Entries of value mappings (SAP Help, Integration Content)."""

from __future__ import annotations

import re
from functools import partial

from starlette.responses import Response

from cpi_tasks.simulator import archive, operations
from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import Complex, Entity, literal
from cpi_tasks.simulator.routes_designtime import addressed, path_of
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import StoredArtifact
from cpi_tasks.simulator.value_maps import FILE, Scheme, ValueMap, ValueMapFile

_KEYS = ("SrcAgency", "SrcId", "TgtAgency", "TgtId")
_CONFIGURED = "configured"
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _file(artifact: StoredArtifact) -> ValueMapFile:
    return ValueMapFile(archive.unpack(artifact.archive))


def _schema_entity(call: Call, artifact: StoredArtifact, scheme: Scheme) -> Entity:
    properties = dict(zip(_KEYS, scheme.parts, strict=True))
    key = ",".join(f"{name}={literal(value)}" for name, value in properties.items())
    # Which schemes are configured is kept where flows keep the values of their parameters.
    state = "Configured" if artifact.values.get(scheme.key) else "Not Configured"
    return Entity(
        type="ValMapSchema",
        path=f"{path_of(call, artifact)}/ValMapSchema({key})",
        properties={**properties, "State": state},
        navigations=("ValMaps", "DefaultValMaps"),
    )


def _map_entity(call: Call, artifact: StoredArtifact, scheme: Scheme, item: ValueMap) -> Entity:
    schema = _schema_entity(call, artifact, scheme)
    return Entity(
        type="ValMap",
        path=f"{schema.path}/ValMaps({literal(item.id)})",
        properties={"Id": item.id, "Value": Complex("Value", {"SrcValue": item.source, "TgtValue": item.target})},
    )


def _addressed(call: Call) -> tuple[StoredArtifact, Scheme]:
    artifact = addressed(Kind.VALUE_MAPPING, call)
    segment = next(part for part in call.segments if part.name == "ValMapSchema")
    scheme = Scheme(*(segment.key(name) for name in _KEYS))
    if scheme not in _file(artifact).schemes():
        raise ODataError(404, "Value mapping schema not found.")
    return artifact, scheme


def list_schemas(call: Call) -> Response:
    """``GET ValueMappingDesigntimeArtifacts(…)/ValMapSchema``: 200."""
    artifact = addressed(Kind.VALUE_MAPPING, call)
    return call.listing(_file(artifact).schemes(), partial(_schema_entity, call, artifact))


def read_schema(call: Call) -> Response:
    """``GET …/ValMapSchema(SrcAgency='',SrcId='',TgtAgency='',TgtId='')``: 200 or 404."""
    artifact, scheme = _addressed(call)
    return call.one(_schema_entity(call, artifact, scheme))


def list_maps(call: Call) -> Response:
    """``GET …/ValMapSchema(…)/ValMaps``: 200."""
    artifact, scheme = _addressed(call)
    return call.listing(_file(artifact).maps(scheme), partial(_map_entity, call, artifact, scheme))


def list_defaults(call: Call) -> Response:
    """``GET …/ValMapSchema(…)/DefaultValMaps``: 200 with the default pair, if one was chosen."""
    artifact, scheme = _addressed(call)
    chosen = artifact.values.get(f"default\0{scheme.key}")
    found = [item for item in _file(artifact).maps(scheme) if item.id == chosen]
    return call.listing(found, partial(_map_entity, call, artifact, scheme))


def _written(call: Call) -> tuple[StoredArtifact, Scheme]:
    artifact = call.state.artifact(Kind.VALUE_MAPPING, call.argument("Id"), call.argument("Version"))
    scheme = Scheme(*(call.argument(name) for name in _KEYS))
    call.state.check_writable(artifact, "update")
    return artifact, scheme


def _check_configured(call: Call, artifact: StoredArtifact, scheme: Scheme) -> bool:
    """Read ``IsConfigured``; a configured scheme cannot go back (400)."""
    text = call.query.get("IsConfigured", "").strip("'").lower()
    if text not in {"true", "false"}:
        raise ODataError(400, "Parameter 'IsConfigured' must be true or false.")
    if text == "false" and artifact.values.get(scheme.key):
        raise ODataError(400, "A configured value mapping schema cannot be changed to not configured.")
    return text == "true"


def upsert(call: Call) -> Response:
    """``POST UpsertValMaps?Id=&Version=&…&SrcValue=&TgtValue=[&ValMapId=]&IsConfigured=``: 202 without a body."""
    artifact, scheme = _written(call)
    is_configured = _check_configured(call, artifact, scheme)
    entries = archive.unpack(artifact.archive)
    file = ValueMapFile(entries)
    map_id = call.argument("ValMapId") if "ValMapId" in call.query else ""
    values = {"source": call.argument("SrcValue"), "target": call.argument("TgtValue")}
    if any(_NOT_IN_XML.search(text) for text in [*values.values(), *scheme.parts]):
        raise ODataError(400, "A value or identifier has a character that XML cannot carry.")
    if call.state.settings.value_mapping_functions == "as-observed":
        file.drop(scheme)
        map_id = ""
    file.put(scheme, **values, map_id=map_id)
    operations.change_files(call.state, artifact, {**entries, FILE: file.render()}, call.user)
    if is_configured:
        artifact.values[scheme.key] = _CONFIGURED
    return empty(202)


def update_default(call: Call) -> Response:
    """``POST UpdateDefaultValMap?…&ValMapId=&IsConfigured=``: 202 without a body; an unknown pair 404."""
    artifact, scheme = _written(call)
    is_configured = _check_configured(call, artifact, scheme)
    map_id = call.argument("ValMapId")
    if map_id not in {item.id for item in _file(artifact).maps(scheme)}:
        raise ODataError(404, f"Value map '{map_id}' not found.")
    artifact.values[f"default\0{scheme.key}"] = map_id
    if is_configured:
        artifact.values[scheme.key] = _CONFIGURED
    call.state.touch(artifact, call.user)
    return empty(202)


def delete_maps(call: Call) -> Response:
    """``POST DeleteValMaps?Id=&Version=&SrcAgency=&SrcId=&TgtAgency=&TgtId=``: an empty 202; unknown scheme 404."""
    artifact, scheme = _written(call)
    entries = archive.unpack(artifact.archive)
    file = ValueMapFile(entries)
    if scheme not in file.schemes():
        raise ODataError(404, "Value mapping schema not found.")
    if call.state.settings.value_mapping_functions == "working":
        file.drop(scheme)
        operations.change_files(call.state, artifact, {**entries, FILE: file.render()}, call.user)
    return empty(202)


_SCHEMAS = f"{Kind.VALUE_MAPPING.entity_set}()/ValMapSchema"
ROUTES: dict[Route, Handler] = {
    ("GET", _SCHEMAS): list_schemas,
    ("GET", f"{_SCHEMAS}()"): read_schema,
    ("GET", f"{_SCHEMAS}()/ValMaps"): list_maps,
    ("GET", f"{_SCHEMAS}()/DefaultValMaps"): list_defaults,
    ("POST", "UpsertValMaps"): upsert,
    ("POST", "UpdateDefaultValMap"): update_default,
    ("POST", "DeleteValMaps"): delete_maps,
}
