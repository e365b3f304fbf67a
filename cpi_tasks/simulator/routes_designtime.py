"""Design-time artifacts of the four families (SAP Help, Integration Content)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial

from starlette.responses import Response

from cpi_tasks.simulator import manifest, operations
from cpi_tasks.simulator.call import Call, Handler, Route, attachment, decode_archive, empty
from cpi_tasks.simulator.filters import choose
from cpi_tasks.simulator.metadata import OTHER_FAMILIES
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import Entity, Value, iso_time, literal
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import NOT_FOUND, StoredArtifact

FamilyHandler = Callable[[Kind, Call], Response]
NAVIGATIONS = {
    Kind.FLOW: ("Configurations", "Resources", "DesignGuidelineExecutionResults"),
    Kind.MESSAGE_MAPPING: ("Resources",),
    Kind.SCRIPT_COLLECTION: ("Resources",),
    Kind.VALUE_MAPPING: ("ValMapSchema",),
}


def entity(call: Call, artifact: StoredArtifact) -> Entity:
    """Give an artifact as the API shows it; which families have ``ModifiedAt`` is a setting."""
    settings = call.state.settings
    properties: dict[str, Value] = {
        "Id": artifact.id,
        "Version": call.state.version_word(artifact),
        "PackageId": artifact.package_id,
        "Name": artifact.name,
        "Description": artifact.description,
    }
    if artifact.kind is Kind.FLOW:
        properties |= {
            "Sender": "",
            "Receiver": "",
            "Comment": "",
            "CreatedBy": artifact.created_by,
            "CreatedAt": _time(call, artifact.created_ms),
            "ModifiedBy": artifact.modified_by,
        }
    if artifact.kind.value in settings.modified_at_families:
        properties["ModifiedAt"] = _time(call, artifact.modified_ms)
    hides = settings.artifact_content_on_reads == "null" or call.state.package(artifact.package_id).is_read_only
    content = None if hides else base64.b64encode(artifact.archive).decode("ascii")
    return Entity(
        type=artifact.kind.entity_type,
        path=path_of(call, artifact),
        properties={**properties, "ArtifactContent": content},
        navigations=NAVIGATIONS[artifact.kind],
        media_type="application/octet-stream",
    )


def _time(call: Call, ms: int) -> str:
    return str(ms) if call.state.settings.artifact_times == "epoch-ms" else iso_time(ms)


def path_of(call: Call, artifact: StoredArtifact) -> str:
    """Give the artifact's path below the API root."""
    version = call.state.version_word(artifact)
    return f"{artifact.kind.entity_set}(Id={literal(artifact.id)},Version={literal(version)})"


def addressed(kind: Kind, call: Call) -> StoredArtifact:
    """Give the artifact a path names, also below its package; 404 where there is none in that version."""
    segment = next(part for part in call.segments if part.name == kind.entity_set)
    artifact = call.state.artifact(kind, segment.key("Id"), segment.key("Version"))
    if call.head.name == "IntegrationPackages" and call.head.key("Id") != artifact.package_id:
        raise ODataError(404, NOT_FOUND)
    return artifact


def list_of_package(kind: Kind, call: Call) -> Response:
    """``GET IntegrationPackages('P')/<X>DesigntimeArtifacts``: 200; skipping and counting are ignored as on tenants."""
    package = call.state.package(call.head.key("Id"))
    found = list(call.state.artifacts_of(package, kind))
    return call.listing(found, partial(entity, call), skips=False, counts=False)


def list_of_tenant(kind: Kind, call: Call) -> Response:
    """``GET <X>DesigntimeArtifacts``: 200, by name, for mappings only."""
    found = [artifact for artifact in call.state.artifacts.values() if artifact.kind is kind]
    found.sort(key=lambda artifact: artifact.name)
    return call.listing(choose(call.query, found, lambda item: {"Name": item.name}, {"Name"}), partial(entity, call))


def read(kind: Kind, call: Call) -> Response:
    """``GET <X>DesigntimeArtifacts(Id,Version)``: 200 or 404."""
    return call.one(entity(call, addressed(kind, call)))


def download(kind: Kind, call: Call) -> Response:
    """``GET …/$value``: 200 with the archive whatever ``Accept`` says; 400 in a read-only package."""
    artifact = addressed(kind, call)
    package = call.state.package(artifact.package_id)
    call.state.check_content_writable(package, kind)
    headers = {"Content-Disposition": attachment(f"{artifact.name or artifact.id}.zip")}
    return Response(artifact.archive, 200, headers, media_type="application/zip")


def create(kind: Kind, call: Call) -> Response:
    """``POST <X>DesigntimeArtifacts``: 201; unknown package 404, existing id 500, bad content 400 or 500."""
    sent = call.fields()
    for name in ("Id", "Name", "PackageId"):
        if not sent.get(name):
            raise ODataError(400, f"Property '{name}' cannot be empty")
    package = call.state.packages.get(sent["PackageId"])
    if package is None:
        raise ODataError(404, f"Package ID {sent['PackageId']} does not exist.")
    call.state.check_content_writable(package, kind)
    operations.check_name(call.state, sent["Name"])
    operations.check_artifact_id(call.state, sent["Id"])
    text = sent.get("ArtifactContent", "")
    entries = decode_archive(text) if text else operations.empty_content(kind, sent["Id"], sent["Name"])
    operations.check_content(call.state, kind, entries, is_update=False)
    artifact = operations.create_artifact(
        call.state,
        kind=kind,
        artifact_id=sent["Id"],
        package_id=package.id,
        name=sent["Name"],
        description=sent.get("Description"),
        entries=entries,
        version=operations.first_version(call.state, kind, entries),
        user=call.user,
    )
    operations.plan_next_patch(call.state, artifact)
    return call.format.entity(entity(call, artifact), 201)


