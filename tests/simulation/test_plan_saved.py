"""A saved plan is carried out exactly, or refused with the reason when files, environment or tenant have moved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
import trio

from cpi_tasks.errors import InputError
from cpi_tasks.model.config import Selection
from tests.simulation.edits import apply, configure
from tests.support.world import LOGINS, URL, World

OUT_OF_DATE = "the saved plan is out of date; nothing was sent that changes the tenant:\n"


async def settle(world: World) -> None:
    """Bring everything up, and change two artifacts in the files: that is what there is to plan."""
    configure(world)
    await world.run()
    await trio.sleep(3600)
    apply(world, "files: content", "Orders")
    apply(world, "files: override", "Orders")
    apply(world, "files: content", "Scripts")


async def test_a_saved_plan_is_carried_out_exactly(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """What the plan says is written and deployed, and nothing else; a second time the plan is out of date."""
    await settle(world)
    plan = await world.plan()
    ran = await world.carry_out(plan)

    assert ran.exit_code == 0
    assert sorted(ran.uploads) == [
        "PUT IntegrationDesigntimeArtifacts(Id='Orders',Version='active')",
        "PUT IntegrationDesigntimeArtifacts(Id='Orders',Version='active')/$links/Configurations('Empty')",
        "PUT IntegrationDesigntimeArtifacts(Id='Orders',Version='active')/$links/Configurations('Host')",
        "PUT ScriptCollectionDesigntimeArtifacts(Id='Scripts',Version='active')",
    ]
    assert ran.deployed == ("Orders", "Scripts")
    assert not (await world.plan()).has_changes
    again = await world.refuse(plan=plan)
    assert again.removeprefix(OUT_OF_DATE).startswith(
        "'Sales/Orders': the tenant has changed; planned: update 1.0.0; set Empty, Host;"
    )


async def test_a_plan_of_nothing_is_carried_out_too(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A plan that found nothing to do is no error later, and does nothing."""
    configure(world)
    await world.run()
    ran = await world.carry_out(await world.plan())

    assert ran.exit_code == 0
    assert ran.writes == ()


