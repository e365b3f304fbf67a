"""Sound files of every type, ways to spoil them, and what the intake says of one."""

from __future__ import annotations

import io
import zipfile

import pytest

from cpi_tasks.content import build_archive, load_content
from cpi_tasks.content.intake import find_faults_of
from cpi_tasks.errors import InputError
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.naming import ArtifactKind
from tests.content.conftest import MODEL_PATH, model

FLOW, MAPPING, SCRIPTS = (
    ArtifactKind.INTEGRATION_FLOW,
    ArtifactKind.MESSAGE_MAPPING,
    ArtifactKind.SCRIPT_COLLECTION,
)
VALUES = ArtifactKind.VALUE_MAPPING
BOM = b"\xef\xbb\xbf"
MANIFEST = "META-INF/MANIFEST.MF"
PROP, PROPDEF = "src/main/resources/parameters.prop", "src/main/resources/parameters.propdef"
SCRIPT = "src/main/resources/script/a.groovy"
MMAP = "src/main/resources/mapping/A.mmap"
HEADERS = b"Manifest-Version: 1.0\nBundle-SymbolicName: A\nBundle-Version: 1.0.1\n\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 12345\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>"
TEXTS = {
    MANIFEST: HEADERS,
    PROP: b"Max_Readings=100\n",
    PROPDEF: b"<parameters/>",
    "metainfo.prop": b"description=A flow\n",
    MODEL_PATH: model(),
    MMAP: b"<xiObj xmlns='urn:sap-com:xi'/>",
    SCRIPT: b"def a() {}\n",
    "src/main/resources/script/a.gsh": b"def a() {}\n",
    "src/main/resources/script/a.js": b"var a;\n",
    "src/main/resources/mapping/a.xsl": b"<a/>",
    "src/main/resources/mapping/a.xslt": b"<a/>",
    "src/main/resources/xsd/a.xsd": b"<a/>",
    "src/main/resources/wsdl/a.wsdl": b"<a/>",
    "src/main/resources/edmx/a.edmx": b"<a/>",
    "src/main/resources/json/a.json": b"{}",
    ".project": b"<projectDescription><name>A</name></projectDescription>",
}
EVERY_TEXT = pytest.mark.parametrize("path", TEXTS)


def faults(path: str, data: bytes, kind: ArtifactKind = FLOW) -> list[str]:
    """Check one file; gives ``line: message`` of each fault."""
    return [f"{fault.line}: {fault.message}" for fault in find_faults_of(path, data, kind)]


def messages(spec: ArtifactSpec) -> list[str]:
    """Load an artifact that is refused; gives each problem with its place, relative to the artifact's folder."""
    with pytest.raises(InputError) as caught:
        load_content(spec, {})
    assert caught.value.exit_code == 4
    return [str(problem).removeprefix(f"{spec.folder}/") for problem in caught.value.problems]


def sent(spec: ArtifactSpec) -> dict[str, bytes]:
    """Return the files that would be uploaded."""
    with zipfile.ZipFile(io.BytesIO(build_archive(load_content(spec, {})).data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
