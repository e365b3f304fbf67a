"""Deploying, undeploying and looking at the runtime (SAP Help, Integration Content)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from starlette.responses import PlainTextResponse, Response

from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.deploying import deploy
from cpi_tasks.simulator.lifecycle import RuntimeArtifact, Undeployment
from cpi_tasks.simulator.odata import ODataError, equality_value, parse_filter
from cpi_tasks.simulator.rendering import DateTime, Entity, literal
from cpi_tasks.simulator.settings import Kind

NOT_DEPLOYED = "Requested entity could not be found"


def _entity(call: Call, item: RuntimeArtifact) -> Entity:
    shows_time = call.state.settings.gives_deployed_on
    return Entity(
        type="IntegrationRuntimeArtifact",
        path=f"IntegrationRuntimeArtifacts({literal(item.id)})",
        properties={
            **_row(item),
            "DeployedOn": DateTime(item.deployed_on) if shows_time else None,
        },
        navigations=("ErrorInformation",),
        media_type="application/octet-stream",
    )


def _row(item: RuntimeArtifact) -> Mapping[str, str]:
    return {
        "Id": item.id,
        "Version": item.version,
        "Name": item.snapshot.name,
        "Type": item.snapshot.runtime_type,
        "DeployedBy": item.deployed_by,
        "Status": item.status,
    }


def _shown(call: Call, artifact_id: str) -> RuntimeArtifact:
    record = call.state.runtime.get(artifact_id)
    item = record.look(call.state.clock.now_ms()) if record else None
    if item is None:
        raise ODataError(404, f"{NOT_DEPLOYED}.")
    return item


def _chosen(call: Call) -> list[RuntimeArtifact]:
    now_ms = call.state.clock.now_ms()
    text = call.query.get("$filter")
    wanted = equality_value(text, "Id")
    if wanted is not None:
        record = call.state.runtime.get(wanted)
        looks = [record.look(now_ms)] if record else []
        return [item for item in looks if item is not None]
    matches = parse_filter(text)
    looks = [record.look(now_ms) for record in call.state.runtime.values()]
    return [item for item in looks if item is not None and matches(_row(item))]


def list_runtime(call: Call) -> Response:
    """``GET IntegrationRuntimeArtifacts``: 200, also empty."""
    return call.listing(_chosen(call), partial(_entity, call))


def count_runtime(call: Call) -> Response:
    """``GET IntegrationRuntimeArtifacts/$count``: 200 with a plain number."""
    return PlainTextResponse(str(len(_chosen(call))))


def read_runtime(call: Call) -> Response:
    """``GET IntegrationRuntimeArtifacts('A')``: 200, or 404 where nothing is deployed (yet)."""
    return call.one(_entity(call, _shown(call, call.head.key("Id"))))


def undeploy(call: Call) -> Response:
    """``DELETE IntegrationRuntimeArtifacts('A')``: 202, then STOPPING, then 404; 404 where nothing is deployed."""
    item = _shown(call, call.head.key("Id"))
    if item.status == "STOPPING":
        raise ODataError(404, f"{NOT_DEPLOYED}.")
    stop = Undeployment(triggered_ms=call.state.clock.now_ms(), duration_ms=call.state.settings.stop_s * 1000)
    call.state.record(item.id).add(stop)
    call.state.is_dirty = True
    return empty(202)


def error_information(call: Call) -> Response:
    """``GET …/ErrorInformation/$value``: 200 with JSON; 204 while there is none; 404 where nothing is deployed."""
    item = _shown(call, call.head.key("Id"))
    if item.status != "ERROR" or not item.error:
        return empty(204)
    settings = call.state.settings
    if settings.error_information_accept == "not-json" and "json" in call.accept.lower():
        raise ODataError(406, None)
    looks = call.state.record(item.id).error_looks
    looks[item.deployed_on] = looks.get(item.deployed_on, 0) + 1
    if looks[item.deployed_on] <= settings.error_information_delay_looks:
        return empty(204)
    message = {
        "subsystemName": "CONTENT",
        "subsytemPartName": "CONTENT_DEPLOY",
        "messageId": "GenerationFailed",
        "messageText": "",
    }
    return Response(json.dumps({"message": message, "parameter": [item.error]}), media_type="application/json")


def task_status(call: Call) -> Response:
    """``GET BuildAndDeployStatus(TaskId='…')``: 200 or 404."""
    task_id = call.head.key("TaskId")
    deployment = call.state.tasks.get(task_id)
    if deployment is None:
        raise ODataError(404, f"{NOT_DEPLOYED}.")
    status = deployment.task_status(call.state.clock.now_ms())
    return call.one(
        Entity(
            type="BuildAndDeployStatus",
            path=f"BuildAndDeployStatus({literal(task_id)})",
            properties={"TaskId": task_id, "Status": status},
        )
    )


def trigger(kind: Kind, call: Call) -> Response:
    """``POST Deploy<X>DesigntimeArtifact?Id=&Version=``: 202 with the bare task id for flows, empty for the others."""
    artifact = call.state.artifact(kind, call.argument("Id"), call.argument("Version"))
    deployment = deploy(call.state, artifact, call.user)
    if kind is Kind.FLOW or call.state.settings.gives_task_id_for_all:
        return PlainTextResponse(deployment.task_id, 202)
    return empty(202)


def empty_list(call: Call) -> Response:
    """Answer for sets this tenant knows but never fills (``ServiceEndpoints``, ``MessageProcessingLogs``): 200."""
    nothing: list[RuntimeArtifact] = []
    return call.listing(nothing, partial(_entity, call))


ROUTES: dict[Route, Handler] = {("POST", f"Deploy{kind.entity_type}"): partial(trigger, kind) for kind in Kind} | {
    ("GET", "IntegrationRuntimeArtifacts"): list_runtime,
    ("GET", "IntegrationRuntimeArtifacts/$count"): count_runtime,
    ("GET", "IntegrationRuntimeArtifacts()"): read_runtime,
    ("DELETE", "IntegrationRuntimeArtifacts()"): undeploy,
    ("GET", "IntegrationRuntimeArtifacts()/ErrorInformation/$value"): error_information,
    ("GET", "BuildAndDeployStatus()"): task_status,
    ("GET", "ServiceEndpoints"): empty_list,
    ("GET", "MessageProcessingLogs"): empty_list,
}
