"""Sender addresses that two flows have in common."""

from __future__ import annotations

import pytest

from tests.validation.desk import Desk

ERROR = ["config.yml:20 error shared-address"]
WARNING = ["config.yml:20 warning shared-address"]


def channel(address: str, adapter: str = "HTTPS", direction: str = "Sender", key: str = "urlPath") -> bytes:
    settings = {"ComponentType": adapter, "direction": direction, key: address}
    properties = "".join(
        f"<ifl:property><key>{name}</key><value>{value}</value></ifl:property>" for name, value in settings.items()
    )
    text = f"<bpmn2:messageFlow id='1'><bpmn2:extensionElements>{properties}</bpmn2:extensionElements>"
    return f"{text}</bpmn2:messageFlow>".encode()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (channel("/orders"), channel("/orders"), ERROR),
        (channel("/orders"), channel("orders/"), ERROR),
        (channel("/a&amp;b"), channel("/a&#38;b"), ERROR),
        (channel("/orders", "ProcessDirect", key="address"), channel("/orders", "ProcessDirect", key="address"), ERROR),
        (channel("/orders", "SOAP", key="address"), channel("/orders", "IDOC", key="address"), ERROR),
        (channel("/orders"), channel("/invoices"), []),
        (channel("/orders"), channel("/orders", "ProcessDirect", key="address"), []),
        (channel("/orders"), channel("/orders", "SOAP", key="address"), []),
        (channel("/as2", "AS2", key="address"), channel("/as2", "AS2", key="address"), []),
        (channel("/orders", "Unknown"), channel("/orders", "Unknown"), []),
        (channel("/orders"), channel("/orders", "HTTPS", "Receiver"), []),
        (channel(""), channel(""), []),
        (channel("/orders"), b"<broken", []),
    ],
)
def test_only_addresses_of_one_space_collide(desk: Desk, one: bytes, other: bytes, expected: list[str]) -> None:
    """What the adapters keep apart is no collision; what nobody knows is not guessed."""
    desk.add("One", model=one)
    desk.add("Two", model=other)
    assert expected == desk.found()


def test_channels_that_are_never_closed_are_none(desk: Desk) -> None:
    """A model of some MiB of them is read once, not once for each, and collides with nothing."""
    unclosed = channel("/orders").removesuffix(b"</bpmn2:messageFlow>") * 20_000
    desk.add("One", model=unclosed)
    desk.add("Two", model=unclosed)
    assert desk.found() == []


def test_the_sentence_names_both_flows(desk: Desk) -> None:
    """The other flow is named with its place."""
    desk.add("One", model=channel("/orders"))
    desk.add("Two", model=channel("/orders"))
    (finding,) = desk.check()
    expected = "integration flow 'Two' has the sender address 'orders' (http), as has 'One' (config.yml:10)"
    assert finding.problem.message.startswith(expected)


def test_flows_that_are_not_deployed_do_not_collide(desk: Desk) -> None:
    """Design time does not listen."""
    desk.add("One", model=channel("/orders"))
    desk.add("Two", model=channel("/orders"), deploy=False)
    assert desk.found() == []


def test_one_flow_may_have_an_address_twice(desk: Desk) -> None:
    """Only two flows collide, and each one is told of once."""
    desk.add("One", model=channel("/orders") + channel("/orders"))
    assert desk.found() == []
    desk.add("Two", model=channel("/orders") + channel("/orders"))
    assert desk.found() == ERROR


@pytest.mark.parametrize(
    ("overrides", "parameters", "expected"),
    [
        ({"Address": "/orders"}, {}, ERROR),
        ({}, {"Address": "/orders"}, WARNING),
        ({"Address": "/mine"}, {"Address": "/orders"}, []),
        ({}, {"Address": ""}, []),
        ({}, {}, []),
    ],
)
def test_addresses_in_parameters(
    desk: Desk, overrides: dict[str, str], parameters: dict[str, str], expected: list[str]
) -> None:
    """An override is enforced, so it is certain; the tenant may have another value of any other parameter."""
    desk.add("One", model=channel("/orders"))
    desk.add(
        "Two", model=channel("{{Address}}"), overrides=overrides, parameters=parameters, known=frozenset(overrides)
    )
    assert expected == desk.found()
