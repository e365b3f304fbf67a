"""Integration packages (SAP Help, Integration Content)."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

from starlette.responses import Response

from cpi_tasks.simulator import operations
from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import Entity, Value, literal
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import Package

_NAVIGATIONS = (*(kind.entity_set for kind in Kind), "CustomTags")


def entity(package: Package) -> Entity:
    """Give a package as the API shows it."""
    fields = package.fields
    properties: dict[str, Value] = {
        "Id": package.id,
        "Name": fields["Name"],
        "ResourceId": fields["ResourceId"],
        "Description": fields["Description"],
        "ShortText": fields["ShortText"],
        "Version": fields["Version"],
        "Vendor": fields["Vendor"],
        "PartnerContent": False,
        "UpdateAvailable": False,
        "Mode": package.mode,
        "SupportedPlatform": fields["SupportedPlatform"],
    }
    stamps = ("ModifiedBy", "CreationDate", "ModifiedDate", "CreatedBy")
    properties |= {name: fields[name] for name in (*stamps, *operations.LIST_FIELDS)}
    return Entity(
        type="IntegrationPackage",
        path=f"IntegrationPackages({literal(package.id)})",
        properties=properties,
        navigations=_NAVIGATIONS,
        media_type="application/zip",
    )


def list_packages(call: Call) -> Response:
    """``GET IntegrationPackages``: 200; counting and filtering are not offered (501)."""
    if "$inlinecount" in call.query:
        raise ODataError(501, "$count is not supported")
    if "$filter" in call.query:
        raise ODataError(501, "$filter is not supported")
    return call.listing(list(call.state.packages.values()), entity)


def read_package(call: Call) -> Response:
    """``GET IntegrationPackages('P')``: 200 or 404."""
    return call.format.entity(entity(call.state.package(call.head.key("Id"))))


def create_package(call: Call) -> Response:
    """``POST IntegrationPackages``: 201; bad id, missing ShortText or a Mode 400, existing id 409."""
    sent = call.fields()
    if "PackageContent" in sent:
        raise ODataError(501, "Not implemented")
    if not sent.get("Id"):
        raise ODataError(400, "Property 'Id' cannot be empty")
    operations.check_package_id(call.state, sent["Id"])
    _check_short_text(sent.get("ShortText", ""))
    if "Mode" in sent:
        raise ODataError(400, "Property 'Mode' cannot be set.")
    fields = operations.package_fields(call.state, sent, name=sent["Id"])
    return call.format.entity(entity(operations.add_package(call.state, sent["Id"], fields, call.user)), 201)


def update_package(call: Call) -> Response:
    """``PUT IntegrationPackages('P')``: 202 without a body; what is not sent becomes empty."""
    package = call.state.package(call.head.key("Id"))
    call.state.check_package_writable(package, "update the integration package")
    sent = call.fields()
    _check_short_text(sent.get("ShortText", ""))
    package.fields |= operations.package_fields(call.state, sent, name=package.name)
    package.fields |= {"ModifiedBy": call.user, "ModifiedDate": str(call.state.now_ms())}
    call.state.is_dirty = True
    return empty(202)


def _check_short_text(text: str) -> None:
    if not text:
        raise ODataError(400, "Property 'ShortText' cannot be empty")


def delete_package(call: Call) -> Response:
    """``DELETE IntegrationPackages('P')``: 202, with all artifacts inside."""
    package = call.state.package(call.head.key("Id"))
    call.state.check_package_writable(package, "delete the integration package")
    for artifact in call.state.artifacts_of(package):
        call.state.check_unlocked(artifact)
    call.state.remove_package(package)
    return empty(202)


def download_package(call: Call) -> Response:
    """``GET IntegrationPackages('P')/$value``: 200 with an export archive, 500 where a draft is inside."""
    package = call.state.package(call.head.key("Id"))
    call.state.check_package_writable(package, "export the integration package")
    artifacts = list(call.state.artifacts_of(package))
    drafts = [f"{{Type={_export_type(item.kind)}, Name={item.name}}}" for item in artifacts if item.is_draft]
    if drafts:
        listed = ", ".join(drafts)
        raise ODataError(
            500, f"Package export failed. It contains the following artifacts are in draft state: [ {listed} ]"
        )
    buffer = io.BytesIO()
    resources = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as export:
        for artifact in artifacts:
            resource_id = uuid.uuid5(uuid.NAMESPACE_OID, artifact.id).hex
            export.writestr(f"{resource_id}_content", artifact.archive)
            kind = _export_type(artifact.kind)
            resources.append({"id": resource_id, "uniqueId": artifact.id, "name": artifact.name, "resourceType": kind})
        export.writestr("resources.cnt", json.dumps({"resources": resources}))
    headers = {"Content-Disposition": f'attachment; filename="{package.id}.zip"'}
    return Response(buffer.getvalue(), 200, headers, media_type="application/zip")


def _export_type(kind: Kind) -> str:
    return "IFlow" if kind is Kind.FLOW else kind.value


def copy_package(_call: Call) -> Response:
    """``POST CopyIntegrationPackage``: this tenant has no catalogue to copy from, so 404."""
    raise ODataError(404, "Copy not successful from content hub to workpace.")


ROUTES: dict[Route, Handler] = {
    ("GET", "IntegrationPackages"): list_packages,
    ("POST", "IntegrationPackages"): create_package,
    ("GET", "IntegrationPackages()"): read_package,
    ("PUT", "IntegrationPackages()"): update_package,
    ("DELETE", "IntegrationPackages()"): delete_package,
    ("GET", "IntegrationPackages()/$value"): download_package,
    ("POST", "CopyIntegrationPackage"): copy_package,
}
