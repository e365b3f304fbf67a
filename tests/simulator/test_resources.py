"""Resources of artifacts."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator, archive

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
FILES = {
    "src/main/resources/script/b.gsh": b"script",
    "src/main/resources/mapping/m.xsl": b"<xsl/>",
    "src/main/resources/wsdl/types.xsd": b"<xsd/>",
    "src/main/resources/note.txt": b"no resource",
}


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


def _with_flow(simulator: Simulator, flow: Build) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", files=FILES))


async def test_resources_are_listed_by_type_counted_and_read(connect: Connect, flow: Build) -> None:
    """Endings give the types, contents come by ``$value`` byte for byte."""
    simulator, client = connect()
    _with_flow(simulator, flow)
    rows = (await client.get(f"{FLOW_F}/Resources")).json()["d"]["results"]
    assert [(row["Name"], row["ResourceType"], row["ReferencedResourceType"]) for row in rows] == [
        ("b.gsh", "groovy", None),
        ("m.xsl", "xslt", None),
        ("types.xsd", "xsd", "wsdl"),
    ]
    assert {row["ResourceContent"] for row in rows} == {None}
    assert (await client.get(rows[1]["__metadata"]["media_src"])).content == b"<xsl/>"
    assert (await client.get(rows[0]["__metadata"]["uri"])).json()["d"]["Name"] == "b.gsh"
    assert (await client.get(f"{FLOW_F}/Resources/$count")).text == "3"
    query = "$filter=startswith(Name,'t') or ResourceType eq 'groovy'&$orderby=Name desc&$select=Name"
    chosen = (await client.get(f"{FLOW_F}/Resources?{query}")).json()["d"]["results"]
    assert [row["Name"] for row in chosen] == ["types.xsd", "b.gsh"]
    assert chosen[0].keys() == {"__metadata", "Name"}
    assert (await client.get(f"{FLOW_F}/Resources/$count?$filter=ResourceType eq 'js'")).text == "0"


@pytest.mark.parametrize("status", [202, 200])
async def test_a_resource_is_added_changed_and_deleted(
    connect: Connect, flow: Build, encode: Encode, status: int
) -> None:
    """201 with the entity, 202 or 200, 200; the version stays and ``ModifiedAt`` moves."""
    simulator, client = connect(resource_update_status=status)
    _with_flow(simulator, flow)
    before = simulator.artifact("F").modified_ms
    body = {"Name": "new.groovy", "ResourceType": "groovy", "ResourceContent": encode(b"1")}
    added = await client.post(f"{FLOW_F}/Resources", json=body)
    assert (added.status_code, added.json()["d"]["Name"]) == (201, "new.groovy")
    link = f"{FLOW_F}/$links/Resources(Name='new.groovy',ResourceType='groovy')"
    changed = await client.put(link, json={"ResourceContent": encode(b"2")})
    assert (changed.status_code, changed.content) == (status, b"")
    assert (await client.get(added.json()["d"]["__metadata"]["media_src"])).content == b"2"
    assert (simulator.artifact("F").shown_version, simulator.artifact("F").modified_ms > before) == ("1.0.0", True)
    deleted = await client.delete(link)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert (await client.delete(link)).status_code == 404


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"ResourceType": "exe"}, "Resource type 'exe' is not supported"),
        ({"Name": "../x.groovy"}, "Resource name '../x.groovy' is not valid for resource type 'groovy'."),
        ({"Name": "x.js"}, "Resource name 'x.js' is not valid"),
        ({"Name": ""}, "Property 'Name' cannot be empty"),
        ({"Name": "b.gsh"}, "Resource 'b.gsh' of type 'groovy' already exists."),
        ({"ResourceContent": "no base64!"}, "The resource content is not valid base64."),
        ({"ReferencedResourceType": "edmx"}, "Referenced resource type 'edmx' is not supported."),
    ],
)
async def test_bad_resources_are_400(
    connect: Connect, flow: Build, encode: Encode, change: dict[str, str], text: str
) -> None:
    """Nothing is stored."""
    simulator, client = connect()
    _with_flow(simulator, flow)
    before = simulator.artifact("F").archive
    body = {"Name": "x.groovy", "ResourceType": "groovy", "ResourceContent": encode(b"1"), **change}
    answer = await client.post(f"{FLOW_F}/Resources", json=body)
    assert (answer.status_code, text in _message(answer)) == (400, True)
    assert simulator.artifact("F").archive == before


async def test_locks_and_read_only_packages_protect_resources(connect: Connect, flow: Build, encode: Encode) -> None:
    """400 for writes to either, and for downloads from a read-only package; the list stays."""
    for protect in ("lock", "package"):
        simulator, client = connect()
        simulator.add_package("P", mode="EDIT_ALLOWED" if protect == "lock" else "READ_ONLY")
        simulator.add_artifact("P", "F", "Integration", flow("F", files=FILES))
        if protect == "lock":
            simulator.lock("F")
        link = f"{FLOW_F}/$links/Resources(Name='b.gsh',ResourceType='groovy')"
        assert (await client.put(link, json={"ResourceContent": encode(b"2")})).status_code == 400
        assert (await client.delete(link)).status_code == 400
        value = await client.get(f"{FLOW_F}/Resources(Name='b.gsh',ResourceType='groovy')/$value")
        assert value.status_code == (200 if protect == "lock" else 400)
        assert (await client.get(f"{FLOW_F}/Resources")).status_code == 200


@pytest.mark.parametrize(
    ("rule", "read", "write"), [("not-found", 404, 404), ("write-only", 404, 201), ("allowed", 200, 201)]
)
async def test_resources_of_other_families_are_a_setting(
    connect: Connect, bundle: Build, encode: Encode, rule: str, read: int, write: int
) -> None:
    """Not there, or only to be written, or like those of flows; value mappings never have any."""
    simulator, client = connect(resources_of_other_families=rule)
    simulator.add_package("P")
    for kind in ("MessageMapping", "ScriptCollection", "ValueMapping"):
        simulator.add_artifact("P", kind, kind, bundle(kind, kind))
        path = f"{kind}DesigntimeArtifacts(Id='{kind}',Version='active')/Resources"
        if kind == "ValueMapping":
            assert (await client.get(path)).status_code == 404
            continue
        body = {"Name": "a.xsd", "ResourceType": "xsd", "ResourceContent": encode(b"<x/>")}
        assert (await client.post(path, json=body)).status_code == write
        assert (await client.get(path)).status_code == read


async def test_resource_writes_leave_drafts_where_the_tenant_does(
    connect: Connect, flow: Build, encode: Encode
) -> None:
    """As every other update of content."""
    simulator, client = connect(version_mode="draft")
    _with_flow(simulator, flow)
    body = {"Name": "x.js", "ResourceType": "js", "ResourceContent": encode(b"1")}
    assert (await client.post(f"{FLOW_F}/Resources", json=body)).status_code == 201
    assert simulator.artifact("F").shown_version == "Active"


async def test_an_artifact_cannot_grow_beyond_what_can_be_read(
    connect: Connect, flow: Build, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resource too many is refused and the artifact stays readable."""
    simulator, client = connect()
    _with_flow(simulator, flow)
    size = sum(map(len, archive.unpack(simulator.artifact("F").archive).values()))
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", size + 100)
    body = {"Name": "x.js", "ResourceType": "js", "ResourceContent": encode(b"x" * 101)}
    assert (await client.post(f"{FLOW_F}/Resources", json=body)).status_code == 400
    assert len((await client.get(f"{FLOW_F}/Resources")).json()["d"]["results"]) == 3
