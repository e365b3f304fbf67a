"""The demo's models are what the tools of the field can open: well-formed, connected, and mapped field by field."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree

PACKAGES = Path(__file__).resolve().parents[2] / "environments/demo/packages"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DIAGRAM = "{http://www.omg.org/spec/BPMN/20100524/DI}"
IFL = "{http:///com.sap.ifl.model/Ifl.xsd}"
XI = "{urn:sap-com:xi}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
MAPPING = PACKAGES / "CustomerIntegration/CustomerToErpMapping/src/main/resources"
XML_SUFFIXES = {".iflw", ".propdef", ".mmap", ".xsd", ".xml"}
XML_FILES = sorted(path for path in PACKAGES.rglob("*") if path.suffix in XML_SUFFIXES or path.name == ".project")
MODELS = sorted(PACKAGES.rglob("*.iflw"))
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)


def xml(path: Path) -> Element:
    root: Element = ElementTree.fromstring(path.read_bytes())
    return root


def own_properties(element: Element) -> dict[str, str]:
    found = element.findall(f"{BPMN}extensionElements/{IFL}property")
    return {p.findtext("key") or "": p.findtext("value") or "" for p in found}


def names(element: Element, tag: str) -> list[str]:
    return [found.attrib["id"] for found in element.iter(f"{BPMN}{tag}")]


def test_xml_files_are_well_formed() -> None:
    """Every model, definition, mapping, schema and project file of the demo can be parsed."""
    assert len(XML_FILES) == 26
    for path in XML_FILES:
        assert xml(path).tag, path


@every_model
def test_flows_lead_from_start_to_end(model: Path) -> None:
    """Following the sequence flows from the start event visits every step once and ends at the end event."""
    root = xml(model)
    following = {f.attrib["sourceRef"]: f.attrib["targetRef"] for f in root.iter(f"{BPMN}sequenceFlow")}
    (place,) = names(root, "startEvent")
    visited = []
    while place in following:
        place = following.pop(place)
        visited.append(place)
    assert sorted(visited) == sorted(
        [*names(root, "callActivity"), *names(root, "serviceTask"), *names(root, "endEvent")]
    )
    assert [place] == names(root, "endEvent")


@every_model
def test_steps_name_the_flows_that_enter_and_leave_them(model: Path) -> None:
    """Incoming and outgoing of every step say the same as the sequence flows."""
    root = xml(model)
    flows = list(root.iter(f"{BPMN}sequenceFlow"))
    for element in root.iter():
        entering = {f.attrib["id"] for f in flows if f.attrib["targetRef"] == element.attrib.get("id", "-")}
        leaving = {f.attrib["id"] for f in flows if f.attrib["sourceRef"] == element.attrib.get("id", "-")}
        assert {e.text for e in element.findall(f"{BPMN}incoming")} == entering
        assert {e.text for e in element.findall(f"{BPMN}outgoing")} == leaving


@every_model
def test_channels_connect_what_exists(model: Path) -> None:
    """A channel connects a participant with a step, and its direction agrees with the participant's role."""
    root = xml(model)
    roles = {p.attrib["id"]: p.attrib[f"{IFL}type"] for p in root.iter(f"{BPMN}participant")}
    steps = {*names(root, "startEvent"), *names(root, "serviceTask"), *names(root, "endEvent")}
    channels = list(root.iter(f"{BPMN}messageFlow"))
    assert channels
    for channel in channels:
        direction = own_properties(channel)["direction"]
        source, target = channel.attrib["sourceRef"], channel.attrib["targetRef"]
        participant, step = (source, target) if direction == "Sender" else (target, source)
        assert step in steps
        # SAP's own spelling of the receiver's role
        assert roles[participant] == {"Sender": "EndpointSender", "Receiver": "EndpointRecevier"}[direction]


@every_model
def test_the_diagram_shows_every_element_once(model: Path) -> None:
    """Every step, participant, flow and channel has exactly one shape or edge in the diagram."""
    root = xml(model)
    drawn = [e.attrib["bpmnElement"] for e in root.iter() if e.tag in {f"{DIAGRAM}BPMNShape", f"{DIAGRAM}BPMNEdge"}]
    tags = ("participant", "startEvent", "endEvent", "callActivity", "serviceTask", "sequenceFlow", "messageFlow")
    assert sorted(drawn) == sorted(name for tag in tags for name in names(root, tag))


