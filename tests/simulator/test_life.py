"""Other people at work while a run goes on, and what they take of the shared limits."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Action, ActionKind, LifeRule, OtherUsers, Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]


def begin(connect: Connect, flow: Build, **settings: object) -> tuple[Simulator, httpx.AsyncClient]:
    simulator, client = connect(**settings)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    return simulator, client


def act(kind: ActionKind, artifact: str = "F", *, at_s: float = 10.0, **fields: object) -> LifeRule:
    return LifeRule(action=Action(kind=kind, artifact=artifact, **fields), at_s=at_s)  # type: ignore[arg-type]


async def test_people_edit_at_moments_of_tenant_time(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """Content, draft, parameter, version, name: each at its own moment, with that moment's time stamp."""
    simulator, _ = begin(connect, flow)
    start = simulator.artifact("F").modified_ms
    simulator.play(
        Simulator.script(
            act(ActionKind.SAVE_VERSION, at_s=40, version="1.0.7"),
            act(ActionKind.EDIT, at_s=10, files={"a.txt": b"x"}),
            act(ActionKind.SET_PARAMETER, at_s=20, key="a", value="2"),
            act(ActionKind.DRAFT, at_s=30, files={"a.txt": b"y"}),
            act(ActionKind.RENAME, at_s=50, name="Another name"),
        )
    )
    seen = []
    for _ in range(6):
        artifact = simulator.artifact("F")
        moved_s = round((artifact.modified_ms - start) / 1000)
        seen.append((moved_s, artifact.parameters["a"], artifact.shown_version, artifact.name))
        await trio.sleep(10.001)
    assert seen == [
        (0, "1", "1.0.0", "F"),
        (10, "1", "1.0.0", "F"),
        (20, "2", "1.0.0", "F"),
        (30, "2", "Active", "F"),
        (40, "2", "1.0.7", "F"),
        (50, "2", "1.0.7", "Another name"),
    ]
    assert [happening.rule.action.kind for happening in simulator.happenings] == [
        ActionKind.EDIT, ActionKind.SET_PARAMETER, ActionKind.DRAFT, ActionKind.SAVE_VERSION, ActionKind.RENAME,
    ]  # fmt: skip


