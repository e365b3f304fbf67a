"""What public clients send and read, over HTTP: on the embedded tenant and on any other."""

from __future__ import annotations

import email
import email.policy

import pytest

from tests.conformance.bundles import FAMILIES, files_of
from tests.conformance.conftest import OwnTenant, Sample, Workspace
from tests.conformance.remote import Remote


def test_a_token_is_fetched_by_head(remote: Remote) -> None:
    """With cookies, as the SAP Cloud SDK fetches it; answers have reason phrases."""
    answer = remote.client.head("", headers={"X-CSRF-Token": "Fetch"})
    assert (answer.status_code, answer.reason_phrase) == (200, "OK")
    assert answer.headers["X-CSRF-Token"]
    assert answer.headers.get("Set-Cookie")


def test_parentheses_around_comparisons(remote: Remote) -> None:
    """As the SAP Cloud SDK writes filters."""
    answer = remote.get("IntegrationRuntimeArtifacts?$filter=(Id eq 'NoSuchOne') or (Id eq 'NorThis')")
    assert (answer.status_code, answer.json()["d"]["results"]) == (200, [])


def test_a_download_has_a_file_name(remote: Remote, sample: Sample) -> None:
    """One that a parser of headers reads (RFC 6266), as SAP/jenkins-library needs."""
    answer = remote.get(f"IntegrationDesigntimeArtifacts(Id='{sample.flow}',Version='active')/$value")
    header = answer.headers["Content-Disposition"]
    parsed = email.message_from_string(f"Content-Disposition: {header}\n\n", policy=email.policy.HTTP)
    assert (parsed.get_filename() or "").endswith(".zip")


def test_an_empty_package_content_creates_a_package(workspace: Workspace) -> None:
    """Landscaper sends the property always."""
    assert workspace.make_package(PackageContent="").status_code == 201


def test_an_existing_package_is_a_conflict(workspace: Workspace) -> None:
    """409 in SAP's specification."""
    assert [workspace.make_package().status_code for _ in range(2)] == [201, 409]


def test_a_name_begins_with_a_letter_or_an_underscore(workspace: Workspace) -> None:
    """400 in SAP's specification."""
    assert workspace.make_package().status_code == 201
    assert workspace.post("MessageMapping", Name="1st").status_code == 400


def test_a_mapping_without_content_fails(workspace: Workspace) -> None:
    """It is created, and its build ends in ERROR (flashpipe, runtime test)."""
    artifact = workspace.id_of("MessageMapping")
    files = {path: data for path, data in files_of("MessageMapping", artifact).items() if not path.endswith(".mmap")}
    workspace.make("MessageMapping", files)
    workspace.deploy("MessageMapping")
    assert workspace.wait_for("MessageMapping", "ERROR")["Id"] == artifact


@pytest.mark.parametrize("family", FAMILIES)
def test_the_description_comes_from_the_file(workspace: Workspace, family: str) -> None:
    """Of ``metainfo.prop`` (flashpipe, design_test.go)."""
    files = files_of(family, workspace.id_of(family)) | {"metainfo.prop": b"description=From the file\n"}
    workspace.make(family, files)
    assert workspace.remote.get(workspace.path(family)).json()["d"]["Description"] == "From the file"


@pytest.mark.parametrize("profile", ["", "iflmap", "integrationcell"])
def test_a_tenant_may_add_its_runtime_profile(own_tenant: OwnTenant, profile: str) -> None:
    """SAP_ProfileId is among the parameters of every flow (terraform-provider-sap-integration-suite)."""
    _, remote = own_tenant(added_profile=profile)
    rows = remote.results("IntegrationDesigntimeArtifacts(Id='SampleFlow',Version='active')/Configurations")
    assert {row["ParameterKey"]: row["ParameterValue"] for row in rows}.get("SAP_ProfileId", "") == profile
