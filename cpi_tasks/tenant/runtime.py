"""Deployments and what runs: build tasks, runtime artifacts, their error information."""

from __future__ import annotations

import http
import json
import re
from dataclasses import replace

from cpi_tasks.errors import Call, RequestFailed, RequestRejected
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, TaskId
from cpi_tasks.model.tenant import RuntimeArtifact
from cpi_tasks.tenant import odata
from cpi_tasks.tenant.errorinfo import error_text
from cpi_tasks.tenant.session import Session, is_unknown
from cpi_tasks.tenant.text import decoded
from cpi_tasks.tenant.verdict import Request, listing, reading, writing
from cpi_tasks.tenant.wire import Answer

DEPLOY_ROLE = "WorkspaceArtifactsDeploy"
MONITORING_ROLE = "MonitoringDataRead"

_MAY_MEAN_ABSENT = frozenset({400, 500})
_NOT_DEPLOYED = "requested entity could not be found"
_TASK_ID = re.compile(r"(?=[^0-9]*[0-9])[0-9A-Za-z][0-9A-Za-z._-]{5,127}")


class RuntimeCalls:
    """Calls on deployments and runtime artifacts."""

    def __init__(self, session: Session) -> None:
        """Take the session all calls go through."""
        self._session = session

    async def trigger_deployment(self, artifact: ArtifactId, kind: ArtifactKind) -> TaskId | None:
        """Ask for a deployment: ``POST Deploy<X>DesigntimeArtifact?Id='A'&Version='active'``, 202 (or 200).

        Flows are answered with a bare task id as text, other families often with nothing: ``None``.
        ``RequestRejected``: 404 for an unknown artifact, 400 for another runtime profile (SAP, Integration Content;
        Piper; iflowkit).
        """
        path = odata.call(f"Deploy{kind.api_name}DesigntimeArtifact", Id=artifact, Version="active")
        action = f"deploy {kind.label} {artifact!r}"
        answer = await self._session.write(writing("POST", path, action=action, role=DEPLOY_ROLE, call=Call.DEPLOY))
        return None if answer is None else task_id(answer.content)

    async def read_build_status(self, task: TaskId) -> str | None:
        """Read a build task: ``GET BuildAndDeployStatus(TaskId='T')``, 200; 404 gives ``None``.

        DEPLOYING, SUCCESS, FAIL or FAIL_ON_LICENSE_ERROR, whatever its case (SAP Help, Integration Content).
        """
        path = f"{odata.API_ROOT}BuildAndDeployStatus(TaskId={odata.literal(task)})"
        request = reading(path, action=f"read build task {task!r}", role=DEPLOY_ROLE)
        return await self._session.find(request, _build_status) or None

    async def list_runtime_artifacts(self) -> dict[ArtifactId, RuntimeArtifact]:
        """List all that is deployed, by its id: ``GET IntegrationRuntimeArtifacts``, 200, by pages.

        Source: SAP, Integration Content.
        """
        path = odata.API_ROOT + "IntegrationRuntimeArtifacts"
        request = listing(path, action="list the runtime artifacts", role=MONITORING_ROLE)
        return {row.id: row for row in await self._session.collect(request, _runtime_artifact)}

    async def read_runtime_artifact(self, artifact: ArtifactId) -> RuntimeArtifact | None:
        """Read one: ``GET IntegrationRuntimeArtifacts('A')``, 200; ``None`` where it is not deployed.

        That is a 404, since late 2024 on some tenants another status with "Requested entity could not be found"
        (SAP, Integration Content; flashpipe). An error without any text may mean the same: then the list is asked.
        """
        path = odata.keyed("IntegrationRuntimeArtifacts", artifact)
        request = reading(path, action=f"read runtime artifact {artifact!r}", role=MONITORING_ROLE)
        try:
            return await self._session.find(
                request, lambda answer: _runtime_artifact(odata.entity(answer.content)), _is_not_deployed
            )
        except RequestRejected as rejected:
            if rejected.detail or rejected.status not in _MAY_MEAN_ABSENT:
                raise
            return await self._filter_runtime_artifacts(artifact, rejected)

    async def _filter_runtime_artifacts(self, artifact: ArtifactId, unclear: RequestRejected) -> RuntimeArtifact | None:
        """Ask by filter: ``GET IntegrationRuntimeArtifacts?$filter=Id eq 'A'``, 200; an empty list is a clear answer.

        Raises ``unclear`` where the tenant refuses that as well (SAP, Integration Content).
        """
        path = f"{odata.API_ROOT}IntegrationRuntimeArtifacts?$filter=Id%20eq%20{odata.literal(artifact)}"
        request = listing(path, action=unclear.action, role=MONITORING_ROLE)
        try:
            found = await self._session.collect(request, _runtime_artifact)
        except RequestFailed:
            raise unclear from None
        return next((one for one in found if one.id == artifact), None)

    async def read_error_information(self, artifact: ArtifactId) -> str | None:
        """Read the cause of an ERROR: ``GET IntegrationRuntimeArtifacts('A')/ErrorInformation/$value``, 200.

        204 (not available yet) and 404 give ``None``. A tenant that finds ``*/*`` not acceptable (406) is asked for
        XML, and answers JSON all the same (flashpipe, landscaper).
        """
        request = Request(
            method="GET",
            path=f"{odata.keyed('IntegrationRuntimeArtifacts', artifact)}/ErrorInformation/$value",
            action=f"read the error information of runtime artifact {artifact!r}",
            role=MONITORING_ROLE,
            accept="*/*",
            success=frozenset({http.HTTPStatus.OK, http.HTTPStatus.NO_CONTENT}),
        )
        try:
            return await self._session.find(request, _error_information, _is_not_deployed)
        except RequestRejected as rejected:
            if rejected.status != http.HTTPStatus.NOT_ACCEPTABLE:
                raise
        request = replace(request, accept="application/xml")
        return await self._session.find(request, _error_information, _is_not_deployed)


def task_id(content: bytes) -> TaskId | None:
    """Find the task id in the answer to a deployment; ``None`` where the text does not look like one."""
    body = decoded(content).strip()
    if body.startswith("{"):
        try:
            body = _innermost_text(json.loads(body))
        except (ValueError, RecursionError):
            return None
    candidate = body.strip().strip("\"'").strip()
    return TaskId(candidate) if _TASK_ID.fullmatch(candidate) else None


def _innermost_text(document: object) -> str:
    """Follow ``{"d": ...}`` and one more object, where it has a task id or a single text, to the text."""
    for _ in range(3):
        if not isinstance(document, dict):
            break
        document = document.get("d", document.get("TaskId", next(iter(document.values()), None)))
    return document if isinstance(document, str) else ""


def _is_not_deployed(rejected: RequestRejected) -> bool:
    return is_unknown(rejected) or _NOT_DEPLOYED in rejected.detail.lower()


def _build_status(answer: Answer) -> str:
    return odata.text(odata.entity(answer.content), "Status").strip().upper()


def _runtime_artifact(row: odata.Entity) -> RuntimeArtifact:
    return RuntimeArtifact(
        id=ArtifactId(odata.id_text(row)),
        version=odata.text(row, "Version"),
        status=odata.text(row, "Status").strip().upper(),
        deployed_on=odata.epoch_ms(row.get("DeployedOn")),
        deployed_by=odata.text(row, "DeployedBy"),
    )


def _error_information(answer: Answer) -> str | None:
    return None if answer.status == http.HTTPStatus.NO_CONTENT else error_text(answer.content)