async def test_what_happens_unseen_happens_at_its_moment(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """Nobody asks for an hour; then everything has gone its way in between."""
    simulator, client = begin(connect, flow, deploy_s=30.0, stop_s=5.0)
    simulator.play(
        Simulator.script(
            act(ActionKind.DELETE, at_s=400),
            act(ActionKind.UNDEPLOY, at_s=200),
            act(ActionKind.DEPLOY, at_s=100, user="colleague"),
            act(ActionKind.DEPLOY, at_s=300),
        )
    )
    start = simulator._state.clock.now_ms()
    await trio.sleep(3600)
    assert (await client.get("IntegrationDesigntimeArtifacts(Id='F',Version='active')")).status_code == 404
    changes = [(round((item.time_ms - start) / 1000), item.status) for item in simulator.history("F")]
    assert changes == [
        (100, ""), (110, "STARTING"), (130, "STARTED"), (200, "STOPPING"), (205, ""),
        (310, "STARTING"), (330, "STARTED"),
    ]  # fmt: skip
    assert simulator.violations == []


async def test_locks_come_and_go(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """Somebody opens the editor and closes it again."""
    simulator, client = begin(connect, flow)
    simulator.play(Simulator.script(act(ActionKind.LOCK, at_s=10), act(ActionKind.UNLOCK, at_s=20)))
    seen = []
    for _ in range(3):
        answer = await client.put("IntegrationDesigntimeArtifacts(Id='F',Version='active')", json={"Name": "N"})
        seen.append(answer.status_code)
        await trio.sleep(10.001)
    assert seen == [200, 400, 200]


async def test_people_react_to_requests_and_occurrences(
    connect: Connect, flow: Build, autojump_clock: MockClock
) -> None:
    """After the nth matching request was answered, or after something has occurred."""
    simulator, client = begin(connect, flow, deploy_s=10.0)
    edit = Action(kind=ActionKind.SET_PARAMETER, artifact="F", key="a", value="2")
    simulator.play(
        Simulator.script(
            LifeRule(action=edit, method="GET", pattern="Configurations", nth=2),
            LifeRule(action=Action(kind=ActionKind.UNDEPLOY, artifact="F"), after="started F"),
        )
    )
    values = []
    for _ in range(3):
        answer = await client.get("IntegrationDesigntimeArtifacts(Id='F',Version='active')/Configurations")
        values.append(answer.json()["d"]["results"][0]["ParameterValue"])
    assert values == ["1", "1", "2"]
    await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")
    await trio.sleep(11)
    answer = await client.get("IntegrationRuntimeArtifacts('F')")
    assert (answer.status_code, answer.json()["d"]["Status"]) == (200, "STOPPING")


async def test_what_was_not_possible_is_told(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """A deed that comes too early or too late is no reason to fail somebody else's request."""
    simulator, client = begin(connect, flow)
    simulator.play(
        Simulator.script(
            act(ActionKind.UNDEPLOY),
            act(ActionKind.EDIT, "X", files={"a": b""}),
            act(ActionKind.SAVE_VERSION, version="soon"),
        )
    )
    await trio.sleep(11)
    assert (await client.get("IntegrationPackages")).status_code == 200
    assert [happening.problem for happening in simulator.happenings] == [
        "the embedded tenant's runtime has no artifact 'F'",
        "the embedded tenant has no artifact 'X'",
        "the embedded tenant takes no version 'soon' for 'F'",
    ]


async def test_people_cannot_deploy_what_is_stopping(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """A colleague is refused as everybody is."""
    simulator, client = begin(connect, flow, stop_s=30.0)
    simulator.set_runtime("F", "STARTED")
    simulator.play(Simulator.script(act(ActionKind.UNDEPLOY, at_s=1), act(ActionKind.DEPLOY, at_s=2)))
    await trio.sleep(60)
    assert (await client.get("IntegrationRuntimeArtifacts('F')")).status_code == 404
    assert [happening.problem for happening in simulator.happenings] == [
        "",
        "the embedded tenant does not deploy 'F': The artifact F cannot be deployed while it is being undeployed.",
    ]


async def statuses(client: httpx.AsyncClient, times: int, target: str = "IntegrationPackages") -> list[int]:
    return [(await client.get(target)).status_code for _ in range(times)]


async def test_a_user_has_a_limit_and_the_tenant_another(connect: Connect, autojump_clock: MockClock) -> None:
    """Ten for each user, fifteen for all."""
    simulator, client = connect(designtime_rate=10, designtime_tenant_rate=15)
    login = ("demo-client", "demo-secret")
    answer = await client.post("https://tenant.example/oauth/token?grant_type=client_credentials", auth=login)
    token = answer.json()["access_token"]
    assert await statuses(client, 11) == [200] * 10 + [429]
    bearer = {"Authorization": f"Bearer {token}"}
    other = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app), base_url=client.base_url, headers=bearer
    )
    assert await statuses(other, 6) == [200] * 5 + [429]
    assert await statuses(client, 1, "IntegrationRuntimeArtifacts") == [200]
    await trio.sleep(1)
    assert await statuses(other, 1) == [200]


async def test_message_logs_count_against_no_limit_of_others(connect: Connect, autojump_clock: MockClock) -> None:
    """Their own limit is so high that nobody reaches it; asking for them leaves the other limits as they are."""
    simulator, client = connect(designtime_rate=1, runtime_rate=1)
    assert await statuses(client, 50, "MessageProcessingLogs") == [200] * 50
    assert await statuses(client, 1) == [200]
    assert await statuses(client, 2, "IntegrationRuntimeArtifacts") == [200, 429]
    assert simulator.highest_rate("runtime") == 2


@pytest.mark.parametrize(
    ("load", "admitted"),
    [
        (OtherUsers(designtime=4), 10),
        (OtherUsers(designtime=8), 7),
        (OtherUsers(designtime=15), 0),
        (OtherUsers(runtime=100), 10),
        (OtherUsers(designtime=8, from_s=100), 10),
        (OtherUsers(designtime=8, until_s=4), 10),
    ],
)
async def test_other_users_use_up_the_shared_limit(
    connect: Connect, autojump_clock: MockClock, load: OtherUsers, admitted: int
) -> None:
    """So many requests a second of somebody else leave fewer to us, while they last."""
    simulator, client = connect(designtime_rate=10, designtime_tenant_rate=15)
    simulator.play(Simulator.script(load))
    await trio.sleep(5.5)
    assert (await statuses(client, 12)).count(200) == admitted


def test_load_is_spread_evenly_between_its_moments() -> None:
    """Whole requests within the second that ends now; none before and after."""
    load = OtherUsers(runtime=2.5, from_s=10, until_s=20)
    seen = [load.requests("runtime", moment) for moment in (5, 10, 10.5, 11, 12, 13, 20, 20.5, 21, 30)]
    assert seen == [0, 0, 1, 2, 3, 2, 3, 2, 0, 0]
    assert load.requests("designtime", 15) == 0


async def test_rates_and_violations_are_told(connect: Connect, flow: Build, autojump_clock: MockClock) -> None:
    """The most requests in any second, and what a gentle client does not do; planned faults are not its doing."""
    simulator, client = begin(connect, flow, designtime_rate=3)
    simulator.set_runtime("F", "STARTED")
    simulator.fail_next("GET", "IntegrationPackages", 429)
    for pause in (0.4, 0.4, 0.4, 1.0):
        await statuses(client, 1)
        await trio.sleep(pause)
    assert simulator.highest_rate("designtime") == 3
    assert simulator.violations == []
    await statuses(client, 4)
    assert simulator.highest_rate("designtime") == 4
    assert (simulator.highest_rate("runtime"), simulator.highest_rate("token")) == (0, 0)
    await client.delete("IntegrationRuntimeArtifacts('F')")
    await trio.sleep(1)
    simulator.drop_next("DELETE", "IntegrationDesigntime", after_handling=True, error=httpx.ReadError)
    with pytest.raises(httpx.ReadError):
        await client.delete("IntegrationDesigntimeArtifacts(Id='F',Version='active')")
    await client.delete("IntegrationDesigntimeArtifacts(Id='F',Version='active')")
    assert [str(violation) for violation in simulator.violations] == [
        "refused: GET /api/v1/IntegrationPackages",
        "undeploy: DELETE /api/v1/IntegrationRuntimeArtifacts('F')",
        "delete: DELETE /api/v1/IntegrationDesigntimeArtifacts(Id='F',Version='active')",
    ]
