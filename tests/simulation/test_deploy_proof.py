"""``deployProof: versions`` and ``onSameVersion: fail``: proof without records, for families without times."""

from __future__ import annotations

import shutil

import pytest
import trio

from cpi_tasks.errors import InputError
from tests.support.world import MakeWorld, World


def library(make: MakeWorld, **keys: str) -> World:
    """Return a project with a flow, a collection and a value mapping on a tenant that gives times for flows only."""
    world = make(modified_at_families=frozenset({"Integration"}))
    world.project.flow("Sales", "Orders", scripts_of="Scripts")
    world.project.collection("Sales", "Scripts")
    world.project.values("Sales", "Countries")
    world.project.keys.update(keys)
    return world


def lose_records(world: World) -> None:
    """Do what a CI job without a cache does: start without ``.cpi/``."""
    shutil.rmtree(world.project.root / ".cpi")


@pytest.mark.parametrize("keys", [{"versioning": "bump"}, {"onSameVersion": "fail"}], ids=["bump", "same-version"])
async def test_a_job_without_records_deploys_nothing(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, keys: dict[str, str]
) -> None:
    """With ``strict`` the same job deploys the collection and the mapping again."""
    world = library(make, deployProof="versions", **keys)
    assert (await world.run()).exit_code == 0

    lose_records(world)
    again = await world.run()

    assert (again.exit_code, again.writes) == (0, ())
    assert again.plan("Scripts").deploy.reason == "runs the saved version 1.0.0 (deployProof: versions)"  # type: ignore[union-attr]
    world.project.keys["deployProof"] = "strict"
    lose_records(world)
    assert (await world.run()).deployed == ("Countries", "Scripts")


async def test_changed_content_is_deployed_under_its_new_version(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """The version moves with the content, so the next job without records knows what runs."""
    world = library(make, deployProof="versions", versioning="bump")
    await world.run()
    world.project.edit("Sales", "Scripts", "src/main/resources/script/Shared.groovy", b"// changed\n")
    lose_records(world)
    changed = await world.run()
    lose_records(world)
    third = await world.run()

    assert "Scripts" in changed.deployed
    assert (third.exit_code, third.writes) == (0, ())


async def test_changed_content_under_an_unchanged_version_is_refused(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """Nothing of the artifact is sent, and the advice names the manifest."""
    world = library(make, onSameVersion="fail")
    await world.run()
    world.project.edit("Sales", "Scripts", "src/main/resources/script/Shared.groovy", b"// changed\n")
    refused = await world.run()

    assert (refused.exit_code, refused.writes) == (1, ())
    update = refused.update("Scripts")
    assert "under the unchanged version 1.0.0 (onSameVersion: fail)" in update.reason
    assert update.advice == "raise Bundle-Version in the manifest"


async def test_versions_prove_nothing_where_content_may_change_under_them(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """Any other combination is bad input, and the message says which settings make it sound."""
    world = library(make, deployProof="versions")
    with pytest.raises(InputError, match="set versioning: bump, or onSameVersion: fail"):
        await world.run()
    assert world.simulator.requests == []
