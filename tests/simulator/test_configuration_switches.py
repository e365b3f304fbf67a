"""Every position of the switches about configuration parameters."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


async def _write(client: httpx.AsyncClient, key: str, value: str) -> httpx.Response:
    return await client.put(f"{FLOW_F}/$links/Configurations('{key}')", json={"ParameterValue": value})


def _with_flow(simulator: Simulator, content: bytes) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", content)


@pytest.mark.parametrize(("rule", "status", "written"), [("readable", 200, 202), ("not-found", 404, 404)])
async def test_configurations_of_draft(connect: Connect, flow: Build, rule: str, status: int, written: int) -> None:
    """Hidden until the draft is saved, or not; saved versions always show them."""
    simulator, client = connect(configurations_of_draft=rule)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    assert (await client.get(f"{FLOW_F}/Configurations")).status_code == 200
    simulator.edit_as_draft("F", {"a.txt": b"1"})
    assert (await client.get(f"{FLOW_F}/Configurations")).status_code == status
    assert (await client.get(f"{FLOW_F}/Configurations/$count")).status_code == status
    assert (await client.get(f"{FLOW_F}/Configurations('a')")).status_code == status
    assert (await _write(client, "a", "2")).status_code == written
    await client.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='1.0.1'")
    assert (await client.get(f"{FLOW_F}/Configurations")).status_code == 200


@pytest.mark.parametrize(("rule", "stored"), [("raw", "a &amp;&lt;&quot; b"), ("decoded", 'a &<" b')])
async def test_entity_encoded_values(connect: Connect, flow: Build, rule: str, stored: str) -> None:
    """As sent, or with the entities resolved; values without any are the same."""
    simulator, client = connect(entity_encoded_values=rule)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    for value, expected in (("a &amp;&lt;&quot; b", stored), ("x & y", "x & y")):
        assert (await _write(client, "a", value)).status_code == 202
        assert simulator.artifact("F").parameters == {"a": expected}


@pytest.mark.parametrize(("rule", "status", "stored"), [("accepted", 202, ""), ("refused", 400, "1")])
async def test_empty_parameter_values(connect: Connect, flow: Build, rule: str, status: int, stored: str) -> None:
    """Written, or refused with the key."""
    simulator, client = connect(empty_parameter_values=rule)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    answer = await _write(client, "a", "")
    assert (answer.status_code, simulator.artifact("F").parameters) == (status, {"a": stored})
    if status == 400:
        assert _message(answer) == "The value of parameter 'a' cannot be empty."


@pytest.mark.parametrize(
    ("rule", "refused"),
    [
        ("none", set[str]()),
        ("integers", {"xsd:integer"}),
        ("by-type", {"xsd:integer", "xsd:boolean", "xsd:decimal", "xsd:date", "custom:schedule"}),
    ],
)
async def test_value_validation(connect: Connect, flow: Build, rule: str, refused: set[str]) -> None:
    """Nothing, integers, or every known type; texts are never checked and good values always pass."""
    simulator, client = connect(value_validation=rule)
    good = {
        "xsd:integer": "-5",
        "xsd:boolean": "true",
        "xsd:decimal": "1.5",
        "xsd:date": "2026-11-23",
        "custom:schedule": "<row><cell>x</cell></row>",
        "xsd:string": "nonsense",
    }
    keys = {kind: kind.replace(":", "") for kind in good}
    _with_flow(simulator, flow("F", types={key: kind for kind, key in keys.items()}))
    seen = set()
    for kind, value in good.items():
        assert (await _write(client, keys[kind], value)).status_code == 202
        answer = await _write(client, keys[kind], "nonsense")
        if answer.status_code == 400:
            assert _message(answer) == f"The value of parameter '{keys[kind]}' is not of type {kind}."
            seen.add(kind)
    assert seen == refused


@pytest.mark.parametrize(("sensitive", "status"), [(True, 404), (False, 202)])
async def test_parameter_keys_case_sensitive(connect: Connect, flow: Build, *, sensitive: bool, status: int) -> None:
    """The exact spelling wins where several differ by case only."""
    simulator, client = connect(parameter_keys_case_sensitive=sensitive)
    _with_flow(simulator, flow("F", parameters={"Host Name": "1", "x": "1", "X": "1"}))
    assert (await _write(client, "host%20name", "2")).status_code == status
    assert (await _write(client, "X", "2")).status_code == 202
    assert simulator.artifact("F").parameters == {"Host Name": "1" if sensitive else "2", "x": "1", "X": "2"}


@pytest.mark.parametrize("moves", [True, False])
async def test_parameter_write_moves_modified_at(connect: Connect, flow: Build, *, moves: bool) -> None:
    """Of the artifact."""
    simulator, client = connect(parameter_write_moves_modified_at=moves)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    before = (await client.get(FLOW_F)).json()["d"]["ModifiedAt"]
    await _write(client, "a", "2")
    assert ((await client.get(FLOW_F)).json()["d"]["ModifiedAt"] != before) is moves
