"""Requests inside of a ``$batch`` are requests: logged, limited, counted and struck by faults as others are."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import trio

from cpi_tasks.simulator import Fault, FaultKind, FaultRule, FaultScript, SeenRequest, Simulator, When, Window, running
from cpi_tasks.simulator.faults import IN_A_BATCH
from tests.simulator.batches import FLOW_F, JSON, changeset, create_package, part, send, statuses, write

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
READ = part("GET IntegrationPackages HTTP/1.1", headers=JSON)
LOOK = part("GET IntegrationRuntimeArtifacts('F') HTTP/1.1", headers=JSON)


def _with_flow(simulator: Simulator, content: bytes) -> None:
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", content)


def _logged(simulator: Simulator) -> list[tuple[str, str, int, str, bool]]:
    return [(item.method, item.target, item.status, item.family, item.in_batch) for item in simulator.requests]


async def test_each_is_logged_with_its_own_status(connect: Connect, flow: Build) -> None:
    """Method, decoded path and query, status and family of every part follow those of the batch."""
    simulator, client = connect()
    _with_flow(simulator, flow("F", parameters={"a b": "1"}))
    found = part("GET IntegrationPackages?$top=1&$skip=0 HTTP/1.1", headers=JSON)
    await send(client, found, LOOK, changeset(write("a%20b", "2", prefix="/api/v1/")))
    assert [
        ("POST", "/api/v1/$batch", 202, "designtime", False),
        ("GET", "/api/v1/IntegrationPackages?$top=1&$skip=0", 200, "designtime", True),
        ("GET", "/api/v1/IntegrationRuntimeArtifacts('F')", 404, "runtime", True),
        ("PUT", f"/api/v1/{FLOW_F}/$links/Configurations('a b')", 202, "designtime", True),
    ] == _logged(simulator)
    assert [item.handled for item in simulator.requests[0].parts[1:]] == [404, 202]
    assert (simulator.count("GET", "IntegrationPackages"), simulator.count("PUT", "Integration.*a b")) == (1, 1)


async def test_a_batch_is_no_way_around_the_limits(
    connect: Connect, flow: Build, autojump_clock: trio.testing.MockClock
) -> None:
    """Every part counts against its family; what is above the limit is a 429, and a second later it is none."""
    simulator, client = connect(designtime_rate=4, runtime_rate=2, retry_after_s=7)
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED")
    answer = await send(client, READ, READ, LOOK, LOOK, LOOK, READ, READ)
    assert statuses(answer) == [200, 200, 200, 200, 429, 200, 429]
    assert "Retry-After: 7" in answer.text
    assert (await client.get("IntegrationPackages")).status_code == 429
    assert [item.kind for item in simulator.violations] == ["refused"] * 3
    assert (simulator.highest_rate("designtime"), simulator.highest_rate("runtime")) == (6, 3)
    await trio.sleep(1)
    assert statuses(await send(client, READ)) == [200]


@pytest.mark.parametrize(
    ("is_atomic", "answered", "logged", "value"),
    [(True, [429], [0, 0, 429, 0], "1"), (False, [202, 202, 429, 429], [202, 202, 429, 429], "2")],
)
async def test_a_change_set_above_the_limit_is_refused_as_a_whole(
    connect: Connect,
    flow: Build,
    autojump_clock: trio.testing.MockClock,
    *,
    is_atomic: bool,
    answered: list[int],
    logged: list[int],
    value: str,
) -> None:
    """Where change sets are atomic; else its requests stand alone."""
    simulator, client = connect(designtime_rate=3, changesets_are_atomic=is_atomic)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    answer = await send(client, changeset(*[write("a", "2")] * 4))
    assert answered == statuses(answer)
    assert logged == [item.status for item in simulator.requests[1:]]
    assert {"a": value} == simulator.artifact("F").parameters
    assert answered.count(429) == len(simulator.violations)


async def test_deletions_and_undeployments_inside_are_deeds(connect: Connect, flow: Build) -> None:
    """They are violations as single ones are; those that a failing change set undid are none."""
    simulator, client = connect()
    _with_flow(simulator, flow("F"))
    simulator.set_runtime("F", "STARTED")
    parts = [
        part("DELETE IntegrationRuntimeArtifacts('F') HTTP/1.1"),
        part(f"DELETE {FLOW_F} HTTP/1.1"),
    ]
    assert statuses(await send(client, changeset(*parts, write("x", "1")))) == [404]
    assert simulator.violations == []
    assert statuses(await send(client, changeset(*parts))) == [202, 200]
    assert [item.kind for item in simulator.violations] == ["undeploy", "delete"]


async def test_deployments_inside_count_for_the_peak(connect: Connect, flow: Build) -> None:
    """Those of one batch are under way at the same time."""
    simulator, client = connect()
    _with_flow(simulator, flow("F"))
    simulator.add_artifact("P", "G", "Integration", flow("G"))
    deploys = [part(f"POST DeployIntegrationDesigntimeArtifact?Id='{name}'&Version='active' HTTP/1.1") for name in "FG"]
    assert statuses(await send(client, *deploys)) == [202, 202]
    assert (simulator.peak_deployments, simulator.peak_deployments_by_package) == (2, {"P": 2})


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FaultKind.TOKEN_EXPIRED, 401),
        (FaultKind.CSRF_EXPIRED, 403),
        (FaultKind.LOCKED, 400),
        (FaultKind.TOO_MANY_REQUESTS, 429),
        (FaultKind.BUSINESS_ERROR, 500),
        (FaultKind.SESSION_FAULT, 500),
        (FaultKind.BAD_GATEWAY, 502),
        (FaultKind.UNAVAILABLE, 503),
        (FaultKind.GATEWAY_TIMEOUT, 504),
        (FaultKind.STATUS, 500),
        (FaultKind.HTML_PAGE, 200),
    ],
)
async def test_faults_that_answer_strike_single_parts(connect: Connect, kind: FaultKind, status: int) -> None:
    """The part is answered in place of being handled; its neighbours and the batch are not struck."""
    simulator, client = connect()
    simulator.play(FaultScript.of(FaultRule(method="POST", pattern="IntegrationPackages", fault=Fault(kind=kind))))
    assert [200, status, 200] == statuses(await send(client, READ, create_package("P"), READ))
    batch, _, struck, _ = simulator.requests
    assert (batch.fault, batch.status) == ("", 202)
    assert (kind.value, status, 0) == (struck.fault, struck.status, struck.handled)
    assert simulator.packages == {}
    assert simulator.violations == []


def test_all_kinds_of_answers_are_tested() -> None:
    """The list above has every fault that can strike a part."""
    assert len(IN_A_BATCH) == 11


async def test_a_struck_change_set_did_nothing(connect: Connect) -> None:
    """The fault's answer is its only one, and the part before it is undone."""
    simulator, client = connect()
    simulator.fail_next("POST", "IntegrationPackages", 503)
    simulator.play(FaultScript.parse("faults: [{request: POST IntegrationPackages, fault: bad-gateway, first: 1}]"))
    first = await send(client, changeset(create_package("P"), create_package("Q")))
    second = await send(client, changeset(create_package("P"), create_package("Q")))
    third = await send(client, changeset(create_package("P"), create_package("Q")))
    assert (statuses(first), statuses(second), statuses(third)) == ([503], [502], [201, 201])
    assert list(simulator.packages) == ["P", "Q"]


