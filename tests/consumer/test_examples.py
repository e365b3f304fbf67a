"""The example environments of this repository, copied as they are into another one, with a tenant on loopback."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cpi_tasks import environment
from cpi_tasks.errors import DownloadError
from cpi_tasks.model.config import BasicLogin, Selection, TenantAccess
from cpi_tasks.model.naming import Mode
from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.consumer import CHECKOUT, Consumer, Ended, Tenant
from tests.support.project import MODEL

EXAMPLES = ("dev", "prod", "ci")
CI_URL = "https://raw.githubusercontent.com/org/repo/main/config.yml"
PACKAGES = ("Sales", "Stock")
ARTIFACTS = ("Counting", "Invoices", "Orders", "Packing", "Quotes", "Scripts")
VARIABLES = {"CPI_HOST": "t1.example.com", "CPI_USERNAME": "deployer", "CPI_PASSWORD": "made-up"}


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    """Serve an empty tenant whose deployments last long enough to be under way together."""
    simulator = Simulator(SimulatorSettings(deploy_s=0.8))
    with running(simulator) as url:
        yield Tenant(simulator=simulator, url=url)


@pytest.fixture
def examples(consumer: Consumer) -> Consumer:
    """Give a repository with what the three examples name, and the examples."""
    project = consumer.project
    project.package("Sales", displayName="Sales")
    for flow in ("Invoices", "Quotes"):
        project.flow("Sales", flow)
    project.flow("Sales", "Orders", scripts_of="Scripts", parameters={"Host": "a.example"})
    project.override("Orders", {"Host": "b.example"})
    project.collection("Sales", "Scripts")
    project.package("Stock", displayName="Stock")
    for flow in ("Counting", "Packing"):
        project.flow("Stock", flow)
    consumer.configure("configs/dev/sales.yml", ["Sales"])
    consumer.configure("configs/dev/later/stock.yaml", ["Stock"])
    consumer.write("configs/dev/notes.txt", "not a configuration")
    consumer.configure("configs/production.yml", PACKAGES)
    consumer.configure("served/config.yml", PACKAGES)
    for name in EXAMPLES:
        text = (
            (CHECKOUT / "environments" / f"{name}.yml")
            .read_text(encoding="utf-8")
            .replace("./environments/example/", "./")
        )
        consumer.write(f"environments/{name}.yml", text)
    consumer.write("tasks.py", "from cpi_tasks import ns\n")
    return consumer


class _OneFile(BaseHTTPRequestHandler):
    """Answers every request with one text."""

    def __init__(self, text: bytes, *arguments: object) -> None:
        self._text = text
        super().__init__(*arguments)  # type: ignore[arg-type]  # what the server gives

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self._text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(file: Path) -> Iterator[str]:
    """Serve a file on loopback and give its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_OneFile, file.read_bytes())) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{file.name}"
        finally:
            server.shutdown()
            thread.join()


def assert_everything_runs(ended: Ended, tenant: Tenant, *, prefix: str, at_most: int) -> None:
    """Check what the files say: it is there under the prefix, all of it runs, and never was too much under way."""
    assert (ended.code, ended.err) == (0, ""), ended.out
    found = tenant.simulator.packages
    assert {id_: package.name for id_, package in found.items()} == {
        f"{prefix}Sales": f"{prefix} - Sales",
        f"{prefix}Stock": f"{prefix} - Stock",
    }
    assert tenant.running == [f"{prefix}_{name}" for name in ARTIFACTS]
    assert tenant.simulator.artifact(f"{prefix}_Orders").parameters == {"Host": "b.example"}
    with zipfile.ZipFile(io.BytesIO(tenant.simulator.artifact(f"{prefix}_Orders").archive)) as archive:
        assert f"<value>{prefix}_Scripts</value>".encode() in archive.read(MODEL)
    peaks = tenant.simulator.peak_deployments_by_package
    assert set(peaks) == {f"{prefix}Sales", f"{prefix}Stock"}
    assert max(peaks.values()) <= at_most


