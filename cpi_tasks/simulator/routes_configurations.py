"""Configuration parameters of integration flows (SAP Help, Integration Content)."""

from __future__ import annotations

import html
import re
from functools import partial

from starlette.responses import PlainTextResponse, Response

from cpi_tasks.simulator.archive import Parameter
from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.filters import Row, choose
from cpi_tasks.simulator.odata import ODataError, Segment
from cpi_tasks.simulator.rendering import Entity, literal
from cpi_tasks.simulator.routes_designtime import addressed, path_of
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import NOT_FOUND, StoredArtifact, TenantState

_SET = Kind.FLOW.entity_set
PROPERTIES = ("ParameterKey", "ParameterValue", "DataType", "Description")
_PATTERNS = {
    "xsd:integer": r"[+-]?\d+",
    "xsd:int": r"[+-]?\d+",
    "xsd:long": r"[+-]?\d+",
    "xsd:decimal": r"[+-]?(\d+(\.\d*)?|\.\d+)",
    "xsd:boolean": r"true|false|0|1",
    "xsd:date": r"\d{4}-\d{2}-\d{2}",
    "custom:schedule": r"<row>.*</row>|",
}


def _row(artifact: StoredArtifact, parameter: Parameter) -> Row:
    value = artifact.values.get(parameter.key, parameter.value or "")
    return dict(zip(PROPERTIES, (parameter.key, value, parameter.data_type, parameter.description), strict=True))


def _entity(call: Call, artifact: StoredArtifact, parameter: Parameter) -> Entity:
    path = f"{path_of(call, artifact)}/Configurations({literal(parameter.key)})"
    return Entity(type="Configuration", path=path, properties=_row(artifact, parameter))


def _addressed(call: Call) -> StoredArtifact:
    """Give the flow; where the tenant hides the parameters of drafts, they are 404."""
    artifact = addressed(Kind.FLOW, call)
    if artifact.is_draft and call.state.settings.configurations_of_draft == "not-found":
        raise ODataError(404, NOT_FOUND)
    return artifact


def _chosen(call: Call, artifact: StoredArtifact) -> list[Parameter]:
    parameters = list(artifact.definitions.values())
    return choose(call.query, parameters, partial(_row, artifact), PROPERTIES)


def list_configurations(call: Call) -> Response:
    """``GET …/Configurations``: 200, in the order of the content; ``$filter``, ``$select`` and ``$orderby`` work."""
    artifact = _addressed(call)
    return call.listing(_chosen(call, artifact), partial(_entity, call, artifact))


def count_configurations(call: Call) -> Response:
    """``GET …/Configurations/$count``: 200 with a plain number."""
    return PlainTextResponse(str(len(_chosen(call, _addressed(call)))))


def read_configuration(call: Call) -> Response:
    """``GET …/Configurations('key')``: 200 or 404."""
    artifact = _addressed(call)
    key = _key(call.state, artifact, call.segments[-1])
    return call.one(_entity(call, artifact, artifact.definitions[key]))


def update_configuration(call: Call) -> Response:
    """``PUT …/$links/Configurations('key')``: 202 without a body; unknown key 404. Read-only packages allow it."""
    artifact = _addressed(call)
    key = _key(call.state, artifact, call.segments[-1])
    call.state.check_unlocked(artifact, "configure")
    value = call.fields().get("ParameterValue")
    if value is None:
        raise ODataError(400, "Property 'ParameterValue' is missing.")
    settings = call.state.settings
    if settings.entity_encoded_values == "decoded":
        value = html.unescape(value)
    _check_value(call.state, artifact.definitions[key], value)
    artifact.values[key] = value
    call.state.is_dirty = True
    if settings.parameter_write_moves_modified_at:
        call.state.touch(artifact, call.user)
    return empty(202)


def _key(state: TenantState, artifact: StoredArtifact, segment: Segment) -> str:
    """Find the key a segment means, else 404.

    A ``+`` is taken as it stands if there is such a key, and as a space otherwise; some tenants ignore the case.
    """
    asked = segment.key("ParameterKey")
    known = artifact.definitions
    spellings = (asked, segment.loose.get("", segment.loose.get("ParameterKey", asked)))
    for spelling in spellings:
        if spelling in known:
            return spelling
    if not state.settings.parameter_keys_case_sensitive:
        folded = {key.casefold(): key for key in known}
        for spelling in spellings:
            if spelling.casefold() in folded:
                return folded[spelling.casefold()]
    raise ODataError(404, f"Parameter key '{asked}' not found.")


def _check_value(state: TenantState, parameter: Parameter, value: str) -> None:
    if not value:
        if state.settings.empty_parameter_values == "refused":
            raise ODataError(400, f"The value of parameter '{parameter.key}' cannot be empty.")
        return
    rule = state.settings.value_validation
    is_checked = rule == "by-type" or (rule == "integers" and parameter.data_type == "xsd:integer")
    pattern = _PATTERNS.get(parameter.data_type, ".*")
    if is_checked and not re.fullmatch(pattern, value.strip(), re.DOTALL):
        raise ODataError(400, f"The value of parameter '{parameter.key}' is not of type {parameter.data_type}.")


ROUTES: dict[Route, Handler] = {
    ("GET", f"{_SET}()/Configurations"): list_configurations,
    ("GET", f"{_SET}()/Configurations/$count"): count_configurations,
    ("GET", f"{_SET}()/Configurations()"): read_configuration,
    ("PUT", f"{_SET}()/$links/Configurations()"): update_configuration,
    ("GET", f"IntegrationPackages()/{_SET}()/Configurations"): list_configurations,
    ("GET", f"IntegrationPackages()/{_SET}()/Configurations/$count"): count_configurations,
}