async def test_other_faults_pass_parts_over(connect: Connect) -> None:
    """A connection, or a whole answer, can only be struck with the batch: parts neither meet nor use up such a rule."""
    simulator, client = connect()
    rule = FaultRule(pattern="IntegrationPackages", when=When(first=1), fault=Fault(kind=FaultKind.EMPTY_BODY))
    simulator.play(FaultScript.of(rule))
    assert statuses(await send(client, READ, READ)) == [200, 200]
    assert ((answer := await client.get("IntegrationPackages")).status_code, answer.content) == (200, b"")
    simulator.drop_next("POST", r"\$batch", after_handling=True, error=httpx.ReadError)
    with pytest.raises(httpx.ReadError):
        await send(client, create_package("P"))
    assert list(simulator.packages) == ["P"]
    assert [item.status for item in simulator.requests[-2:]] == [0, 201]


async def test_what_is_undone_never_occurred(connect: Connect, flow: Build) -> None:
    """A fault that waits for a deployment is not set off by one inside of a change set that fails."""
    simulator, client = connect()
    _with_flow(simulator, flow("F"))
    simulator.play(
        FaultScript.parse("faults: [{request: GET IntegrationPackages, fault: unavailable, after: triggered F}]")
    )
    simulator.play(FaultScript.parse("faults: [{request: PUT x, fault: locked, after: triggered F}]"))
    deploy = part("POST DeployIntegrationDesigntimeArtifact?Id='F'&Version='active' HTTP/1.1")
    assert statuses(await send(client, changeset(deploy, write("x", "1")))) == [400]
    assert statuses(await send(client, READ)) == [200]
    assert statuses(await send(client, deploy)) == [202]
    assert statuses(await send(client, READ)) == [503]


