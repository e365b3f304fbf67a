"""What a tenant does with what a client writes at design time. Numbers are those of the checklist."""

from __future__ import annotations

import pytest

from tests.conformance.bundles import FAMILIES, MANIFEST, PROPDEF, SCRIPT, URL, decoded, files_of, unfolded
from tests.conformance.conftest import OwnTenant, Workspace, packed
from tests.conformance.remote import Remote

UPDATABLE = ("Integration", "ScriptCollection", "MessageMapping")


def value_of(space: Workspace, key: str) -> str:
    """Give a parameter's value."""
    rows = space.remote.results(f"{space.path('Integration')}/Configurations")
    (found,) = (row["ParameterValue"] for row in rows if row["ParameterKey"] == key)
    return found


def parameter(space: Workspace, key: str) -> str:
    """Give a parameter's address."""
    return f"{space.path('Integration')}/$links/Configurations('{key.replace(' ', '%20')}')"


def changed(space: Workspace, family: str, version: str = "1.0.1") -> dict[str, bytes]:
    """Give other content."""
    return {**files_of(family, space.id_of(family), version), SCRIPT: b"// changed\n"}


def test_item_03_basic_sessions_need_a_csrf_token(workspace: Workspace) -> None:
    """Without one a write is refused in a way that tells what is missing; with Bearer none is needed."""
    remote = workspace.remote
    sent = {"Id": workspace.package, "Name": "Conformance", "ShortText": "Conformance"}
    if remote.is_basic:
        answer = remote.write("POST", "IntegrationPackages", sent, without_token=True)
        assert answer.status_code == 403
        assert answer.headers["X-CSRF-Token"].lower() == "required"
    assert remote.write("POST", "IntegrationPackages", sent).status_code == 201


def test_item_06_status_codes_of_packages(workspace: Workspace) -> None:
    """201, 202, 202, and nothing is said to the last two."""
    path = f"IntegrationPackages('{workspace.package}')"
    created = workspace.make_package()
    updated = workspace.remote.write("PUT", path, {"Name": workspace.package, "ShortText": "Other"})
    read = workspace.remote.get(path).json()["d"]
    deleted = workspace.remote.write("DELETE", path)

    assert [created.status_code, updated.status_code, deleted.status_code] == [201, 202, 202]
    assert created.json()["d"]["Id"] == workspace.package
    assert read["ShortText"] == "Other"
    assert updated.content == deleted.content == b""
    assert workspace.remote.get(path).status_code == 404


@pytest.mark.parametrize("family", UPDATABLE)
def test_item_06_status_codes_of_artifacts(workspace: Workspace, family: str) -> None:
    """201 with the entity, then 200 with nothing for update, version and deletion."""
    workspace.make_package()
    artifact = workspace.id_of(family)
    created = workspace.post(family)
    updated = workspace.put(family, changed(workspace, family))
    save = f"{family}DesigntimeArtifactSaveAsVersion?Id='{artifact}'&SaveAsVersion='1.0.9'"
    saved = workspace.remote.write("POST", save)
    version = workspace.remote.get(workspace.path(family)).json()["d"]["Version"]
    deleted = workspace.remote.write("DELETE", workspace.path(family))

    statuses = [answer.status_code for answer in (created, updated, saved, deleted)]
    assert statuses == [201, 200, 200, 200]
    assert updated.content == saved.content == deleted.content == b""
    assert version == "1.0.9"


@pytest.mark.parametrize("family", FAMILIES)
def test_item_07_created_artifacts_are_version_1_0_0(workspace: Workspace, family: str) -> None:
    """The answer to a creation is the entity."""
    workspace.make_package()
    created = workspace.post(family).json()["d"]
    assert [created["Id"], created["Version"]] == [workspace.id_of(family), "1.0.0"]
    assert created["PackageId"] == workspace.package


def test_item_08_package_bodies_may_be_wrapped_and_have_more_in_them(workspace: Workspace) -> None:
    """``{"d": …}`` is taken as well as the bare entity; unknown fields are ignored."""
    sent = {"Id": workspace.package, "Name": workspace.package, "ShortText": "Wrapped", "Colour": "blue"}
    assert workspace.remote.write("POST", "IntegrationPackages", {"d": sent}).status_code == 201


def test_item_08_bad_packages_are_refused(workspace: Workspace) -> None:
    """Without a short text, with a special character in the id, or with a mode: 400."""
    assert workspace.make_package(ShortText="").status_code == 400
    answer = workspace.make_package(Id=f"{workspace.package}_x")
    assert answer.status_code == 400
    assert "special character" in answer.text
    assert workspace.make_package(Mode="READ_ONLY").status_code == 400


