"""The data model: what ``$metadata`` declares is what is played."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

import httpx
import pytest
from defusedxml import ElementTree

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Step = Callable[..., str]
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"


async def _schema(client: httpx.AsyncClient) -> Element:
    answer = await client.get("$metadata", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "application/xml")
    schema = ElementTree.fromstring(answer.content).find(f".//{EDM}Schema")
    assert schema is not None
    assert isinstance(schema, Element)
    return schema


async def test_every_entity_has_the_properties_that_are_declared(
    connect: Connect, flow: Build, bundle: Build, step: Step
) -> None:
    """Properties, navigations and type names of answers are those of the document."""
    simulator, client = connect(deploy_s=0.0, endpoints_delay_s=0.0)
    simulator.add_package("P")
    sender = step(ComponentType="HTTPS", direction="Sender", urlPath="/in")
    files = {"src/main/resources/script/a.groovy": b"x"}
    simulator.add_artifact("P", "F", "Integration", flow("F", steps=sender, parameters={"a": "1"}, files=files))
    entry = "<entry><agency>{0}</agency><schema>{0}</schema><value>{0}</value></entry>"
    values = f"<vm version='2.0'><group id='g'>{entry.format('A')}{entry.format('B')}</group></vm>".encode()
    simulator.add_artifact("P", "V", "ValueMapping", bundle("V", "ValueMapping", files={"value_mapping.xml": values}))
    for kind in ("MessageMapping", "ScriptCollection"):
        simulator.add_artifact("P", kind, kind, bundle(kind, kind))
    simulator.lock("F")
    task = (await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")).text
    run = (await client.post("ExecuteIntegrationDesigntimeArtifactsGuidelines?Id='F'&Version='active'")).text
    schemas = "ValueMappingDesigntimeArtifacts(Id='V',Version='active')/ValMapSchema"
    scheme = "SrcAgency='A',SrcId='A',TgtAgency='B',TgtId='B'"
    paths = [
        *("IntegrationPackages('P')", FLOW_F, "ValueMappingDesigntimeArtifacts(Id='V',Version='active')"),
        "MessageMappingDesigntimeArtifacts(Id='MessageMapping',Version='active')",
        "ScriptCollectionDesigntimeArtifacts(Id='ScriptCollection',Version='active')",
        *(f"{FLOW_F}/Configurations('a')", f"{FLOW_F}/Resources(Name='a.groovy',ResourceType='groovy')"),
        *(f"{FLOW_F}/DesignGuidelineExecutionResults('{run}')", f"{schemas}({scheme})"),
        *("IntegrationRuntimeArtifacts('F')", f"BuildAndDeployStatus(TaskId='{task}')"),
    ]
    lists = [
        *("IntegrationPackages('P')/CustomTags", "IntegrationDesigntimeLocks", "ServiceEndpoints"),
        *("ServiceEndpoints('F%24endpointAddress%3Din')/EntryPoints", f"{schemas}({scheme})/ValMaps"),
        f"{FLOW_F}/DesignGuidelineExecutionResults('{run}')/DesignGuidelines",
    ]
    schema = await _schema(client)
    declared = {item.get("Name"): item for item in schema.findall(f"{EDM}EntityType")}
    rows = [(await client.get(path)).json()["d"] for path in paths]
    rows += [(await client.get(path)).json()["d"]["results"][0] for path in lists]
    for row in rows:
        name = row["__metadata"]["type"].removeprefix("com.sap.hci.api.")
        element = declared[name]
        parts = [*element.findall(f"{EDM}Property"), *element.findall(f"{EDM}NavigationProperty")]
        expected = {part.get("Name") for part in parts}
        optional = {"ModifiedAt"} if name != "IntegrationDesigntimeArtifact" else set()
        assert row.keys() - {"__metadata"} == expected - optional, name


async def test_every_declared_set_answers(connect: Connect) -> None:
    """With a list, or 501 where only navigation reaches it; two sets are declared and 404, as on tenants."""
    _, client = connect()
    schema = await _schema(client)
    names = [str(item.get("Name")) for item in schema.iter(f"{EDM}EntitySet")]
    statuses = {name: (await client.get(name)).status_code for name in names}
    assert {name for name, status in statuses.items() if status == 404} == {"IntegrationFlows", "DesignGuidelines"}
    assert {name for name, status in statuses.items() if status == 501} == {
        *("IntegrationDesigntimeArtifacts", "ScriptCollectionDesigntimeArtifacts", "BuildAndDeployStatus"),
        *("IntegrationAdapterDesigntimeArtifacts", "CustomTags", "Configurations", "Resources", "EntryPoints"),
        *("DesignGuidelineExecutionResults", "ValMapSchema", "ValMaps", "DefaultValMaps", "APIDefinitions"),
        "RuntimeArtifactErrorInformations",
    }
    assert set(statuses.values()) == {200, 404, 501}
    listed = (await client.get("")).json()["d"]["EntitySets"]
    assert sorted(listed) == sorted(names)


async def test_every_declared_function_answers(connect: Connect) -> None:
    """Called without arguments or for something unknown it is a 400 or 404, by GET it is not implemented."""
    _, client = connect()
    schema = await _schema(client)
    for function in schema.iter(f"{EDM}FunctionImport"):
        name = function.get("Name")
        parameters = [part for part in function.findall(f"{EDM}Parameter") if part.get("Nullable") == "false"]
        query = "&".join(
            f"{part.get('Name')}=" + ("true" if part.get("Type") == "Edm.Boolean" else "'x'") for part in parameters
        )
        assert (await client.post(f"{name}?{query}")).status_code == 404, name
        assert (await client.get(f"{name}?{query}")).status_code == 501, name
        if name != "DeployIntegrationAdapterDesigntimeArtifact":
            assert (await client.post(str(name))).status_code == 400, name


async def test_the_document_is_consistent(connect: Connect) -> None:
    """Every relationship, role, set and type that is referred to exists."""
    _, client = connect()
    schema = await _schema(client)

    def names(tag: str) -> set[str | None]:
        return {item.get("Name") for item in schema.iter(f"{EDM}{tag}")}

    prefix = "com.sap.hci.api."
    for end in schema.findall(f"{EDM}Association/{EDM}End"):
        assert str(end.get("Type")).removeprefix(prefix) in names("EntityType")
    for navigation in schema.iter(f"{EDM}NavigationProperty"):
        assert str(navigation.get("Relationship")).removeprefix(prefix) in names("Association")
    for end in schema.findall(f".//{EDM}AssociationSet/{EDM}End"):
        assert end.get("EntitySet") in names("EntitySet")
    for item in schema.iter(f"{EDM}FunctionImport"):
        returned = str(item.get("ReturnType"))
        assert returned == "Edm.String" or returned.removeprefix(prefix) in names("EntityType")


@pytest.mark.parametrize("name", ["DataType", "MessageType", "FaultMessageType", "ServiceInterface"])
async def test_other_families_are_there_and_empty(connect: Connect, name: str) -> None:
    """Lists are empty, single ones 404, creating is not implemented."""
    simulator, client = connect()
    simulator.add_package("P")
    for path in (f"{name}DesigntimeArtifacts", f"IntegrationPackages('P')/{name}DesigntimeArtifacts"):
        assert (await client.get(path)).json() == {"d": {"results": []}}
    assert (await client.get(f"IntegrationPackages('X')/{name}DesigntimeArtifacts")).status_code == 404
    assert (await client.get(f"{name}DesigntimeArtifacts(Id='x',Version='active')")).status_code == 404
    assert (await client.post(f"{name}DesigntimeArtifacts", json={"Id": "x"})).status_code == 501
