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


def seen(page: str) -> str:
    """Give what the browser says it has seen, from a page or its latest part."""
    return str(re.findall(r'data-seen="([\w-]+)"', page)[-1])


async def test_only_what_changed_is_sent_again(simulator: Simulator) -> None:
    """A browser that has seen the packages gets those that differ, numbers and requests every time."""
    simulator.add_package("Quiet")
    async with browser(Window(simulator)) as client:
        before = (await client.get("/")).text
        same = (await client.get("/", params={"seen": seen(before)})).text
        simulator.set_runtime("Orders", "STARTED")
        other = (await client.get("/", params={"seen": seen(before)})).text
        after = (await client.get("/", params={"seen": seen(other)})).text
    assert re.findall(r'section id="(\w+)"', same) == ["numbers", "requests"]
    assert re.findall(r'section id="(\w+)"', other) == ["numbers", "changes", "requests"]
    assert re.findall(r'<details id="([\w-]+)"', other) == ["package-Sales"]
    assert row(other, "Orders").split()[4] == "STARTED"
    assert re.findall(r'section id="(\w+)"', after) == ["numbers", "requests"]
    assert "<html" not in other


async def test_a_browser_that_missed_something_gets_it_later(simulator: Simulator) -> None:
    """Each browser gets what changed since its own last look, whoever looked in between."""
    simulator.add_package("More")
    simulator.add_artifact("More", "Extra", "Integration", simulator.artifact("Orders").archive)
    async with browser(Window(simulator)) as client:
        before = (await client.get("/")).text
        for artifact in ("Orders", "Extra"):
            simulator.set_runtime(artifact, "STARTED")
            await client.get("/")
        late = (await client.get("/", params={"seen": seen(before)})).text
    assert re.findall(r'<details id="([\w-]+)"', late) == ["package-Sales", "package-More"]


@pytest.mark.parametrize("mark", ["", "x", "x-1", "{}-x", "{}-\u00b2"])
async def test_a_browser_of_another_page_gets_everything(simulator: Simulator, mark: str) -> None:
    """After the server was started again, or with nonsense, all packages come."""
    async with browser(Window(simulator)) as client:
        origin = seen((await client.get("/")).text).partition("-")[0]
        page = (await client.get("/", params={"seen": mark.format(origin)})).text
    assert re.findall(r'section id="(\w+)"', page) == ["numbers", "content", "requests"]


async def test_packages_that_come_and_go_are_sent_with_all_others(simulator: Simulator) -> None:
    """So is what is left on the runtime only; the order on the page is always the tenant's."""
    changes: list[Callable[[], object]] = [
        lambda: simulator.add_package("New"),
        lambda: simulator.set_runtime("Gone", "STARTED"),
        lambda: simulator.set_runtime("Gone", None),
    ]
    expected = [["package-New"], ["package-New", "orphans"], ["package-New"]]
    async with browser(Window(simulator)) as client:
        page = (await client.get("/")).text
        for change, new in zip(changes, expected, strict=True):
            change()
            page = (await client.get("/", params={"seen": seen(page)})).text
            assert 'section id="content"' in page
            assert re.findall(r'<details id="([\w-]+)"', page) == ["package-Sales", *new]


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


async def test_a_thousand_artifacts_stay_readable(bundle: Build) -> None:
    """All are there, folded up except where something is under way; a refresh brings the packages that moved."""
    simulator = Simulator(SimulatorSettings(deploy_s=3600.0))
    for number in range(1000):
        package = f"P{number // 20}"
        if number % 20 == 0:
            simulator.add_package(package)
        simulator.add_artifact(package, f"A{number}", "ScriptCollection", bundle(f"A{number}", "ScriptCollection"))
        simulator.set_runtime(f"A{number}", "STARTED")
    async with browser(Window(simulator)) as client:
        page = (await client.get("/")).text
        quiet = (await client.get("/", params={"seen": seen(page)})).text
        simulator.set_runtime("A40", "STARTING")
        simulator.set_runtime("A41", "ERROR", error="broken")
        simulator.set_runtime("A999", "STOPPING")
        moving = (await client.get("/", params={"seen": seen(page)})).text
        simulator.set_runtime("A40", "STARTED")
        settled = (await client.get("/", params={"seen": seen(moving)})).text
        whole = (await client.get("/")).text
    balance = _Balance()
    balance.feed(whole)
    assert (balance.wrong, balance.open) == ([], [])
    assert (page.count("<details"), page.count(" open>"), page.count('<td class="name">')) == (50, 0, 1000)
    assert (quiet.count("<details"), quiet.count("<tr>")) == (0, 0)
    assert re.findall(r'<details id="([\w-]+)"( open)?>', moving) == [("package-P2", " open"), ("package-P49", " open")]
    assert re.findall(r'<details id="([\w-]+)"( open)?>', settled) == [("package-P2", "")]
    assert ">1 ERROR</span>" in settled
    assert re.findall(r'<details id="([\w-]+)" open>', whole) == ["package-P49"]


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
