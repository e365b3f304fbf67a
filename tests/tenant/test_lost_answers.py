"""A write whose answer is lost: the tenant's state tells whether it happened, and it happens exactly once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
import trio.testing

from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.model.config import BasicLogin, TenantAccess
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.simulator import Fault, FaultKind, FaultRule, Simulator, SimulatorSettings, When
from cpi_tasks.tenant import TenantClient, connect
from tests.support.project import MODEL, PROP, PROPDEF, SCRIPT, definitions, manifest, model, step
from tests.tenant.scripted import given

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]
FLOW = ArtifactKind.INTEGRATION_FLOW
PACKAGE, A, B = PackageId("Sales"), ArtifactId("Orders"), ArtifactId("Invoices")
LOST = (FaultKind.RESET_AFTER_HANDLING, FaultKind.CLOSED_AFTER_HANDLING)
NEVER_HANDLED = (
    FaultKind.RESET_BEFORE_HANDLING,
    FaultKind.BAD_GATEWAY,
    FaultKind.UNAVAILABLE,
    FaultKind.GATEWAY_TIMEOUT,
    FaultKind.HTML_PAGE,
)


def archive(artifact: str, script: bytes = b"// one") -> bytes:
    files = {
        "META-INF/MANIFEST.MF": manifest(artifact, "IntegrationFlow", "1.0.0"),
        MODEL: model(step(activityType="Script", script="Main.groovy", scriptBundleId=""), step(value="{{Host}}")),
        SCRIPT: script,
        PROP: b"Host=a.example\n",
        PROPDEF: definitions(["Host"], {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


def stored_script(tenant: Simulator) -> bytes:
    with zipfile.ZipFile(io.BytesIO(tenant.artifacts["Orders"].archive)) as zipped:
        return zipped.read(SCRIPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write call: what it asks for, how its request looks, and whether it was carried out."""

    call: Callable[[TenantClient], Awaitable[object]]
    method: str
    pattern: str
    is_done: Callable[[Simulator], bool]
    repeats_blindly: bool = False
    """It leaves the same state however often it is carried out, so the state is not read first."""


WRITES = {
    "create package": Write(
        call=lambda client: client.create_package(PackageId("Stock"), {"Name": "Stock", "ShortText": "Stock"}),
        method="POST",
        pattern=r"IntegrationPackages$",
        is_done=lambda tenant: "Stock" in tenant.packages,
    ),
    "update package": Write(
        call=lambda client: client.update_package(PACKAGE, {"Name": "New name", "ShortText": "S"}),
        method="PUT",
        pattern=r"IntegrationPackages\('Sales'\)$",
        is_done=lambda tenant: tenant.packages["Sales"].fields["Name"] == "New name",
        repeats_blindly=True,
    ),
    "create artifact": Write(
        call=lambda client: client.create_artifact(B, FLOW, package=PACKAGE, name="Invoices", archive=archive(B)),
        method="POST",
        pattern=r"IntegrationDesigntimeArtifacts$",
        is_done=lambda tenant: [one.package_id for one in tenant.artifacts.values()] == ["Sales", "Sales"],
    ),
    "update artifact": Write(
        call=lambda client: client.update_artifact(A, FLOW, archive=archive(A, b"// two")),
        method="PUT",
        pattern=r"IntegrationDesigntimeArtifacts\(Id='Orders',Version='active'\)$",
        is_done=lambda tenant: stored_script(tenant) == b"// two",
        repeats_blindly=True,
    ),
    "delete artifact": Write(
        call=lambda client: client.delete_artifact(A, FLOW),
        method="DELETE",
        pattern=r"IntegrationDesigntimeArtifacts",
        is_done=lambda tenant: "Orders" not in tenant.artifacts,
    ),
    "save version": Write(
        call=lambda client: client.save_version(A, FLOW, "1.0.7"),
        method="POST",
        pattern=r"IntegrationDesigntimeArtifactSaveAsVersion",
        is_done=lambda tenant: tenant.artifacts["Orders"].version == "1.0.7",
    ),
    "write parameter": Write(
        call=lambda client: client.write_parameter(A, "Host", "b.example"),
        method="PUT",
        pattern=r"\$links/Configurations",
        is_done=lambda tenant: tenant.artifact("Orders").parameters["Host"] == "b.example",
    ),
}


