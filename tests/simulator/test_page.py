"""The page people look at, in front of the tenant's application."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser

import httpx
import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings, Window

Build = Callable[..., bytes]
EVIL = "<script>alert('x')</script>\"&"


def browser(window: Window, *, client: str = "127.0.0.1") -> httpx.AsyncClient:
    """Give a browser on some machine."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=window, client=(client, 4711)),
        base_url="http://tenant.example",
        headers={"Accept": "text/html,application/xhtml+xml"},
    )


@pytest.fixture
def simulator(flow: Build) -> Simulator:
    """Give a tenant with something of everything the page shows."""
    tenant = Simulator(SimulatorSettings(enforce_csrf="never"))
    tenant.add_package("Sales", "Sales and more")
    tenant.add_artifact("Sales", "Orders", "Integration", flow("Orders", parameters={"Key": "hidden-value", "B": "2"}))
    tenant.add_artifact("Sales", "Returns", "Integration", flow("Returns", version="1.0.4"), "1.0.4")
    return tenant


class _Balance(HTMLParser):
    """Finds out whether every element is closed in order."""

    VOID = frozenset({"meta", "link", "br", "col"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base class calls it
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def row(page: str, artifact: str) -> str:
    """Give the text of an artifact's row."""
    (found,) = [part for part in re.findall(r"<tr>.*?</tr>", page) if f'<span class="id">{artifact}</span>' in part]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


async def test_it_shows_what_the_tenant_holds(simulator: Simulator) -> None:
    """Type, version, draft, lock, state, deployed version, number of parameters, error: of every artifact."""
    simulator.edit_as_draft("Orders", {"a.txt": b"x"})
    simulator.lock("Orders", "somebody@example.com")
    simulator.set_runtime("Returns", "ERROR", version="1.0.3", error="Script is broken")
    simulator.set_runtime("Gone", "STARTED")
    async with browser(Window(simulator)) as client:
        page = (await client.get("/")).text
    assert "Sales and more" in page
    assert re.match(
        r"Orders integration flow 1\.0\.0 draft locked by somebody@example\.com not deployed 2 ", row(page, "Orders")
    )
    assert re.match(r"Returns integration flow 1\.0\.4 ERROR 1\.0\.3 Script is broken - ", row(page, "Returns"))
    assert "Only on the runtime" in page
    assert re.match(r"Gone integration flow STARTED 1\.0\.0 - ", row(page, "Gone"))


async def test_names_cannot_become_markup(simulator: Simulator, flow: Build) -> None:
    """Whatever a package, an artifact, a user, an error text or a request is called."""
    simulator.add_package("Evil", EVIL)
    simulator.add_artifact("Evil", EVIL, "Integration", flow("X", name=EVIL))
    simulator.lock(EVIL, EVIL)
    simulator.set_runtime(EVIL, EVIL, version=EVIL, error=EVIL)
    simulator.set_runtime(f"Gone{EVIL}", "ERROR", error=EVIL)
    async with browser(Window(simulator)) as client:
        await client.get(f"/{EVIL}")
        page = (await client.get("/")).text
    balance = _Balance()
    balance.feed(page)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;") >= 8
    assert page.count("<script>") == 1
    assert (balance.wrong, balance.open) == ([], [])


async def test_it_tells_no_secrets(simulator: Simulator) -> None:
    """Neither the tenant's logins, nor tokens, nor parameter values, nor what stands in a token request's query."""
    async with browser(Window(simulator)) as client:
        answer = await client.post(
            "/oauth/token?client_secret=in-the-query",
            data={"grant_type": "client_credentials"},
            auth=("demo-client", "demo-secret"),
        )
        token = answer.json()["access_token"]
        await client.get("/api/v1/IntegrationPackages", headers={"Authorization": f"Bearer {token}"})
        page = (await client.get("/")).text
    assert "/oauth/token" in page
    for secret in (token, "demo-password", "demo-secret", "hidden-value", "in-the-query", "Bearer"):
        assert secret not in page


async def test_the_browser_is_told_to_run_nothing_else(simulator: Simulator) -> None:
    """The content policy allows exactly the style and the script of the page, and no other address."""
    async with browser(Window(simulator)) as client:
        answer = await client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "connect-src 'self'" in policy
    assert not re.findall(r"(?:src|href)=\"(?!data:,)", answer.text)
    assert not re.findall(r"https?://", answer.text)


async def test_the_page_lives_without_scripts(simulator: Simulator) -> None:
    """A browser without them loads it again."""
    async with browser(Window(simulator)) as client:
        page = (await client.get("/")).text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page


async def test_only_what_changed_is_sent_again(simulator: Simulator) -> None:
    """A browser that has seen the packages gets them when they differ, numbers and requests every time."""
    async with browser(Window(simulator)) as client:
        digest = re.findall(r'data-digest="(\w+)"', (await client.get("/")).text)[0]
        same = (await client.get("/", params={"seen": digest})).text
        simulator.set_runtime("Orders", "STARTED")
        other = (await client.get("/", params={"seen": digest})).text
    assert re.findall(r'section id="(\w+)"', same) == ["numbers", "requests"]
    assert re.findall(r'section id="(\w+)"', other) == ["numbers", "content", "requests"]
    assert "<html" not in other


async def test_requests_are_counted_and_listed(simulator: Simulator) -> None:
    """The latest fifty, newest first, with status; a dropped connection has none; the page itself does not count."""
    window = Window(simulator)
    async with browser(window) as client:
        for number in range(60):
            await client.get(f"/number/{number}")
        simulator.fail_next("GET", "/unlucky", 503)
        await client.get("/unlucky")
        await client.get("/")
        page = (await client.get("/")).text
    listed = re.findall(r'<td class="target">(.*?)</td>', page)
    assert (len(listed), listed[:2], listed[-1]) == (50, ["/unlucky", "/number/59"], "/number/11")
    assert 'class="chip bad">503</span> <span class="chip wait">planned: status</span>' in page
    assert 'class="chip wait">404</span>' in page
    assert (window.traffic.total, window.traffic.in_flight, window.traffic.peak_in_flight) == (61, 0, 1)


async def test_many_artifacts_are_folded(flow: Build) -> None:
    """With few, packages stand open; with many, each shows how many are in which state."""
    simulator = Simulator()
    simulator.add_package("P")
    for number in range(40):
        simulator.add_artifact("P", f"F{number}", "Integration", flow(f"F{number}"))
    simulator.set_runtime("F1", "STARTED")
    async with browser(Window(simulator)) as client:
        few = (await client.get("/")).text
        simulator.add_artifact("P", "F40", "Integration", flow("F40"))
        many = (await client.get("/")).text
    assert '<details id="package-P" open>' in few
    assert '<details id="package-P"><summary>' in many
    assert ">1 STARTED</span>" in many
    assert ">40 not deployed</span>" in many


async def test_the_api_stays_as_it_is(simulator: Simulator) -> None:
    """Only a browser's look at the root is the page; all else is the tenant's."""
    async with browser(Window(simulator)) as client:
        answers = [
            await client.get("/", headers={"Accept": "application/json"}),
            await client.post("/"),
            await client.get("/api/v1/"),
            await client.get("/api/v1/", auth=("demo-user", "demo-password")),
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 401, 200]


async def test_from_other_machines_it_wants_the_login(simulator: Simulator) -> None:
    """A look from elsewhere needs the tenant's user and password."""
    wrong = base64.b64encode(b"demo-user:other").decode()
    async with browser(Window(simulator), client="203.0.113.9") as client:
        answers = [
            await client.get("/"),
            await client.get("/", headers={"Authorization": f"Basic {wrong}"}),
            await client.get("/", auth=("demo-user", "demo-password")),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert (answers[0].headers["WWW-Authenticate"], "Sales" in answers[0].text) == ("Basic", False)
