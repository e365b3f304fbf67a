"""The canonical form of an artifact's content: what counts when files and tenant are compared, and nothing else.

A tenant rewrites what it stores: manifests are refolded and reordered, a mapping's file gets the mapping's name,
directives come and go, configured values take the place of the files'. None of that is a difference.
"""

from __future__ import annotations

import hashlib
import json

from cpi_tasks.content.capabilities import canonical_capabilities
from cpi_tasks.content.folder import DESCRIPTION_PATH, PROP_PATH
from cpi_tasks.content.identity import symbolic_name
from cpi_tasks.content.manifest import MANIFEST_PATH, Manifest, ManifestError
from cpi_tasks.content.properties import read_as_java
from cpi_tasks.content.value_mapping import VALUES_PATH, canonical_values
from cpi_tasks.content.xml import UnreadableXml, canonical_xml, parse_xml
from cpi_tasks.foreign import MARK, XML_SUFFIXES
from cpi_tasks.model.content import ContentDigest
from cpi_tasks.model.naming import ArtifactId, ArtifactKind

MAPPING_PATH = "src/main/resources/mapping/*.mmap"
_MAPPING_FOLDER = "src/main/resources/mapping/"
_VALUE_MAPPING_PATHS = frozenset({MANIFEST_PATH, VALUES_PATH, DESCRIPTION_PATH})
_NEVER = frozenset({".project", ".classpath"})
_IGNORED_HEADERS = frozenset({"bundle-version", "manifest-version", "created-by", "built-by", "tool", "ant-version"})
_IGNORED_PREFIXES = ("origin-", "import-", "bnd-", "build-jdk")


class CanonicalDigest:
    """Folds an artifact's files, one after another and in any order, into a ``ContentDigest``."""

    def __init__(self, artifact: ArtifactId, kind: ArtifactKind) -> None:
        """Begin for one artifact, known by its final id."""
        self._kind = kind
        self._names = {str(artifact)}
        self._entries: dict[str, str] = {}
        self._mappings: dict[str, str] = {}
        self._description: str | None = None

    def add(self, path: str, data: bytes) -> None:
        """Take in one file; what does not count is passed over."""
        if path in _NEVER or (self._kind is ArtifactKind.VALUE_MAPPING and path not in _VALUE_MAPPING_PATHS):
            return
        if path == DESCRIPTION_PATH:
            self._description = _description(data)
        elif path == MANIFEST_PATH:
            self._add_manifest(data)
        elif self._is_mapping(path):
            self._mappings[path] = _digest(plain(data.removeprefix(MARK)))
        elif (form := self._form(path, data)) is not None:
            self._entries[path] = _digest(form)

    def result(self) -> ContentDigest:
        """Give the digest of everything taken in."""
        own = self.own_mapping()
        mappings = {MAPPING_PATH if path == own else path: value for path, value in self._mappings.items()}
        return ContentDigest(entries=self._entries | mappings, description=self._description)

    def own_mapping(self) -> str | None:
        """Give the path of the file that is the message mapping, which the result knows as ``MAPPING_PATH``.

        A single mapping file is the mapping, whatever it is called: the tenant gives it its own name. Of several it is
        the one named like the artifact.
        """
        if len(self._mappings) == 1:
            return next(iter(self._mappings))
        return next((path for path in sorted(self._mappings) if _stem(path) in self._names), None)

    def _is_mapping(self, path: str) -> bool:
        return (
            self._kind is ArtifactKind.MESSAGE_MAPPING and path.startswith(_MAPPING_FOLDER) and path.endswith(".mmap")
        )

    def _add_manifest(self, data: bytes) -> None:
        manifest = None if data.startswith(MARK) else _manifest(data)
        if manifest is None:
            self._entries[MANIFEST_PATH] = _digest(plain(data))
            return
        self._names.add(symbolic_name(manifest))
        self._entries[MANIFEST_PATH] = _digest(_encoded(list(canonical_headers(manifest).items())))

    def _form(self, path: str, data: bytes) -> bytes | None:
        """Give a file's canonical form; ``None`` where it says nothing, so that it equals an absent file.

        What cannot be parsed is compared as text: on the tenant's side nobody can mend it.
        """
        try:
            if path == PROP_PATH and self._kind is ArtifactKind.INTEGRATION_FLOW:
                keys = sorted(read_as_java(data))
                return _encoded(keys) if keys else None
            if path.endswith(".prop"):
                return _encoded(sorted(read_as_java(data).items()))
            if path.endswith(".propdef"):
                form = canonical_xml(parse_xml(data))
                return _utf8(form) if form else None
            if path == VALUES_PATH and self._kind is ArtifactKind.VALUE_MAPPING:
                return _utf8(canonical_values(data))
        except (UnreadableXml, ValueError):
            pass
        # A byte order mark is part of a script, but of no XML document.
        return plain(data.removeprefix(MARK) if path.lower().endswith(XML_SUFFIXES) else data)


def changed_paths(local: ContentDigest, tenant: ContentDigest) -> tuple[str, ...]:
    """Give the canonical paths whose content differs or that one side lacks, sorted; empty where both are equal.

    The description (``metainfo.prop``) counts only where both sides have it: not every download contains the file.
    """
    paths = local.entries.keys() | tenant.entries.keys()
    changed = {path for path in paths if local.entries.get(path) != tenant.entries.get(path)}
    if None not in {local.description, tenant.description} and local.description != tenant.description:
        changed.add(DESCRIPTION_PATH)
    return tuple(sorted(changed))


def canonical_headers(manifest: Manifest) -> dict[str, str | list[str]]:
    """Give the headers that count, sorted by their names in lower case; of capabilities the clauses."""
    headers: dict[str, str | list[str]] = {}
    for name, value in ((name.lower(), value) for name, value in manifest.items()):
        if name in _IGNORED_HEADERS or name.startswith(_IGNORED_PREFIXES):
            continue
        headers[name] = value
        if name == "bundle-symbolicname":
            headers[name] = symbolic_name(manifest)
        elif name in {"provide-capability", "require-capability"}:
            headers[name] = canonical_capabilities(value, keep_versions=name.startswith("require"))
    return {name: value for name, value in sorted(headers.items()) if value}


def plain(data: bytes) -> bytes:
    """Give text with LF line ends; bytes with a NUL are no text and stay."""
    if b"\r" not in data or b"\0" in data:
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _description(data: bytes) -> str | None:
    """Give the description without the blanks around it; ``None`` where the file cannot be read."""
    try:
        text = read_as_java(data).get("description", "")
    except ValueError:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _manifest(data: bytes) -> Manifest | None:
    try:
        return Manifest(data)
    except ManifestError:
        return None


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".mmap")


def _encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def _utf8(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _digest(form: bytes) -> str:
    return hashlib.sha256(form).hexdigest()
