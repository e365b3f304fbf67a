"""Value mappings have no update call: they are replaced only where that is safe or asked for, and are kept first."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
import trio

from cpi_tasks.model.report import Status
from tests.support.project import values
from tests.support.world import Ran, World

GERMANY = {"ERP/Country": "DE", "CRM/Country": "Germany"}
FRANCE = {"ERP/Country": "FR", "CRM/Country": "France"}
ITALY = {"ERP/Country": "IT", "CRM/Country": "Italy"}
FILE = "value_mapping.xml"
REPLACED = (
    "DELETE ValueMappingDesigntimeArtifacts(Id='Countries',Version='active')",
    "POST ValueMappingDesigntimeArtifacts",
)


@pytest.fixture
async def replaced_values(world: World, autojump_clock: trio.testing.MockClock) -> World:
    """Give a world whose tenant runs a mapping of two countries."""
    world.project.values("Sales", "Countries", GERMANY, FRANCE)
    await world.run()
    await trio.sleep(5)
    return world


def backup_of(ran: Ran) -> Path:
    found = re.search(r"kept in (\S+)", ran.update("Countries").summary)
    assert found is not None
    return Path(found.group(1))


async def test_more_entries_replace_the_mapping_and_keep_the_old_one(
    replaced_values: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Where nothing is lost the mapping is deleted and created, and the archive from before can be opened."""
    world = replaced_values
    world.project.edit("Sales", "Countries", FILE, values(GERMANY, FRANCE, ITALY))
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.uploads == REPLACED
    with zipfile.ZipFile(backup_of(ran)) as archive:
        assert b"France" in archive.read(FILE)
        assert b"Italy" not in archive.read(FILE)
    assert world.simulator.is_running_design_time("Countries")
    assert (await world.run()).writes == ()


async def test_what_only_the_tenant_has_is_protected(
    replaced_values: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Under ``safe`` a person's entry fails the artifact, is listed, and stays."""
    world = replaced_values
    world.simulator.edit_content("Countries", {FILE: values(GERMANY, FRANCE, ITALY)})
    world.project.edit(
        "Sales", "Countries", FILE, values(GERMANY, FRANCE, {"ERP/Country": "ES", "CRM/Country": "Spain"})
    )
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.writes == ()
    assert ran.update("Countries").status is Status.FAILED
    assert "Italy" in ran.update("Countries").reason
    assert "valueMappings" in ran.update("Countries").advice
    assert ran.deploy("Countries").status is Status.ABORTED


async def test_what_only_the_tenant_has_is_replaced_where_that_is_asked_for(
    replaced_values: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Under ``replace`` the reason lists what is lost, and the archive from before has it."""
    world = replaced_values
    world.project.keys["valueMappings"] = "replace"
    world.simulator.edit_content("Countries", {FILE: values(GERMANY, FRANCE, ITALY)})
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.uploads == REPLACED
    assert "lost on the tenant: " in ran.update("Countries").reason
    assert "Italy" in ran.update("Countries").reason
    with zipfile.ZipFile(backup_of(ran)) as archive:
        assert b"Italy" in archive.read(FILE)


async def test_a_mapping_that_is_to_be_kept_is_kept(
    replaced_values: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Under ``keep`` a difference is skipped and shown."""
    world = replaced_values
    world.project.keys["valueMappings"] = "keep"
    world.project.edit("Sales", "Countries", FILE, values(GERMANY))
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.writes == ()
    assert ran.update("Countries").status is Status.SKIPPED
    assert ran.update("Countries").reason == "differs in value_mapping.xml and is kept (valueMappings: keep)"


async def test_a_replacement_that_fails_puts_the_old_mapping_back(
    replaced_values: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Where the new mapping cannot be created the old one is created again and the failure is told."""
    world = replaced_values
    world.project.edit("Sales", "Countries", FILE, values(GERMANY, FRANCE, ITALY))
    world.simulator.fail_next("POST", "ValueMappingDesigntimeArtifacts", 500, b"the new one is not liked")
    ran = await world.run()

    assert ran.exit_code == 1
    assert "the new one is not liked" in ran.update("Countries").reason
    with zipfile.ZipFile(backup_of_failed(world)) as archive:
        assert b"France" in archive.read(FILE)
    with zipfile.ZipFile(io.BytesIO(world.simulator.artifact("Countries").archive)) as archive:
        assert b"France" in archive.read(FILE)
    assert world.simulator.runtime("Countries") is not None
    mended = await world.run()
    assert mended.exit_code == 0
    assert world.simulator.is_running_design_time("Countries")


def backup_of_failed(world: World) -> Path:
    (backup,) = (world.project.root / ".cpi").rglob("Countries.zip")
    return backup
