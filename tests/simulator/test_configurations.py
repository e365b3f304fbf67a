"""Configuration parameters of flows."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"


async def _values(client: httpx.AsyncClient) -> dict[str, str]:
    rows = (await client.get(f"{FLOW_F}/Configurations")).json()["d"]["results"]
    return {row["ParameterKey"]: row["ParameterValue"] for row in rows}


async def test_parameters_come_from_values_definitions_and_the_model(connect: Connect, flow: Build) -> None:
    """Types come from the definitions, ``xsd:string`` else; keys without a value are empty."""
    simulator, client = connect()
    simulator.add_package("P")
    steps = "<m:step>{{In &amp; Out}} and {{Receiver Host}}</m:step>"
    content = flow("F", parameters={"Receiver Host": "qa"}, types={"Batch": "xsd:integer"}, steps=steps)
    simulator.add_artifact("P", "F", "Integration", content)
    rows = (await client.get(f"{FLOW_F}/Configurations")).json()["d"]["results"]
    assert [(row["ParameterKey"], row["ParameterValue"], row["DataType"]) for row in rows] == [
        ("Receiver Host", "qa", "xsd:string"),
        ("Batch", "", "xsd:integer"),
        ("In & Out", "", "xsd:string"),
    ]
    assert (await client.get(f"{FLOW_F}/Configurations/$count")).text == "3"


@pytest.mark.parametrize("key", ["'Receiver%20Host'", "'Receiver+Host'", "%27Receiver%20Host%27"])
async def test_a_parameter_is_written_under_every_spelling_of_its_key(connect: Connect, flow: Build, key: str) -> None:
    """Spaces arrive as ``%20`` or ``+``; the answer is an empty 202."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"Receiver Host": "qa"}))
    answer = await client.put(f"{FLOW_F}/$links/Configurations({key})", json={"ParameterValue": "prod"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert await _values(client) == {"Receiver Host": "prod"}


async def test_awkward_keys_are_found(connect: Connect, flow: Build) -> None:
    """Quotes, slashes, commas, plus, per cent and brackets in a key survive the way through the URL."""
    simulator, client = connect()
    simulator.add_package("P")
    keys = {
        "O'Brien": "%27O%27%27Brien%27",
        "a/b": "'a%2Fb'",
        "a,b": "'a%2Cb'",
        "a+b": "'a%2Bb'",
        "50% (x)": "'50%25%20(x)'",
    }
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters=dict.fromkeys(keys, "old")))
    for key, literal in keys.items():
        answer = await client.put(f"{FLOW_F}/$links/Configurations({literal})", json={"ParameterValue": key})
        assert answer.status_code == 202, key
    assert await _values(client) == {key: key for key in keys}


async def test_an_unknown_key_is_404_and_named(connect: Connect, flow: Build) -> None:
    """Parameters cannot be created, and keys are case-sensitive."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    answer = await client.put(f"{FLOW_F}/$links/Configurations('A')", json={"ParameterValue": "2"})
    assert (answer.status_code, answer.json()["error"]["message"]["value"]) == (404, "Parameter key 'A' not found.")


@pytest.mark.parametrize("body", ["{", "[]", '{"ParameterValue": 7}', "{}", '{"ParameterValue": "\\ud800"}', ""])
async def test_a_malformed_body_is_400(connect: Connect, flow: Build, body: str) -> None:
    """Nothing is written."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    answer = await client.put(f"{FLOW_F}/$links/Configurations('a')", content=body)
    assert answer.status_code == 400
    assert await _values(client) == {"a": "1"}


async def test_values_are_checked_against_their_type(connect: Connect, flow: Build) -> None:
    """A text in an integer parameter is 400; an empty value is written."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"n": "1"}, types={"n": "xsd:integer"}))
    path = f"{FLOW_F}/$links/Configurations('n')"
    statuses = [(await client.put(path, json={"ParameterValue": value})).status_code for value in ("x", "-5", "")]
    assert statuses == [400, 202, 202]


@pytest.mark.parametrize(("takes_file_values", "untouched"), [(False, "1"), (True, "9")])
async def test_configured_values_survive_an_update(
    connect: Connect, flow: Build, encode: Encode, *, takes_file_values: bool, untouched: str
) -> None:
    """Also when the new archive changes the value or drops the parameter for a while."""
    simulator, client = connect(put_takes_file_values=takes_file_values)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"set": "1", "not": "1"}))
    simulator.set_parameter("F", "set", "mine")
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", parameters={"set": "9", "not": "9"}))})
    assert await _values(client) == {"set": "mine", "not": untouched}
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F"))})
    assert await _values(client) == {}
    await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", parameters={"set": "9"}))})
    assert await _values(client) == {"set": "mine"}


async def test_deleting_a_flow_forgets_its_values(connect: Connect, flow: Build, encode: Encode) -> None:
    """A flow created again under the same id has the values of its file."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    simulator.set_parameter("F", "a", "mine")
    await client.delete(FLOW_F)
    body = {"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": encode(flow("F", parameters={"a": "1"}))}
    await client.post("IntegrationDesigntimeArtifacts", json=body)
    assert await _values(client) == {"a": "1"}


@pytest.mark.parametrize("moves", [True, False])
async def test_whether_a_write_moves_modified_at_is_a_setting(connect: Connect, flow: Build, *, moves: bool) -> None:
    """Both behaviours can be played."""
    simulator, client = connect(parameter_write_moves_modified_at=moves)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    before = simulator.artifact("F").modified_ms
    await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "2"})
    assert (simulator.artifact("F").modified_ms > before) is moves


async def test_only_flows_have_configurations(connect: Connect, bundle: Build) -> None:
    """For the other families the path is 404."""
    simulator, client = connect()
    simulator.add_package("P")
    for kind in ("MessageMapping", "ScriptCollection", "ValueMapping"):
        simulator.add_artifact("P", kind, kind, bundle(kind, kind))
        answer = await client.get(f"{kind}DesigntimeArtifacts(Id='{kind}',Version='active')/Configurations")
        assert answer.status_code == 404


async def test_configurations_can_be_filtered(connect: Connect, flow: Build) -> None:
    """By equality and by parts of the text."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"Host A": "x", "Host B": "y", "Port": "1"}))
    for expression, expected in (
        ("ParameterKey eq 'Port'", ["Port"]),
        ("startswith(ParameterKey,'Host')", ["Host A", "Host B"]),
        ("substringof('B',ParameterKey) or ParameterValue eq '1'", ["Host B", "Port"]),
        ("ParameterKey ne 'Port'", ["Host A", "Host B"]),
    ):
        answer = await client.get(f"{FLOW_F}/Configurations", params={"$filter": expression})
        assert [row["ParameterKey"] for row in answer.json()["d"]["results"]] == expected
    refused = await client.get(f"{FLOW_F}/Configurations", params={"$filter": "length(ParameterKey) gt 3"})
    assert refused.status_code == 400