async def test_the_flags_of_the_plan_hold_when_it_is_carried_out(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Filters, prefix, mode and the other flags that decide are the plan's; contradicting ones are invalid input."""
    await settle(world)
    plan = await world.plan(Selection(artifact_filter="Scripts", mode_flags=(("--update-only", "update-only"),)))
    for typed, flag in (
        (Selection(artifact_filter="Orders"), "--artifact-filter"),
        (Selection(deployment_prefix="DEV"), "--deployment-prefix"),
        (Selection(force=True), "--force"),
        (Selection(mode_flags=(("--deploy-only", "deploy-only"),)), "--mode"),
        (Selection(env="prod"), "--env"),
    ):
        before = world.simulator.request_count
        with pytest.raises(InputError, match=flag):
            await world.carry_out(plan, selection=typed)
        assert world.simulator.request_count == before
    ran = await world.carry_out(plan, selection=Selection(parallel_deployments="2"))

    assert ran.writes == ("PUT ScriptCollectionDesigntimeArtifacts(Id='Scripts',Version='active')",)


async def test_a_strict_plan_is_carried_out_strictly(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """What a flow needs and somebody takes away meanwhile is invalid input, without ``--strict`` being given again."""
    await settle(world)
    plan = await world.plan(Selection(artifact_filter="Orders", strict=True))
    apply(world, "tenant: undeployed", "Scripts")
    await trio.sleep(3600)
    before = len(world.simulator.requests)
    with pytest.raises(InputError, match="'Orders' needs 'Scripts', which is not deployed on the tenant"):
        await world.carry_out(plan)

    assert {request.method for request in world.simulator.requests[before:]} == {"GET"}


def new_flow(world: World) -> None:
    world.project.flow("Stock", "New")


def without_flow(world: World) -> None:
    listed = world.project.packages["Stock"]["artifacts"]
    assert isinstance(listed, list)
    listed.clear()


def other_setting(world: World) -> None:
    world.project.keys["parameterPolicy"] = "all"


def other_login(world: World) -> None:
    world.project.keys["tenant"] = {"host": URL, **LOGINS["oauth"]}


def edit(name: str, artifact: str = "Orders") -> Callable[[World], None]:
    return lambda world: apply(world, name, artifact)


MOVES: dict[str, tuple[Callable[[World], None], str]] = {
    "files: another content": (edit("files: as the tenant's"), "'Sales/Orders': the files have changed"),
    "files: content of an unplanned one": (
        edit("files: content", "Counting"),
        "'Stock/Counting': the files have changed; planned: unchanged; is running, now: update 1.0.3; deploy",
    ),
    "files: an override less": (edit("files: no override"), "'Sales/Orders': the files have changed"),
    "files: a version": (edit("files: version up"), "'Sales/Orders': the files have changed"),
    "files: a text": (edit("files: description"), "package 'Sales': the files have changed"),
    "files: an artifact more": (new_flow, "'Stock/New' is in the files now and was not in the plan"),
    "files: an artifact less": (without_flow, "'Stock/Counting' was in the plan and is not in the files any more"),
    "environment: a setting": (other_setting, "environment: parameterPolicy was overrides, is all now"),
    "environment: the login": (
        other_login,
        "environment: the login's secret is not the one the plan was made with, so nothing compares",
    ),
    "tenant: a planned content": (edit("tenant: content"), "'Sales/Orders': the tenant has changed"),
    "tenant: another content": (
        edit("tenant: content", "Counting"),
        "'Stock/Counting': the tenant has changed; planned: unchanged; is running, now: update 1.0.3; deploy",
    ),
    "tenant: a draft": (edit("tenant: draft"), "'Sales/Orders': the tenant has changed"),
    "tenant: an enforced value": (edit("tenant: enforced"), "'Sales/Orders': the tenant has changed"),
    "tenant: a version": (edit("tenant: version up"), "'Sales/Orders': the tenant has changed"),
    "tenant: deleted": (edit("tenant: deleted"), "'Sales/Orders': the tenant has changed"),
    "tenant: undeployed": (
        edit("tenant: undeployed", "Counting"),
        "'Stock/Counting': the tenant has changed; planned: unchanged; is running, now: unchanged; deploy",
    ),
    "tenant: a text": (edit("tenant: description"), "package 'Sales': the tenant has changed"),
}


@pytest.mark.parametrize("move", MOVES)
async def test_a_plan_is_refused_when_anything_it_rests_on_has_moved(
    world: World, autojump_clock: trio.testing.MockClock, move: str
) -> None:
    """Files, environment or tenant: the reason names what moved, the exit code is 5, and nothing is written."""
    await settle(world)
    plan = await world.plan()
    do, reason = MOVES[move]
    do(world)
    await trio.sleep(60)
    said = await world.refuse(plan=plan)

    assert said.startswith(OUT_OF_DATE)
    assert said.removeprefix(OUT_OF_DATE).partition("; planned: ")[0] == reason.partition("; planned: ")[0]
    assert said.removeprefix(OUT_OF_DATE).startswith(reason)


async def test_a_plan_for_another_tenant_is_refused(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """An environment that names another host since is told with both hosts."""
    await settle(world)
    plan = await world.plan()
    tenant = world.project.keys["tenant"]
    assert isinstance(tenant, dict)
    tenant["host"] = "http://127.0.0.1:2"

    assert await world.refuse(plan=plan) == (
        f"{OUT_OF_DATE}environment: the plan is for tenant http://127.0.0.1:1, this is http://127.0.0.1:2"
    )


def deployed_again(world: World) -> None:
    world.simulator.deploy("OrderToInvoice")


def read_more(world: World) -> None:
    world.project.keys["verify"] = "full"


def elsewhere(world: World) -> None:
    """Lose all digests and records, as a job does that carries out the plan in another checkout."""
    shutil.rmtree(world.project.root / ".cpi")
    world.project.keys["maxParallelDeployments"] = 5


@pytest.mark.parametrize("move", [edit("tenant: not enforced"), deployed_again, read_more, elsewhere])
async def test_a_plan_holds_when_nothing_it_rests_on_has_moved(
    make: Callable[..., World], autojump_clock: trio.testing.MockClock, move: Callable[[World], None]
) -> None:
    """A kept value, a deployment of the same version, how much is read, and a lost ``.cpi/`` change no decision."""
    world = make(modified_at_families=frozenset({"Integration", "MessageMapping", "ScriptCollection", "ValueMapping"}))
    await settle(world)
    plan = await world.plan()
    move(world)
    await trio.sleep(60)
    ran = await world.carry_out(plan)

    assert ran.exit_code == 0
    assert ran.deployed == ("Orders", "Scripts")
    assert not (await world.plan()).has_changes


async def test_no_value_stands_in_a_saved_plan(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """The file names keys and digests, so it may lie where CI keeps its artifacts."""
    await settle(world)
    world.project.override("Orders", {"Host": "secret.example"})
    world.simulator.set_parameter("Orders", "Host", "former-secret.example")
    saved = (await world.plan()).saved

    assert json.loads(saved)["facts"]["'Sales/Orders'"]["does"] == "update 1.0.0; set Host; deploy; after Sales/Scripts"
    assert "secret.example" not in saved
    assert "demo-password" not in saved