@every_model
def test_sender_addresses_are_parameters(model: Path) -> None:
    """No sender address is fixed in a model, so that the demo runs under a prefix without a warning."""
    senders = [own_properties(channel) for channel in xml(model).iter(f"{BPMN}messageFlow")]
    keys = {"HTTPS": "urlPath", "ProcessDirect": "address", "JMS": "QueueName_inbound"}
    addresses = [sender[keys[sender["ComponentType"]]] for sender in senders if sender["direction"] == "Sender"]
    assert all(re.fullmatch(r"\{\{[^{}]+\}\}", address) for address in addresses)


def test_the_mapping_step_names_the_mapping_in_all_its_places() -> None:
    """The one mapping step names bundle, address, name and path of the mapping, whose file is named after it."""
    steps = [own_properties(step) for model in MODELS for step in xml(model).iter(f"{BPMN}callActivity")]
    (mapping,) = [step for step in steps if step["activityType"] == "Mapping"]
    assert mapping["messageMappingBundleId"] == "CustomerToErpMapping"
    assert mapping["mappinguri"] == "dir://mmap/src/main/resources/mapping/CustomerToErpMapping.mmap"
    assert mapping["mappingname"] == "CustomerToErpMapping"
    assert mapping["mappingpath"] == "src/main/resources/mapping/CustomerToErpMapping"
    assert [path.name for path in (MAPPING / "mapping").iterdir()] == ["CustomerToErpMapping.mmap"]


def schema_paths(element: Element, parent: str = "") -> set[str]:
    found: set[str] = set()
    for child in element:
        path = f"{parent}/{child.attrib['name']}" if child.tag == f"{XSD}element" else parent
        found |= {path} | schema_paths(child, path)
    return found - {""}


@pytest.mark.parametrize(
    ("role", "brick", "schema", "root"),
    [
        ("SOURCE_IFR_MESS", "Src", "CrmCustomer.xsd", "Customer"),
        ("TARGET_IFR_MESS", "Dst", "ErpBusinessPartner.xsd", "BusinessPartner"),
    ],
)
def test_the_mapping_uses_fields_of_its_schemas(role: str, brick: str, schema: str, root: str) -> None:
    """Each side of the mapping links a schema that exists, and maps only fields that stand in it."""
    mapping = xml(MAPPING / "mapping/CustomerToErpMapping.mmap")
    (link,) = [link for link in mapping.iter(f"{XI}lnkRole") if link.attrib["role"] == role]
    assert [e.text for e in link.iter(f"{XI}elem")] == [schema, "src/main/resources/xsd", root]
    mapped = {b.attrib["path"] for b in mapping.iter(f"{XI}brick") if b.attrib["type"] == brick}
    fields = schema_paths(xml(MAPPING / "xsd" / schema))
    assert f"/{root}" in mapped
    assert mapped <= fields
    if brick == "Dst":
        assert mapped == fields


def test_the_value_mapping_has_groups_of_two_sides() -> None:
    """The value mapping pairs values of the CRM and the ERP in eleven groups with ids of their own."""
    groups = list(xml(PACKAGES / "CustomerIntegration/CountryCodes/value_mapping.xml").iter("group"))
    assert len({group.attrib["id"] for group in groups}) == len(groups) == 11
    sides = [tuple((e.findtext("agency"), e.findtext("schema")) for e in group.iter("entry")) for group in groups]
    assert set(sides) == {
        (("CRM", "CountryName"), ("ERP", "CountryCode")),
        (("CRM", "Salutation"), ("ERP", "TitleKey")),
    }
    values = [tuple(e.findtext("value") for e in group.iter("entry")) for group in groups]
    assert ("Côte d'Ivoire", "CI") in values
    assert ("Bosnia & Herzegovina", "BA") in values


def test_the_value_mapping_is_asked_for_what_it_has() -> None:
    """Script and message mapping look countries up under the agencies and schemas of the value mapping."""
    script = PACKAGES / "CustomerIntegration/CustomerEnrichment/src/main/resources/script/LookUpCountry.groovy"
    assert '"CRM", "CountryName", name, "ERP", "CountryCode"' in script.read_text(encoding="utf-8")
    bindings = xml(MAPPING / "mapping/CustomerToErpMapping.mmap").iter(f"{XI}param")
    asked = {b.attrib["name"]: b.findtext(f"{XI}value") for b in bindings}
    asked = {name: value for name, value in asked.items() if name.startswith(("src", "dst"))}
    assert asked == {"srcagency": "CRM", "srcscheme": "CountryName", "dstagency": "ERP", "dstscheme": "CountryCode"}
