"""The tenant under test: the one of ``--tenant-url``, or the embedded one on a loopback socket."""

from __future__ import annotations

import base64
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx
import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.conformance.bundles import encoded, files_of
from tests.conformance.remote import Login, Remote

OWN_LOGIN = Login(user="demo-user", secret="demo-password")
DRAFT_WORDS = {"Active", "Draft"}
_PUBLISHED_LIMIT = 8.0
_OURS = {"requests_per_second": 500.0, "deadline_s": 20.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A package that may be edited, and an integration flow inside, both only to be read."""

    package: str
    flow: str
    version: str


@dataclass(slots=True, kw_only=True)
class Workspace:
    """A package of one test, and what the test made of it. Everything in it is removed at the end."""

    remote: Remote
    package: str
    deployed: list[str] = field(default_factory=list)

    def id_of(self, family: str) -> str:
        """Give the id that an artifact of a family has in this package."""
        return f"{self.package}{family}"

    def make_package(self, **fields: object) -> httpx.Response:
        """Create the package."""
        sent = {"Id": self.package, "Name": self.package, "ShortText": "Conformance test", **fields}
        return self.remote.write("POST", "IntegrationPackages", sent)

    def make(self, family: str, files: dict[str, bytes] | None = None) -> str:
        """Create the package where it is not there yet, and an artifact; give its id."""
        if self.remote.get(f"IntegrationPackages('{self.package}')").status_code == 404:
            assert self.make_package().status_code == 201
        answer = self.post(family, files)
        assert answer.status_code == 201, answer.text
        return self.id_of(family)

    def post(self, family: str, files: dict[str, bytes] | None = None, **fields: object) -> httpx.Response:
        """Send the creation of an artifact."""
        artifact = self.id_of(family)
        content = encoded(files or files_of(family, artifact))
        sent = {"Id": artifact, "Name": artifact, "PackageId": self.package, "ArtifactContent": content, **fields}
        return self.remote.write("POST", f"{family}DesigntimeArtifacts", sent)

    def put(self, family: str, files: dict[str, bytes], **fields: object) -> httpx.Response:
        """Send new content."""
        return self.remote.write("PUT", self.path(family), {"ArtifactContent": encoded(files), **fields})

    def path(self, family: str) -> str:
        """Give the address of an artifact."""
        return f"{family}DesigntimeArtifacts(Id='{self.id_of(family)}',Version='active')"

    def save_draft(self, family: str, version: str) -> None:
        """Save what is there under a version where the tenant shows a draft, as some do after every update."""
        if self.remote.get(self.path(family)).json()["d"]["Version"] in DRAFT_WORDS:
            target = f"{family}DesigntimeArtifactSaveAsVersion?Id='{self.id_of(family)}'&SaveAsVersion='{version}'"
            assert self.remote.write("POST", target).status_code in {200, 202}

    def deploy(self, family: str) -> httpx.Response:
        """Trigger a deployment; the end of the test undeploys it."""
        artifact = self.id_of(family)
        self.deployed.append(artifact)
        return self.remote.write("POST", f"Deploy{family}DesigntimeArtifact?Id='{artifact}'&Version='active'")

    def wait_for(self, family: str, status: str, *, not_of: str = "") -> dict[str, str]:
        """Wait until the runtime shows a status, with another ``DeployedOn`` than a given one."""
        artifact = self.id_of(family)

        def look() -> dict[str, str] | None:
            answer = self.remote.get(f"IntegrationRuntimeArtifacts('{artifact}')")
            row: dict[str, str] = answer.json()["d"] if answer.status_code == 200 else {}
            return row if row.get("Status") == status and row["DeployedOn"] != not_of else None

        return self.remote.wait_until(look, f"{status} of {artifact}")

    def clean(self) -> None:
        """Undeploy and delete; what is not there is fine."""
        for artifact in set(self.deployed):
            self.remote.write("DELETE", f"IntegrationRuntimeArtifacts('{artifact}')")
        deleted = self.remote.write("DELETE", f"IntegrationPackages('{self.package}')").status_code
        assert deleted in {200, 202, 204, 404}, f"{self.package} could not be deleted: {deleted}"


def _is_foreign(config: pytest.Config) -> bool:
    return bool(config.getoption("--tenant-url"))


@pytest.fixture(scope="session")
def prefix(pytestconfig: pytest.Config) -> str:
    """Give what every id that is written begins with; one that could hit something else is refused."""
    given = str(pytestconfig.getoption("--tenant-prefix"))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{3,29}", given):
        pytest.fail("--tenant-prefix must be 4 to 30 letters and digits, beginning with a letter")
    return given


@pytest.fixture(scope="session")
def remote(pytestconfig: pytest.Config, prefix: str) -> Iterator[Remote]:
    """Log in to the tenant under test; the embedded one gets something to be read first."""
    url = pytestconfig.getoption("--tenant-url")
    if url:
        login = Login.of(os.environ)
        if login is None:
            pytest.fail("--tenant-url needs credentials in the CPI_* variables")
        foreign = Remote(url, login, prefix=prefix, requests_per_second=_PUBLISHED_LIMIT, deadline_s=900)
        with foreign.client:
            yield foreign
        return
    simulator = Simulator(SimulatorSettings(deploy_s=0.3, stop_s=0.1))
    furnish(simulator)
    with running(simulator) as own:
        session = Remote(own, OWN_LOGIN, prefix=prefix, **_OURS)
        with session.client:
            yield session


def furnish(simulator: Simulator) -> None:
    """Put a package with a running flow on an embedded tenant."""
    simulator.add_package("Sample", "Sample package", description="To be read")
    simulator.add_artifact("Sample", "SampleFlow", "Integration", packed("Integration", "SampleFlow"), "1.0.2")
    simulator.add_artifact("Sample", "SampleScripts", "ScriptCollection", packed("ScriptCollection", "SampleScripts"))
    simulator.set_runtime("SampleFlow", "STARTED")


def packed(family: str, artifact: str) -> bytes:
    """Give an archive's bytes."""
    return base64.b64decode(encoded(files_of(family, artifact)))


@pytest.fixture(scope="session")
def sample(remote: Remote) -> Sample:
    """Find a flow on the tenant that can be read."""
    for package in remote.results("IntegrationPackages")[:40]:
        if package["Mode"] == "EDIT_ALLOWED":
            for row in remote.results(f"IntegrationPackages('{package['Id']}')/IntegrationDesigntimeArtifacts"):
                if row["Version"][0].isdigit():
                    return Sample(package=package["Id"], flow=row["Id"], version=row["Version"])
    pytest.skip("this tenant has no integration flow to read")


@pytest.fixture
def workspace(request: pytest.FixtureRequest, remote: Remote, prefix: str) -> Iterator[Workspace]:
    """Give a test its own package id, and remove before and after it whatever goes by that id."""
    if _is_foreign(request.config) and not request.config.getoption("--tenant-writes"):
        pytest.skip("writing to a tenant needs --tenant-writes")
    package = f"{prefix}{zlib.crc32(request.node.name.encode()):08x}"
    space = Workspace(remote=remote, package=package)
    space.clean()
    try:
        yield space
    finally:
        space.clean()


OwnTenant = Callable[..., tuple[Simulator, Remote]]


@pytest.fixture
def own_tenant(request: pytest.FixtureRequest, prefix: str) -> Iterator[OwnTenant]:
    """Give a function that starts an embedded tenant with its own settings; another tenant has no such switches."""
    if _is_foreign(request.config):
        pytest.skip("this needs a switch or a fault that only the embedded tenant has")
    with ExitStack() as services:

        def start(*, login: Login = OWN_LOGIN, **settings: object) -> tuple[Simulator, Remote]:
            simulator = Simulator(SimulatorSettings(**settings))  # type: ignore[arg-type]
            furnish(simulator)
            url = services.enter_context(running(simulator))
            if login.token_url:
                login = Login(user=login.user, secret=login.secret, token_url=f"{url}{login.token_url}")
            session = Remote(url, login, prefix=prefix, **_OURS)
            services.enter_context(session.client)
            return simulator, session

        yield start