@asynccontextmanager
async def a_tenant(settings: SimulatorSettings | None = None) -> AsyncIterator[tuple[Simulator, TenantClient]]:
    """Give a tenant with a package and a flow, and a client of it."""
    simulator = Simulator(settings or SimulatorSettings())
    async with connect(
        TenantAccess(url="http://127.0.0.1:1", login=BasicLogin(username="demo-user", password="demo-password")),
        designtime_rate=9.0,
        runtime_rate=45.0,
        request_timeout_s=180.0,
        outage_budget_s=300.0,
        emit=lambda _: None,
        note_secret=lambda _: None,
        transport=httpx.ASGITransport(app=simulator.app),
    ) as client:
        await client.create_package(PACKAGE, {"Name": "Sales", "ShortText": "Sales"})
        await client.create_artifact(A, FLOW, package=PACKAGE, name="Orders", archive=archive(A))
        yield simulator, client


def strike(simulator: Simulator, write: Write, kind: FaultKind, *, times: int = 1) -> int:
    """Plan a fault for the next requests of a write; gives how many of them there were before."""
    simulator.play(
        simulator.script(
            FaultRule(
                method=write.method,
                pattern=write.pattern,
                when=When(first=times),
                fault=Fault(kind=kind, error=httpx.ReadError),
            )
        )
    )
    return simulator.count(write.method, write.pattern)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("name", WRITES)
async def test_what_was_carried_out_is_not_sent_again(
    autojump_clock: trio.testing.MockClock, name: str, kind: FaultKind
) -> None:
    """Where the state shows that the write happened it succeeds, sent once; a PUT of everything is sent once more."""
    write = WRITES[name]
    async with a_tenant() as (simulator, client):
        before = strike(simulator, write, kind)
        await write.call(client)
        assert write.is_done(simulator)
        assert simulator.count(write.method, write.pattern) - before == (2 if write.repeats_blindly else 1)


@pytest.mark.parametrize("kind", NEVER_HANDLED)
@pytest.mark.parametrize("name", WRITES)
async def test_what_was_not_carried_out_is_sent_again(
    autojump_clock: trio.testing.MockClock, name: str, kind: FaultKind
) -> None:
    """Where the state shows that the write did not happen it is sent a second time, and happens."""
    write = WRITES[name]
    async with a_tenant() as (simulator, client):
        before = strike(simulator, write, kind)
        assert not write.is_done(simulator)
        await write.call(client)
        assert write.is_done(simulator)
        assert simulator.count(write.method, write.pattern) - before == 2


@pytest.mark.parametrize("name", WRITES)
async def test_what_never_happens_is_not_sent_for_ever(autojump_clock: trio.testing.MockClock, name: str) -> None:
    """After three attempts the write has failed, and the sentence says that its fate is not known."""
    write = WRITES[name]
    async with a_tenant() as (simulator, client):
        before = strike(simulator, write, FaultKind.GATEWAY_TIMEOUT, times=100)
        with pytest.raises(TenantUnavailable, match="whether it was carried out is not known; run again") as caught:
            await write.call(client)
        assert simulator.count(write.method, write.pattern) - before == 3
        assert "504 Gateway Timeout" in str(caught.value)


async def test_a_created_artifact_is_given_as_the_tenant_has_it(autojump_clock: trio.testing.MockClock) -> None:
    """A creation whose answer was lost gives version and package as they are read."""
    async with a_tenant() as (simulator, client):
        strike(simulator, WRITES["create artifact"], FaultKind.RESET_AFTER_HANDLING)
        created = await client.create_artifact(B, FLOW, package=PACKAGE, name="Invoices", archive=archive(B))
        assert (created.id, created.package, created.version) == ("Invoices", "Sales", "1.0.0")
        assert len(simulator.artifacts) == 2


