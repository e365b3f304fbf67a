"""Every kind of request meets every kind of fault, once and for ever: what the run ends with, and that it is right."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing

from cpi_tasks.errors import CpiTasksError
from cpi_tasks.model.report import Status
from cpi_tasks.simulator import Fault, FaultKind, FaultRule, SimulatorSettings, When
from cpi_tasks.simulator.request_log import RequestRecord
from tests.support.project import SCRIPT
from tests.support.world import World, make_world

TEXT = "The tenant says no"
FLOW = r"IntegrationDesigntimeArtifacts\(Id='Orders',Version='active'\)"
VALUES = r"ValueMappingDesigntimeArtifacts\(Id='Countries',Version='active'\)"


def _fresh(world: World) -> None:
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    world.project.override("Orders", {"Host": "b.example"})


def _changed(world: World) -> None:
    _fresh(world)
    world.project.package("Sales", displayName="Sales", short_text="ours")
    world.project.flow("Sales", "Orders", parameters={"Host": "a.example"})
    world.project.override("Orders", {"Host": "b.example"})
    _plant(world, "Orders", "Integration")
    world.project.edit("Sales", "Orders", SCRIPT, b"// changed\n")


def _draft(world: World) -> None:
    _changed(world)
    world.behave(version_mode="draft")


def _mapping(world: World) -> None:
    world.project.values("Sales", "Countries")
    _plant(world, "Countries", "ValueMapping")
    entry = {"ERP/Country": "FR", "CRM/Country": "France"}
    world.project.values("Sales", "Countries", {"ERP/Country": "DE", "CRM/Country": "Germany"}, entry)
    world.project.packages["Sales"]["artifacts"] = [world.project.artifacts["Countries"]]


def _many(world: World) -> None:
    for package in ("Stock", "Tax", "Zoo"):
        world.project.package(package)
        world.simulator.add_package(package)
    _fresh(world)


def _failing(world: World) -> None:
    _fresh(world)
    world.behave(failing=frozenset({"Orders"}))


def _locked(world: World) -> None:
    _changed(world)
    world.simulator.lock("Orders", "jane@example.com")


def _plant(world: World, artifact: str, family: str) -> None:
    """Put an artifact on the tenant as the files have it now."""
    folder, packed = world.project.folder("Sales", artifact), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            archive.write(file, str(file.relative_to(folder)))
    world.simulator.add_package("Sales")
    world.simulator.add_artifact("Sales", artifact, family, packed.getvalue())


Prepare = Callable[[World], None]
REQUESTS: Mapping[str, tuple[Prepare, str, str]] = {
    "token": (_fresh, "POST", "/oauth/token"),
    "csrf": (_fresh, "GET", r"/api/v1/$"),
    "list packages": (_many, "GET", r"IntegrationPackages$"),
    "read package": (_changed, "GET", r"IntegrationPackages\('Sales'\)$"),
    "create package": (_fresh, "POST", r"IntegrationPackages$"),
    "update package": (_changed, "PUT", r"IntegrationPackages\('Sales'\)$"),
    "list artifacts": (_changed, "GET", r"IntegrationPackages\('Sales'\)/IntegrationDesigntimeArtifacts"),
    "read artifact": (_changed, "GET", rf"{FLOW}$"),
    "download": (_changed, "GET", rf"{FLOW}/\$value"),
    "create": (_fresh, "POST", r"IntegrationDesigntimeArtifacts$"),
    "update": (_changed, "PUT", rf"{FLOW}$"),
    "delete": (_mapping, "DELETE", VALUES),
    "recreate": (_mapping, "POST", r"ValueMappingDesigntimeArtifacts$"),
    "save version": (_draft, "POST", "SaveAsVersion"),
    "read parameters": (_changed, "GET", rf"{FLOW}/Configurations"),
    "write parameter": (_changed, "PUT", rf"{FLOW}/\$links/Configurations"),
    "deploy": (_fresh, "POST", r"DeployIntegrationDesigntimeArtifact\?"),
    "read task": (_fresh, "GET", "BuildAndDeployStatus"),
    "list runtime": (_fresh, "GET", r"IntegrationRuntimeArtifacts$"),
    "read runtime": (_fresh, "GET", r"IntegrationRuntimeArtifacts\('Orders'\)$"),
    "read error": (_failing, "GET", "ErrorInformation"),
    "list locks": (_locked, "GET", "Locks"),
}
# Across: the kinds of fault in the order of their list. Tokens expire with OAuth alone, which begins without CSRF.
ONCE = """
token           | 3 3 3 0 3 3 0 0 0 3 0 0 0 0 0 0 0 0 0 0
csrf            | - 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
list packages   | 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
read package    | 0 1 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
create package  | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
update package  | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
list artifacts  | 0 1 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
read artifact   | 0 1 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
download        | 0 1 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
create          | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
update          | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
delete          | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
recreate        | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
save version    | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
read parameters | 0 1 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
write parameter | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
deploy          | 0 0 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
read task       | 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
list runtime    | 0 1 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
read runtime    | 0 1 1 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0
read error      | 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
list locks      | 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
"""
LASTING = (
    FaultKind.TOO_MANY_REQUESTS,
    FaultKind.BUSINESS_ERROR,
    FaultKind.UNAVAILABLE,
    FaultKind.HTML_PAGE,
    FaultKind.TRUNCATED_JSON,
    FaultKind.CLOSED_AFTER_HANDLING,
)
FOR_EVER = """
token           | 3 3 3 3 3 3
csrf            | 3 1 3 3 3 3
list packages   | 3 0 3 3 3 3
read package    | 3 1 3 3 3 3
create package  | 3 1 3 3 0 0
update package  | 3 1 3 3 3 3
list artifacts  | 3 1 3 3 3 3
read artifact   | 3 1 3 3 3 3
download        | 3 1 3 3 3 3
create          | 3 1 3 3 0 0
update          | 3 1 3 3 3 3
delete          | 3 1 3 3 0 0
recreate        | 3 1 3 3 0 0
save version    | 3 1 3 3 0 0
read parameters | 3 1 3 3 3 3
write parameter | 3 1 3 3 0 0
deploy          | 3 1 3 3 0 0
read task       | 3 0 0 0 0 0
list runtime    | 3 1 3 3 3 3
read runtime    | 3 1 3 3 3 3
read error      | 1 1 1 1 1 1
list locks      | 1 1 1 1 1 1
"""


def make(root: Path, request_kind: str, kind: FaultKind) -> World:
    """Prepare the situation in which a kind of request is sent; only OAuth has tokens, only Basic begins with CSRF."""
    login = "oauth" if request_kind == "token" or kind is FaultKind.TOKEN_EXPIRED else "basic"
    world = make_world(root, login=login, settings=SimulatorSettings(deploy_s=5))
    world.fails_requests = True
    world.project.keys |= {"deployTimeoutSeconds": 60, "outageBudgetSeconds": 40, "requestTimeoutSeconds": 20}
    REQUESTS[request_kind][0](world)
    return world


def fault_of(kind: FaultKind) -> Fault:
    """Give a fault as a client in this process meets it."""
    error = httpx.ReadTimeout if kind is FaultKind.STALLED_BODY else httpx.ReadError
    body = f'{{"error":{{"message":{{"value":"{TEXT}"}}}}}}'.encode()
    return Fault(kind=kind, seconds=30.0, text=TEXT, status=500, body=body, error=error)


async def ends_with(world: World, request_kind: str, kind: FaultKind, when: When) -> int:
    """Run into the fault, check that what is said is so, then without it, which must repair everything."""
    _, method, pattern = REQUESTS[request_kind]
    world.simulator.play(
        world.simulator.script(FaultRule(method=method, pattern=pattern, when=when, fault=fault_of(kind)))
    )
    code = await _run(world, is_failing=request_kind == "read error")
    assert any(request.fault for request in world.simulator.requests), "the fault has struck"
    if code == 0:
        return code
    world.simulator._front.stage._faults.clear()
    world.behave(failing=frozenset())
    if request_kind == "list locks":
        world.simulator.unlock("Orders")
    await trio.sleep(2)
    repaired = await world.run()
    assert repaired.exit_code == 0, repaired.report
    check_there(world)
    return code


async def _run(world: World, *, is_failing: bool) -> int:
    before = len(world.simulator.requests)
    try:
        ran = await world.run()
    except CpiTasksError as error:
        assert not [one for one in world.simulator.requests[before:] if _is_write(one)]
        return error.exit_code
    if ran.exit_code == 0:
        check_there(world)
        assert all(step.status in {Status.DONE, Status.UNCHANGED} for o in ran.report.artifacts() for step in o.steps)
    else:
        failed = [step for outcome in ran.report.artifacts() for step in outcome.steps if step.status.is_bad]
        failed += [one.update for one in ran.report.packages() if one.update and one.update.status.is_bad]
        assert failed
        assert all(step.reason for step in failed)
        (artifact,) = world.project.artifacts
        deploy = ran.outcome(artifact).deploy
        if deploy is not None and deploy.status is Status.FAILED and not is_failing:
            assert any(said in deploy.reason for said in (TEXT, "no usable answer", "locked", "CSRF"))
    return ran.exit_code


def _is_write(request: RequestRecord) -> bool:
    return request.method != "GET" and request.path != "/oauth/token" and 200 <= request.handled < 300


def check_there(world: World) -> None:
    """Assert that the one artifact is on the tenant once, with its value, and runs what design time holds."""
    (artifact,) = world.project.artifacts
    assert list(world.simulator.artifacts) == [artifact]
    assert world.simulator.is_running_design_time(artifact)
    if artifact == "Orders":
        assert world.simulator.artifact(artifact).parameters["Host"] == "b.example"


def cells(table: str, kinds: Sequence[FaultKind]) -> list[tuple[str, FaultKind, int]]:
    """Read a table: requests downwards, faults across, an exit code in each cell."""
    rows = [line.rsplit("|", 1) for line in table.strip().splitlines()]
    assert [name.strip() for name, _ in rows] == list(REQUESTS)
    return [
        (name.strip(), kind, int(code))
        for name, codes in rows
        for kind, code in zip(kinds, codes.split(), strict=True)
        if code != "-"
    ]


def _id(value: object) -> str | None:
    return value.value if isinstance(value, FaultKind) else None


@pytest.mark.parametrize(("request_kind", "kind", "code"), cells(ONCE, tuple(FaultKind)), ids=_id)
def test_a_fault_met_once(tmp_path: Path, request_kind: str, kind: FaultKind, code: int) -> None:
    """Passing trouble costs nothing but time; a refusal is red with the tenant's words, and the rerun is green."""
    assert _play(tmp_path, request_kind, kind, When(nth=1)) == code


@pytest.mark.parametrize(("request_kind", "kind", "code"), cells(FOR_EVER, LASTING), ids=_id)
def test_a_fault_that_stays(tmp_path: Path, request_kind: str, kind: FaultKind, code: int) -> None:
    """The run ends with the right code, and soon; when the fault is gone the rerun is green."""
    assert _play(tmp_path, request_kind, kind, When()) == code


def _play(root: Path, request_kind: str, kind: FaultKind, when: When) -> int:
    async def main() -> int:
        return await ends_with(make(root / "repo", request_kind, kind), request_kind, kind, when)

    random.seed(6)
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