def test_dev(examples: Consumer, tenant: Tenant) -> None:
    """All files of a folder in one run with one summary, up to five deployments of a package at once."""
    examples.variables = tenant.basic
    ended = examples.invoke("orchestrate", "--env", "dev")
    assert_everything_runs(ended, tenant, prefix="DEV", at_most=5)
    assert (ended.out.count("DEPLOYMENT SUMMARY"), "Login: Basic" in ended.out) == (1, True)
    assert "Max concurrent deployments: 5 in one package" in ended.out


def test_prod(examples: Consumer, tenant: Tenant) -> None:
    """One file with conservative settings: never more than two deployments of a package at once."""
    examples.variables = tenant.oauth
    ended = examples.invoke("orchestrate", "--env", "prod")
    assert_everything_runs(ended, tenant, prefix="PROD", at_most=2)
    assert "Max concurrent deployments: 2 in one package" in ended.out
    assert ("Login: OAuth client credentials" in ended.out, "demo-secret" in ended.out) == (True, False)


def test_ci(examples: Consumer, tenant: Tenant) -> None:
    """A configuration fetched over HTTP, in a pipeline."""
    examples.variables = {**tenant.oauth, "CI": "true"}
    with served(examples.root / "served/config.yml") as url:
        ended = examples.invoke("orchestrate", "--env", "ci", "--deploy-config", url)
    assert_everything_runs(ended, tenant, prefix="CI", at_most=10)
    assert "Max concurrent deployments: 10 in one package, 10 in the whole run" in ended.out


@pytest.mark.parametrize(
    ("name", "parallel", "of_the_run", "delay_s", "timeout_s"),
    [("dev", 5, 10, 15.0, 75.0), ("prod", 2, 6, 30.0, 300.0), ("ci", 10, 10, 10.0, 50.0)],
)
def test_what_they_say(
    examples: Consumer, name: str, parallel: int, of_the_run: int, delay_s: float, timeout_s: float
) -> None:
    """Read as they are, with the configuration of the pipeline from its public URL and without a token."""
    calls: list[tuple[str, str | BasicLogin | None]] = []

    def fetch(url: str, token: str | BasicLogin | None) -> bytes:
        calls.append((url, token))
        if url != CI_URL:
            raise DownloadError(url)
        return (examples.root / "served/config.yml").read_bytes()

    selection = Selection(env=name)
    loaded = environment.load(
        selection, root=examples.root, cwd=examples.root, variables=environment.Variables(VARIABLES), fetch=fetch
    )
    run = loaded.run
    assert loaded.problems == ()
    assert run is not None
    assert (run.settings.mode, run.settings.parallel_deployments) == (Mode.UPDATE_AND_DEPLOY, parallel)
    assert run.settings.max_parallel_deployments == of_the_run
    assert (run.settings.deploy_delay_s, run.settings.deploy_timeout_s) == (delay_s, timeout_s)
    assert (len(run.configs), run.warnings) == (1, ())
    assert [package.source_id for package in run.configs[0].packages] == ["Stock", "Sales"][
        :: 1 if name == "dev" else -1
    ]
    assert calls == ([(CI_URL, None)] if name == "ci" else [])


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    "login",
    [
        {"CPI_USERNAME": "deployer", "CPI_PASSWORD": "made-up", "CPI_CLIENT_SECRET": ""},
        {"CPI_TOKEN_URL": "https://t1.example.com/oauth/token", "CPI_CLIENT_ID": "id", "CPI_CLIENT_SECRET": "made-up"},
    ],
    ids=["basic", "oauth"],
)
def test_their_tenant_comes_from_variables(examples: Consumer, name: str, login: Mapping[str, str]) -> None:
    """Each with either login; an empty variable counts as not set."""
    loaded = environment.load(
        Selection(env=name),
        root=examples.root,
        cwd=examples.root,
        variables=environment.Variables({"CPI_HOST": "t1.example.com", **login}),
        fetch=lambda _url, _token: (examples.root / "served/config.yml").read_bytes(),
    )
    assert loaded.problems == ()
    assert loaded.run is not None
    assert isinstance(loaded.run.tenant, TenantAccess)
    assert loaded.run.tenant.url == "https://t1.example.com"
