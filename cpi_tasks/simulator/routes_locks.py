"""Design-time locks: who has which artifact open in the editor (SAP Help, Integration Content)."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import DateTime, Entity, literal
from cpi_tasks.simulator.state import Lock


def list_locks(call: Call) -> Response:
    """``GET IntegrationDesigntimeLocks``: 200, or 403 without the role."""
    _check_role(call)
    return call.listing(list(call.state.locks.values()), partial(_entity, call))


def read_lock(call: Call) -> Response:
    """``GET IntegrationDesigntimeLocks('R')``: 200, 404, or 403 without the role."""
    _check_role(call)
    return call.one(_entity(call, _addressed(call)))


def delete_lock(call: Call) -> Response:
    """``DELETE IntegrationDesigntimeLocks('R')``: 200 without a body, 404; 403 or 501 where the tenant refuses it."""
    rule = call.state.settings.lock_deletion
    if rule == "not-implemented":
        raise ODataError(501, "Not implemented")
    if rule == "forbidden":
        raise ODataError(403, None)
    lock = _addressed(call)
    del call.state.locks[lock.artifact_id]
    call.state.is_dirty = True
    return empty(200)


def _check_role(call: Call) -> None:
    if not call.state.settings.may_read_locks:
        raise ODataError(403, None)


def _addressed(call: Call) -> Lock:
    wanted = call.head.key("ResourceId")
    found = next((lock for lock in call.state.locks.values() if lock.resource_id == wanted), None)
    if found is None:
        raise ODataError(404, "Requested entity could not be found.")
    return found


def _entity(call: Call, lock: Lock) -> Entity:
    artifact = call.state.artifacts[lock.artifact_id]
    return Entity(
        type="IntegrationDesigntimeLock",
        path=f"IntegrationDesigntimeLocks({literal(lock.resource_id)})",
        properties={
            "ResourceId": lock.resource_id,
            "ArtifactId": artifact.id,
            "ArtifactName": artifact.name,
            "ArtifactType": artifact.kind.value,
            "PackageId": artifact.package_id,
            "PackageName": call.state.packages[artifact.package_id].name,
            "CreatedAt": DateTime(lock.created_ms),
            "CreatedBy": lock.user,
        },
    )


ROUTES: dict[Route, Handler] = {
    ("GET", "IntegrationDesigntimeLocks"): list_locks,
    ("GET", "IntegrationDesigntimeLocks()"): read_lock,
    ("DELETE", "IntegrationDesigntimeLocks()"): delete_lock,
}
