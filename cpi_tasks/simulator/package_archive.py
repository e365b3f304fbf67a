"""Packages as one archive, in the shape that the Web UI exports and the API exports and imports."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cpi_tasks.simulator import archive, manifest
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.operations import FIRST_VERSION
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import Package, StoredArtifact

RESOURCES = "resources.cnt"
_TEXT_FIELDS = (
    "Description",
    "ShortText",
    "Version",
    "Vendor",
    "SupportedPlatform",
    "Products",
    "Keywords",
    "Countries",
)
_TYPES = {
    Kind.FLOW: "IFlow",
    Kind.MESSAGE_MAPPING: "MessageMapping",
    Kind.SCRIPT_COLLECTION: "ScriptCollection",
    Kind.VALUE_MAPPING: "ValueMapping",
}
_UNREADABLE = "The package content is not an export of an integration package."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedArtifact:
    """One artifact of an import."""

    id: str
    kind: Kind
    name: str
    version: str
    entries: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPackage:
    """What an import brings; artifacts of families that this API does not list are left out."""

    id: str
    name: str
    fields: Mapping[str, str]
    artifacts: Sequence[ImportedArtifact]


def export_type(kind: Kind) -> str:
    """Give the family's name as exports and their errors spell it."""
    return _TYPES[kind]


def export(package: Package, artifacts: Iterable[StoredArtifact], now_ms: int) -> bytes:
    """Write one ``<32hex>_content`` per artifact and the files that list them."""
    resources = [_resource(package.id, package.name, "ContentPackage", package.fields.get("Version") or FIRST_VERSION)]
    attributes = {name: {"attributeValues": [package.fields.get(name, "")]} for name in _TEXT_FIELDS}
    resources[0]["additionalAttributes"] = attributes
    files: dict[str, bytes] = {}
    for item in artifacts:
        resource = _resource(item.id, item.name, _TYPES[item.kind], item.version)
        resources.append(resource)
        entries = {path: data for path, data in archive.unpack(item.archive).items() if path != "metainfo.prop"}
        files[f"{resource['id']}_content"] = archive.pack(entries)
    files[RESOURCES] = base64.b64encode(json.dumps({"resources": resources}).encode())
    files["contentmetadata.md"] = base64.b64encode(f"ContentPackage={package.id}\n".encode())
    files["hash"] = json.dumps([hashlib.sha256(data).hexdigest() for data in files.values()]).encode()
    date = datetime.fromtimestamp(now_ms // 1000, tz=UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    files["ExportInformation.info"] = f"Name={package.name}\nDate={date}\n".encode()
    return archive.pack(files)


def _resource(unique_id: str, name: str, type_: str, version: str) -> dict[str, object]:
    return {
        "id": uuid.uuid5(uuid.NAMESPACE_OID, unique_id).hex,
        "uniqueId": unique_id,
        "name": name,
        "displayName": name,
        "resourceType": type_,
        "semanticVersion": version,
    }


def read(data: bytes) -> ImportedPackage:
    """Read an export; anything else is a 400."""
    files = archive.unpack(data)
    try:
        listed = json.loads(base64.b64decode(files[RESOURCES], validate=True))["resources"]
        resources = [{str(key): value for key, value in item.items()} for item in listed]
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ODataError(400, _UNREADABLE) from error
    package = next((item for item in resources if item.get("resourceType") == "ContentPackage"), None)
    if package is None:
        raise ODataError(400, _UNREADABLE)
    package_id = _text(package, "uniqueId")
    return ImportedPackage(
        id=package_id,
        name=_text(package, "displayName") or package_id,
        fields=_fields(package.get("additionalAttributes")),
        artifacts=_artifacts(resources, files),
    )


def _artifacts(resources: Iterable[Mapping[str, object]], files: Mapping[str, bytes]) -> list[ImportedArtifact]:
    """Read the bundles; together they must not be larger than an archive may be."""
    found: list[ImportedArtifact] = []
    left = archive.MAX_UNPACKED_BYTES
    for resource in resources:
        for item in _artifact(resource, files, left):
            left -= sum(len(data) for data in item.entries.values())
            found.append(item)
    return found


def _artifact(resource: Mapping[str, object], files: Mapping[str, bytes], limit: int) -> list[ImportedArtifact]:
    kind = next((kind for kind, name in _TYPES.items() if name == resource.get("resourceType")), None)
    if kind is None:
        return []
    data = files.get(f"{_text(resource, 'id')}_content")
    if data is None:
        raise ODataError(400, _UNREADABLE)
    entries = archive.unpack(data, limit)
    headers = manifest.parse(entries.get(manifest.PATH, b""))
    version = _text(resource, "semanticVersion")
    artifact_id = _text(resource, "uniqueId") or manifest.symbolic_name(headers)
    return [
        ImportedArtifact(
            id=artifact_id,
            kind=kind,
            name=_text(resource, "displayName") or artifact_id,
            version=version if manifest.is_version(version) else FIRST_VERSION,
            entries=entries,
        )
    ]


def _fields(attributes: object) -> dict[str, str]:
    found = {}
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        values = value.get("attributeValues") if isinstance(value, dict) else None
        if name in _TEXT_FIELDS and isinstance(values, list) and values:
            found[name] = _text({name: values[0]}, name)
    return found


def _text(resource: Mapping[str, object], name: str) -> str:
    value = resource.get(name, "")
    if not isinstance(value, str) or re.search(r"[\ud800-\udfff]", value):
        raise ODataError(400, _UNREADABLE)
    return value
