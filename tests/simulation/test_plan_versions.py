"""Which version an artifact has afterwards: every policy on every kind of tenant, and the plan says it beforehand."""

from __future__ import annotations

import pytest
import trio

from cpi_tasks.model.config import Selection
from cpi_tasks.model.plan import UpdateStep
from tests.support.project import SCRIPT
from tests.support.world import MakeWorld, World

ALLOWED = Selection(allow_downgrade=True)
# From 1.0.3 on both sides: what is changed, and which version each policy leaves (the second where a tenant makes a
# draft of every upload, which cannot be saved under the number that is there).
VERSIONS = {
    ("content", "1.1.0", "manifest"): "1.1.0",
    ("content", "1.1.0", "exact"): "1.1.0",
    ("content", "1.1.0", "keep"): "1.0.3",
    ("content", "1.1.0", "bump"): "1.1.0",
    ("content", "1.0.3", "manifest"): "1.0.3 1.0.4",
    ("content", "1.0.3", "exact"): "1.0.3",
    ("content", "1.0.3", "keep"): "1.0.3",
    ("content", "1.0.3", "bump"): "1.0.4",
    ("content", "1.0.1", "manifest"): "1.0.3 1.0.4",
    ("content", "1.0.1", "exact"): "1.0.1",
    ("content", "1.0.1", "keep"): "1.0.3",
    ("content", "1.0.1", "bump"): "1.0.4",
    ("same", "1.1.0", "manifest"): "1.0.3",
    ("same", "1.1.0", "exact"): "1.1.0",
    ("same", "1.1.0", "keep"): "1.0.3",
    ("same", "1.1.0", "bump"): "1.0.3",
    ("same", "1.0.1", "manifest"): "1.0.3",
    ("same", "1.0.1", "exact"): "1.0.1",
}
WARNINGS = {
    ("content", "1.0.3", "manifest"): "content changes under the unchanged version 1.0.3; raise Bundle-Version to tell "
    "the states apart",
    ("content", "1.0.3", "exact"): "content changes under the unchanged version 1.0.3; raise Bundle-Version to tell "
    "the states apart",
    (
        "content",
        "1.0.1",
        "manifest",
    ): "the files say version 1.0.1, the tenant has 1.0.3: the tenant's version stays; to go back, "
    "set Bundle-Version above 1.0.3, or use versioning: exact with --allow-downgrade for 1.0.1",
    ("content", "1.0.1", "exact"): "the version goes down from 1.0.3 to 1.0.1, as --allow-downgrade permits",
    ("same", "1.1.0", "manifest"): "the files say version 1.1.0, the tenant has the same content as 1.0.3: 1.0.3 stays",
    ("same", "1.1.0", "bump"): "the files say version 1.1.0, the tenant has the same content as 1.0.3: 1.0.3 stays",
    (
        "same",
        "1.0.1",
        "manifest",
    ): "the files say version 1.0.1, the tenant has the same content as 1.0.3: the tenant's "
    "version stays; to go back, set Bundle-Version above 1.0.3, or use versioning: exact with --allow-downgrade for "
    "1.0.1",
    ("same", "1.0.1", "exact"): "the version goes down from 1.0.3 to 1.0.1, as --allow-downgrade permits",
}


