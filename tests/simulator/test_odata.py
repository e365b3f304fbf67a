"""Paths, formats and errors of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.simulator import Simulator
from cpi_tasks.simulator.filters import parse_filter
from cpi_tasks.simulator.odata import ODataError, parse_path

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
ATOM = "{http://www.w3.org/2005/Atom}"
META = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
DATA = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"
PATHS = [
    "IntegrationDesigntimeArtifacts(Id='O''Brien',Version='active')",
    "IntegrationDesigntimeArtifacts(Id=%27O%27%27Brien%27,Version=%27Active%27)",
    "IntegrationDesigntimeArtifacts%28Id%3D'O''Brien'%2CVersion%3D'ACTIVE'%29",
    "IntegrationDesigntimeArtifacts(Id='O%27%27Brien', Version='active')",
    "IntegrationPackages(%27P%27)/IntegrationDesigntimeArtifacts(Id='O''Brien',Version='active')",
    "IntegrationPackages(Id='P')/IntegrationDesigntimeArtifacts(Id='O''Brien',Version='active')",
]


@pytest.mark.parametrize("path", PATHS)
async def test_every_spelling_of_a_path_is_understood(connect: Connect, flow: Build, path: str) -> None:
    """Raw and encoded quotes, brackets, commas and equal signs, and doubled quotes inside."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "O'Brien", "Integration", flow("O'Brien"))
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["d"]["Id"]) == (200, "O'Brien")
    assert (await client.get(answer.json()["d"]["__metadata"]["media_src"])).status_code == 200


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.text(st.characters(codec="utf-8"), max_size=20))
@settings(max_examples=80, deadline=None)
def test_any_text_survives_as_a_key(first: str, second: str) -> None:
    """Whatever a key holds, quoting, doubling and encoding it brings it back."""
    literals = ["'" + quote(text.replace("'", "''"), safe="") + "'" for text in (first, second)]
    path = f"/Set(Id={literals[0]},Version={literals[1]})/$links/Configurations({literals[1]})"
    segments = parse_path(path)
    assert [segment.name for segment in segments] == ["Set", "$links", "Configurations"]
    assert segments[0].keys == {"Id": first, "Version": second}
    assert segments[2].key("ParameterKey") == second


@given(st.text("abI'()=,/%27 $+é\x00", max_size=30))
@settings(max_examples=150, deadline=None)
def test_no_path_breaks_the_parser(path: str) -> None:
    """A path is understood or refused with a 400, whatever it looks like."""
    try:
        parse_path(path)
    except ODataError as error:
        assert error.status == 400  # noqa: PT017 - both ways out are right


@pytest.mark.parametrize("text", ["Id gt 'x'", "Id eq x", "Id eq 'a' and Id eq 'b'", "", "(Id eq 'a'"])
def test_an_unsupported_filter_is_400(text: str) -> None:
    """Nothing is silently ignored."""
    with pytest.raises(ODataError) as caught:
        parse_filter(text)
    assert caught.value.status == 400


def test_a_filter_keeps_quoted_words_together() -> None:
    """A literal may hold ``or`` and doubled quotes."""
    matches = parse_filter("Name eq 'this or that' or Name eq 'O''Brien'")
    assert [matches({"Name": name}) for name in ("this or that", "O'Brien", "this")] == [True, True, False]


