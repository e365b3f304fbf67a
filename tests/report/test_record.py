"""The report for machines: its keys, literally, and what never is in it."""

from __future__ import annotations

import json

import pytest

from cpi_tasks.errors import RunFailed
from cpi_tasks.model.discretion import values_in
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Report, Status, StepOutcome
from cpi_tasks.report import Redactor, masked, report_json

FLOW = ArtifactRef(package=PackageId("Sales"), artifact=ArtifactId("Orders"))
KIND = ArtifactKind.INTEGRATION_FLOW


def report_of(reason: str, *, is_interrupted: bool = False) -> Report:
    failed = StepOutcome(status=Status.FAILED, summary="not updated", reason=reason, advice="mend it", duration_s=1.26)
    aborted = StepOutcome(status=Status.ABORTED, summary="not deployed", reason="its update failed")
    artifact = ArtifactOutcome(ref=FLOW, kind=KIND, update=failed, deploy=aborted, warnings=("look",))
    package = PackageOutcome(id=FLOW.package, update=None, artifacts=(artifact,))
    part = PartReport(source="deploy.yml", packages=(package,), update_s=12.345, deploy_s=None, warnings=("careful",))
    return Report(environment="x", tenant="https://t1", parts=(part,), duration_s=20.04, is_interrupted=is_interrupted)


def test_its_keys_are_these() -> None:
    """Other programs rely on each of them."""
    assert json.loads(report_json(report_of("refused"), Redactor(), {})) == {
        "formatVersion": 1,
        "environment": "x",
        "tenant": "https://t1",
        "exitCode": 1,
        "isInterrupted": False,
        "seconds": 20.0,
        "readingSeconds": None,
        "confirmationSeconds": 0.0,
        "counts": {
            "packagesTotal": 1,
            "packagesUpdated": 0,
            "packagesDeployed": 0,
            "packagesUnchanged": 0,
            "packagesFailed": 1,
            "artifactsTotal": 1,
            "artifactsUpdated": 0,
            "artifactsDeployed": 0,
            "artifactsDeployFailed": 1,
            "artifactsUnchanged": 0,
            "artifactsSkipped": 0,
            "artifactsFailed": 1,
            "packagesCreated": 0,
            "packagesUnfinished": 0,
            "artifactsChanged": 0,
            "artifactsUnfinished": 0,
            "artifactsCreated": 0,
            "artifactsReconfigured": 0,
            "artifactsReplaced": 0,
            "artifactsVersionSaved": 0,
        },
        "parts": [
            {
                "source": "deploy.yml",
                "updateSeconds": 12.3,
                "deploySeconds": None,
                "warnings": ["careful"],
                "packages": [
                    {
                        "id": "Sales",
                        "update": None,
                        "artifacts": [
                            {
                                "id": "Orders",
                                "kind": "IntegrationFlow",
                                "update": {
                                    "status": "failed",
                                    "summary": "not updated",
                                    "reason": "refused",
                                    "advice": "mend it",
                                    "seconds": 1.3,
                                },
                                "deploy": {
                                    "status": "aborted",
                                    "summary": "not deployed",
                                    "reason": "its update failed",
                                    "advice": "",
                                    "seconds": 0.0,
                                },
                                "skipped": None,
                                "warnings": ["look"],
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_an_interrupted_run_says_so() -> None:
    """Whatever else has failed, the code is 130."""
    document = json.loads(report_json(report_of("refused", is_interrupted=True), Redactor(), {}))
    assert (document["exitCode"], document["isInterrupted"]) == (130, True)


def test_neither_secrets_nor_values_are_in_it() -> None:
    """A tenant's text that repeats a parameter's value or a secret is in it without both; short values stay."""
    changes = (
        ParameterChange(key="Host", old="old.example", new="old.example.com"),
        ParameterChange(key="Tries", old=None, new="5"),
    )
    step = UpdateStep(action=UpdateAction.CONFIGURE, reason="", changes=changes, enforced={"Path": "/in/box"})
    package = PackagePlan(
        id=FLOW.package,
        action=PackageAction.KEEP,
        reason="",
        artifacts=(ArtifactPlan(ref=FLOW, kind=KIND, update=step),),
    )
    values = values_in(Plan(source="deploy.yml", packages=(package,), updates=True, deploys=True))
    said = "old.example.com and old.example at /in/box, %2Fin%2Fbox: 5 times, hunter2"
    text = report_json(report_of(said), Redactor(["hunter2"]), values)

    artifact = json.loads(text)["parts"][0]["packages"][0]["artifacts"][0]
    assert artifact["update"]["reason"] == "*** and *** at ***, ***: 5 times, ***"


@pytest.mark.parametrize(
    "said", ['say "hi" & go', 'say \\"hi\\" & go', "say &quot;hi&quot; &amp; go", "say%20%22hi%22%20%26%20go"]
)
def test_values_are_left_out_however_they_are_spelt(said: str) -> None:
    """Tenants repeat values in JSON, in XML and in addresses."""
    change = ParameterChange(key="Host", old=None, new='say "hi" & go')
    step = UpdateStep(action=UpdateAction.CONFIGURE, reason="", changes=(change,))
    package = PackagePlan(
        id=FLOW.package,
        action=PackageAction.KEEP,
        reason="",
        artifacts=(ArtifactPlan(ref=FLOW, kind=KIND, update=step),),
    )
    values = values_in(Plan(source="deploy.yml", packages=(package,), updates=True, deploys=True))
    document = json.loads(report_json(report_of(f"<{said}> is refused"), Redactor(), values))

    artifact = document["parts"][0]["packages"][0]["artifacts"][0]
    assert artifact["update"]["reason"] == "<***> is refused"


def test_a_masked_report_raises_without_secrets() -> None:
    """What is raised is printed by Invoke as it is: no secret may be left in a report that a caller gets."""
    report = masked(report_of("the login hunter2! was refused"), Redactor(["hunter2!"]))
    with pytest.raises(RunFailed) as caught:
        report.raise_for_failures()
    assert "hunter2!" not in str(caught.value)
    assert "Sales/Orders: not updated: the login *** was refused" in str(caught.value)