async def test_an_artifact_elsewhere_is_not_taken_for_the_created_one(autojump_clock: trio.testing.MockClock) -> None:
    """An id that another package has is no sign that the creation happened: the tenant's refusal is given."""
    async with a_tenant() as (simulator, client):
        await client.create_package(PackageId("Other"), {"Name": "Other", "ShortText": "Other"})
        strike(simulator, WRITES["create artifact"], FaultKind.RESET_AFTER_HANDLING)
        with pytest.raises(RequestRejected, match="create integration flow 'Orders'"):
            await client.create_artifact(A, FLOW, package=PackageId("Other"), name="Orders", archive=archive(A))
        assert simulator.artifacts["Orders"].package_id == "Sales"


async def test_a_deployment_is_never_sent_again_by_the_client(autojump_clock: trio.testing.MockClock) -> None:
    """Whether a lost deployment is repeated is the engine's to decide, after it has watched the runtime."""
    async with a_tenant() as (simulator, client):
        simulator.drop_next("POST", "Deploy", after_handling=True, error=httpx.ReadError)
        with pytest.raises(TenantUnavailable, match="whether it was carried out is not known"):
            await client.trigger_deployment(A, FLOW)
        assert simulator.count("POST", "Deploy") == 1


@pytest.mark.parametrize("status", [400, 404, 409, 500])
@pytest.mark.parametrize("name", ["create package", "create artifact", "delete artifact", "save version"])
async def test_a_write_still_under_way_may_refuse_its_repetition(
    autojump_clock: trio.testing.MockClock, connected: Connected, name: str, status: int
) -> None:
    """The first attempt takes effect only after the look: the refusal of the second one is not taken for a failure."""
    write = WRITES[name]
    sent: list[str] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/":
            return httpx.Response(200)
        if request.method == "GET":
            is_there = (len(sent) > 1) != (name == "delete artifact")
            version = "1.0.7" if len(sent) > 1 else "1.0.6"
            row = {"Id": "Invoices", "PackageId": "Sales", "Version": version}
            return httpx.Response(200, json={"d": row}) if is_there else httpx.Response(404)
        sent.append(request.method)
        if len(sent) == 1:
            return httpx.Response(504)
        return httpx.Response(status, json={"error": {"code": "X", "message": {"value": "no"}}})

    async with connected(tenant) as client:
        await write.call(client)
    assert sent == [write.method] * 2


async def test_a_refused_repetition_without_effect_is_a_refusal(
    autojump_clock: trio.testing.MockClock, connected: Connected
) -> None:
    """Where the state shows no effect after the second attempt either, the tenant's words are given."""
    answers = iter([httpx.Response(504), httpx.Response(400, json={"error": {"message": {"value": "wrong id"}}})])

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/":
            return httpx.Response(200)
        return httpx.Response(404) if request.method == "GET" else next(answers)

    async with connected(tenant) as client:
        with pytest.raises(RequestRejected, match="400 Bad Request: wrong id"):
            await client.create_package(PACKAGE, {"Name": "N", "ShortText": "S"})


@pytest.mark.parametrize("look", [httpx.Response(403), httpx.Response(500, text="no"), httpx.ReadError("reset")])
async def test_a_look_that_fails_leaves_the_fate_unknown(
    autojump_clock: trio.testing.MockClock, connected: Connected, look: httpx.Response | Exception
) -> None:
    """Where the state cannot be read the write is not repeated, and the sentence is about the write."""
    sent: list[str] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/":
            return httpx.Response(200)
        if request.method == "GET":
            return given(look)
        sent.append(request.method)
        return httpx.Response(504)

    async with connected(tenant) as client:
        with pytest.raises(TenantUnavailable) as caught:
            await client.create_package(PACKAGE, {"Name": "N", "ShortText": "S"})
    assert sent == ["POST"]
    assert str(caught.value) == (
        "could not create integration package 'Sales': no usable answer from t1.example.com: the answer was 504 Gateway"
        " Timeout; whether it was carried out is not known; run again, which looks first"
    )
