"""What a run leaves in the tenant's log, in the journal and in what it tells: limits, writes told, no secrets."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

from cpi_tasks.events import ArtifactDeployed, DeploymentTriggered
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.simulator import RequestRecord
from tests.simulation.seeds.content import VALUE
from tests.simulation.seeds.ended import Ended
from tests.simulation.seeds.scenario import Scenario


def is_write(request: RequestRecord) -> bool:
    """Whether a request changed the tenant."""
    return request.method != "GET" and request.path != "/oauth/token" and 200 <= request.handled < 300


def check_traces(scenario: Scenario, ended: Ended) -> None:
    """Check all of it."""
    _check_limits(scenario, ended)
    _check_creations(ended)
    _check_secrets(scenario, ended)
    for folder in ended.folders:
        _check_journal(ended, folder / "journal.jsonl")


def _check_limits(scenario: Scenario, ended: Ended) -> None:
    """Neither the request rates nor the numbers of deployments at once are exceeded."""
    simulator, keys = scenario.world.simulator, scenario.world.project.keys
    if not ended.has_others:
        assert not [one for one in ended.requests if one.handled == 429], "the tenant refuses no request for its rate"
    given = keys.get("requestsPerSecond", {})
    assert isinstance(given, dict)
    assert simulator.highest_rate("designtime") <= given.get("designtime", 9)
    assert simulator.highest_rate("runtime") <= 45
    per_package = keys["parallelDeployments"]
    assert isinstance(per_package, int)
    overall = keys.get("maxParallelDeployments", max(per_package, min(10, 3 * per_package)))
    assert isinstance(overall, int)
    if any(isinstance(event, ArtifactDeployed) and _was_late(event) for event in ended.events):
        # What was late has given back its place long before it is told.
        return
    going: set[ArtifactRef] = set()
    for event in ended.events:
        if isinstance(event, DeploymentTriggered):
            going.add(event.ref)
        elif isinstance(event, ArtifactDeployed):
            going.discard(event.ref)
        by_package = Counter(ref.package for ref in going)
        assert max(by_package.values(), default=0) <= per_package, "more deployments than a package may have"
        assert len(going) <= overall, "more deployments than a run may have"


def _was_late(event: ArtifactDeployed) -> bool:
    return event.outcome.summary == "not running in time" or event.outcome.reason == "seen late"


def _check_creations(ended: Ended) -> None:
    """Assert that what is there already is not created again: not after a lost answer either."""
    refused = {401, 403, 429}
    for one in ended.requests:
        is_creation = one.method == "POST" and one.path.endswith(("DesigntimeArtifacts", "IntegrationPackages"))
        assert not is_creation or one.handled < 400 or one.handled in refused, f"created twice: {one}"


def _check_secrets(scenario: Scenario, ended: Ended) -> None:
    """No credential, token or parameter value is in what a run leaves behind or tells."""
    gatekeeper = scenario.world.simulator._front.gatekeeper
    secrets = ["demo-password", "demo-secret"]
    secrets += [base64.b64encode(pair).decode() for pair in (b"demo-user:demo-password", b"demo-client:demo-secret")]
    secrets += [*gatekeeper._tokens, *(token for token, _ in gatekeeper._sessions.values()), *gatekeeper._sessions]
    told = repr(ended.events)
    assert not [secret for secret in secrets if secret in told]
    folder = scenario.world.project.root / ".cpi"
    for file in (one for one in folder.rglob("*") if one.is_file()):
        data = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in data], file
        assert "backup" in str(file.relative_to(folder)) or VALUE.encode() not in data, file


def _check_journal(ended: Ended, file: Path) -> None:
    """Every write that the tenant saw was on record before it left, and so is every outcome and the end."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    begun = Counter((one["method"], unquote(one["target"])) for one in lines if one["event"] == "write begins")
    sent = Counter(
        (one.method, one.target) for one in ended.requests if one.method != "GET" and one.path != "/oauth/token"
    )
    assert not sent - begun, f"not in the journal: {sent - begun}"
    names = Counter(type(event).__name__ for event in ended.events)
    for name, word in (("ArtifactUpdated", "updated"), ("ArtifactDeployed", "deployed"), ("PlanMade", "plan")):
        assert sum(one["event"] == word for one in lines) == names[name], f"{word} in the journal"
    if ended.ran is not None:
        assert lines[-1]["event"] == "run finished"
        assert lines[-1]["exitCode"] == ended.ran.exit_code
