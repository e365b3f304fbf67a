"""Configuration parameters of integration flows (SAP Help, Integration Content)."""

from __future__ import annotations

from functools import partial

from starlette.responses import PlainTextResponse, Response

from cpi_tasks.simulator.archive import Parameter
from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.odata import ODataError, parse_filter
from cpi_tasks.simulator.rendering import Entity, literal
from cpi_tasks.simulator.routes_designtime import addressed, path_of
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import StoredArtifact

_SET = Kind.FLOW.entity_set


def _entity(artifact: StoredArtifact, parameter: Parameter) -> Entity:
    return Entity(
        type="Configuration",
        path=f"{path_of(artifact)}/Configurations({literal(parameter.key)})",
        properties={
            "ParameterKey": parameter.key,
            "ParameterValue": artifact.parameters[parameter.key],
            "DataType": parameter.data_type,
            "Description": parameter.description,
        },
    )


def _chosen(call: Call, artifact: StoredArtifact) -> list[Parameter]:
    if "$filter" not in call.query:
        return list(artifact.content.parameters.values())
    matches = parse_filter(call.query["$filter"])
    values = artifact.parameters
    return [
        item
        for item in artifact.content.parameters.values()
        if matches(
            {
                "ParameterKey": item.key,
                "ParameterValue": values[item.key],
                "DataType": item.data_type,
                "Description": item.description,
            }
        )
    ]


def list_configurations(call: Call) -> Response:
    """``GET …/Configurations``: 200, in the order of the content."""
    artifact = addressed(Kind.FLOW, call)
    return call.listing(_chosen(call, artifact), partial(_entity, artifact))


def count_configurations(call: Call) -> Response:
    """``GET …/Configurations/$count``: 200 with a plain number."""
    return PlainTextResponse(str(len(_chosen(call, addressed(Kind.FLOW, call)))))


def update_configuration(call: Call) -> Response:
    """``PUT …/$links/Configurations('key')``: 202 without a body; unknown key 404. Read-only packages allow it.

    A ``+`` in the key is taken as it stands if there is such a key, and as a space otherwise.
    """
    artifact = addressed(Kind.FLOW, call)
    segment = call.segments[-1]
    key = segment.key("ParameterKey")
    if key not in artifact.content.parameters:
        key = segment.loose.get("", segment.loose.get("ParameterKey", key))
    if key not in artifact.content.parameters:
        raise ODataError(404, f"Parameter key '{segment.key('ParameterKey')}' not found.")
    call.state.check_unlocked(artifact)
    value = call.fields().get("ParameterValue")
    if value is None:
        raise ODataError(400, "Property 'ParameterValue' is missing.")
    if (
        artifact.content.parameters[key].data_type == "xsd:integer"
        and value
        and not value.strip().lstrip("+-").isdigit()
    ):
        raise ODataError(400, f"The value of parameter '{key}' is not of type xsd:integer.")
    artifact.values[key] = value
    call.state.is_dirty = True
    if call.state.settings.parameter_write_moves_modified_at:
        call.state.touch(artifact, call.user)
    return empty(202)


ROUTES: dict[Route, Handler] = {
    ("GET", f"{_SET}()/Configurations"): list_configurations,
    ("GET", f"{_SET}()/Configurations/$count"): count_configurations,
    ("PUT", f"{_SET}()/$links/Configurations()"): update_configuration,
    ("GET", f"IntegrationPackages()/{_SET}()/Configurations"): list_configurations,
}