async def test_other_people_wait_for_parts_too(connect: Connect, flow: Build) -> None:
    """A deed after the nth request of a kind, or after an answered one, comes by those in a batch."""
    simulator, client = connect()
    _with_flow(simulator, flow("F"))
    script = "life: [{do: lock, artifact: F, after: request GET RuntimeArtifacts}]"
    simulator.play(FaultScript.parse(script))
    assert statuses(await send(client, LOOK)) == [404]
    assert list(simulator.locks) == ["F"]


async def test_later_requests_name_what_an_earlier_one_created(connect: Connect, flow: Build, encode: Encode) -> None:
    """``$<Content-ID>`` stands for the address of the entity, and the log has the resolved path."""
    simulator, client = connect()
    content = encode(flow("F", parameters={"a": "1"}))
    body = f'{{"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": "{content}"}}'
    as_xml = ["Content-Type: application/json", "Accept: application/xml"]
    parts = [
        create_package("P"),
        part("POST IntegrationDesigntimeArtifacts HTTP/1.1", body, headers=as_xml, content_id="new-1"),
        write("a", "2", flow="$new-1"),
        part("DELETE $new-1?x=1 HTTP/1.1"),
    ]
    answer = await send(client, changeset(*parts[:3]))
    assert statuses(answer) == [201, 201, 202]
    assert simulator.artifact("F").parameters == {"a": "2"}
    assert f"/api/v1/{FLOW_F.replace('active', '1.0.0')}/$links/Configurations('a')" == simulator.requests[-1].path
    simulator.delete("F")
    assert statuses(await send(client, changeset(*parts[1:]))) == [201, 202, 200]
    assert list(simulator.artifacts) == []
    assert [item.kind for item in simulator.violations] == ["delete"]


@pytest.mark.parametrize("is_atomic", [True, False])
async def test_unknown_references_are_refused(connect: Connect, flow: Build, *, is_atomic: bool) -> None:
    """Nothing of that id, nothing created, a later request, another change set, no change set: 400."""
    simulator, client = connect(changesets_are_atomic=is_atomic)
    _with_flow(simulator, flow("F", parameters={"a": "1"}))
    created, delete = create_package("Q", content_id="1"), part("DELETE $1 HTTP/1.1")
    for parts in (
        [changeset(write("a", "2", content_id="2"), delete)],
        [changeset(write("a", "2", content_id="1"), delete)],
        [changeset(delete, created)],
        [changeset(created), changeset(delete)],
        [changeset(created), delete],
    ):
        answer = await send(client, *parts)
        assert statuses(answer).count(400) == 1
        assert "Content-ID &#39;1&#39;" in answer.text or "Content-ID '1'" in answer.text
        if "Q" in simulator.packages:
            await client.delete("IntegrationPackages('Q')")
    assert statuses(await send(client, part("GET $metadata HTTP/1.1"))) == [200]


async def test_the_page_and_the_terminal_show_them(connect: Connect) -> None:
    """Behind the window each part is told before its batch, is counted, and has no duration of its own."""
    simulator, _ = connect()
    told: list[SeenRequest] = []
    window = Window(simulator, tell=told.append)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=window),
        base_url="https://tenant.example/api/v1/",
        auth=("demo-user", "demo-password"),
    )
    await send(client, READ, changeset(create_package("P"), part("DELETE $2 HTTP/1.1")))
    page = (await client.get("https://tenant.example/", headers={"Accept": "text/html"})).text
    assert [(item.method, item.target, item.status, item.in_batch) for item in told] == [
        ("GET", "/api/v1/IntegrationPackages", 200, True),
        ("POST", "/api/v1/IntegrationPackages", 0, True),
        ("DELETE", "/api/v1/$2", 400, True),
        ("POST", "/api/v1/$batch", 202, False),
    ]
    assert (window.traffic.total, window.traffic.peak_per_second, window.traffic.in_flight) == (4, 4, 0)
    assert (page.count(">in a batch<"), page.count(">undone<")) == (3, 1)


def test_over_sockets_it_is_the_same(connect: Connect, flow: Build) -> None:
    """A plain client's batch: limits, log and references hold behind the real server."""
    simulator, _ = connect(designtime_rate=3)
    body = "--b\r\n" + changeset(create_package("P", content_id="1"), part("DELETE $1 HTTP/1.1")) + "\r\n--b\r\n"
    body += READ + "\r\n--b--\r\n"
    with running(simulator) as url:
        answer = httpx.post(
            f"{url}/api/v1/$batch",
            content=body,
            headers={"Content-Type": "multipart/mixed; boundary=b"},
            auth=("demo-user", "demo-password"),
            trust_env=False,
        )
    assert statuses(answer) == [201, 202, 429]
    assert [item.kind for item in simulator.violations] == ["delete", "refused"]
    assert [item.in_batch for item in simulator.requests] == [False, True, True, True]
