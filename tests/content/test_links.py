"""What an artifact works with: ProcessDirect addresses, value mappings, and what its configuration does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cpi_tasks.content import load_content, load_contents, needs_elsewhere
from cpi_tasks.model.config import ArtifactSpec, DeployConfig
from cpi_tasks.model.naming import ArtifactId, ArtifactKind
from tests.content.conftest import MODEL_PATH, position

Folders = Callable[..., Path]
Specs = Callable[..., ArtifactSpec]
Configs = Callable[..., DeployConfig]

SCRIPTS = ArtifactKind.SCRIPT_COLLECTION
MAPPING = ArtifactKind.MESSAGE_MAPPING
PROP = "src/main/resources/parameters.prop"
SCRIPT = "src/main/resources/script/a"


def model(direction: str, address: str) -> bytes:
    settings = {"ComponentType": "ProcessDirect", "direction": direction, "address": address}
    inner = "".join(f"<property><key>{key}</key><value>{value}</value></property>" for key, value in settings.items())
    return f"<definitions><messageFlow id='M'>{inner}</messageFlow></definitions>".encode()


def uses(*collections: str) -> bytes:
    steps = "".join(f"<property><key>scriptBundleId</key><value>{name}</value></property>" for name in collections)
    return f"<definitions>{steps}</definitions>".encode()


def test_addresses_follow_the_overrides(make_folder: Folders, make_spec: Specs) -> None:
    """A ProcessDirect address is that of the configuration where it overrides the file's."""
    files = {MODEL_PATH: model("Receiver", "{{To}}"), PROP: b"To=/file\n"}
    folder = make_folder("A", files=files)

    assert load_content(make_spec(folder), {}).calls == {"file"}
    assert load_content(make_spec(folder, overrides={"To": "/config"}), {}).calls == {"config"}
    assert load_content(make_spec(folder), {}).listens_to == frozenset()


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (f"{SCRIPT}.groovy", b"def api = ITApiFactory.getService(ValueMappingApi.class, null)", True),
        (f"{SCRIPT}.gsh", b"api.getMappedValue('ERP', 'Country', 'DE', 'CRM', 'Code')", True),
        (f"{SCRIPT}.js", b"valueMap.get('x')", True),
        (f"{SCRIPT}.groovy", b"message.setBody(value)", False),
        ("src/main/resources/xsd/a.xsd", b"<xsd:element name='ValueMapping'/>", False),
    ],
)
def test_lookups_in_scripts(make_folder: Folders, make_spec: Specs, path: str, text: bytes, *, expected: bool) -> None:
    """A script that asks for mapped values makes the flow one that works with value mappings; a schema does not."""
    content = load_content(make_spec(make_folder("A", files={path: text})), {})

    assert content.looks_up_values is expected


@pytest.mark.parametrize("function", ["valuemapping", "value_mapping", "ValueMapping"])
def test_lookups_in_message_mappings(make_folder: Folders, make_spec: Specs, function: str) -> None:
    """The function of that name in a message mapping is a lookup."""
    files = {"src/main/resources/mapping/M.mmap": f"<brick fname='{function}'/>".encode()}

    assert load_content(make_spec(make_folder("M", MAPPING, files), MAPPING), {}).looks_up_values


def test_what_is_needed_and_not_there(make_folder: Folders, make_spec: Specs, make_config: Configs) -> None:
    """Used collections and ``dependsOn`` of what is deployed count, by final ids, unless the configuration has them."""
    flow = make_spec(make_folder("F", files={MODEL_PATH: uses("Here", "There")}))
    here = make_spec(make_folder("Here", SCRIPTS), SCRIPTS)
    named = {ArtifactId("Named"): position(), here.id: position()}
    config = make_config(replace(flow, depends_on=named), here)
    contents, _ = load_contents(config)

    assert needs_elsewhere(config, contents) == {flow.ref: {"There", "Named"}, here.ref: frozenset()}
    assert needs_elsewhere(config, {}) == {flow.ref: {"Named"}, here.ref: frozenset()}


def test_what_is_not_deployed_needs_nothing(make_folder: Folders, make_spec: Specs, make_config: Configs) -> None:
    """Nobody is asked about what an artifact with ``deploy: false`` uses."""
    flow = replace(make_spec(make_folder("F", files={MODEL_PATH: uses("There")})), deploy=False)
    config = make_config(flow)
    contents, _ = load_contents(config)

    assert contents[flow.ref].references == {"There"}
    assert needs_elsewhere(config, contents) == {}
