"""What every file of an artifact must pass before anything is sent, and the bytes that are sent of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cpi_tasks.content.folder import DESCRIPTION_PATH, PROP_PATH, differing_in_case, read_file
from cpi_tasks.content.manifest import MANIFEST_PATH, Manifest, ManifestError
from cpi_tasks.content.properties import find_duplicates, find_faults, in_ascii
from cpi_tasks.content.value_mapping import VALUES_PATH, read_groups
from cpi_tasks.content.xml import UnreadableXml, local_name, parse_xml, read_root
from cpi_tasks.errors import InputError, Problem
from cpi_tasks.foreign import MARK, TEXT_SUFFIXES, XML_SUFFIXES, Fault, find_foreign
from cpi_tasks.model.naming import ArtifactKind

_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_DECLARED = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_KEEP_MARK = (".xsd", ".wsdl", ".edmx", ".json")
"""What flows only pass on to readers of their own, which take it."""
_UTF8 = frozenset({b"utf-8", b"utf8"})
_NO_MAPPINGS = frozenset(
    {"html", "error", "definitions", "schema", "vm", "parameters", "stylesheet", "transform", "projectdescription"}
)
"""Roots of other documents; message mappings have ``xiObj``, which is not said anywhere to be the only one."""


def read_checked(file: Path, path: str, kind: ArtifactKind) -> bytes:
    """Read one file of an artifact and return what is sent of it; raise ``InputError`` with all that is wrong with it.

    ``path`` is the file's place in the artifact. A UTF-8 byte order mark is legal in XML only, and is sent in schemas
    only.
    """
    data = read_file(file)
    faults = sorted(set(find_faults_of(path, data, kind)))
    if faults:
        raise InputError([_problem(file, fault) for fault in faults])
    return _as_sent(path, data)


def find_problems(files: Mapping[str, Path], kind: ArtifactKind) -> Iterator[Problem]:
    """Read all files of an artifact and return everything that is wrong with any of them."""
    for path, file in files.items():
        try:
            read_checked(file, path, kind)
        except InputError as error:
            yield from error.problems


def find_doubts(manifest: Manifest, files: Mapping[str, Path], kind: ArtifactKind) -> Iterator[Problem]:
    """Return what is accepted, but may be read differently from what its author thinks; the files are sound.

    ``manifest`` is the one on disk.
    """
    if kind is ArtifactKind.INTEGRATION_FLOW and PROP_PATH in files:
        for line, before, key in find_duplicates(read_checked(files[PROP_PATH], PROP_PATH, kind)):
            message = f"'{key}' has another value in line {before}; Java takes the last, which is this one"
            yield Problem(file=str(files[PROP_PATH]), line=line, column=1, message=message)
    for line, before, name in manifest.duplicates():
        message = f"'{name}' has another value in line {before}; Java takes the last, which is this one"
        yield Problem(file=str(files[MANIFEST_PATH]), line=line, column=1, message=message)
    for other, path in differing_in_case(files):
        message = f"differs from {other} in upper and lower case only: on Windows and macOS one of them is lost"
        yield Problem(file=str(files[path]), message=message)


def find_faults_of(path: str, data: bytes, kind: ArtifactKind) -> Iterator[Fault]:
    """Return everything wrong with a file, from its place in the artifact and its bytes alone."""
    foreign = find_foreign(path, data)
    if foreign is not None:
        # What else is wrong follows from it.
        yield foreign
        return
    body = data.removeprefix(MARK)
    if path == MANIFEST_PATH:
        yield from _manifest_faults(body)
    elif path == DESCRIPTION_PATH or (path == PROP_PATH and kind is ArtifactKind.INTEGRATION_FLOW):
        yield from (Fault(line=line, message=message) for line, message in find_faults(body))
    elif path.lower().endswith(XML_SUFFIXES):
        yield from _encoding_faults(data)
        yield from _xml_faults(path, body, kind)


def _manifest_faults(body: bytes) -> Iterator[Fault]:
    try:
        manifest = Manifest(body)
    except ManifestError as error:
        yield Fault(line=error.line, message=str(error))
        return
    yield from (Fault(line=line, message=message) for line, message in manifest.faults())


def _encoding_faults(data: bytes) -> Iterator[Fault]:
    """Find a document that says of itself that it is not UTF-8, but begins with a mark that says it is."""
    body = data.removeprefix(MARK)
    declared = _DECLARED.match(body)
    if declared is None or body is data or body.isascii() or declared[1].lower() in _UTF8:
        return
    message = f"begins with a UTF-8 byte order mark, but declares the encoding {declared[1].decode()}; save it as UTF-8"
    yield Fault(line=1, message=message)


def _xml_faults(path: str, body: bytes, kind: ArtifactKind) -> Iterator[Fault]:
    lower = path.lower()
    try:
        if lower.endswith(".iflw"):
            _check_flow(body)
        elif lower.endswith(".mmap"):
            _check_mapping(body)
        elif lower.endswith(".propdef"):
            _check_definitions(body)
        elif path == VALUES_PATH and kind is ArtifactKind.VALUE_MAPPING:
            _check_values(body)
    except UnreadableXml as error:
        yield Fault(line=error.line, message=str(error))


def _check_flow(body: bytes) -> None:
    namespace, name = _root(body, "the model of an integration flow")
    if name != "definitions" or namespace not in {_BPMN, ""}:
        shown = f"'{name}' of {namespace}" if name == "definitions" else f"'{name}'"
        raise UnreadableXml(
            f"is no model of an integration flow: its root element is {shown}, not 'definitions' of BPMN 2.0", line=0
        )


def _check_mapping(body: bytes) -> None:
    _, name = _root(body, "a message mapping")
    if name.lower() in _NO_MAPPINGS:
        raise UnreadableXml(f"is no message mapping: its root element is '{name}', not 'xiObj'")


def _root(body: bytes, what: str) -> tuple[str, str]:
    if not body.strip():
        raise UnreadableXml(f"is empty, so it is not {what}")
    try:
        return read_root(body)
    except UnreadableXml as error:
        raise UnreadableXml(f"cannot be read as {what}: {error}", line=error.line) from error


def _check_definitions(body: bytes) -> None:
    try:
        root = parse_xml(body)
    except UnreadableXml as error:
        raise UnreadableXml(f"cannot be read as XML: {error}", line=error.line) from error
    if local_name(root) != "parameters":
        raise UnreadableXml(
            f"holds no parameter definitions: its root element is '{local_name(root)}', not 'parameters'"
        )


def _check_values(body: bytes) -> None:
    try:
        read_groups(body)
    except UnreadableXml as error:
        raise UnreadableXml(f"cannot be read as a value mapping: {error}", line=error.line) from error


def _as_sent(path: str, data: bytes) -> bytes:
    lower = path.lower()
    if lower.endswith(".prop"):
        return _prop_as_sent(data)
    return data if lower.endswith(_KEEP_MARK) or not lower.endswith(TEXT_SUFFIXES) else data.removeprefix(MARK)


def _prop_as_sent(data: bytes) -> bytes:
    try:
        return in_ascii(data)
    except ValueError:
        # Of no other file of that name does anybody know who reads it.
        return data.removeprefix(MARK)


def _problem(file: Path, fault: Fault) -> Problem:
    return Problem(file=str(file), line=fault.line, column=1 if fault.line else 0, message=fault.message)