@pytest.mark.parametrize(("family", "status", "words"), [
    ("Integration", 400, "change in the bundle-symbolicname"),
    ("MessageMapping", 500, "bundle_symbolic_name_cannot_be_updated"),
])  # fmt: skip
def test_item_11_another_symbolic_name_is_refused(workspace: Workspace, family: str, status: int, words: str) -> None:
    """Creating takes the id whatever the archive says, updating does not."""
    workspace.make_package()
    strange = files_of(family, f"{workspace.package}Stranger")
    assert workspace.post(family, strange).status_code == 201
    stored = decoded(workspace.remote.get(f"{workspace.path(family)}/$value").content)
    answer = workspace.put(family, strange)

    assert unfolded(stored[MANIFEST])["Bundle-SymbolicName"].partition(";")[0].strip() == workspace.id_of(family)
    assert answer.status_code == status
    assert words in answer.text.lower()


def test_item_11_what_cannot_be_updated_is_refused(workspace: Workspace) -> None:
    """A mapping's id in the body, values without definitions, value mappings, and PATCH of a package."""
    workspace.make("Integration")
    workspace.make("MessageMapping")
    workspace.make("ValueMapping")
    with_id = workspace.put("MessageMapping", changed(workspace, "MessageMapping"), Id="", PackageId="")
    files = changed(workspace, "Integration")
    del files[PROPDEF]
    without_definitions = workspace.put("Integration", files)
    values = workspace.put("ValueMapping", files_of("ValueMapping", workspace.id_of("ValueMapping")))
    patch = workspace.remote.write("PATCH", f"IntegrationPackages('{workspace.package}')", {"Name": "Other"})

    assert [with_id.status_code, "Update of PackageId and Id are not allowed" in with_id.text] == [500, True]
    assert [without_definitions.status_code, "InputStream cannot be null" in without_definitions.text] == [500, True]
    assert [values.status_code, patch.status_code] == [501, 501]


def test_item_12_artifact_ids_are_given_once(workspace: Workspace) -> None:
    """A second one is a 500 with a text; an unknown package a 404."""
    workspace.make("Integration")
    again = workspace.post("Integration")
    elsewhere = workspace.post("ScriptCollection", PackageId=f"{workspace.package}None")

    assert [again.status_code, "already exists" in again.text] == [500, True]
    assert [elsewhere.status_code, "does not exist" in elsewhere.text] == [404, True]


def test_item_13_configured_values_outlast_new_content(workspace: Workspace) -> None:
    """Values come from the archive, are written one by one with 202, and stay when the content is updated."""
    workspace.make("Integration")
    before = value_of(workspace, URL)
    written = workspace.remote.write("PUT", parameter(workspace, URL), {"ParameterValue": "https://prod.example"})
    assert workspace.put("Integration", changed(workspace, "Integration")).status_code == 200
    workspace.save_draft("Integration", "1.0.1")

    assert before == "https://registry.dev.example.com/api/devices"
    assert [written.status_code, written.content] == [202, b""]
    assert value_of(workspace, URL) == "https://prod.example"


def test_item_13_configured_values_outlast_new_content_of_drafts(own_tenant: OwnTenant, prefix: str) -> None:
    """A tenant that leaves drafts, and hides their parameters, shows the values once the draft is saved."""
    _, remote = own_tenant(version_mode="draft", configurations_of_draft="not-found")
    test_item_13_configured_values_outlast_new_content(Workspace(remote=remote, package=f"{prefix}Kept"))


def test_item_13_unknown_parameters_are_404(workspace: Workspace) -> None:
    """A key the model does not have, and parameters of what is no integration flow."""
    workspace.make("Integration")
    workspace.make("ScriptCollection")
    unknown = workspace.remote.write("PUT", parameter(workspace, "Not There"), {"ParameterValue": "x"})

    assert unknown.status_code == 404
    assert workspace.remote.get(f"{workspace.path('ScriptCollection')}/Configurations").status_code == 404


def test_item_14_drafts_are_listed_as_such_and_block_the_export(own_tenant: OwnTenant, prefix: str) -> None:
    """On a tenant whose updates leave drafts: the list shows a word for the version, the package cannot be exported."""
    _, remote = own_tenant(version_mode="draft")
    space = Workspace(remote=remote, package=f"{prefix}Drafts")
    space.make("Integration")
    assert space.put("Integration", changed(space, "Integration")).status_code == 200
    (row,) = remote.results(f"IntegrationPackages('{space.package}')/IntegrationDesigntimeArtifacts")
    export = remote.get(f"IntegrationPackages('{space.package}')/$value")

    assert row["Version"] == "Active"
    assert [export.status_code, "draft state" in export.text] == [500, True]


def test_item_18_unknown_adapters_are_404(workspace: Workspace) -> None:
    """Clients probe for an adapter before they delete a flow."""
    path = f"IntegrationAdapterDesigntimeArtifacts(Id='{workspace.id_of('Integration')}')"
    assert workspace.remote.write("DELETE", path).status_code == 404


