"""The faults that only a real socket has, met once in a whole run: passing trouble, and nothing is done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpi_tasks import app
from cpi_tasks.model.config import Selection
from cpi_tasks.simulator import Fault, FaultKind, FaultRule, When, running
from cpi_tasks.simulator.faults import NEEDS_SOCKET
from tests.simulation.test_fault_matrix import REQUESTS, check_there, make
from tests.support.world import LOGINS

WIRE = (
    ("token", FaultKind.RESET_AFTER_HANDLING),
    ("csrf", FaultKind.CLOSED_BEFORE_HANDLING),
    ("list packages", FaultKind.RESET_BEFORE_HANDLING),
    ("list artifacts", FaultKind.TRUNCATED_JSON),
    ("download", FaultKind.STALLED_BODY),
    ("create package", FaultKind.CLOSED_AFTER_HANDLING),
    ("create", FaultKind.RESET_BEFORE_HANDLING),
    ("create", FaultKind.RESET_AFTER_HANDLING),
    ("update", FaultKind.CLOSED_AFTER_HANDLING),
    ("delete", FaultKind.RESET_AFTER_HANDLING),
    ("recreate", FaultKind.TRUNCATED_JSON),
    ("save version", FaultKind.CLOSED_BEFORE_HANDLING),
    ("write parameter", FaultKind.STALLED_BODY),
    ("deploy", FaultKind.RESET_AFTER_HANDLING),
    ("read runtime", FaultKind.SLOW_FIRST_BYTE),
)


def test_every_fault_of_the_wire_is_in_the_table() -> None:
    """What cannot be met in process is met here."""
    assert {kind for _, kind in WIRE} >= NEEDS_SOCKET


@pytest.mark.parametrize(("request_kind", "kind"), WIRE, ids=str)
def test_a_fault_on_the_wire(tmp_path: Path, request_kind: str, kind: FaultKind) -> None:
    """Over a real socket the same passing trouble is got over, and nothing is created twice."""
    world = make(tmp_path / "repo", request_kind, kind)
    world.behave(deploy_s=0.1)
    _, method, pattern = REQUESTS[request_kind]
    fault = Fault(kind=kind, seconds=0.2)
    rule = FaultRule(method=method, pattern=pattern, when=When(nth=1), fault=fault)
    world.simulator.play(world.simulator.script(rule))
    with running(world.simulator) as url:
        login = dict(LOGINS["basic"])
        if request_kind == "token":
            login = {**LOGINS["oauth"], "tokenUrl": f"{url}/oauth/token"}
        world.project.keys |= {"tenant": {"host": url, **login}, "requestTimeoutSeconds": 1}
        world.project.save()
        report = app.execute(Selection(env="x"), root=world.project.root)
        assert report.exit_code == 0, report
        check_there(world)
    (struck,) = (request for request in world.simulator.requests if request.fault)
    assert struck.fault == kind.value
    made = [one for one in world.simulator.requests if one.method == "POST" and one.path.endswith("Artifacts")]
    assert sum(one.handled == 201 for one in made) <= 1
