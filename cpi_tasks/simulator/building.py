"""What a build looks for in an archive: references, files that models name, senders; mappings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from cpi_tasks.simulator import manifest
from cpi_tasks.simulator.archive import RESOURCES, Entries

_MAPPING_URI = re.compile(rf"dir://[^{{}}]*?({RESOURCES}[^{{}}]+)")
# No EDMX: there are published flows that name one they do not have.
_DESCRIPTION = re.compile(r"/?((xsd|wsdl)/[^<>{}]+\.(?:xsd|wsdl))")
_CELL = re.compile(r">([^<>]+)<")
_DESCRIPTION_WORDS = {"xsd": "Schema file", "wsdl": "WSDL file"}


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """Something a flow uses that is deployed on its own."""

    kind_name: str
    id: str
    is_optional: bool = field(default=False, compare=False)
    """Whether the manifest says that the flow may be resolved without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFindings:
    """What a build looks for: things deployed on their own, and sentences that make it fail."""

    references: frozenset[Reference] = frozenset()
    problems: tuple[str, ...] = ()
    senders: tuple[Mapping[str, str], ...] = ()
    """Properties of the model's sender channels."""


def examine(entries: Entries) -> BuildFindings:
    """Look into a flow the way its build does. Models are large: this is for deployments only."""
    headers = manifest.parse(entries.get(manifest.PATH, b""))
    references = {Reference(family, name, is_optional) for family, name, is_optional in manifest.references(headers)}
    problems: list[str] = []
    senders: list[Mapping[str, str]] = []
    for path in (path for path in entries if path.endswith(".iflw")):
        try:
            root = SafeET.fromstring(entries[path])
        except (ParseError, DefusedXmlException, ValueError):
            problems.append(f"Integration flow model '{path.rpartition('/')[2]}' is not well-formed")
            continue
        for step in _steps(root):
            references |= _step_references(step)
            problems += _missing_files(step, entries)
            senders += [step] if step.get("direction") == "Sender" else []
    return BuildFindings(
        references=frozenset(references), problems=tuple(dict.fromkeys(problems)), senders=tuple(senders)
    )


def examine_mapping(entries: Entries) -> BuildFindings:
    """Return what fails the build of a message mapping: no mapping file, an empty one, a schema that is not there.

    flashpipe's runtime test deploys a mapping without content, mcp-cpi's notes name the code of the missing schema.
    """
    paths = [path for path in entries if path.endswith(".mmap")]
    problems = [] if paths else ["Message mapping file not found"]
    for path in paths:
        if not entries[path].strip():
            problems.append(_is_empty(path))
        problems += [
            f"TARGET_CONTENT_NOT_FOUND: schema file '{schema.rpartition('/')[2]}' not found"
            for schema in _schemas(entries[path])
            if schema not in entries
        ]
    return BuildFindings(problems=tuple(dict.fromkeys(problems)))


def _is_empty(path: str) -> str:
    return f"Mapping file '{path.rpartition('/')[2]}' is empty"


def _schemas(model: bytes) -> Iterator[str]:
    """Return the paths of the schema files that a mapping's source and target are linked to.

    A name without a suffix is an object of the Enterprise Services Repository, not a file.
    """
    try:
        root = SafeET.fromstring(model)
    except (ParseError, DefusedXmlException, ValueError):
        return
    for role in (item for item in root.iter() if _local(item) == "lnkRole"):
        for key in (item for item in role.iter() if _local(item) == "key"):
            name, folder, *_ = [*((item.text or "").strip() for item in key if _local(item) == "elem"), "", ""]
            if "." in name and folder.startswith(RESOURCES.rstrip("/")):
                yield f"{folder.rstrip('/')}/{name}"


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _steps(root: Element) -> Iterator[Mapping[str, str]]:
    """Give the ``ifl:property`` pairs of every model element that has any."""
    for parent in root.iter():
        properties = [child for child in parent if _local(child) == "property"]
        if properties:
            yield {(item.findtext("key") or "").strip(): (item.findtext("value") or "").strip() for item in properties}


def _step_references(step: Mapping[str, str]) -> set[Reference]:
    named = {
        Reference("scriptcollection", step.get("scriptBundleId", "")),
        Reference("messagemapping", step.get("messageMappingBundleId", "")),
    }
    return {reference for reference in named if reference.id and "{" not in reference.id}


def _missing_files(step: Mapping[str, str], entries: Entries) -> list[str]:
    """Name the script, the mapping and the schemas of a step that the archive does not have."""
    problems = []
    script = step.get("script", "").rpartition("/")[2]
    if script and "{" not in script and not step.get("scriptBundleId") and not _has_script(script, entries):
        problems.append(f"Script file '{script}' not found")
    mapping = _MAPPING_URI.fullmatch(step.get("mappinguri", ""))
    if mapping and not step.get("messageMappingBundleId") and mapping[1] not in entries:
        problems.append(f"Mapping file '{mapping[1].rpartition('/')[2]}' not found")
    elif mapping and not step.get("messageMappingBundleId") and not entries[mapping[1]].strip():
        problems.append(_is_empty(mapping[1]))
    for path, family in _descriptions(step):
        if f"{RESOURCES}{path}" not in entries:
            problems.append(f"{_DESCRIPTION_WORDS[family]} '{path.rpartition('/')[2]}' not found")
    return problems


def _has_script(name: str, entries: Entries) -> bool:
    return any(path.startswith(RESOURCES) and path.rpartition("/")[2] == name for path in entries)


def _descriptions(step: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give the schemas and services that settings name, alone or in a cell of a table, with the folder of each."""
    for value in step.values():
        for text in (value, *_CELL.findall(value)):
            if found := _DESCRIPTION.fullmatch(text.strip()):
                yield found[1], found[2]
