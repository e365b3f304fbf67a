"""Changes to design-time artifacts, shared by the API and by what a person does in the Web UI."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cpi_tasks.simulator import archive, manifest
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import Package, StoredArtifact, TenantState, new_guid

FIRST_VERSION = "1.0.0"
LIST_FIELDS = ("Products", "Keywords", "Countries", "Industries", "LineOfBusiness")
_BUNDLE_TYPES = {
    Kind.FLOW: "IntegrationFlow",
    Kind.MESSAGE_MAPPING: "MessageMapping",
    Kind.SCRIPT_COLLECTION: "ScriptCollection",
    Kind.VALUE_MAPPING: "ValueMapping",
}


def check_package_id(state: TenantState, package_id: str) -> None:
    """Refuse an id with anything but letters and digits (400) or one that exists (409)."""
    allowed = r"[A-Za-z0-9_]+" if state.settings.underscore_package_ids else r"[A-Za-z0-9]+"
    if not re.fullmatch(allowed, package_id):
        raise ODataError(400, "Property 'Id' value cannot have a special character. Enter a valid Id.")
    if package_id in state.packages:
        status = state.settings.duplicate_package_status
        raise ODataError(status, "Entity with the specified IntegrationPackage id already exist.")


def package_fields(state: TenantState, sent: Mapping[str, str], *, name: str) -> dict[str, str]:
    """Give the fields a package has after a write: what is not sent becomes empty, text and lists are dressed up."""
    description = sent.get("Description", "")
    if description and state.settings.wraps_descriptions and not description.startswith("<p>"):
        description = f"<p>{description}</p>"
    fields = {
        "Name": sent.get("Name") or name,
        "Description": description,
        "ShortText": sent["ShortText"],
        "Version": sent.get("Version", ""),
        "Vendor": sent.get("Vendor", ""),
        "SupportedPlatform": _listed(sent.get("SupportedPlatform") or "SAP Cloud Integration"),
    }
    return fields | {key: _listed(sent.get(key, "")) for key in LIST_FIELDS}


def _listed(text: str) -> str:
    return text if text.startswith("[") else f"[{text}]"


def add_package(state: TenantState, package_id: str, fields: Mapping[str, str], user: str) -> Package:
    """Store a new package."""
    now = str(state.now_ms())
    stamps = {"CreatedBy": user, "CreationDate": now, "ModifiedBy": user, "ModifiedDate": now}
    package = Package(id=package_id, fields={**fields, **stamps, "ResourceId": new_guid().replace("-", "")})
    state.packages[package_id] = package
    state.is_dirty = True
    return package


def check_content(state: TenantState, kind: Kind, entries: Mapping[str, bytes], *, is_update: bool) -> None:
    """Refuse content no tenant stores: without manifest (400), parameters without definitions (500)."""
    if manifest.PATH not in entries:
        raise ODataError(400, "The artifact content has no META-INF/MANIFEST.MF.")
    rule = state.settings.prop_without_propdef
    needs_definitions = kind is Kind.FLOW and (rule == "refused" or (rule == "refused-on-update" and is_update))
    if needs_definitions and archive.PARAMETERS in entries and archive.DEFINITIONS not in entries:
        raise ODataError(500, "InputStream cannot be null")
    empty = kind is Kind.VALUE_MAPPING and b"<entry" not in entries.get("value_mapping.xml", b"")
    if empty and not state.settings.accepts_empty_value_mapping:
        raise ODataError(400, "The value mapping has no entries.")


def check_name(state: TenantState, name: str) -> None:
    """Refuse a display name that SAP's specification does not allow (400)."""
    is_allowed = re.fullmatch(r"[^\W\d][\w .-]{0,119}", name) is not None and not name.endswith(".")
    if state.settings.artifact_names == "checked" and not is_allowed:
        raise ODataError(
            400,
            "Name should begin with alphabet or underscore, can contain alphabets, digits, spaces, '.', '-' and '_', "
            "must not end with '.' and must not be longer than 120 characters.",
        )


def check_artifact_id(state: TenantState, artifact_id: str) -> None:
    """Refuse the id of an artifact that exists anywhere on the tenant (500), and say where it is."""
    existing = state.artifacts.get(artifact_id)
    if existing is None:
        return
    name, package_id = state.packages[existing.package_id].name, existing.package_id
    words = existing.kind.words.lower()
    article = "An" if words.startswith("i") else "A"
    if state.settings.duplicate_artifact_text == "specified":
        text = (
            f"{article} {words} with the ID {artifact_id} already exists in the package {package_id}. "
            "Please rename the artifact ID."
        )
    else:
        text = (
            f"{article} {words} {existing.name} with the artifact ID {artifact_id} already exists in the {name} "
            f"package. To create /upload an {words}, use a different ID."
        )
    raise ODataError(500, text)


def empty_content(kind: Kind, artifact_id: str, name: str) -> dict[str, bytes]:
    """Tell what is stored for an artifact that is created without content."""
    headers = {
        "Manifest-Version": "1.0",
        "Bundle-ManifestVersion": "2",
        "Bundle-Name": name,
        "Bundle-SymbolicName": f"{artifact_id}; singleton:=true",
        "Bundle-Version": FIRST_VERSION,
        "SAP-BundleType": _BUNDLE_TYPES[kind],
        "SAP-NodeType": "IFLMAP",
    }
    entries = {manifest.PATH: manifest.render(headers)}
    if kind is Kind.VALUE_MAPPING:
        entries["value_mapping.xml"] = b'<vm version="2.0"></vm>'
    return entries


