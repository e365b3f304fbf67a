"""What a run overwrites is in its folder before the write, so that a person can put it back."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
import trio

from cpi_tasks.model.config import Selection
from tests.simulation.edits import FRANCE, GERMANY, apply, configure, edit_tenant, stored_files
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, World

PERSON = "person@example.com"
EVERY_FAMILY = frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"})


async def settle(world: World) -> None:
    """Bring everything up, and let an hour pass; nothing was overwritten by that."""
    configure(world)
    await world.run()
    assert kept(world) == {}
    await trio.sleep(3600)


def kept(world: World, folder: Path | None = None) -> dict[str, bytes]:
    """Give the backups of all runs below a folder, by package and file."""
    files = (folder or world.project.root / ".cpi/runs").glob("*/backup/*/*")
    found = {"/".join(file.parts[-2:]): file.read_bytes() for file in files}
    assert all((file.stat().st_mode & 0o077) == 0 for file in (folder or world.project.root).glob("*/backup/*/*"))
    return found


def state(data: bytes) -> dict[str, object]:
    found = json.loads(data)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("families", [frozenset({"Integration"}), EVERY_FAMILY])
@pytest.mark.parametrize("artifact", ["Orders", "Scripts", "OrderToInvoice", "Countries"])
async def test_overwritten_content_is_kept_byte_for_byte(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, artifact: str, families: frozenset[str]
) -> None:
    """Of all four types the archive, the version and the author are kept, and of nothing else anything."""
    world = make(modified_at_families=families)
    await settle(world)
    edit_tenant(world, artifact, "somebody's")
    world.simulator.save_version(artifact, "1.4.2")
    world.project.keys["valueMappings"] = "replace"
    before = world.simulator.artifact(artifact).archive
    ran = await world.run()

    assert ran.exit_code == 0
    files = kept(world)
    assert sorted(files) == [f"Sales/{artifact}.json", f"Sales/{artifact}.zip"]
    assert files[f"Sales/{artifact}.zip"] == before
    known = state(files[f"Sales/{artifact}.json"])
    assert (known["id"], known["package"], known["version"]) == (artifact, "Sales", "1.4.2")
    # Only flows have an author for sure, and times of change are up to the tenant.
    assert known["modifiedBy"] == (PERSON if artifact == "Orders" else "")
    assert (known["modifiedAt"] is not None) is (artifact == "Orders" or families == EVERY_FAMILY)


@pytest.mark.parametrize(
    ("edit", "pattern"),
    [
        ("tenant: content", r"IntegrationDesigntimeArtifacts\(Id='Orders',Version='active'\)$"),
        ("tenant: enforced", r"Configurations\('Host'\)"),
    ],
)
async def test_it_is_kept_before_the_write(
    world: World, autojump_clock: trio.testing.MockClock, edit: str, pattern: str
) -> None:
    """Where the tenant refuses the very first write, what would have been lost is in the folder already."""
    await settle(world)
    apply(world, edit, "Orders")
    before = world.simulator.artifact("Orders").parameters
    world.simulator.fail_next("PUT", pattern, 400, times=10)
    ran = await world.run()

    assert ran.update("Orders").status.value == "failed"
    assert ran.uploads == ()
    assert state(kept(world)["Sales/Orders.json"])["parameters"] == before


async def test_parameters_are_kept_before_they_are_overwritten(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """All values are kept, in clear, for the owner of the folder alone; content that stays is not."""
    await settle(world)
    world.simulator.set_parameter("Orders", "Host", "somebody's host")
    world.simulator.set_parameter("Orders", "Free", "somebody's word")
    ran = await world.run()

    assert ran.uploads == (
        "PUT IntegrationDesigntimeArtifacts(Id='Orders',Version='active')/$links/Configurations('Host')",
    )
    files = kept(world)
    assert list(files) == ["Sales/Orders.json"]
    assert state(files["Sales/Orders.json"])["parameters"] == {
        "Host": "somebody's host",
        "Free": "somebody's word",
        "Empty": "",
    }


async def test_content_that_is_sent_again_for_its_version_is_kept_too(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Where nothing had to be downloaded for comparing, the archive is read once more before it is overwritten."""
    await settle(world)
    world.simulator.save_version("Orders", "1.4.2")
    await world.run()
    world.project.keys["versioning"] = "exact"
    world.project.raise_version("Sales", "Orders", "1.5.0")
    before = world.simulator.artifact("Orders").archive
    ran = await world.run(Selection(artifact_filter="Orders"))

    assert ran.update("Orders").summary == "updated to 1.5.0"
    files = kept(world)
    assert files["Sales/Orders.zip"] == before
    assert state(files["Sales/Orders.json"])["version"] == "1.4.2"


