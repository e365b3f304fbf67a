"""What becomes of the rest of a run when something has failed: ``onFailure`` and ``maxFailures``."""

from __future__ import annotations

import pytest
import trio.testing

from cpi_tasks.model.report import Status
from tests.support.world import MakeWorld, World


def ten_flows(make: MakeWorld, *, failing: int, **keys: object) -> World:
    """Make ten flows in one package, deployed one after another, of which the first few fail."""
    world = make(failing=frozenset(f"Flow{number}" for number in range(failing)))
    world.project.keys |= {"parallelDeployments": 1, **keys}
    for number in range(10):
        world.project.flow("Orders", f"Flow{number}")
    return world


async def test_the_others_go_on_by_default(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """A failure is listed, and everything else is deployed."""
    ran = await ten_flows(make, failing=2).run()

    assert ran.exit_code == 1
    assert [ran.deploy(f"Flow{number}").status for number in range(10)] == [Status.FAILED] * 2 + [Status.DONE] * 8


async def test_stop_begins_nothing_new(make: MakeWorld, autojump_clock: trio.testing.MockClock) -> None:
    """After the first failure nothing is triggered any more; each artifact says why, and the next run goes on."""
    world = ten_flows(make, failing=1, onFailure="stop")
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.deployed == ("Flow0",)
    assert ran.deploy("Flow0").status is Status.FAILED
    assert {ran.deploy(f"Flow{number}").reason for number in range(1, 10)} == {
        "not begun: 1 failed, and onFailure is stop"
    }
    world.behave(failing=frozenset())
    again = await world.run()
    assert again.exit_code == 0
    assert len(again.deployed) == 10
    assert again.uploads == ()


@pytest.mark.parametrize(
    ("allowed", "failing", "triggered"),
    [(2, 2, 10), (2, 3, 3), (0, 1, 1), ("20%", 2, 10), ("20%", 3, 3), ("25%", 3, 3), ("0%", 1, 1)],
)
async def test_exactly_so_many_are_still_allowed(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, allowed: object, failing: int, triggered: int
) -> None:
    """``maxFailures`` many may fail; with one more nothing new is begun."""
    ran = await ten_flows(make, failing=failing, maxFailures=allowed).run()

    assert ran.exit_code == 1
    assert len(ran.deployed) == triggered
