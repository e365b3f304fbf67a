"""What names an artifact inside its own files, and how these places follow the final id."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping

from cpi_tasks.content.capabilities import capability_ids, rename_capabilities
from cpi_tasks.content.manifest import Manifest
from cpi_tasks.model.config import ArtifactSpec

_PROJECT_NAME = re.compile(
    rb"(<projectDescription\b[^>]*>(?:\s|<!--.*?-->)*<name\s*>)([^<]*)(?=</name\s*>)",
    re.DOTALL,
)
_MAPPING_FILE = re.compile(r"\A(src/main/resources/mapping/)([^/]+)(\.mmap)\Z")


def symbolic_name(manifest: Manifest) -> str:
    """Give the bundle's id without directives; empty where the manifest has none."""
    return (manifest.get("Bundle-SymbolicName") or "").partition(";")[0].strip()


def own_names(manifest: Manifest, source_id: str, final_id: str) -> frozenset[str]:
    """Give every name by which others may know a script collection or message mapping so far.

    These are the id of the configuration, the manifest's own, and the one it provides as a capability where that is
    going to be rewritten because the id changes.
    """
    symbolic = symbolic_name(manifest)
    provided = set(capability_ids(manifest.get("Provide-Capability") or ""))
    others = provided if len(provided) == 1 and symbolic != final_id else set()
    return frozenset({symbolic, source_id} | others) - {""}


def final_manifest(manifest: Manifest, spec: ArtifactSpec, renames: Mapping[str, str]) -> Manifest:
    """Give the manifest with id, name and references as the tenant is to have them; directives are kept."""
    _, semicolon, directives = (manifest.get("Bundle-SymbolicName") or "").partition(";")
    new = manifest
    if symbolic_name(manifest) != spec.id:
        new = new.with_header("Bundle-SymbolicName", f"{spec.id}{semicolon}{directives}")
    if spec.display_name:
        new = new.with_header("Bundle-Name", spec.display_name)
    provided = manifest.get("Provide-Capability")
    if provided is not None:
        own = dict.fromkeys(own_names(manifest, spec.source_id, spec.id), str(spec.id))
        new = new.with_header("Provide-Capability", rename_capabilities(provided, own))
    required = manifest.get("Require-Capability")
    if required is not None:
        new = new.with_header("Require-Capability", rename_capabilities(required, renames))
    return new


def final_project(data: bytes, final_id: str) -> bytes:
    """Give an Eclipse ``.project`` file with the project's name (not a builder's) exchanged."""
    name = html.escape(final_id, quote=False).encode()
    return _PROJECT_NAME.sub(lambda match: match.group(1) + name, data, count=1)


def final_paths(paths: Iterable[str], old_names: frozenset[str], final_id: str) -> dict[str, str]:
    """Give the path in the archive for each file of a message mapping: its own file is called ``<id>.mmap``."""
    all_paths = set(paths)
    result: dict[str, str] = {}
    for path in sorted(all_paths):
        match = _MAPPING_FILE.match(path)
        target = f"{match.group(1)}{final_id}{match.group(3)}" if match and match.group(2) in old_names else path
        result[path] = path if target in all_paths or target in result.values() else target
    return result
