"""Integration packages (SAP Help, Integration Content)."""

from __future__ import annotations

from starlette.responses import Response

from cpi_tasks.simulator import operations, package_archive
from cpi_tasks.simulator.call import Call, Handler, Route, attachment, decode_base64, empty
from cpi_tasks.simulator.checkpoint import all_or_nothing
from cpi_tasks.simulator.metadata import OTHER_FAMILIES
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import Entity, Value, literal
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import Package

_NAVIGATIONS = (
    *(kind.entity_set for kind in Kind),
    *(f"{name}DesigntimeArtifacts" for name in OTHER_FAMILIES),
    "CustomTags",
)
_IMPORT_MODES = frozenset({"CREATE_COPY", "OVERWRITE", "OVERWRITE_MERGE"})


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
    """``GET IntegrationPackages[?Author=A|B]``: 200; plain parameters choose by custom tags."""
    chosen = list(call.state.packages.values())
    for name in call.state.settings.custom_tags:
        if name in call.query:
            wanted = call.query[name].split("|")
            chosen = [package for package in chosen if package.tags.get(name) in wanted]
    return call.listing(chosen, entity)


def read_package(call: Call) -> Response:
    """``GET IntegrationPackages('P')``: 200 or 404."""
    return call.format.entity(entity(call.state.package(call.head.key("Id"))))


def create_package(call: Call) -> Response:
    """``POST IntegrationPackages``: 201; bad id, missing ShortText or a Mode 400, existing id 409.

    With ``PackageContent`` the package is imported; landscaper always sends the property, mostly empty.
    """
    sent = call.fields()
    if sent.get("PackageContent"):
        return _import_package(call, sent["PackageContent"])
    if not sent.get("Id"):
        raise ODataError(400, "Property 'Id' cannot be empty")
    operations.check_package_id(call.state, sent["Id"])
    _check_short_text(sent.get("ShortText", ""))
    if "Mode" in sent:
        raise ODataError(400, "Property 'Mode' cannot be set.")
    fields = operations.package_fields(call.state, sent, name=sent["Id"])
    return call.format.entity(entity(operations.add_package(call.state, sent["Id"], fields, call.user)), 201)


def _import_package(call: Call, content: str) -> Response:
    """Take an export archive: 201; an existing package needs ``Overwrite=true``; artifact ids of others are a 500."""
    found = package_archive.read(decode_base64(content, "package content"))
    overwrites = call.query.get("Overwrite", "").strip("'").lower() == "true"
    with all_or_nothing(call.state):
        existing = call.state.packages.get(found.id)
        if existing is not None and overwrites:
            _remove(call, existing)
        operations.check_package_id(call.state, found.id)
        fields = operations.package_fields(call.state, {"ShortText": found.name, **found.fields}, name=found.name)
        package = operations.add_package(call.state, found.id, fields, call.user)
        for item in found.artifacts:
            operations.check_artifact_id(call.state, item.id)
            operations.check_content(call.state, item.kind, item.entries, is_update=False)
            operations.create_artifact(
                call.state,
                kind=item.kind,
                artifact_id=item.id,
                package_id=package.id,
                name=item.name,
                description=None,
                entries=item.entries,
                version=item.version,
                user=call.user,
            )
    return call.format.entity(entity(package), 201)


def update_package(call: Call) -> Response:
    """``PUT IntegrationPackages('P')``: 202 without a body; what is not sent becomes empty."""
    package = call.state.package(call.head.key("Id"))
    call.state.check_package_writable(package, "update the integration package")
    sent = call.fields()
    _check_short_text(sent.get("ShortText", ""))
    package.fields |= operations.package_fields(call.state, sent, name=package.name)
    package.fields |= {"ModifiedBy": call.user, "ModifiedDate": str(call.state.now_ms())}
    call.state.is_dirty = True
    return empty(call.state.settings.package_update_status)


def _check_short_text(text: str) -> None:
    if not text:
        raise ODataError(400, "Property 'ShortText' cannot be empty")


def delete_package(call: Call) -> Response:
    """``DELETE IntegrationPackages('P')``: 202, with all artifacts inside."""
    _remove(call, call.state.package(call.head.key("Id")))
    return empty(202)


def _remove(call: Call, package: Package) -> None:
    call.state.check_package_writable(package, "delete the integration package")
    for artifact in call.state.artifacts_of(package):
        call.state.check_unlocked(artifact, "delete")
    call.state.remove_package(package)


def download_package(call: Call) -> Response:
    """``GET IntegrationPackages('P')/$value``: 200 with an export archive, 500 where a draft is inside."""
    package = call.state.package(call.head.key("Id"))
    call.state.check_package_writable(package, "export the integration package")
    artifacts = list(call.state.artifacts_of(package))
    kinds = [(item, package_archive.export_type(item.kind)) for item in artifacts if item.is_draft]
    if kinds:
        listed = ", ".join(f"{{Type={kind}, Name={item.name}}}" for item, kind in kinds)
        raise ODataError(
            500, f"Package export failed. It contains the following artifacts are in draft state: [ {listed} ]"
        )
    content = package_archive.export(package, artifacts, call.state.now_ms())
    headers = {"Content-Disposition": attachment(f"{package.id}.zip")}
    return Response(content, 200, headers, media_type="application/zip")


def copy_package(call: Call) -> Response:
    """``POST CopyIntegrationPackage?Id=[&ImportMode=&Suffix=]``: no catalogue here, so 404; bad arguments 400."""
    package_id = call.argument("Id")
    mode = call.argument("ImportMode") if "ImportMode" in call.query else "CREATE_COPY"
    if mode not in _IMPORT_MODES:
        raise ODataError(400, f"Import mode '{mode}' is not one of {', '.join(sorted(_IMPORT_MODES))}.")
    raise ODataError(
        404, f"Copy not successful from content hub to workpace. Package {package_id} is not in the content hub."
    )


def list_tags(call: Call) -> Response:
    """``GET IntegrationPackages('P')/CustomTags``: 200 with every tag this tenant has."""
    package = call.state.package(call.head.key("Id"))
    return call.listing(list(call.state.settings.custom_tags), lambda name: _tag(package, name))


def update_tag(call: Call) -> Response:
    """``PUT IntegrationPackages('P')/$links/CustomTags('N')``: 202 without a body; unknown tag 404, no value 400."""
    package = call.state.package(call.head.key("Id"))
    name = call.segments[-1].key("Name")
    if name not in call.state.settings.custom_tags:
        raise ODataError(404, f"Custom tag '{name}' not found.")
    call.state.check_package_writable(package, "change custom tags")
    value = call.fields().get("Value")
    if value is None:
        raise ODataError(400, "Property 'Value' is missing.")
    package.tags[name] = value
    call.state.is_dirty = True
    return empty(202)


def _tag(package: Package, name: str) -> Entity:
    path = f"IntegrationPackages({literal(package.id)})/CustomTags({literal(name)})"
    return Entity(type="CustomTag", path=path, properties={"Name": name, "Value": package.tags.get(name, "")})


ROUTES: dict[Route, Handler] = {
    ("GET", "IntegrationPackages"): list_packages,
    ("POST", "IntegrationPackages"): create_package,
    ("GET", "IntegrationPackages()"): read_package,
    ("PUT", "IntegrationPackages()"): update_package,
    ("DELETE", "IntegrationPackages()"): delete_package,
    ("GET", "IntegrationPackages()/$value"): download_package,
    ("GET", "IntegrationPackages()/CustomTags"): list_tags,
    ("PUT", "IntegrationPackages()/$links/CustomTags()"): update_tag,
    ("POST", "CopyIntegrationPackage"): copy_package,
}
