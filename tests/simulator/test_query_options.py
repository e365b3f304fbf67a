"""System query options: which are taken where, and how others are refused."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
RUNTIME = "IntegrationRuntimeArtifacts"


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


def _with_flow(simulator: Simulator, flow: Build) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"b": "1", "a": "2", "c": "1"}))


@pytest.mark.parametrize("status", [501, 400])
@pytest.mark.parametrize(
    ("path", "option"),
    [
        (f"{FLOW_F}?$expand=Configurations", "$expand"),
        (f"{FLOW_F}/Configurations?$skip=1", "$skip"),
        ("IntegrationPackages('P')?$select=Id", "$select"),
        ("IntegrationPackages('P')/IntegrationDesigntimeArtifacts?$filter=Id eq 'F'", "$filter"),
        ("IntegrationPackages('P')/IntegrationDesigntimeArtifacts?$select=Id", "$select"),
        ("BuildAndDeployStatus(TaskId='x')?$orderby=Status", "$orderby"),
    ],
)
async def test_an_option_that_is_not_offered_is_named(
    connect: Connect, flow: Build, status: int, path: str, option: str
) -> None:
    """501 or 400 is a setting."""
    simulator, client = connect(unsupported_option_status=status)
    _with_flow(simulator, flow)
    answer = await client.get(path)
    assert (answer.status_code, _message(answer)) == (status, f"{option} is not supported")


async def test_packages_refuse_options_with_501_always(connect: Connect) -> None:
    """That much was seen."""
    _, client = connect(unsupported_option_status=400)
    for option in ("$filter=Id eq 'x'", "$orderby=Id", "$select=Id", "$expand=CustomTags", "$inlinecount=allpages"):
        assert (await client.get(f"IntegrationPackages?{option}")).status_code == 501


@pytest.mark.parametrize(
    "query", ["$foo=1", "$top=-1", "$top=x", "$skip=1.5", "$inlinecount=some", "$orderby=Nope", "$orderby=Id up",
              "$filter=DeployedOn eq 'x'", "$filter=Id eq 'a' and Id eq 'b'", "$filter=Nope eq 'x'", "$skiptoken=x"],
)  # fmt: skip
async def test_unknown_options_and_bad_values_are_400(connect: Connect, query: str) -> None:
    """The message names what was wrong."""
    _, client = connect()
    answer = await client.get(f"{RUNTIME}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Bad Request")
    assert any(word in _message(answer) for word in (query.partition("=")[0], "Invalid filter expression"))


async def test_parameters_that_are_no_options_are_ignored(connect: Connect) -> None:
    """As everywhere in OData."""
    _, client = connect()
    assert (await client.get(f"{RUNTIME}?sap-language=EN&$format=json")).status_code == 200


@pytest.mark.parametrize(
    ("rule", "status", "counted"), [("counted", 200, True), ("refused", 501, False), ("ignored", 200, False)]
)
async def test_counting_in_the_runtime_list_is_a_setting(
    connect: Connect, *, rule: str, status: int, counted: bool
) -> None:
    """Sources disagree; ``/$count`` works in any case."""
    simulator, client = connect(runtime_inlinecount=rule)
    simulator.set_runtime("F", "STARTED")
    answer = await client.get(f"{RUNTIME}?$inlinecount=allpages")
    assert (answer.status_code, '"__count":"1"' in answer.text) == (status, counted)
    assert (await client.get(f"{RUNTIME}/$count?$filter=Id eq 'F' or Id eq 'G'")).text == "1"


async def test_lists_are_put_in_order(connect: Connect, flow: Build) -> None:
    """By several properties, up and down."""
    simulator, client = connect()
    _with_flow(simulator, flow)
    query = "$orderby=ParameterValue desc,ParameterKey&$select=ParameterKey&$top=2"
    rows = (await client.get(f"{FLOW_F}/Configurations?{query}")).json()["d"]["results"]
    assert [row["ParameterKey"] for row in rows] == ["a", "b"]
    assert (await client.get(f"{FLOW_F}/Configurations/$count?$filter=ParameterValue eq '1'")).text == "2"
    for name, status in (("F", "STARTED"), ("G", "ERROR"), ("H", "STARTED")):
        simulator.set_runtime(name, status)
    rows = (await client.get(f"{RUNTIME}?$orderby=Status asc,Id desc")).json()["d"]["results"]
    assert [row["Id"] for row in rows] == ["G", "H", "F"]


async def test_mappings_are_listed_by_name(connect: Connect, bundle: Build) -> None:
    """Ascending unless told otherwise; ``$skip`` and ``$select`` work on the list of the tenant."""
    simulator, client = connect()
    simulator.add_package("P")
    for name in ("B", "C", "A"):
        simulator.add_artifact("P", name, "MessageMapping", bundle(name, "MessageMapping"))
    for query, expected in (("", "ABC"), ("$orderby=Name desc", "CBA"), ("$skip=1&$top=1&$select=Name", "B")):
        rows = (await client.get(f"MessageMappingDesigntimeArtifacts?{query}")).json()["d"]["results"]
        assert [row["Name"] for row in rows] == list(expected)


@pytest.mark.parametrize("path", [f"IntegrationPackages('{'x' * 9000}')", f"{RUNTIME}?$filter=Id eq '{'x' * 9000}'"])
async def test_huge_addresses_are_refused(connect: Connect, path: str) -> None:
    """414 with an error document."""
    _, client = connect()
    answer = await client.get(path)
    assert (answer.status_code, _message(answer)) == (414, "The request address is too long.")


async def test_message_logs_can_be_asked_for_anything(connect: Connect) -> None:
    """There are none, whatever the filter."""
    _, client = connect()
    query = "$filter=IntegrationArtifact/Id eq 'F' and Status ne 'DISCARDED'&$orderby=LogEnd desc&$top=1"
    assert (await client.get(f"MessageProcessingLogs?{query}")).json() == {"d": {"results": []}}
    counted = await client.get("MessageProcessingLogs?$inlinecount=allpages")
    assert counted.json() == {"d": {"__count": "0", "results": []}}
    assert (await client.get("MessageProcessingLogs/$count")).text == "0"
    assert (await client.get("MessageProcessingLogs('g')")).status_code == 404
    assert (await client.get("MessageProcessingLogs('g')/ErrorInformation/$value")).status_code == 204