def create_artifact(
    state: TenantState,
    *,
    kind: Kind,
    artifact_id: str,
    package_id: str,
    name: str,
    description: str | None,
    entries: Mapping[str, bytes],
    version: str,
    user: str,
) -> StoredArtifact:
    """Store a new artifact under a version."""
    now = state.now_ms()
    artifact = StoredArtifact(
        id=artifact_id,
        kind=kind,
        package_id=package_id,
        name=name,
        description=archive.description(entries) or "" if description is None else description,
        version=version,
        archive=b"",
        created_by=user,
        created_ms=now,
        modified_by=user,
        modified_ms=now,
        keeps_symbolic_name=state.keeps_symbolic_names,
    )
    artifact.store(entries, version=version, line_bytes=state.settings.manifest_line_bytes)
    state.insert(artifact)
    return artifact


def replace_content(
    state: TenantState, artifact: StoredArtifact, entries: Mapping[str, bytes], *, as_draft: bool, take_version: bool
) -> None:
    """Store other content under an existing artifact, as a draft or saved; parameter values the tenant has stay.

    Nothing is changed where the content is refused.
    """
    before = artifact.content
    version = _next_version(state, artifact.version, entries) if take_version else artifact.version
    line_bytes = state.settings.manifest_line_bytes
    artifact.store(entries, version=None if as_draft else version, line_bytes=line_bytes)
    if not state.settings.put_takes_file_values:
        kept = {key: item.value for key, item in before.parameters.items() if item.value is not None}
        artifact.values = kept | artifact.values
    artifact.version, artifact.is_draft = version, as_draft
    if artifact.content.description is not None:
        artifact.description = artifact.content.description


def _next_version(state: TenantState, current: str, entries: Mapping[str, bytes]) -> str:
    """Return the version after an upload, by what the tenant makes of the manifest's."""
    uploaded = manifest.get(manifest.parse(entries.get(manifest.PATH, b"")), "Bundle-Version").strip()
    if state.settings.version_mode == "manifest":
        return uploaded if manifest.is_version(uploaded) else current
    is_higher = manifest.version_key(uploaded) > manifest.version_key(current)
    return uploaded if state.settings.version_mode == "manifest-if-higher" and is_higher else current


def check_new_version(state: TenantState, artifact: StoredArtifact, version: str) -> None:
    """Refuse what is no version number, or one that the tenant does not take after the current one (400)."""
    rule = "any" if artifact.kind is Kind.VALUE_MAPPING else state.settings.save_version_rule
    new, current = manifest.version_key(version), manifest.version_key(artifact.version)
    is_taken = rule == "any" or new > current or (rule == "not-lower" and new == current)
    if not manifest.is_version(version) or not is_taken:
        raise ODataError(400, "CANNOT_UPDATE_BUNDLE")


def save_as_version(artifact: StoredArtifact, version: str, *, line_bytes: int = manifest.LINE_BYTES) -> None:
    """Give the stored content a version number; it is no draft any more."""
    artifact.store(archive.unpack(artifact.archive), version=version, line_bytes=line_bytes)
    artifact.version, artifact.is_draft = version, False


def first_version(state: TenantState, kind: Kind, entries: Mapping[str, bytes]) -> str:
    """Tell under which version content is created: 1.0.0, or the manifest's for value mappings and where so set."""
    own = manifest.get(manifest.parse(entries[manifest.PATH]), "Bundle-Version").strip()
    takes_own = kind is Kind.VALUE_MAPPING or state.settings.create_version == "manifest"
    return own if takes_own and manifest.is_version(own) else FIRST_VERSION


def plan_next_patch(state: TenantState, artifact: StoredArtifact) -> None:
    """Have a message mapping that the API has created move on to the next patch version where tenants do that."""
    delay_s = state.settings.created_mappings_move_on_s
    if delay_s is not None and artifact.kind is Kind.MESSAGE_MAPPING:
        state.moves[artifact.id] = (state.clock.now_ms() + delay_s * 1000, artifact.version)


def move_on(state: TenantState) -> None:
    """Return the versions that are due; what has another version by now, or is a draft, keeps it."""
    now_ms = state.clock.now_ms()
    for artifact_id, (due_ms, version) in list(state.moves.items()):
        if now_ms < due_ms:
            continue
        del state.moves[artifact_id]
        artifact = state.artifacts.get(artifact_id)
        if artifact is None or artifact.is_draft or artifact.version != version:
            continue
        major, minor, patch = manifest.version_key(version)
        save_as_version(artifact, f"{major}.{minor}.{patch + 1}", line_bytes=state.settings.manifest_line_bytes)
        state.is_dirty = True


def change_files(state: TenantState, artifact: StoredArtifact, entries: Mapping[str, bytes], user: str) -> None:
    """Store other files by the API without a version of their own: resources and mapping entries."""
    archive.check_size(entries)
    as_draft = state.settings.version_mode == "draft" or artifact.is_draft
    replace_content(state, artifact, entries, as_draft=as_draft, take_version=False)
    state.touch(artifact, user)