def update(kind: Kind, call: Call) -> Response:
    """``PUT <X>DesigntimeArtifacts(Id,Version)``: 200 without a body; see the refusals in the code."""
    artifact = addressed(kind, call)
    sent = call.fields()
    if kind is Kind.MESSAGE_MAPPING and {"Id", "PackageId"} & sent.keys():
        raise ODataError(500, "Update of Message Mapping failed : Update of PackageId and Id are not allowed")
    call.state.check_writable(artifact, "update")
    text, name = sent.get("ArtifactContent"), sent.get("Name", "")
    if name:
        operations.check_name(call.state, name)
    if text:
        entries = decode_archive(text)
        operations.check_content(call.state, kind, entries, is_update=True)
        _check_symbolic_name(artifact, manifest.symbolic_name(manifest.parse(entries[manifest.PATH])))
        mode = call.state.settings.version_mode
        operations.replace_content(
            call.state, artifact, entries, as_draft=mode == "draft", take_version=mode != "draft"
        )
        artifact.name = name or artifact.content.name or artifact.name
    elif name:
        artifact.name, artifact.is_draft = name, True
        artifact.description = sent.get("Description", artifact.description)
    else:
        raise ODataError(400, "The request body has neither Name nor ArtifactContent.")
    call.state.touch(artifact, call.user)
    return empty(200)


def _check_symbolic_name(artifact: StoredArtifact, name: str) -> None:
    if name == artifact.symbolic_name:
        return
    if artifact.kind is Kind.MESSAGE_MAPPING:
        raise ODataError(500, "BUNDLE_SYMBOLIC_NAME_CANNOT_BE_UPDATED")
    raise ODataError(400, "Could not update artifact of the package; due to change in the Bundle-symbolicName.")


def delete(kind: Kind, call: Call) -> Response:
    """``DELETE <X>DesigntimeArtifacts(Id,Version)``: 200 without a body; the runtime is untouched."""
    artifact = addressed(kind, call)
    call.state.check_writable(artifact, "delete")
    if not call.state.settings.deletes_deployed and call.state.is_on_runtime(artifact.id):
        raise ODataError(400, f"Cannot delete the artifact {artifact.id} as it is deployed.")
    call.state.remove(artifact)
    return empty(200)


def save_version(kind: Kind, call: Call) -> Response:
    """``POST <X>DesigntimeArtifactSaveAsVersion?Id=&SaveAsVersion=``: 200 without a body; no version number 400."""
    artifact = call.state.artifact(kind, call.argument("Id"), "active")
    version = call.argument("SaveAsVersion")
    call.state.check_writable(artifact, "save")
    operations.check_new_version(call.state, artifact, version)
    operations.save_as_version(artifact, version, line_bytes=call.state.settings.manifest_line_bytes)
    call.state.touch(artifact, call.user)
    is_mapping = kind in {Kind.MESSAGE_MAPPING, Kind.VALUE_MAPPING}
    return empty(call.state.settings.save_version_status_of_mappings if is_mapping else 200)


def _unknown_artifact(_call: Call) -> Response:
    raise ODataError(404, NOT_FOUND)


def _no_artifacts(call: Call) -> Response:
    """Answer lists of families that this tenant never has: 200, or 404 for an unknown package."""
    if call.head.name == "IntegrationPackages":
        call.state.package(call.head.key("Id"))
    nothing: list[StoredArtifact] = []
    return call.listing(nothing, partial(entity, call))


def _routes(kind: Kind) -> dict[Route, FamilyHandler]:
    name = kind.entity_set
    table: dict[Route, FamilyHandler] = {
        ("GET", f"IntegrationPackages()/{name}"): list_of_package,
        ("GET", f"IntegrationPackages()/{name}()"): read,
        ("POST", name): create,
        ("GET", f"{name}()"): read,
        ("GET", f"{name}()/$value"): download,
        ("DELETE", f"{name}()"): delete,
        ("POST", f"{kind.entity_type}SaveAsVersion"): save_version,
    }
    if kind is not Kind.VALUE_MAPPING:
        table["PUT", f"{name}()"] = update
    if kind in {Kind.MESSAGE_MAPPING, Kind.VALUE_MAPPING}:
        table["GET", name] = list_of_tenant
    return table


ROUTES: dict[Route, Handler] = {
    route: partial(handler, kind) for kind in Kind for route, handler in _routes(kind).items()
} | {
    ("GET", "IntegrationAdapterDesigntimeArtifacts()"): _unknown_artifact,
    ("DELETE", "IntegrationAdapterDesigntimeArtifacts()"): _unknown_artifact,
    ("POST", "DeployIntegrationAdapterDesigntimeArtifact"): _unknown_artifact,
    **{("GET", f"{name}DesigntimeArtifacts"): _no_artifacts for name in OTHER_FAMILIES},
    **{("GET", f"IntegrationPackages()/{name}DesigntimeArtifacts"): _no_artifacts for name in OTHER_FAMILIES},
    **{("GET", f"{name}DesigntimeArtifacts()"): _unknown_artifact for name in OTHER_FAMILIES},
    **{("DELETE", f"{name}DesigntimeArtifacts()"): _unknown_artifact for name in OTHER_FAMILIES},
}
