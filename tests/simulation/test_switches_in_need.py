"""Switches that only show when something goes wrong: the run says what, and does everything else."""

from __future__ import annotations

from itertools import product

import pytest
import trio

from tests.support.project import SCRIPT
from tests.support.world import MakeWorld

OTHERS = {"Counting": ("done", "done"), "Countries": ("done", "done")}
SHAPES = ("parameter", "template", "children", "nested", "message", "text")
BODIES = ("negotiated", "json", "xml", "empty", "null-message")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("accept", ["any", "not-json"])
@pytest.mark.parametrize("delay_s", [0.0, 12.0])
async def test_the_text_of_a_failed_build_is_told_in_every_shape(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, shape: str, accept: str, delay_s: float
) -> None:
    """Wherever the tenant puts the text, however late, the report has it; what does not depend on it is running."""
    world = make(error_shape=shape, error_information_accept=accept, error_information_delay_s=delay_s)
    world.project.every_kind()
    (world.project.folder("Sales", "Orders") / SCRIPT).unlink()
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.statuses().items() >= {"Orders": ("done", "failed"), **OTHERS}.items()
    assert "Main.groovy" in ran.deploy("Orders").reason


@pytest.mark.parametrize("failed_version", ["new", "old"])
@pytest.mark.parametrize("stamp", ["trigger", "starting", "started"])
@pytest.mark.parametrize("version_mode", ["manifest-if-higher", "keep", "draft"])
async def test_a_failed_redeployment_is_told_apart_from_what_ran_before(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, failed_version: str, stamp: str, version_mode: str
) -> None:
    """Whichever version and time the ERROR shows, the run is not green; mended, the next run is."""
    world = make(version_mode=version_mode, failed_version=failed_version, deployed_on_stamp=stamp)
    world.project.every_kind()
    await world.run()
    script = (world.project.folder("Sales", "Orders") / SCRIPT).read_bytes()
    (world.project.folder("Sales", "Orders") / SCRIPT).unlink()
    world.project.raise_version("Sales", "Orders", "1.1.0")
    broken = await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, script)
    world.project.raise_version("Sales", "Orders", "1.1.1")
    mended = await world.run()

    assert [broken.exit_code, mended.exit_code] == [1, 0]
    assert "Main.groovy" in broken.deploy("Orders").reason
    assert world.simulator.is_running_design_time("Orders")


@pytest.mark.parametrize("status", [400, 409, 423, 500])
@pytest.mark.parametrize("body", BODIES)
async def test_a_locked_artifact_is_named_and_keeps_what_it_has(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, status: int, body: str
) -> None:
    """Whatever a lock is answered with, nothing else suffers, and the next run brings what was refused."""
    world = make(lock_status=status, error_body=body)
    world.project.every_kind()
    await world.run()
    world.simulator.lock("Orders")
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    world.project.override("Counting", {"Receiver Host": "d.example"})
    locked = await world.run()
    world.simulator.unlock("Orders")
    after = await world.run()

    assert locked.exit_code == 1
    assert [locked.update("Orders").status.value, locked.update("Counting").status.value] == ["failed", "done"]
    assert "locked" in locked.update("Orders").reason or body in {"empty", "null-message"}
    assert locked.deployed == ("Counting",)
    assert [after.exit_code, after.deployed] == [0, ("Orders",)]
    assert world.simulator.is_running_design_time("Orders")


@pytest.mark.parametrize("status", [400, 403, 405, 500])
async def test_a_package_that_may_only_be_configured_is_configured(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, status: int
) -> None:
    """Its content is left alone, an override arrives and runs, whatever a download would be answered with."""
    world = make(read_only_status=status)
    world.project.every_kind()
    await world.run()
    world.simulator.packages["Stock"].mode = "READ_ONLY"
    world.project.edit("Stock", "Counting", SCRIPT, b"// changed\n")
    world.project.override("Counting", {"Receiver Host": "d.example"})
    ran = await world.run()

    assert ran.exit_code == 0
    assert ran.deployed == ("Counting",)
    assert world.simulator.artifact("Counting").parameters["Receiver Host"] == "d.example"
    assert not [write for write in ran.uploads if "$links" not in write]


@pytest.mark.parametrize(
    ("status", "body"),
    [*product((404, 400, 500), ("negotiated", "json", "xml", "empty", "null-message"))],
)
async def test_what_was_undeployed_by_somebody_is_deployed_again(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, status: int, body: str
) -> None:
    """However "not deployed" is said, also without a word, it is understood; only that artifact is touched."""
    world = make(not_deployed_status=status, error_body=body)
    world.project.every_kind()
    await world.run()
    world.simulator.set_runtime("Orders", None)
    ran = await world.run()

    assert [ran.exit_code, ran.uploads, ran.deployed] == [0, (), ("Orders",)]
