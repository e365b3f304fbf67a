"""Checks of integration flows that deploy nothing: validation and design guidelines (SAP Help, Integration Content)."""

from __future__ import annotations

from functools import partial

from starlette.responses import PlainTextResponse, Response

from cpi_tasks.simulator import archive
from cpi_tasks.simulator.call import Call, Handler, Route
from cpi_tasks.simulator.deploying import build_problems
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import Entity, literal
from cpi_tasks.simulator.routes_designtime import addressed, path_of
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import GuidelineRun, StoredArtifact, new_guid

_GUIDELINES = {
    "WELL_FORMED_MODEL": ("Model can be read", "High"),
    "EXISTING_REFERENCES": ("Scripts, collections and mappings exist", "High"),
}


def validate(call: Call) -> Response:
    """``POST ValidateIntegrationDesigntimeArtifact?Id=&Version=``: 202 with the result as text."""
    artifact = call.state.artifact(Kind.FLOW, call.argument("Id"), call.argument("Version"))
    problems = build_problems(call.state, artifact)
    if not problems:
        return PlainTextResponse("Check execution result: Passed", 202)
    path = next((name for name in archive.unpack(artifact.archive) if name.endswith(".iflw")), "")
    place = f"sourceObject={artifact.id}, resourcePath={path}, resourceName={path.rpartition('/')[2]}"
    found = ", ".join(f"{{severity=ERROR, message={problem}, {place}}}" for problem in problems)
    return PlainTextResponse(f"Check execution result: Failed[ {found} ]", 202)


def execute_guidelines(call: Call) -> Response:
    """``POST ExecuteIntegrationDesigntimeArtifactsGuidelines?Id=&Version=``: 202 or 200, an execution id as text."""
    artifact = call.state.artifact(Kind.FLOW, call.argument("Id"), call.argument("Version"))
    run = GuidelineRun(execution_id=new_guid(), version=call.state.version_word(artifact), time_ms=call.state.now_ms())
    call.state.guidelines[artifact.id] = run
    return PlainTextResponse(run.execution_id, call.state.settings.guidelines_status)


def list_results(call: Call) -> Response:
    """``GET …/DesignGuidelineExecutionResults``: 200 with the latest execution, or one that says there was none."""
    artifact = addressed(Kind.FLOW, call)
    run = call.state.guidelines.get(artifact.id, GuidelineRun(execution_id="", version="", time_ms=0))
    return call.listing([run], partial(_result, call, artifact))


def read_result(call: Call) -> Response:
    """``GET …/DesignGuidelineExecutionResults('id')[?$expand=DesignGuidelines]``: 200; another than the latest 400."""
    artifact = addressed(Kind.FLOW, call)
    return call.one(_result(call, artifact, _run(call, artifact)))


def list_guidelines(call: Call) -> Response:
    """``GET …/DesignGuidelineExecutionResults('id')/DesignGuidelines``: 200; another than the latest 400."""
    artifact = addressed(Kind.FLOW, call)
    _run(call, artifact)
    return call.listing(_guidelines(call, artifact), lambda item: item)


def _run(call: Call, artifact: StoredArtifact) -> GuidelineRun:
    run = call.state.guidelines.get(artifact.id)
    segment = next(part for part in call.segments if part.name == "DesignGuidelineExecutionResults")
    if run is None or run.execution_id != segment.key("ExecutionId"):
        raise ODataError(400, "Design guideline results are not available as the execution ID is invalid.")
    return run


def _result(call: Call, artifact: StoredArtifact, run: GuidelineRun) -> Entity:
    status = "NOT_EXECUTED"
    if run.execution_id:
        status = "FAIL" if build_problems(call.state, artifact) else "SUCCESS"
    wanted = call.query.get("$expand", "")
    if wanted not in {"", "DesignGuidelines"}:
        raise ODataError(400, f"Invalid value for system query option '$expand': '{wanted}'.")
    return Entity(
        type="DesignGuidelineExecutionResult",
        path=f"{path_of(call, artifact)}/DesignGuidelineExecutionResults({literal(run.execution_id)})",
        properties={
            "ExecutionId": run.execution_id,
            "ArtifactVersion": run.version,
            "ExecutionStatus": status,
            "ExecutionTime": str(run.time_ms),
            "ReportType": "",
        },
        navigations=("DesignGuidelines",),
        expanded={"DesignGuidelines": _guidelines(call, artifact)} if wanted and run.execution_id else {},
    )


def _guidelines(call: Call, artifact: StoredArtifact) -> list[Entity]:
    problems = build_problems(call.state, artifact)
    broken = {"WELL_FORMED_MODEL" if "well-formed" in text else "EXISTING_REFERENCES" for text in problems}
    return [
        Entity(
            type="DesignGuideline",
            path=f"DesignGuidelines({literal(name)})",
            properties={
                "GuidelineId": name,
                "GuidelineName": title,
                "Category": "Deployment",
                "Severity": severity,
                "Applicability": "Applicable",
                "Compliance": "Non-Compliant" if name in broken else "Compliant",
                "IsGuidelineSkipped": False,
                "SkipReason": None,
                "SkippedBy": None,
                "ExpectedKPI": None,
                "ActualKPI": None,
                "ViolatedComponents": f"{{{artifact.id}={artifact.name}}}" if name in broken else None,
            },
        )
        for name, (title, severity) in _GUIDELINES.items()
    ]


_RESULTS = f"{Kind.FLOW.entity_set}()/DesignGuidelineExecutionResults"
ROUTES: dict[Route, Handler] = {
    ("POST", "ValidateIntegrationDesigntimeArtifact"): validate,
    ("POST", "ExecuteIntegrationDesigntimeArtifactsGuidelines"): execute_guidelines,
    ("GET", _RESULTS): list_results,
    ("GET", f"{_RESULTS}()"): read_result,
    ("GET", f"{_RESULTS}()/DesignGuidelines"): list_guidelines,
}
