"""Switches about parameters and their values, at work: the client ends right in each position."""

from __future__ import annotations

import pytest
import trio

from tests.support.project import PROP, PROPDEF, SCRIPT
from tests.support.world import MakeWorld

UNCHANGED = ("unchanged", "unchanged")
DONE = ("done", "done")


@pytest.mark.parametrize(("takes", "value"), [(True, "z.example"), (False, "a.example")])
async def test_another_value_in_the_file_of_a_parameter_nobody_configured(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    takes: bool,
    value: str,
) -> None:
    """Whichever value the tenant ends up with after an upload, it is what runs, and the next run does nothing."""
    world = make(put_takes_file_values=takes)
    world.project.every_kind()
    await world.run()
    world.project.edit("Sales", "Orders", PROP, b"Host=z.example\n")
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    ran, after = await world.run(), await world.run()

    assert [ran.exit_code, ran.deployed, after.exit_code, after.writes] == [0, ("Orders",), 0, ()]
    assert world.simulator.artifact("Orders").parameters == {"Host": value}
    assert world.simulator.is_running_design_time("Orders")


@pytest.mark.parametrize(
    ("rule", "exit_codes"), [("refused", [1, 1]), ("refused-on-update", [0, 1]), ("accepted", [0, 0])]
)
async def test_values_without_definitions(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, rule: str, exit_codes: list[int]
) -> None:
    """A flow with values and without their definitions is created and updated where the tenant takes it."""
    world = make(prop_without_propdef=rule)
    world.project.every_kind()
    (world.project.folder("Sales", "Orders") / PROPDEF).unlink()
    first = await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    second = await world.run()

    assert [first.exit_code, second.exit_code] == exit_codes
    for ran in (first, second):
        assert ran.exit_code == 0 or "InputStream cannot be null" in ran.update("Orders").reason
        assert ran.statuses().items() >= {"Counting": ran.statuses()["Counting"]}.items()
        assert ran.statuses()["Counting"] in {DONE, UNCHANGED}


@pytest.mark.parametrize("seen", ["readable", "not-found"])
@pytest.mark.parametrize("word", ["Active", "Draft"])
@pytest.mark.parametrize(
    ("policy", "exit_code", "value"),
    [("fail", 1, "c.example"), ("skip", 0, "c.example"), ("overwrite", 0, "d.example")],
)
async def test_a_persons_draft_whose_parameters_may_be_hidden(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    seen: str,
    word: str,
    policy: str,
    exit_code: int,
    value: str,
) -> None:
    """The policy decides, whether or not the draft's parameters can be read; overwritten, everything arrives."""
    world = make(configurations_of_draft=seen, draft_word=word)
    world.project.every_kind()
    world.project.keys["onDraft"] = policy
    await world.run()
    world.simulator.edit_as_draft("Counting", {SCRIPT: b"// theirs\n"})
    world.project.override("Counting", {"Receiver Host": "d.example"})
    ran = await world.run()

    assert ran.exit_code == exit_code
    assert world.simulator.artifact("Counting").parameters["Receiver Host"] == value
    assert world.simulator.artifact("Counting").is_draft is (policy != "overwrite")
    assert world.simulator.is_running_design_time("Counting") is (policy == "overwrite")


@pytest.mark.parametrize(
    ("rule", "wanted", "stored", "exit_code"),
    [
        ("raw", "https://x.example/?a=1&b=<2>'\"", "https://x.example/?a=1&b=<2>'\"", 0),
        ("decoded", "https://x.example/?a=1&b=<2>'\"", "https://x.example/?a=1&b=<2>'\"", 0),
        ("raw", "a&amp;b", "a&amp;b", 0),
        ("decoded", "a&amp;b", "a&b", 1),
    ],
)
async def test_values_with_characters_of_xml(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, rule: str, wanted: str, stored: str, exit_code: int
) -> None:
    """They arrive as written; a tenant that changes one is not believed, and the flow fails."""
    world = make(entity_encoded_values=rule)
    world.project.every_kind()
    await world.run()
    world.project.override("Counting", {"Receiver Host": wanted})
    ran = await world.run()

    assert ran.exit_code == exit_code
    assert world.simulator.artifact("Counting").parameters["Receiver Host"] == stored
    assert exit_code == 0 or "shows another value afterwards" in ran.update("Counting").reason


@pytest.mark.parametrize(
    ("settings", "key", "value", "exit_code"),
    [
        ({"empty_parameter_values": "accepted"}, "text", "", 0),
        ({"empty_parameter_values": "refused"}, "text", "", 1),
        ({"value_validation": "integers"}, "number", "many", 1),
        ({"value_validation": "integers"}, "flag", "maybe", 0),
        ({"value_validation": "by-type"}, "number", "many", 1),
        ({"value_validation": "by-type"}, "flag", "maybe", 1),
        ({"value_validation": "none"}, "number", "many", 0),
        ({"value_validation": "none"}, "flag", "maybe", 0),
    ],
)
async def test_values_a_tenant_may_refuse(
    make: MakeWorld,
    autojump_clock: trio.testing.MockClock,
    settings: dict[str, object],
    key: str,
    value: str,
    exit_code: int,
) -> None:
    """What the tenant takes runs; what it refuses is named with its text, and the flow runs as before."""
    world = make(**settings)
    types = {"number": "xsd:integer", "flag": "xsd:boolean"}
    world.project.flow("P", "F", parameters={"text": "a", "number": "1", "flag": "true"}, types=types)
    await world.run()
    world.project.override("F", {key: value})
    ran = await world.run()

    assert ran.exit_code == exit_code
    assert (world.simulator.artifact("F").parameters[key] == value) is (exit_code == 0)
    assert exit_code == 0 or f"could not set parameter '{key}'" in ran.update("F").reason
    assert world.simulator.is_running_design_time("F")