async def test_entities_are_atom_unless_json_is_asked_for(connect: Connect, flow: Build) -> None:
    """``Accept`` or ``$format`` chooses; Atom carries the same values, null and links."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    path = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
    atom = await client.get(path, headers={"Accept": "*/*"})
    assert atom.headers["content-type"].startswith("application/atom+xml")
    entry = ElementTree.fromstring(atom.content)
    assert entry.tag == f"{ATOM}entry"
    assert entry.findtext(f"{META}properties/{DATA}Id") == "F"
    content = entry.find(f"{META}properties/{DATA}ArtifactContent")
    assert content is not None
    assert content.get(f"{META}null") == "true"
    source = entry.find(f"{ATOM}content")
    assert source is not None
    assert (await client.get(source.get("src", ""))).status_code == 200
    forced = await client.get(f"{path}?$format=json", headers={"Accept": "application/xml"})
    assert forced.json()["d"]["Id"] == "F"


async def test_lists_are_atom_feeds_with_next_links(connect: Connect) -> None:
    """Paging works in Atom as well; times are written out."""
    simulator, client = connect(page_size=1)
    simulator.set_runtime("A", "STARTED", deployed_on=1760000000123)
    simulator.set_runtime("B", "STARTED")
    atom = await client.get("IntegrationRuntimeArtifacts?$inlinecount=allpages", headers={"Accept": "application/xml"})
    feed = ElementTree.fromstring(atom.content)
    assert feed.findtext(f"{META}count") == "2"
    assert [item.text for item in feed.iter(f"{DATA}DeployedOn")] == ["2025-10-09T08:53:20.123"]
    link = next(item for item in feed.findall(f"{ATOM}link") if item.get("rel") == "next")
    following = await client.get(link.get("href", ""))
    assert [row["Id"] for row in following.json()["d"]["results"]] == ["B"]


@pytest.mark.parametrize("accept", ["application/octet-stream", "*/*", "application/xml"])
async def test_errors_are_xml_without_a_json_accept(connect: Connect, accept: str) -> None:
    """Also for downloads: code and message in an error document."""
    _, client = connect()
    path = "IntegrationDesigntimeArtifacts(Id='F',Version='active')/$value"
    answer = await client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/xml;charset=utf-8")
    error = ElementTree.fromstring(answer.content)
    assert (error.tag, error.findtext(f"{META}code")) == (f"{META}error", "Not Found")
    assert error.findtext(f"{META}message") == "Integration design time artifact not found."


async def test_the_service_document_is_there(connect: Connect) -> None:
    """``GET /api/v1/`` is 200 in both formats."""
    _, client = connect()
    for path in ("", "https://tenant.example/api/v1"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "IntegrationPackages" in answer.json()["d"]["EntitySets"]
    assert (await client.get("", headers={"Accept": "*/*"})).status_code == 200


async def test_an_unknown_set_is_404_and_an_unknown_operation_501(connect: Connect) -> None:
    """The message names the set."""
    _, client = connect()
    unknown = await client.get("IntegrationFlows")
    assert (unknown.status_code, unknown.json()["error"]["message"]["value"]) == (
        404,
        "Could not find an entity set or function import for 'IntegrationFlows'.",
    )
    assert (await client.get("BuildAndDeployStatus")).status_code == 501
    assert (await client.get("$batch")).status_code == 501
    assert (await client.get("https://tenant.example/other")).status_code == 404


@pytest.mark.parametrize("path", ["ServiceEndpoints?$expand=EntryPoints", "MessageProcessingLogs?$top=1"])
async def test_sets_that_are_never_filled_are_empty(connect: Connect, path: str) -> None:
    """An empty collection is 200."""
    _, client = connect()
    assert (await client.get(path)).json() == {"d": {"results": []}}


@pytest.mark.parametrize(
    "path",
    [
        "IntegrationPackages?$top=-1",
        "IntegrationPackages?$skip=x",
        "IntegrationDesigntimeArtifacts(Id='F')",
        "IntegrationDesigntimeArtifacts(Id=F,Version='active')",
        "IntegrationPackages('a'b')",
    ],
)
async def test_malformed_requests_are_400(connect: Connect, path: str) -> None:
    """With an error document in the wanted format."""
    _, client = connect()
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Bad Request")


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"x"', "null", '{"d": []}', '{"Id": 5}', "\xff", json.dumps([[]]), "[" * 100_000]
)
async def test_malformed_bodies_are_400(connect: Connect, body: str) -> None:
    """Whatever is sent, no stack trace comes back."""
    simulator, client = connect()
    simulator.add_package("P")
    for path in ("IntegrationPackages", "IntegrationDesigntimeArtifacts"):
        answer = await client.post(path, content=body.encode("latin-1"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Bad Request")


async def test_function_imports_need_quoted_arguments(connect: Connect) -> None:
    """A missing or unquoted argument is 400."""
    _, client = connect()
    for query in ("", "?Id='F'", "?Id=F&Version='active'"):
        assert (await client.post(f"DeployIntegrationDesigntimeArtifact{query}")).status_code == 400