def test_item_21_locked_artifacts_cannot_be_written(own_tenant: OwnTenant, prefix: str) -> None:
    """While somebody has it open, writes are refused, and the list of locks says who it is."""
    simulator, remote = own_tenant()
    space = Workspace(remote=remote, package=f"{prefix}Locked")
    artifact = space.make("Integration")
    simulator.lock(artifact, "somebody@example.com")
    answer = space.put("Integration", changed(space, "Integration"))
    (lock,) = remote.results("IntegrationDesigntimeLocks")
    simulator.unlock(artifact)

    assert [answer.status_code, "locked" in answer.text] == [400, True]
    assert [lock["ArtifactId"], lock["CreatedBy"]] == [artifact, "somebody@example.com"]
    assert space.put("Integration", changed(space, "Integration")).status_code == 200


def test_item_22_packages_that_may_only_be_configured_take_parameters(own_tenant: OwnTenant, prefix: str) -> None:
    """Content and deletion are refused, parameter values are taken."""
    simulator, remote = own_tenant()
    space = Workspace(remote=remote, package=f"{prefix}ReadOnly")
    simulator.add_package(space.package)
    artifact = space.id_of("Integration")
    simulator.add_artifact(space.package, artifact, "Integration", packed("Integration", artifact))
    simulator.packages[space.package].mode = "READ_ONLY"

    assert space.put("Integration", changed(space, "Integration")).status_code == 400
    assert remote.write("DELETE", space.path("Integration")).status_code == 400
    assert remote.write("PUT", parameter(space, URL), {"ParameterValue": "https://x.example"}).status_code == 202


@pytest.mark.parametrize("start", ["", "/api/v1/"])
def test_item_24_batches_are_taken(workspace: Workspace, start: str) -> None:
    """Parts may begin with the service's path or not; each answer carries its part's content id."""
    workspace.make("Integration")
    answer = workspace.remote.batch(change_set(workspace, start, URL), "b")

    assert answer.status_code in {200, 202}
    assert answer.headers["Content-Type"].startswith("multipart/mixed")
    assert "HTTP/1.1 202" in answer.text or "HTTP/1.1 204" in answer.text
    assert "content-id: part1" in answer.text.lower()
    assert value_of(workspace, URL) == "https://batch.example/1"


def test_item_24_change_sets_happen_as_a_whole(workspace: Workspace) -> None:
    """One part that fails undoes the others."""
    workspace.make("Integration")
    answer = workspace.remote.batch(change_set(workspace, "", URL, "Not There"), "b")

    assert "HTTP/1.1 404" in answer.text
    assert value_of(workspace, URL) == "https://registry.dev.example.com/api/devices"


def change_set(space: Workspace, start: str, *keys: str) -> str:
    """Write a batch with one change set that writes parameters."""
    lines = ["--b", "Content-Type: multipart/mixed; boundary=c", ""]
    for number, key in enumerate(keys, 1):
        lines += [
            "--c",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: part{number}",
            "",
            f"PUT {start}{parameter(space, key)} HTTP/1.1",
            "Content-Type: application/json",
            "Accept: application/json",
            "",
            f'{{"ParameterValue":"https://batch.example/{number}"}}',
        ]
    return "\r\n".join([*lines, "--c--", "--b--", ""])


@pytest.mark.parametrize("family", FAMILIES)
def test_item_25_tenants_rewrite_what_they_store(workspace: Workspace, family: str) -> None:
    """A mapping is renamed to its id, manifests are folded and ordered anew; what they say stays."""
    artifact = workspace.id_of(family)
    sent = files_of(family, artifact)
    if family == "MessageMapping":
        mapping = sent.pop("src/main/resources/mapping/CustomerToErpMapping.mmap")
        sent["src/main/resources/mapping/Before.mmap"] = mapping
    workspace.make(family, sent)
    stored = decoded(workspace.remote.get(f"{workspace.path(family)}/$value").content)
    headers = unfolded(stored[MANIFEST])

    assert headers["SAP-BundleType"] == unfolded(sent[MANIFEST])["SAP-BundleType"]
    assert headers.get("Import-Package") == unfolded(sent[MANIFEST]).get("Import-Package")
    assert all(len(line) <= 72 for line in stored[MANIFEST].splitlines())
    if family == "MessageMapping":
        names = [name for name in stored if name.endswith(".mmap")]
        assert names == [f"src/main/resources/mapping/{artifact}.mmap"]


def test_the_guard_lets_nothing_of_others_be_written_to(remote: Remote) -> None:
    """Before anything is sent: a path, a body or a batch that names another id ends the test."""
    with pytest.raises(pytest.fail.Exception, match="nothing was sent"):
        remote.write("DELETE", "IntegrationPackages('Sample')")
    with pytest.raises(pytest.fail.Exception, match="nothing was sent"):
        remote.write("POST", "IntegrationPackages", {"d": {"Id": "Other"}})
    with pytest.raises(pytest.fail.Exception, match="nothing was sent"):
        remote.batch("PUT /api/v1/X(Id='Sample',Version='active')/$links/Configurations('ZZCONF') HTTP/1.1", "b")
    with pytest.raises(pytest.fail.Exception, match="nothing was sent"):
        remote.write("POST", "DeployIntegrationDesigntimeArtifact?Version='active'&Id='Sample'")