async def test_going_back_in_git_is_said_by_every_plan_and_report(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """The old content runs under the higher version; every plan and run says so, and how to go back properly."""
    world.project.flow("Sales", "Orders", version="1.1.0")
    await world.run()
    world.project.raise_version("Sales", "Orders", "1.2.0")
    world.project.edit("Sales", "Orders", SCRIPT, b"// new\n")
    await world.run()
    world.project.raise_version("Sales", "Orders", "1.1.0")
    world.project.edit("Sales", "Orders", SCRIPT, b"// old\n")
    for _ in range(3):
        await trio.sleep(60)
        (said,) = (await world.plan()).plans[0].packages[0].artifacts[0].warnings
        await trio.sleep(60)
        ran = await world.run()
        assert ran.exit_code == 0
        assert ran.outcome("Orders").warnings == (said,)
        assert said.startswith("the files say version 1.1.0, the tenant has ")
        assert said.endswith(
            "set Bundle-Version above 1.2.0, or use versioning: exact with --allow-downgrade for 1.1.0"
        )


async def step_of(world: World) -> tuple[UpdateStep, tuple[str, ...]]:
    """Give what is planned for the content of the one flow, and the warnings about it."""
    (plan,) = (await world.plan(ALLOWED)).plans
    (found,) = plan.artifacts()
    assert found.update is not None
    return found.update, found.warnings


@pytest.mark.parametrize("mode", ["manifest-if-higher", "keep", "draft"])
@pytest.mark.parametrize(("change", "version", "policy"), VERSIONS)
async def test_the_version_is_the_one_that_the_policy_says_on_every_tenant(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, mode: str, change: str, version: str, policy: str
) -> None:
    """Whatever a tenant makes of ``Bundle-Version``: the policy's version is stored and runs, and the plan names it."""
    world = make(version_mode=mode)
    world.project.flow("Sales", "Orders", version="1.0.3")
    await world.run()
    world.project.keys["versioning"] = policy
    world.project.raise_version("Sales", "Orders", version)
    if change == "content":
        world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    step, warnings = await step_of(world)
    ran = await world.run(ALLOWED)

    first, *of_drafts = VERSIONS[change, version, policy].split()
    assert (step.version or "1.0.3") == first
    assert world.simulator.artifact("Orders").version == (of_drafts[0] if of_drafts and mode == "draft" else first)
    assert world.simulator.artifact("Orders").is_draft is False
    assert warnings == tuple(text for key, text in WARNINGS.items() if key == (change, version, policy))
    assert ran.exit_code == 0
    assert ran.report.parts[0].warnings == ()
    assert not (await world.plan(ALLOWED)).has_changes


@pytest.mark.parametrize("change", ["content", "same"])
async def test_a_version_goes_down_only_with_allow_downgrade(
    world: World, autojump_clock: trio.testing.MockClock, change: str
) -> None:
    """``versioning: exact`` with a lower version is refused with both numbers, before the first write."""
    world.project.flow("Sales", "Orders", version="1.0.3")
    world.project.flow("Sales", "New")
    await world.run(Selection(artifact_filter="Orders"))
    world.project.keys["versioning"] = "exact"
    world.project.raise_version("Sales", "Orders", "1.0.1")
    if change == "content":
        world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")
    said = await world.refuse()

    assert said == (
        "nothing was sent that changes the tenant:\nversioning: exact would lower versions on the tenant, which is "
        "done only with --allow-downgrade: 'Sales/Orders' has 1.0.3, the files say 1.0.1"
    )


@pytest.mark.parametrize("mode", ["manifest-if-higher", "keep", "draft"])
@pytest.mark.parametrize("created", ["1.0.0", "manifest"])
@pytest.mark.parametrize(("version", "stored"), [("0.9.1", "0.9.1"), ("1.2", "1.2.0"), ("2.0.0", "2.0.0")])
async def test_what_is_created_has_the_version_of_the_files(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, mode: str, created: str, version: str, stored: str
) -> None:
    """A tenant that calls everything new 1.0.0 is given the right number, be it lower or without its third part."""
    world = make(version_mode=mode, create_version=created)
    world.project.flow("Sales", "Orders", version=version)
    ran = await world.run()

    found = world.simulator.artifact("Orders").version
    assert found == (version if created == "manifest" and version != "1.2" else stored)
    assert ran.report.parts[0].warnings == ()
    assert (await world.run()).writes == ()


async def test_a_value_mapping_gets_its_exact_version_without_being_replaced(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A version alone is only saved: the mapping is neither deleted nor uploaded, which no tenant would take."""
    world.project.values("Sales", "Countries", version="1.0.3")
    await world.run()
    world.project.keys["versioning"] = "exact"
    world.project.raise_version("Sales", "Countries", "1.1.0")
    ran = await world.run()

    assert ran.uploads == ("POST ValueMappingDesigntimeArtifactSaveAsVersion?Id='Countries'&SaveAsVersion='1.1.0'",)
    assert world.simulator.artifact("Countries").version == "1.1.0"
    assert not (await world.plan()).has_changes
