"""Every fault as a client with a socket meets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
import pytest

from cpi_tasks.simulator import Fault, FaultKind, FaultRule, Simulator, SimulatorSettings, When, running

PACKAGES = "IntegrationPackages"
BODY = {"Id": "P", "Name": "P", "ShortText": "P"}
ONCE = When(nth=1)


class Wire:
    """A served tenant and a client that is logged in, wants JSON and gives up early."""

    def __init__(self, simulator: Simulator, url: str) -> None:
        """Connect."""
        self.simulator = simulator
        self.client = httpx.Client(
            base_url=f"{url}/api/v1/",
            auth=("demo-user", "demo-password"),
            headers={"Accept": "application/json"},
            timeout=httpx.Timeout(3.0),
            trust_env=False,
        )

    def strike(self, kind: FaultKind, **fields: object) -> None:
        """Let a fault strike the next request for packages."""
        fault = Fault(kind=kind, **fields)  # type: ignore[arg-type]
        self.simulator.play(Simulator.script(FaultRule(pattern=PACKAGES, when=ONCE, fault=fault)))

    def get(self) -> httpx.Response:
        """Ask for the packages."""
        return self.client.get(PACKAGES)

    def create(self) -> httpx.Response:
        """Create a package."""
        return self.client.post(PACKAGES, json=BODY)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Serve a tenant without CSRF."""
    simulator = Simulator(SimulatorSettings(enforce_csrf="never"))
    with running(simulator) as url:
        wire = Wire(simulator, url)
        with wire.client:
            yield wire


def text_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


def test_an_expired_token_is_refused_from_then_on(wire: Wire) -> None:
    """401, and the same token is worth nothing afterwards; a new one is."""
    form = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
    root = str(wire.client.base_url).removesuffix("/api/v1/")

    def login() -> dict[str, str]:
        answer = httpx.post(f"{root}/oauth/token", data=form, trust_env=False)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    with httpx.Client(base_url=wire.client.base_url, headers=login(), trust_env=False) as client:
        assert client.get(PACKAGES).status_code == 200
        wire.strike(FaultKind.TOKEN_EXPIRED)
        assert [client.get(PACKAGES).status_code for _ in range(2)] == [401, 401]
        assert client.get(PACKAGES, headers=login()).status_code == 200


def test_an_expired_session_asks_for_another_csrf_token() -> None:
    """403 with the header; token and cookies of before are worth nothing afterwards."""
    simulator = Simulator(SimulatorSettings(enforce_csrf="always"))
    with running(simulator) as url:
        wire = Wire(simulator, url)
        with wire.client as client:

            def fetch() -> None:
                client.headers["X-CSRF-Token"] = "Fetch"
                client.headers["X-CSRF-Token"] = client.get("").headers["X-CSRF-Token"]

            fetch()
            wire.strike(FaultKind.CSRF_EXPIRED)
            for _ in range(2):
                answer = wire.create()
                assert (answer.status_code, answer.headers["X-CSRF-Token"].lower()) == (403, "required")
            fetch()
            assert wire.create().status_code == 201


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        (FaultKind.LOCKED, 400, "Cannot update the artifact as it is locked"),
        (FaultKind.BUSINESS_ERROR, 500, "this is not liked"),
        (FaultKind.SESSION_FAULT, 500, "HttpSession.getAttribute"),
    ],
)
def test_refusals_come_as_error_documents(wire: Wire, kind: FaultKind, status: int, words: str) -> None:
    """The request is not handled, the next one is."""
    wire.strike(kind, text="this is not liked")
    answer = wire.create()
    assert answer.status_code == status
    assert words in text_of(answer)
    assert wire.simulator.packages == {}
    assert wire.create().status_code == 201


def test_too_many_requests_come_with_seconds_a_date_or_nothing(wire: Wire) -> None:
    """The three forms of ``Retry-After``."""
    wire.strike(FaultKind.TOO_MANY_REQUESTS, retry_after_s=7)
    seconds = wire.get()
    wire.strike(FaultKind.TOO_MANY_REQUESTS, retry_after_s=3600, retry_after_form="date")
    date = wire.get()
    wire.strike(FaultKind.TOO_MANY_REQUESTS)
    nothing = wire.get()
    assert [answer.status_code for answer in (seconds, date, nothing)] == [429, 429, 429]
    assert seconds.headers["Retry-After"] == "7"
    now_s = wire.simulator._state.clock.now_ms() / 1000
    assert parsedate_to_datetime(date.headers["Retry-After"]).timestamp() == pytest.approx(now_s + 3600, abs=30)
    assert "Retry-After" not in nothing.headers


