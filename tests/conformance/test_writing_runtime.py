"""What a tenant does with deployments. Numbers are those of the checklist."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from tests.conformance.bundles import SCRIPT, files_of
from tests.conformance.conftest import OwnTenant, Workspace

GUID = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
OTHERS = ("ScriptCollection", "MessageMapping", "ValueMapping")


def task_ends(space: Workspace, task: str) -> str:
    """Give the word a build task ends with."""

    def look() -> str | None:
        word = space.remote.get(f"BuildAndDeployStatus(TaskId='{task}')").json()["d"]["Status"].upper()
        return None if word == "DEPLOYING" else word

    return space.remote.wait_until(look, "the end of the build")


def test_item_15_deploying_a_flow_gives_a_task_and_then_a_running_flow(workspace: Workspace) -> None:
    """202 with a bare id; the task succeeds, the flow is STARTED in the deployed version."""
    artifact = workspace.make("Integration")
    answer = workspace.deploy("Integration")
    assert answer.status_code == 202
    assert re.fullmatch(GUID, answer.text)
    running = workspace.wait_for("Integration", "STARTED")

    assert task_ends(workspace, answer.text) == "SUCCESS"
    assert [running["Id"], running["Version"], running["Type"]] == [artifact, "1.0.0", "INTEGRATION_FLOW"]


@pytest.mark.parametrize("family", OTHERS)
def test_item_15_the_other_families_are_deployed_with_202(workspace: Workspace, family: str) -> None:
    """Some tenants answer with a task id, most with nothing; the artifact gets STARTED in any case."""
    workspace.make(family)
    answer = workspace.deploy(family)
    assert answer.status_code == 202
    assert re.fullmatch(f"({GUID})?", answer.text)
    assert workspace.wait_for(family, "STARTED")["Version"] == "1.0.0"


def test_item_15_each_deployment_has_its_own_time(workspace: Workspace) -> None:
    """``DeployedOn`` tells a new deployment from the one before, and the version follows."""
    workspace.make("Integration")
    workspace.deploy("Integration")
    first = workspace.wait_for("Integration", "STARTED")
    workspace.put("Integration", files_of("Integration", workspace.id_of("Integration"), "1.0.1"))
    workspace.save_draft("Integration", "1.0.1")
    wanted = workspace.remote.get(workspace.path("Integration")).json()["d"]["Version"]
    workspace.deploy("Integration")
    again = workspace.wait_for("Integration", "STARTED", not_of=first["DeployedOn"])

    assert again["Version"] == wanted


def test_item_15_each_deployment_has_its_own_time_where_updates_leave_drafts(
    own_tenant: OwnTenant, prefix: str
) -> None:
    """A tenant that leaves drafts, and hides their parameters, is none the worse for it."""
    _, remote = own_tenant(version_mode="draft", configurations_of_draft="not-found", deploy_s=0.3)
    space = Workspace(remote=remote, package=f"{prefix}Late")
    test_item_15_each_deployment_has_its_own_time(space)


def test_item_15_a_deployment_again_shows_the_former_one_first(own_tenant: OwnTenant, prefix: str) -> None:
    """On a slow tenant: right after the trigger the runtime says STARTED, with the time of the former deployment."""
    simulator, remote = own_tenant(deploy_s=3600)
    space = Workspace(remote=remote, package=f"{prefix}Again")
    simulator.set_runtime(space.make("Integration"), "STARTED", deployed_on=1760000000000)
    space.deploy("Integration")
    shown = remote.get(f"IntegrationRuntimeArtifacts('{space.id_of('Integration')}')").json()["d"]

    assert [shown["Status"], shown["DeployedOn"]] == ["STARTED", "/Date(1760000000000)/"]


def test_item_16_a_missing_script_fails_the_build_with_a_text(workspace: Workspace) -> None:
    """The task says FAIL, the runtime ERROR, and the error information names the file in ``parameter[0]``."""
    files = files_of("Integration", workspace.id_of("Integration"))
    del files[SCRIPT]
    artifact = workspace.make("Integration", files)
    task = workspace.deploy("Integration").text
    workspace.wait_for("Integration", "ERROR")
    path = f"IntegrationRuntimeArtifacts('{artifact}')/ErrorInformation/$value"

    def look() -> httpx.Response | None:
        answer = workspace.remote.get(path, Accept="*/*")
        assert answer.status_code in {200, 204}
        return answer if answer.status_code == 200 else None

    information = json.loads(workspace.remote.wait_until(look, "the error information").text)
    assert task_ends(workspace, task) == "FAIL"
    assert "CheckSerialNumber.groovy" in information["parameter"][0]
    assert isinstance(information["message"], dict)


def test_item_16_error_information_comes_late(own_tenant: OwnTenant, prefix: str) -> None:
    """At first there is none, with 204, however often it is asked for (flashpipe waits before it asks)."""
    _, remote = own_tenant(deploy_s=0.2, error_information_delay_s=1.5)
    space = Workspace(remote=remote, package=f"{prefix}Late")
    files = files_of("Integration", space.id_of("Integration"))
    del files[SCRIPT]
    artifact = space.make("Integration", files)
    space.deploy("Integration")
    space.wait_for("Integration", "ERROR")
    path = f"IntegrationRuntimeArtifacts('{artifact}')/ErrorInformation/$value"

    assert [remote.get(path, Accept="*/*").status_code for _ in range(3)] == [204, 204, 204]

    def look() -> bool | None:
        return True if remote.get(path, Accept="*/*").status_code == 200 else None

    assert remote.wait_until(look, "the error information")


def test_item_17_undeploying_stops_and_removes(workspace: Workspace) -> None:
    """202, then STOPPING or gone, then 404; undeploying again is a 404, and design time is as it was."""
    artifact = workspace.make("Integration")
    workspace.deploy("Integration")
    workspace.wait_for("Integration", "STARTED")
    path = f"IntegrationRuntimeArtifacts('{artifact}')"
    answer = workspace.remote.write("DELETE", path)

    def look() -> bool | None:
        shown = workspace.remote.get(path)
        if shown.status_code == 404:
            return True
        assert shown.json()["d"]["Status"] in {"STOPPING", "STARTED"}
        return None

    assert answer.status_code == 202
    assert workspace.remote.wait_until(look, "the end of the undeployment")
    assert workspace.remote.write("DELETE", path).status_code == 404
    assert workspace.remote.get(workspace.path("Integration")).status_code == 200


def test_item_19_filters_and_counts_find_what_is_deployed(workspace: Workspace) -> None:
    """By id, with fewer fields, or all of them."""
    artifact = workspace.make("Integration")
    workspace.deploy("Integration")
    workspace.wait_for("Integration", "STARTED")
    rows = workspace.remote.results(f"IntegrationRuntimeArtifacts?$top=1&$filter=Id eq '{artifact}'")

    assert [row["Id"] for row in rows] == [artifact]
    assert int(workspace.remote.get("IntegrationRuntimeArtifacts/$count", Accept="*/*").text) >= 1