async def test_a_packages_metadata_is_kept(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """The texts that somebody wrote on the tenant are there to be read after the run has replaced them."""
    await settle(world)
    apply(world, "tenant: description", "Orders")
    await world.run()
    found = state(kept(world)["Sales/package.json"])

    assert found["id"] == "Sales"
    assert isinstance(found["metadata"], dict)
    assert found["metadata"]["ShortText"] == "Somebody's text"


async def test_a_draft_is_kept_and_the_report_says_where(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Unsaved work that ``onDraft: overwrite`` replaces is in the file that the report names."""
    await settle(world)
    world.project.keys["onDraft"] = "overwrite"
    apply(world, "tenant: draft", "Orders")
    before = world.simulator.artifact("Orders").archive
    ran = await world.run()

    named = ran.update("Orders").summary.partition("the draft is kept in ")[2]
    files = kept(world)
    assert named.endswith("/backup/Sales/Orders.zip")
    assert files["Sales/Orders.zip"] == before
    assert state(files["Sales/Orders.json"])["version"] == "Active"


async def test_a_backup_can_be_put_back(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Archive, version and parameters are complete: unpacked into the repository they bring back what was there."""
    await settle(world)
    edit_tenant(world, "Orders", "somebody's")
    world.simulator.save_version("Orders", "1.4.2")
    world.simulator.set_parameter("Orders", "Host", "somebody's host")
    world.simulator.set_parameter("Orders", "Free", "somebody's word")
    content, parameters = stored_files(world, "Orders"), world.simulator.artifact("Orders").parameters
    await world.run()
    assert stored_files(world, "Orders") != content

    files = kept(world)
    with zipfile.ZipFile(io.BytesIO(files["Sales/Orders.zip"])) as archive:
        archive.extractall(world.project.folder("Sales", "Orders"))
    values = state(files["Sales/Orders.json"])["parameters"]
    assert isinstance(values, dict)
    world.project.override("Orders", values)
    world.project.keys["versioning"] = "exact"
    restored = await world.run()
    assert restored.exit_code == 0
    assert stored_files(world, "Orders")[SCRIPT] == content[SCRIPT]
    assert stored_files(world, "Orders").keys() == content.keys()
    assert world.simulator.artifact("Orders").parameters == parameters
    assert world.simulator.artifact("Orders").version == "1.4.2"


async def test_a_replaced_value_mapping_is_kept_with_the_entries_that_are_lost(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Replacing is delete and create: what only the tenant had is in the kept archive."""
    await settle(world)
    edit_tenant(world, "Countries", "France")
    before = world.simulator.artifact("Countries").archive
    refused = await world.run()
    assert refused.update("Countries").status.value == "failed"
    assert kept(world) == {}, "nothing was overwritten"

    world.project.keys["valueMappings"] = "replace"
    ran = await world.run()
    assert ran.exit_code == 0
    assert kept(world)["Sales/Countries.zip"] == before
    assert FRANCE["CRM/Country"].encode() not in stored_files(world, "Countries")["value_mapping.xml"]
    assert GERMANY["CRM/Country"].encode() in stored_files(world, "Countries")["value_mapping.xml"]


async def test_looking_and_refused_runs_keep_nothing(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Plans, drift checks and runs that are refused overwrite nothing, so there is nothing to keep."""
    await settle(world)
    apply(world, "tenant: content", "Orders")
    await world.plan()
    await world.drift()
    world.project.keys["onDrift"] = "fail"
    await world.refuse()

    assert kept(world) == {}


async def test_run_folders_go_where_they_are_wanted(
    world: World, autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    """``--run-dir`` puts them where a CI job keeps its artifacts, and nothing is kept below ``.cpi/``."""
    await settle(world)
    apply(world, "tenant: content", "Orders")
    apply(world, "tenant: enforced", "Orders")
    before = world.simulator.artifact("Orders").archive
    await world.run(Selection(run_dir=str(tmp_path / "kept by CI")))

    files = kept(world, tmp_path / "kept by CI")
    assert files["Sales/Orders.zip"] == before
    assert state(files["Sales/Orders.json"])["parameters"] == {"Host": "x.example", "Free": "file", "Empty": ""}
    assert kept(world) == {}
