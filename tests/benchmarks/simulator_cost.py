"""What one request costs the embedded tenant: ``python tests/benchmarks/simulator_cost.py [--json FILE]``.

1,000 artifacts in 50 packages; CPU time of this process per request, in microseconds. In process that is the tenant
and the client's request object; over loopback it is the tenant, its server and a plain client's socket work.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import httpx
import trio

from cpi_tasks.simulator import Simulator, SimulatorSettings, running

PACKAGES, PER_PACKAGE = 50, 20
_LOGIN = base64.b64encode(b"demo-user:demo-password").decode()
_HEADERS = {"Accept": "application/json", "Authorization": f"Basic {_LOGIN}"}
_SET = "/api/v1/IntegrationDesigntimeArtifacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request with the status it must be answered with."""

    method: str
    path: str
    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU microseconds for one request of a kind, the median of several rounds."""

    request: str
    in_process_us: float
    loopback_us: float

    @property
    def per_second(self) -> int:
        """How many of them one core could answer over loopback."""
        return round(1_000_000 / self.loopback_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of request: its name, how many make a round, and the one of a number."""

    name: str
    per_round: int
    make: Callable[[int], Request]


def archive(artifact: str) -> bytes:
    """Build a flow of 20 kB with three parameters and a script."""
    manifest = (
        f"Manifest-Version: 1.0\nBundle-ManifestVersion: 2\nBundle-Name: {artifact}\nBundle-SymbolicName: {artifact}; "
        "singleton:=true\nBundle-Version: 1.0.0\nSAP-BundleType: IntegrationFlow\nSAP-NodeType: IFLMAP\n\n"
    )
    steps = "".join(
        f"<b:task id='t{number}'><b:extensionElements><ifl:property><key>note</key><value>{number}</value>"
        "</ifl:property></b:extensionElements></b:task>"
        for number in range(150)
    )
    names = ("Host", "Port", "Path")
    defined = "".join(f"<parameter><key/><name>{name}</name><type>xsd:string</type></parameter>" for name in names)
    files = {
        "META-INF/MANIFEST.MF": manifest,
        "src/main/resources/scenarioflows/integrationflow/a.iflw": f"<b:d xmlns:b='b' xmlns:ifl='i'>{steps}</b:d>",
        "src/main/resources/parameters.prop": "Host=a.example\nPort=443\nPath=/x\n",
        "src/main/resources/parameters.propdef": f"<parameters>{defined}</parameters>",
        "src/main/resources/script/a.groovy": "def a() { 1 }\n",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, text in files.items():
            opened.writestr(path, text)
    return buffer.getvalue()


def furnished() -> Simulator:
    """Give a tenant with 1,000 running artifacts."""
    simulator = Simulator(SimulatorSettings(enforce_csrf="never"))
    for package in range(PACKAGES):
        simulator.add_package(f"P{package}")
        for number in range(PER_PACKAGE):
            artifact = f"A{package * PER_PACKAGE + number}"
            simulator.add_artifact(f"P{package}", artifact, "Integration", archive(artifact))
            simulator.set_runtime(artifact, "STARTED")
    return simulator


def kinds(prefix: str) -> list[Kind]:
    """List what is measured; ``prefix`` begins the ids of what is created."""
    key = f"{_SET}(Id='A{{0}}',Version='active')"

    def get(path: str) -> Callable[[int], Request]:
        return lambda number: Request(method="GET", path=path.format(number), status=200)

    def create(number: int) -> Request:
        artifact = f"{prefix}{number}"
        content = base64.b64encode(archive(artifact)).decode()
        sent = {"Id": artifact, "Name": artifact, "PackageId": f"P{number % PACKAGES}", "ArtifactContent": content}
        return Request(method="POST", path=_SET, status=201, body=json.dumps(sent).encode())

    def deploy(number: int) -> Request:
        path = f"/api/v1/DeployIntegrationDesigntimeArtifact?Id='A{number}'&Version='active'"
        return Request(method="POST", path=path, status=202)

    return [
        Kind(name="package list (50)", per_round=20, make=get("/api/v1/IntegrationPackages?x={0}")),
        Kind(
            name="artifact list (20)",
            per_round=40,
            make=lambda number: get(f"/api/v1/IntegrationPackages('P{number % PACKAGES}')/{_SET[8:]}")(number),
        ),
        Kind(name="read", per_round=100, make=get(key)),
        Kind(name="download", per_round=100, make=get(f"{key}/$value")),
        Kind(name="configurations", per_round=100, make=get(f"{key}/Configurations")),
        Kind(name="create", per_round=40, make=create),
        Kind(name="deploy", per_round=100, make=deploy),
        Kind(name="runtime status", per_round=100, make=get("/api/v1/IntegrationRuntimeArtifacts('A{0}')")),
        Kind(name="runtime list (1000)", per_round=5, make=get("/api/v1/IntegrationRuntimeArtifacts?x={0}")),
    ]


def rounds(kind: Kind, count: int) -> list[list[Request]]:
    """Prepare the requests of all rounds, so that their making is not measured."""
    each = kind.per_round
    return [[kind.make(number) for number in range(begin, begin + each)] for begin in range(0, count * each, each)]


def check(request: Request, status: int) -> None:
    """Stop where the tenant did something else than what is to be measured."""
    if status != request.status:
        raise SystemExit(f"{request.method} {request.path} was answered with {status} instead of {request.status}")


async def in_process(prepared: Sequence[Sequence[Request]], client: httpx.AsyncClient) -> float:
    """Give the microseconds per request without sockets."""
    costs = []
    for requests in prepared:
        began = time.process_time()
        for request in requests:
            answer = await client.request(request.method, request.path, content=request.body)
            check(request, answer.status_code)
        costs.append((time.process_time() - began) / len(requests) * 1e6)
    return median(costs)


def over_loopback(prepared: Sequence[Sequence[Request]], connection: HTTPConnection) -> float:
    """Give the microseconds per request over one kept connection, with both ends in this process."""
    costs = []
    for requests in prepared:
        began = time.process_time()
        for request in requests:
            connection.request(request.method, request.path, body=request.body or None, headers=_HEADERS)
            answer = connection.getresponse()
            answer.read()
            check(request, answer.status)
        costs.append((time.process_time() - began) / len(requests) * 1e6)
    return median(costs)


def measure(count: int) -> list[Cost]:
    """Measure every kind in ``count`` rounds, each way with a tenant of its own."""

    async def without_sockets() -> list[float]:
        transport = httpx.ASGITransport(app=furnished().app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1", headers=_HEADERS) as client:
            return [await in_process(rounds(kind, count), client) for kind in kinds("B")]

    inside = trio.run(without_sockets)
    with running(furnished()) as url:
        connection = HTTPConnection(httpx.URL(url).host, httpx.URL(url).port)
        outside = [over_loopback(rounds(kind, count), connection) for kind in kinds("C")]
        connection.close()
    return [
        Cost(request=kind.name, in_process_us=round(one, 1), loopback_us=round(other, 1))
        for kind, one, other in zip(kinds("D"), inside, outside, strict=True)
    ]


def main() -> None:
    """Print a table, and write JSON where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--rounds", type=int, default=5, help="how often each kind is measured (default: %(default)s)")
    given = parser.parse_args()
    costs = measure(given.rounds)
    lines = [f"{'request':<22}{'in process':>12}{'loopback':>12}{'per second':>12}"]
    lines += [f"{c.request:<22}{c.in_process_us:>9.0f} µs{c.loopback_us:>9.0f} µs{c.per_second:>12}" for c in costs]
    sys.stdout.write("\n".join([*lines, ""]))
    if given.json:
        rows = [{**asdict(cost), "per_second": cost.per_second} for cost in costs]
        found = {"artifacts": PACKAGES * PER_PACKAGE, "packages": PACKAGES, "costs": rows}
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
