"""A tenant that gives what was written another version by itself: that one must run, and it is reported once."""

from __future__ import annotations

import pytest
import trio

from cpi_tasks.events import ArtifactUpdated, Event
from tests.simulation.edits import configure, edit_files
from tests.support.world import MakeWorld

EVERY_FAMILY = frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"})
MOVED = "versions changed on the tenant before their deployment, which took the new ones: "


@pytest.mark.parametrize("families", [EVERY_FAMILY, frozenset[str]()])
@pytest.mark.parametrize("is_new", [True, False])
async def test_what_moves_on_after_its_write_is_green(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, is_new: bool, families: frozenset[str]
) -> None:
    """Every family, created or updated: no false red, one line for all of them, and the next run does nothing."""
    world = make(modified_at_families=families)
    configure(world)
    written = ("OrderToInvoice", "Orders", "Scripts")
    if not is_new:
        await world.run()
        for artifact in written:
            edit_files(world, artifact, "files")

    def move_on(event: Event) -> None:
        if isinstance(event, ArtifactUpdated) and event.ref.artifact in written:
            world.simulator.save_version(event.ref.artifact, "1.0.9")

    ran = await world.run(watch=move_on)
    again = await world.run()

    assert ran.exit_code == 0
    assert {ran.deploy(artifact).summary for artifact in written} == {"deployed 1.0.9"}
    lines = [line for part in ran.report.parts for line in part.warnings if line.startswith(MOVED)]
    assert len(lines) == 1
    assert all(f"Sales/{artifact} from " in lines[0] for artifact in written)
    assert [again.exit_code, again.writes] == [0, ()]
    assert not [line for part in again.report.parts for line in part.warnings if line.startswith(MOVED)]
