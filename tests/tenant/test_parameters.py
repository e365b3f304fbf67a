"""Calls on externalised parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import trio.testing

from cpi_tasks.errors import RequestRejected, UnreadableAnswer
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.tenant import ConfigurationParameter
from cpi_tasks.tenant import TenantClient

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
FLOW = ArtifactId("F")


async def test_parameters_are_read(connected: Connected) -> None:
    """Key, value and type are given; a null value is empty, a missing type a string."""
    rows = [
        {"ParameterKey": "Batch Size", "ParameterValue": "100", "DataType": "xsd:integer", "Description": ""},
        {"ParameterKey": "Host", "ParameterValue": None},
    ]

    def tenant(request: httpx.Request) -> httpx.Response:
        path = "/api/v1/IntegrationDesigntimeArtifacts(Id='F',Version='active')/Configurations"
        assert path == request.url.raw_path.decode()
        return httpx.Response(200, json={"d": {"results": rows}})

    async with connected(tenant) as client:
        parameters = await client.read_parameters(FLOW)
    assert (
        ConfigurationParameter(key="Batch Size", value="100", data_type="xsd:integer"),
        ConfigurationParameter(key="Host", value="", data_type="xsd:string"),
    ) == parameters


async def test_no_parameters_are_not_the_same_as_none_shown(connected: Connected) -> None:
    """An empty list is an answer; a 404 means the tenant does not show them."""
    answers = [httpx.Response(200, json={"d": {"results": []}}), httpx.Response(404)]
    async with connected(lambda _: answers.pop(0)) as client:
        assert await client.read_parameters(FLOW) == ()
        assert await client.read_parameters(FLOW) is None


@pytest.mark.parametrize("row", [None, 1, "k", [], {}, {"ParameterKey": None}, {"ParameterKey": {}}])
async def test_a_row_without_key_is_an_odd_answer(
    autojump_clock: trio.testing.MockClock, connected: Connected, row: object
) -> None:
    """Rows that cannot be parameters fail the flow they were asked for, after the answer was asked for three times."""
    asked = []

    def tenant(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        return httpx.Response(200, json={"d": {"results": [{"ParameterKey": "k"}, row]}})

    async with connected(tenant) as client:
        with pytest.raises(UnreadableAnswer, match="could not read the parameters of integration flow 'F'") as odd:
            await client.read_parameters(FLOW)
    assert (len(asked), odd.value.exit_code) == (3, 1)


async def test_an_odd_answer_may_be_a_passing_one(autojump_clock: trio.testing.MockClock, connected: Connected) -> None:
    """The next one counts."""
    answers = [{"d": {"results": [None]}}, {"d": None}, {"d": {"results": []}}]
    async with connected(lambda _: httpx.Response(200, json=answers.pop(0))) as client:
        assert await client.read_parameters(FLOW) == ()


async def test_an_empty_key_is_a_key(connected: Connected) -> None:
    """Java makes one of a line that begins with ``=``, and tenants show it."""
    row = {"ParameterKey": "", "ParameterValue": "= Sender =="}
    async with connected(lambda _: httpx.Response(200, json={"d": {"results": [row]}})) as client:
        assert await client.read_parameters(FLOW) == (ConfigurationParameter(key="", value="= Sender =="),)


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        ("Receiver Host", "'Receiver%20Host'"),
        ("a/b", "'a%2Fb'"),
        ("100%", "'100%25'"),
        ("it's", "'it%27%27s'"),
        ("x=1&y?#+", "'x%3D1%26y%3F%23%2B'"),
    ],
)
async def test_a_parameter_is_written(connected: Connected, key: str, encoded: str) -> None:
    """The key is escaped in the path; the value goes as it is, expressions and markup included."""
    sent: list[httpx.Request] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200)
        sent.append(request)
        return httpx.Response(202)

    value = "a<b & \"c\" ${property.P} 'd' \u00fc\n"
    async with connected(tenant) as client:
        await client.write_parameter(FLOW, key, value)
    (request,) = sent
    path = f"/api/v1/IntegrationDesigntimeArtifacts(Id='F',Version='active')/$links/Configurations({encoded})"
    assert ("PUT", path) == (request.method, request.url.raw_path.decode())
    assert {"ParameterValue": value} == json.loads(request.content)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_successes_of_a_write(connected: Connected, status: int) -> None:
    """Sources name different codes of success; all are."""
    async with connected(lambda request: httpx.Response(200 if request.method == "GET" else status)) as client:
        await client.write_parameter(FLOW, "k", "v")


async def test_an_unknown_key_is_an_error_without_the_value(connected: Connected) -> None:
    """The error names flow and key, not the value."""
    body = {"error": {"code": "Not Found", "message": {"value": "Parameter key 'k' not found."}}}

    def tenant(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200) if request.method == "GET" else httpx.Response(404, json=body)

    async with connected(tenant) as client:
        with pytest.raises(RequestRejected) as caught:
            await client.write_parameter(FLOW, "k", "s3cret")
    assert str(caught.value) == (
        "could not set parameter 'k' of integration flow 'F': the tenant answered 404 Not Found: Parameter key 'k' not"
        " found."
    )
