"""Logins, tokens, CSRF and rate limits."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator, auth

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
TOKEN = "https://tenant.example/oauth/token"
CLIENT = ("demo-client", "demo-secret")
GRANT = {"grant_type": "client_credentials"}
IN_BODY = {**GRANT, "client_id": "demo-client", "client_secret": "demo-secret"}
USER = {"grant_type": "password", "username": "demo-user", "password": "demo-password"}
BODY = {"Id": "P", "Name": "P", "ShortText": "P"}


def _plain(simulator: Simulator) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app), base_url="https://tenant.example/api/v1/"
    )


@pytest.mark.parametrize(
    ("params", "data", "auth"),
    [
        (GRANT, None, CLIENT),
        (None, GRANT, CLIENT),
        (None, IN_BODY, CLIENT),
        (None, IN_BODY, None),
        (IN_BODY, None, None),
        (None, {**USER, "client_id": "demo-client"}, CLIENT),
    ],
)
async def test_every_shape_of_token_request_is_accepted(
    connect: Connect,
    params: dict[str, str] | None,
    data: dict[str, str] | None,
    auth: tuple[str, str] | None,
) -> None:
    """Grant type and client in query or body, client as Basic header or parameters; the token opens the API."""
    simulator, _ = connect()
    client = _plain(simulator)
    answer = await client.post(TOKEN, params=params, data=data, auth=auth or httpx.USE_CLIENT_DEFAULT)
    assert answer.status_code == 200
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("bearer", 43199)
    reached = await client.get("", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert reached.status_code == 200


@pytest.mark.parametrize(
    ("data", "auth", "status"),
    [
        (GRANT, ("demo-client", "wrong"), 401),
        (GRANT, None, 401),
        ({**IN_BODY, "client_secret": "wrong"}, None, 401),
        ({**USER, "password": "wrong"}, CLIENT, 401),
        ({}, CLIENT, 400),
    ],
)
async def test_a_wrong_client_gets_no_token(
    connect: Connect, data: dict[str, str], auth: tuple[str, str] | None, status: int
) -> None:
    """401 for bad credentials, 400 for another grant."""
    simulator, _ = connect()
    answer = await _plain(simulator).post(TOKEN, data=data, auth=auth or httpx.USE_CLIENT_DEFAULT)
    assert answer.status_code == status
    assert "access_token" not in answer.json()


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic nonsense", "Basic Og==", "Digest x"])
async def test_the_api_is_closed_without_a_login(connect: Connect, authorization: str | None) -> None:
    """401 with an error document, never a look at the content."""
    simulator, _ = connect()
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await _plain(simulator).get("IntegrationPackages('X')", headers=headers)
    assert answer.status_code == 401
    assert b"Unauthorized" in answer.content


async def test_tokens_end_with_their_lifetime_and_on_demand(connect: Connect, autojump_clock: MockClock) -> None:
    """After either the API answers 401."""
    simulator, _ = connect(token_lifetime_s=60.0)
    client = _plain(simulator)

    async def fresh() -> dict[str, str]:
        answer = await client.post(TOKEN, data=GRANT, auth=CLIENT)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    headers = await fresh()
    await trio.sleep(59)
    assert (await client.get("", headers=headers)).status_code == 200
    await trio.sleep(1)
    assert (await client.get("", headers=headers)).status_code == 401
    headers = await fresh()
    simulator.expire_tokens()
    assert (await client.get("", headers=headers)).status_code == 401


async def test_basic_sessions_need_token_and_cookies_together(connect: Connect) -> None:
    """403 with ``X-CSRF-Token: Required`` unless both belong to one session; a session keeps its token."""
    simulator, client = connect(enforce_csrf="basic")
    refused = await client.post("IntegrationPackages", json=BODY)
    assert (refused.status_code, refused.headers["x-csrf-token"]) == (403, "Required")
    fetched = await client.get("", headers={"x-csrf-token": "FETCH"})
    token = fetched.headers["X-CSRF-Token"]
    assert {"JSESSIONID", "__VCAP_ID__"} == set(fetched.cookies)
    again = await client.get("IntegrationPackages?$top=1", headers={"X-CSRF-Token": "Fetch"})
    assert again.headers["X-CSRF-Token"] == token
    stolen = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app), base_url=client.base_url, auth=("demo-user", "demo-password")
    )
    for session in (stolen, client):
        answer = await session.post("IntegrationPackages", json=BODY, headers={"X-CSRF-Token": token})
        assert answer.status_code == (201 if session is client else 403)
    for wrong in ("", "Fetch", f"{token}x"):
        refused = await client.delete("IntegrationPackages('P')", headers={"X-CSRF-Token": wrong})
        assert refused.status_code == 403
    simulator.expire_csrf()
    ended = await client.delete("IntegrationPackages('P')", headers={"X-CSRF-Token": token})
    assert ended.status_code == 403
    assert "P" in simulator.packages


@pytest.mark.parametrize(("mode", "status"), [("basic", 201), ("always", 403), ("never", 201)])
async def test_bearer_sessions_need_a_token_only_where_it_is_always_enforced(
    connect: Connect, mode: str, status: int
) -> None:
    """By default a Bearer call needs neither header nor cookie."""
    simulator, _ = connect(enforce_csrf=mode)
    client = _plain(simulator)
    token = (await client.post(TOKEN, data=GRANT, auth=CLIENT)).json()["access_token"]
    answer = await client.post("IntegrationPackages", json=BODY, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


async def test_the_oldest_logins_end_where_there_are_too_many(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that runs for months keeps so many tokens and sessions, the latest ones."""
    monkeypatch.setattr(auth, "_KEPT", 2)
    simulator, _ = connect(enforce_csrf="basic")
    tokens, sessions = [], []
    for _ in range(3):
        answer = await _plain(simulator).post(TOKEN, data=GRANT, auth=CLIENT)
        tokens.append({"Authorization": f"Bearer {answer.json()['access_token']}"})
        session = _plain(simulator)
        session.auth = httpx.BasicAuth("demo-user", "demo-password")
        fetched = await session.get("", headers={"X-CSRF-Token": "Fetch"})
        session.headers["X-CSRF-Token"] = fetched.headers["X-CSRF-Token"]
        sessions.append(session)
    known = [(await _plain(simulator).get("", headers=token)).status_code for token in tokens]
    written = [(await session.delete("IntegrationPackages('X')")).status_code for session in sessions]
    assert (known, written) == ([401, 200, 200], [403, 404, 404])


async def test_requests_above_the_rate_are_429(connect: Connect, autojump_clock: MockClock) -> None:
    """Design time and runtime are counted apart, in a sliding second; refused requests do not count."""
    simulator, client = connect(designtime_rate=2.0, runtime_rate=1.0, retry_after_s=3)
    design = [await client.get("IntegrationPackages") for _ in range(3)]
    assert [answer.status_code for answer in design] == [200, 200, 429]
    assert design[2].headers["retry-after"] == "3"
    runtime = [await client.get("IntegrationRuntimeArtifacts") for _ in range(2)]
    assert [answer.status_code for answer in runtime] == [200, 429]
    await trio.sleep(0.9)
    assert (await client.get("IntegrationPackages")).status_code == 429
    await trio.sleep(0.1)
    assert (await client.get("IntegrationPackages")).status_code == 200
    assert simulator.count("GET", "IntegrationPackages") == 5


async def test_a_429_comes_without_retry_after_by_default(connect: Connect) -> None:
    """The header is not documented, so it is a setting."""
    _, client = connect(designtime_rate=1.0)
    await client.get("IntegrationPackages")
    assert "retry-after" not in (await client.get("IntegrationPackages")).headers
