"""Named sets of switches."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from trio.testing import MockClock

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import Simulator, SimulatorSettings

Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"


def test_profiles_differ_and_the_default_is_the_default() -> None:
    """Each name gives settings of its own."""
    names = ("default", "strict", "lenient", "drafts", "legacy")
    found = [SimulatorSettings.profile(name) for name in names]
    assert found[0] == SimulatorSettings()
    assert all(found[i] != found[j] for i in range(5) for j in range(i))


async def test_the_strict_tenant_keeps_the_published_limits(autojump_clock: MockClock) -> None:
    """Ten requests to design time and fifty to the runtime in one second; the default tenant takes any number."""
    for name, seen in (("strict", [10, 50]), ("default", [60, 60])):
        simulator = Simulator(SimulatorSettings.profile(name))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=simulator.app),
            base_url="https://tenant.example/api/v1/",
            auth=("demo-user", "demo-password"),
        )
        admitted = [
            [(await client.get(path)).status_code for _ in range(60)].count(200)
            for path in ("IntegrationPackages", "IntegrationRuntimeArtifacts")
        ]
        assert admitted == seen


async def test_the_legacy_tenant_says_what_is_not_deployed_in_its_own_words() -> None:
    """With another status than 404, which clients recognize by the text (flashpipe 3.4.1); other texts are null."""
    client = _client(Simulator(SimulatorSettings.profile("legacy")))
    answer = await client.get("IntegrationRuntimeArtifacts('F')")
    assert answer.status_code == 500
    assert "Requested entity could not be found" in answer.json()["error"]["message"]["value"]
    assert (await client.get(FLOW_F)).json()["error"]["message"]["value"] is None


async def test_the_strict_tenant_asks_bearer_clients_for_no_csrf_token() -> None:
    """Nobody saw a tenant that does (mcp-cpi, SAP/jenkins-library, SAP's own actions); Basic logins need one."""
    simulator = Simulator(SimulatorSettings.profile("strict"))
    client = _client(simulator)
    body = {"Id": "P", "Name": "P", "ShortText": "P"}
    assert (await client.post("IntegrationPackages", json=body)).status_code == 403
    login = await client.post(
        "https://tenant.example/oauth/token?grant_type=client_credentials", auth=("demo-client", "demo-secret")
    )
    bearer = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app), base_url="https://tenant.example/api/v1/"
    )
    bearer.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
    assert (await bearer.post("IntegrationPackages", json=body)).status_code == 201


def _client(simulator: Simulator) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app),
        base_url="https://tenant.example/api/v1/",
        auth=("demo-user", "demo-password"),
        headers={"Accept": "application/json"},
    )


def test_an_unknown_profile_lists_the_known_ones() -> None:
    """In a sentence."""
    known = "default, drafts, legacy, lenient, strict"
    with pytest.raises(SimulatorError, match=f"no profile 'nice'; choose one of {known}"):
        SimulatorSettings.profile("nice")


@pytest.mark.parametrize(
    ("name", "listed", "save", "configured", "package"),
    [
        ("default", "1.0.1", 200, 202, 202),
        ("strict", "1.0.1", 400, 202, 202),
        ("lenient", "1.0.1", 200, 202, 202),
        ("drafts", "Draft", 200, 404, 202),
        ("legacy", "1.0.0", 200, 202, 202),
    ],
)
async def test_a_profile_is_what_the_wire_shows(
    flow: Build, encode: Encode, name: str, listed: str, save: int, configured: int, package: int
) -> None:
    """An update, a parameter, saving the same version again, a package update."""
    simulator = Simulator(SimulatorSettings.profile(name))
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app),
        base_url="https://tenant.example/api/v1/",
        auth=("demo-user", "demo-password"),
        headers={"Accept": "application/json"},
    )
    fetched = await client.get("", headers={"X-CSRF-Token": "Fetch"})
    client.headers["X-CSRF-Token"] = fetched.headers["X-CSRF-Token"]
    content = encode(flow("F", version="1.0.1", parameters={"a": "1"}))
    assert (await client.put(FLOW_F, json={"ArtifactContent": content})).status_code == 200
    rows = (await client.get("IntegrationPackages('P')/IntegrationDesigntimeArtifacts")).json()["d"]["results"]
    assert [row["Version"] for row in rows] == [listed]
    written = await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "2"})
    assert written.status_code == configured
    path = "IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='1.0.1'"
    assert (await client.post(path)).status_code == save
    updated = await client.put("IntegrationPackages('P')", json={"Name": "P", "ShortText": "P"})
    assert updated.status_code == package
