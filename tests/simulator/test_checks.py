"""Validation and design guidelines."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Step = Callable[..., str]
VALIDATE = "ValidateIntegrationDesigntimeArtifact?Id='F'&Version='active'"
EXECUTE = "ExecuteIntegrationDesigntimeArtifactsGuidelines?Id='F'&Version='active'"
RESULTS = "IntegrationDesigntimeArtifacts(Id='F',Version='active')/DesignGuidelineExecutionResults"


def _with_flow(simulator: Simulator, content: bytes) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", content)


async def test_validation_says_what_a_build_would_find(connect: Connect, flow: Build, step: Step) -> None:
    """202 with a text; nothing is deployed."""
    simulator, client = connect()
    _with_flow(simulator, flow("F"))
    passed = await client.post(VALIDATE)
    assert (passed.status_code, passed.text) == (202, "Check execution result: Passed")
    simulator, client = connect()
    _with_flow(simulator, flow("F", steps=step(script="gone.groovy")))
    failed = await client.post(VALIDATE)
    assert (failed.status_code, failed.text) == (
        202,
        (
            "Check execution result: Failed[ {severity=ERROR, message=Script file 'gone.groovy' not found, "
            "sourceObject=F, resourcePath=src/main/resources/scenarioflows/integrationflow/model.iflw, "
            "resourceName=model.iflw} ]"
        ),
    )
    assert simulator.runtime("F") is None
    assert (await client.post(VALIDATE.replace("'F'", "'X'"))).status_code == 404


@pytest.mark.parametrize("status", [202, 200])
async def test_guidelines_are_executed_and_read(connect: Connect, flow: Build, step: Step, status: int) -> None:
    """The answer is an execution id as text; only the latest execution can be read."""
    simulator, client = connect(guidelines_status=status)
    _with_flow(simulator, flow("F", steps=step(script="gone.groovy")))
    first = (await client.get(RESULTS)).json()["d"]["results"]
    assert [(row["ExecutionId"], row["ExecutionStatus"]) for row in first] == [("", "NOT_EXECUTED")]
    old = (await client.post(EXECUTE)).text
    answer = await client.post(EXECUTE)
    assert (answer.status_code, len(answer.text), answer.text != old) == (status, 36, True)
    listed = (await client.get(RESULTS)).json()["d"]["results"]
    assert [(row["ExecutionId"], row["ExecutionStatus"]) for row in listed] == [(answer.text, "FAIL")]
    result = (await client.get(f"{RESULTS}('{answer.text}')?$expand=DesignGuidelines")).json()["d"]
    rules = {row["GuidelineId"]: row["Compliance"] for row in result["DesignGuidelines"]["results"]}
    assert rules == {"WELL_FORMED_MODEL": "Compliant", "EXISTING_REFERENCES": "Non-Compliant"}
    assert len((await client.get(f"{RESULTS}('{answer.text}')/DesignGuidelines")).json()["d"]["results"]) == 2
    assert (await client.get(f"{RESULTS}('{old}')")).status_code == 400
    assert (await client.get(f"{RESULTS}('{answer.text}')?$expand=Nope")).status_code == 400
    simulator.edit_content("F", {"src/main/resources/script/gone.groovy": b"x"})
    assert (await client.get(f"{RESULTS}('{answer.text}')")).json()["d"]["ExecutionStatus"] == "SUCCESS"
