"""The client ends right under every position of every switch of the embedded tenant, and on every kind of tenant."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
import trio

from cpi_tasks.simulator import SimulatorSettings
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, Ran, World, make_world

FAMILIES = ("Integration", "MessageMapping", "ScriptCollection", "ValueMapping")
MAPPING = "src/main/resources/mapping/OrderToInvoice.mmap"
NO_TIME = "not provable: the tenant gives no time of deployment"
BOTH = (False, True)

# Every position of every switch. A new switch, or a new position of an old one, belongs in here.
POSITIONS: Mapping[str, tuple[object, ...]] = {
    "enforce_csrf": ("basic", "always", "never"),
    "gives_task_id_for_all": BOTH,
    "gives_deployed_on": BOTH,
    "error_information_delay_s": (0.0, 1.0, 20.0),
    "undeployment": ("stopping", "gone", "old-first"),
    "deploys_while_stopping": BOTH,
    "added_profile": ("", "iflmap"),
    "error_information_accept": ("any", "not-json"),
    "requires_running_references": BOTH,
    "requires_started_references": BOTH,
    "version_mode": ("manifest-if-higher", "manifest", "keep", "draft"),
    "modified_at_families": (frozenset[str](), *(frozenset({one}) for one in FAMILIES), frozenset(FAMILIES)),
    "parameter_write_moves_modified_at": BOTH,
    "put_takes_file_values": BOTH,
    "accepts_empty_value_mapping": BOTH,
    "wraps_descriptions": BOTH,
    "underscore_package_ids": BOTH,
    "may_read_locks": BOTH,
    "error_body": ("negotiated", "json", "xml", "empty", "null-message"),
    "forbidden_body": ("null-message", "empty"),
    "text_ending": ("as-observed", "period", "no-period"),
    "unsupported_option_status": (501, 400),
    "runtime_inlinecount": ("counted", "refused", "ignored"),
    "package_update_status": (202, 200),
    "duplicate_package_status": (409, 400, 500),
    "read_only_status": (400, 403, 405, 500),
    "custom_tags": ((), ("Author", "LoB")),
    "create_version": ("1.0.0", "manifest"),
    "created_mappings_move_on_s": (None, 0.0),
    "symbolic_name": ("id", "as-uploaded"),
    "artifact_names": ("checked", "any"),
    "duplicate_artifact_text": ("observed", "specified"),
    "plain_referenced_type": ("null", "empty"),
    "draft_word": ("Active", "Draft"),
    "artifact_content_on_reads": ("null", "base64"),
    "artifact_times": ("epoch-ms", "iso"),
    "prop_without_propdef": ("refused", "refused-on-update", "accepted"),
    "save_version_rule": ("any", "not-lower", "higher"),
    "save_version_status_of_mappings": (200, 202),
    "deletes_deployed": BOTH,
    "resources_of_other_families": ("not-found", "write-only", "allowed"),
    "resource_update_status": (202, 200),
    "guidelines_status": (202, 200),
    "value_mapping_functions": ("working", "as-observed"),
    "manifest_line_bytes": (72, 70),
    "lock_status": (400, 409, 423, 500),
    "lock_errors": ("specified", "uniform"),
    "lock_blocks": (frozenset[str](), frozenset({"update"}), frozenset({"update", "delete", "save", "configure"})),
    "lock_deletion": ("allowed", "forbidden", "not-implemented"),
    "configurations_of_draft": ("readable", "not-found"),
    "entity_encoded_values": ("raw", "decoded"),
    "empty_parameter_values": ("accepted", "refused"),
    "value_validation": ("integers", "by-type", "none"),
    "parameter_keys_case_sensitive": BOTH,
    "batch_status": (202, 200),
    "batch_part_status": (202, 204),
    "batch_absolute_paths": BOTH,
    "batch_blanks": BOTH,
    "changesets_are_atomic": BOTH,
    "batch_max_parts": (0, 1000),
    "task_id_form": ("bare", "quoted", "newline"),
    "task_words": ("upper", "capitalised"),
    "deploys_version_numbers": BOTH,
    "optional_references": ("checked", "ignored"),
    "other_runtime_trigger": ("accepted", "refused"),
    "deployed_on_stamp": ("trigger", "starting", "started"),
    "failed_version": ("new", "old"),
    "not_deployed_status": (404, 400, 500),
    "error_navigation": ("not-found", "atom"),
    "healthy_error_information": (204, 404),
    "error_shape": ("parameter", "template", "children", "nested", "message", "text"),
    "page_size": (1, 3, 1000),
    "designtime_tenant_rate": (None, 15.0),
    "runtime_tenant_rate": (None, 120.0),
}
NO_SWITCHES: Mapping[str, str] = {
    **dict.fromkeys(("username", "password", "client_id", "client_secret"), "credentials"),
    **dict.fromkeys(("token_lifetime_s", "deploy_s", "deploy_seconds_by_id", "stop_s", "endpoints_delay_s"), "times"),
    **dict.fromkeys(("failing", "late_failing", "never_appearing", "stuck_starting"), "fates: such a run is not green"),
    **dict.fromkeys(("other_runtime", "license_failing"), "fates: such a run is not green"),
    "stuck_tasks": "a fate, tested with the deployments",
    **dict.fromkeys(("designtime_rate", "runtime_rate"), "every world keeps the published limits"),
    "retry_after_s": "nobody may meet a 429 here",
    "lock_text": "free text",
}
# What else must be so for a switch to show at all.
TOGETHER: Mapping[str, Mapping[str, object]] = {
    "draft_word": {"version_mode": "draft"},
    "configurations_of_draft": {"version_mode": "draft"},
    "save_version_rule": {"version_mode": "keep"},
    "save_version_status_of_mappings": {"version_mode": "keep"},
    "requires_started_references": {"deploy_seconds_by_id": {"Scripts": 40.0, "OrderToInvoice": 70.0}},
    "task_id_form": {"gives_task_id_for_all": True},
    "artifact_times": {"modified_at_families": frozenset(FAMILIES)},
}
# The usual positions stand together in the profile "default".
USUAL = SimulatorSettings()
CASES = [
    (switch, position)
    for switch, positions in POSITIONS.items()
    for position in positions
    if switch in TOGETHER or position != getattr(USUAL, switch)
]
PROFILES = ("default", "strict", "lenient", "drafts", "legacy")


def _name(value: object) -> str:
    return "+".join(sorted(value)) or "none" if isinstance(value, (frozenset, tuple)) else str(value)


async def _everything_arrives(world: World) -> None:
    """Bring the project up, do nothing, bring changes of every kind, do nothing again."""
    world.project.every_kind()
    first = await world.run()
    assert first.exit_code == 0, first.report
    assert all(statuses == ("done", "done") for statuses in first.statuses().values())
    _runs_what_design_time_holds(world)
    _does_nothing(world, await world.run())

    world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    world.project.edit("Sales", "Scripts", "src/main/resources/script/Shared.groovy", b"def shared() { 2 }\n")
    world.project.raise_version("Sales", "Scripts", "1.2.0")
    world.project.edit("Sales", "OrderToInvoice", MAPPING, b"<mapping><from>Order</from><to>Bill</to></mapping>")
    world.project.raise_version("Sales", "OrderToInvoice", "1.3.0")
    world.project.packages["Sales"]["description"] = "What we sold"
    world.project.override("Counting", {"Receiver Host": "d.example"})
    changed = await world.run()
    assert changed.exit_code == 0, changed.report
    assert {"Counting", "Orders", "OrderToInvoice", "Scripts"} <= set(changed.deployed)
    assert world.simulator.artifact("Counting").parameters["Receiver Host"] == "d.example"
    assert world.simulator.artifact("Scripts").version == "1.2.0"
    assert world.simulator.artifact("OrderToInvoice").version == "1.3.0"
    assert "What we sold" in world.simulator.packages["Sales"].fields["Description"]
    _runs_what_design_time_holds(world)
    _does_nothing(world, await world.run())
    assert world.simulator.violations == []


def _runs_what_design_time_holds(world: World) -> None:
    assert sorted(world.simulator.artifacts) == ["Counting", "Countries", "OrderToInvoice", "Orders", "Scripts"]
    assert all(world.simulator.is_running_design_time(artifact) for artifact in world.simulator.artifacts)


def _does_nothing(world: World, ran: Ran) -> None:
    """Nothing is written; only a tenant that tells no time of deployment is deployed to again, with that reason."""
    assert ran.exit_code == 0
    assert ran.uploads == ()
    if world.simulator.settings.gives_deployed_on:
        assert ran.deployed == ()
    else:
        assert {ran.deploy(artifact).reason for artifact in ran.deployed} == {NO_TIME}


def test_every_switch_is_in_the_table_or_has_a_reason() -> None:
    """A setting that is new, or gone, makes this fail until the table says what to do with it."""
    assert {item.name for item in fields(SimulatorSettings)} == POSITIONS.keys() | NO_SWITCHES.keys()
    assert not POSITIONS.keys() & NO_SWITCHES.keys()


@pytest.mark.parametrize("switch", POSITIONS)
def test_every_position_is_in_the_table(switch: str) -> None:
    """Where the type of a setting lists its values, the table has them all."""
    hint = get_type_hints(SimulatorSettings, localns={"Mapping": Mapping})[switch]
    assert not isinstance(hint, types.UnionType) or None in POSITIONS[switch]
    if get_origin(hint) is Literal:
        assert set(POSITIONS[switch]) == set(get_args(hint))
    if hint is bool:
        assert set(POSITIONS[switch]) == {False, True}


@pytest.mark.parametrize(("switch", "position"), CASES, ids=[f"{one}={_name(value)}" for one, value in CASES])
async def test_the_client_is_right_in_every_position(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, switch: str, position: object
) -> None:
    """What the files say arrives and runs, changes arrive, and a run without changes does nothing."""
    await _everything_arrives(make(**{**TOGETHER.get(switch, {}), switch: position}))


@pytest.mark.parametrize("login", ["basic", "oauth"])
@pytest.mark.parametrize("profile", PROFILES)
async def test_the_client_is_right_on_every_kind_of_tenant(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, profile: str, login: str
) -> None:
    """The same on tenants where many switches stand together, with both logins."""
    settings = SimulatorSettings.profile(profile)
    await _everything_arrives(make_world(tmp_path / "repo", login=login, settings=settings))
