"""The data model as an EDMX document."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from cpi_tasks.simulator.metadata import FUNCTIONS, TYPES, EntityType, property_type
from cpi_tasks.simulator.rendering import METADATA, NAMESPACE

EDMX = "http://schemas.microsoft.com/ado/2007/06/edmx"
EDM = "http://schemas.microsoft.com/ado/2008/09/edm"


def document() -> bytes:
    """Write the model as an EDMX document of OData 2.0."""
    root = ET.Element(f"{{{EDMX}}}Edmx", {"Version": "1.0"})
    services = ET.SubElement(root, f"{{{EDMX}}}DataServices", {f"{{{METADATA}}}DataServiceVersion": "2.0"})
    schema = ET.SubElement(services, f"{{{EDM}}}Schema", {"Namespace": NAMESPACE})
    for item in TYPES:
        _entity_type(schema, item)
    value = ET.SubElement(schema, f"{{{EDM}}}ComplexType", {"Name": "Value"})
    for name in ("SrcValue", "TgtValue"):
        ET.SubElement(value, f"{{{EDM}}}Property", {"Name": name, "Type": "Edm.String"})
    for item in TYPES:
        _associations(schema, item)
    _container(schema)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entity_type(schema: ET.Element, item: EntityType) -> None:
    element = ET.SubElement(schema, f"{{{EDM}}}EntityType", {"Name": item.name})
    if item.is_media:
        element.set(f"{{{METADATA}}}HasStream", "true")
    key = ET.SubElement(element, f"{{{EDM}}}Key")
    for name in item.key:
        ET.SubElement(key, f"{{{EDM}}}PropertyRef", {"Name": name})
    for name in (*item.key, *item.properties):
        attributes = {"Name": name, "Type": property_type(item, name)}
        nullable = {"Nullable": "false"} if name in item.key else {}
        ET.SubElement(element, f"{{{EDM}}}Property", {**attributes, **nullable})
    for name in item.navigations:
        relationship = f"{NAMESPACE}.{item.name}_{name}"
        ends = {"FromRole": item.name, "ToRole": name}
        ET.SubElement(element, f"{{{EDM}}}NavigationProperty", {"Name": name, "Relationship": relationship, **ends})


def _associations(schema: ET.Element, item: EntityType) -> None:
    for name, entity_set in item.navigations.items():
        target = next(other.name for other in TYPES if other.entity_set == entity_set)
        element = ET.SubElement(schema, f"{{{EDM}}}Association", {"Name": f"{item.name}_{name}"})
        for role, type_, many in ((item.name, item.name, "1"), (name, target, "0..1" if name in item.to_one else "*")):
            attributes = {"Role": role, "Type": f"{NAMESPACE}.{type_}", "Multiplicity": many}
            ET.SubElement(element, f"{{{EDM}}}End", attributes)


def _container(schema: ET.Element) -> None:
    attributes = {"Name": "hci_api", f"{{{METADATA}}}IsDefaultEntityContainer": "true"}
    container = ET.SubElement(schema, f"{{{EDM}}}EntityContainer", attributes)
    for item in TYPES:
        names = {"Name": item.entity_set, "EntityType": f"{NAMESPACE}.{item.name}"}
        ET.SubElement(container, f"{{{EDM}}}EntitySet", names)
        for name, entity_set in item.navigations.items():
            association = f"{item.name}_{name}"
            names = {"Name": association, "Association": f"{NAMESPACE}.{association}"}
            element = ET.SubElement(container, f"{{{EDM}}}AssociationSet", names)
            ET.SubElement(element, f"{{{EDM}}}End", {"Role": item.name, "EntitySet": item.entity_set})
            ET.SubElement(element, f"{{{EDM}}}End", {"Role": name, "EntitySet": entity_set})
    for name, function in FUNCTIONS.items():
        returns = "Edm.String" if function.returns is None else f"{NAMESPACE}.{function.returns}"
        attributes = {"Name": name, "ReturnType": returns, f"{{{METADATA}}}HttpMethod": "POST"}
        element = ET.SubElement(container, f"{{{EDM}}}FunctionImport", attributes)
        for parameter in (*function.parameters, *function.optional):
            type_ = "Edm.Boolean" if parameter == "IsConfigured" else "Edm.String"
            nullable = {"Nullable": "true" if parameter in function.optional else "false"}
            ET.SubElement(element, f"{{{EDM}}}Parameter", {"Name": parameter, "Type": type_, "Mode": "In", **nullable})