@pytest.mark.parametrize(
    ("kind", "status", "title"),
    [
        (FaultKind.BAD_GATEWAY, 502, "502 Bad Gateway"),
        (FaultKind.UNAVAILABLE, 503, "503 Service Unavailable"),
        (FaultKind.GATEWAY_TIMEOUT, 504, "504 Gateway Timeout"),
        (FaultKind.HTML_PAGE, 200, "Log On"),
    ],
)
def test_gateways_answer_with_pages(wire: Wire, kind: FaultKind, status: int, title: str) -> None:
    """HTML in place of an answer, also with 200; nothing was done."""
    wire.strike(kind)
    answer = wire.create()
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert f"<title>{title}</title>" in answer.text
    assert wire.simulator.packages == {}


def test_malformed_json_has_the_tenants_status(wire: Wire) -> None:
    """The request is handled; what comes back cannot be read, though it is whole."""
    wire.strike(FaultKind.MALFORMED_JSON)
    answer = wire.create()
    assert (answer.status_code, int(answer.headers["Content-Length"])) == (201, len(answer.content))
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert list(wire.simulator.packages) == ["P"]


def test_an_empty_body_has_the_tenants_status(wire: Wire) -> None:
    """The request is handled; nothing is told."""
    wire.strike(FaultKind.EMPTY_BODY)
    answer = wire.create()
    assert (answer.status_code, answer.content) == (201, b"")
    assert list(wire.simulator.packages) == ["P"]


def test_truncated_json_promises_the_whole(wire: Wire) -> None:
    """``Content-Length`` is that of the whole body, half of which comes before the connection ends."""
    whole = wire.get().content
    wire.strike(FaultKind.TRUNCATED_JSON)
    came: list[bytes] = []
    with wire.client.stream("GET", PACKAGES) as answer:
        assert int(answer.headers["Content-Length"]) == len(whole)
        with pytest.raises(httpx.RemoteProtocolError):
            came.extend(answer.iter_raw())
    assert b"".join(came) == whole[: len(whole) // 2]
    assert wire.get().status_code == 200


def test_a_slow_first_byte_is_late(wire: Wire) -> None:
    """A patient client gets the answer, another one does not; handled it is in both cases."""
    wire.strike(FaultKind.SLOW_FIRST_BYTE, seconds=0.05)
    answer = wire.create()
    assert (answer.status_code, answer.elapsed.total_seconds() >= 0.05) == (201, True)
    wire.strike(FaultKind.SLOW_FIRST_BYTE, seconds=500)
    with pytest.raises(httpx.ReadTimeout):
        wire.client.post(PACKAGES, json={**BODY, "Id": "Q"}, timeout=0.1)
    assert list(wire.simulator.packages) == ["P", "Q"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_stalled_body_never_ends(wire: Wire, method: str) -> None:
    """Also where the answer has no body of its own; the next request is answered."""
    wire.create()
    wire.strike(FaultKind.STALLED_BODY)
    with pytest.raises(httpx.ReadTimeout):
        wire.client.request(method, f"{PACKAGES}('P')", json=BODY, timeout=0.1)
    assert wire.get().status_code == 200


@pytest.mark.parametrize(
    ("kind", "error", "packages"),
    [
        (FaultKind.RESET_BEFORE_HANDLING, httpx.ReadError, []),
        (FaultKind.RESET_AFTER_HANDLING, httpx.ReadError, ["P"]),
        (FaultKind.CLOSED_BEFORE_HANDLING, httpx.RemoteProtocolError, []),
        (FaultKind.CLOSED_AFTER_HANDLING, httpx.RemoteProtocolError, ["P"]),
    ],
)
def test_a_lost_connection_hides_what_was_done(
    wire: Wire, kind: FaultKind, error: type[Exception], packages: list[str]
) -> None:
    """Reset or closed, before or after the change is made."""
    wire.strike(kind)
    with pytest.raises(error):
        wire.create()
    assert list(wire.simulator.packages) == packages
    assert (wire.simulator.requests[0].status, wire.simulator.requests[0].fault) == (0, kind.value)
    assert wire.get().status_code == 200


def test_every_fault_has_a_test_here() -> None:
    """A new fault is to be tried over a socket too; ``STATUS`` is what ``fail_next`` uses."""
    tested = {"token-expired", "csrf-expired", "locked", "too-many-requests", "business-error", "session-fault"}
    tested |= {"bad-gateway", "unavailable", "gateway-timeout", "html-page", "malformed-json", "empty-body"}
    tested |= {"truncated-json", "slow-first-byte", "stalled-body", "status"}
    tested |= {"reset-before-handling", "reset-after-handling", "closed-before-handling", "closed-after-handling"}
    assert {kind.value for kind in FaultKind} == tested
