"""Deploying, undeploying and looking at the runtime (SAP Help, Integration Content)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.responses import PlainTextResponse, Response

from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.deploying import deploy, undeploy
from cpi_tasks.simulator.error_information import document
from cpi_tasks.simulator.filters import choose, equality_value
from cpi_tasks.simulator.lifecycle import RuntimeArtifact
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import DateTime, Entity, literal
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import KeptRow, new_guid

NOT_DEPLOYED = "Requested entity could not be found"
_FILTERABLE = ("Id", "Version", "Name", "Type", "DeployedBy", "Status")


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


def _json_text(call: Call, item: RuntimeArtifact) -> str:
    """Give an artifact as it stands in a list; what has not changed since the last list is not written anew."""
    kept = call.state.rows.get(item.id)
    base_url = call.format.base_url
    # What is shown is a value; where nothing moves any more every look gives the same object, else an equal one.
    if kept is None or (kept.item is not item and kept.item != item) or kept.base_url != base_url:
        kept = KeptRow(item, base_url, call.format.json_text(_entity(call, item)))
        call.state.rows[item.id] = kept
    return kept.text


def _row(item: RuntimeArtifact) -> Mapping[str, str]:
    return {
        "Id": item.id,
        "Version": item.version,
        "Name": item.snapshot.name,
        "Type": item.snapshot.runtime_type,
        "DeployedBy": item.deployed_by,
        "Status": item.status,
    }


def _not_deployed(call: Call) -> ODataError:
    return ODataError(call.state.settings.not_deployed_status, f"{NOT_DEPLOYED}.", keeps_text=True)


def _shown(call: Call, artifact_id: str) -> RuntimeArtifact:
    record = call.state.runtime.get(artifact_id)
    item = record.look(call.state.clock.now_ms()) if record else None
    if item is None:
        raise _not_deployed(call)
    return item


def _chosen(call: Call) -> list[RuntimeArtifact]:
    now_ms = call.state.clock.now_ms()
    wanted = equality_value(call.query.get("$filter"), "Id")
    records = call.state.runtime
    asked = records.values() if wanted is None else [records[wanted]] if wanted in records else []
    shown = [item for record in asked if (item := record.look(now_ms)) is not None]
    return choose(call.query, shown, _row, _FILTERABLE)


def list_runtime(call: Call) -> Response:
    """``GET IntegrationRuntimeArtifacts``: 200, also empty; whether it can be counted is a setting."""
    rule = call.state.settings.runtime_inlinecount
    if rule == "refused" and "$inlinecount" in call.query:
        raise ODataError(call.state.settings.unsupported_option_status, "$inlinecount is not supported")
    return call.listing(
        _chosen(call), partial(_entity, call), counts=rule == "counted", json_text=partial(_json_text, call)
    )


def count_runtime(call: Call) -> Response:
    """``GET IntegrationRuntimeArtifacts/$count``: 200 with a plain number."""
    return PlainTextResponse(str(len(_chosen(call))))


def read_runtime(call: Call) -> Response:
    """``GET IntegrationRuntimeArtifacts('A')``: 200, or (usually) 404 where nothing is deployed (yet)."""
    return call.one(_entity(call, _shown(call, call.head.key("Id"))))


def stop(call: Call) -> Response:
    """``DELETE IntegrationRuntimeArtifacts('A')``: 202, (usually) STOPPING, then 404; 404 where nothing is deployed."""
    item = _shown(call, call.head.key("Id"))
    if call.state.record(item.id).is_stopping(call.state.clock.now_ms()):
        raise _not_deployed(call)
    undeploy(call.state, item.id)
    return empty(202)


def error_information(call: Call) -> Response:
    """``GET …/ErrorInformation/$value``: 200 with JSON; 204 while there is none; 404 where nothing is deployed."""
    item = _shown(call, call.head.key("Id"))
    settings = call.state.settings
    if item.status != "ERROR" or not item.error:
        if settings.healthy_error_information == 204:  # noqa: PLR2004 - No Content
            return empty(204)
        raise ODataError(404, f"{NOT_DEPLOYED}.")
    if settings.error_information_accept == "not-json" and "json" in call.accept.lower():
        raise ODataError(406, None)
    usual_delay_ms = settings.error_information_delay_s * 1000
    if not call.state.record(item.id).has_error_information(item, call.state.clock.now_ms(), usual_delay_ms):
        return empty(204)
    return document(item.error, settings.error_shape)


def error_navigation(call: Call) -> Response:
    """``GET …/ErrorInformation`` without ``$value``: 404, or 200 with an entry that only links to the value."""
    item = _shown(call, call.head.key("Id"))
    if call.state.settings.error_navigation == "not-found":
        raise ODataError(404, "Could not find an entity set or function import for 'ErrorInformation'.")
    return call.one(
        Entity(
            type="RuntimeArtifactErrorInformation",
            path=f"IntegrationRuntimeArtifacts({literal(item.id)})/ErrorInformation",
            properties={"Id": item.id},
            media_type="application/json",
        )
    )


def task_status(call: Call) -> Response:
    """``GET BuildAndDeployStatus(TaskId='…')``: 200 or 404."""
    task_id = call.head.key("TaskId")
    deployment = call.state.tasks.get(task_id)
    if deployment is None:
        raise ODataError(404, f"{NOT_DEPLOYED}.")
    status = deployment.task_status(call.state.clock.now_ms())
    if call.state.settings.task_words == "capitalised":
        status = status.capitalize()
    return call.one(
        Entity(
            type="BuildAndDeployStatus",
            path=f"BuildAndDeployStatus({literal(task_id)})",
            properties={"TaskId": task_id, "Status": status},
        )
    )


def trigger(kind: Kind, call: Call) -> Response:
    """``POST Deploy<X>DesigntimeArtifact?Id=&Version=``: 202 with the bare task id for flows, empty for the others."""
    version = call.argument("Version")
    artifact = call.state.artifact(kind, call.argument("Id"), version)
    call.state.check_unlocked(artifact, "deploy")
    settings = call.state.settings
    if settings.deploys_version_numbers or version.lower() in {"active", "draft"}:
        task_id = deploy(call.state, artifact, call.user).task_id
    else:
        task_id = new_guid()
    if kind is not Kind.FLOW and not settings.gives_task_id_for_all:
        return empty(202)
    forms = {"bare": task_id, "quoted": f'"{task_id}"', "newline": f"{task_id}\n"}
    return PlainTextResponse(forms[settings.task_id_form], 202)


ROUTES: dict[Route, Handler] = {("POST", f"Deploy{kind.entity_type}"): partial(trigger, kind) for kind in Kind} | {
    ("GET", "IntegrationRuntimeArtifacts"): list_runtime,
    ("GET", "IntegrationRuntimeArtifacts/$count"): count_runtime,
    ("GET", "IntegrationRuntimeArtifacts()"): read_runtime,
    ("DELETE", "IntegrationRuntimeArtifacts()"): stop,
    ("GET", "IntegrationRuntimeArtifacts()/ErrorInformation"): error_navigation,
    ("GET", "IntegrationRuntimeArtifacts()/ErrorInformation/$value"): error_information,
    ("GET", "BuildAndDeployStatus()"): task_status,
}
