"""What holds after every run of every seed, told by the tenant itself and not by what the run says."""

from __future__ import annotations

import base64
import io
import zipfile
from collections import Counter

from cpi_tasks.errors import TenantError
from cpi_tasks.events import ArtifactDeployed, ArtifactUpdated, PlanMade
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import DeployAction, UpdateAction
from cpi_tasks.model.report import ArtifactOutcome, Status, StepOutcome
from cpi_tasks.simulator import RequestRecord
from tests.simulation.seeds.content import VALUE, Content, Item
from tests.simulation.seeds.scenario import Ended, Scenario
from tests.simulation.seeds.weather import REFUSAL
from tests.support.world import World

_GOOD = {Status.DONE, Status.UNCHANGED}
NO_RECORD = "not provable: the tenant gives no time of change and .cpi/ has no record of this state"
NO_TIME = "not provable: the tenant gives no time of deployment"
# A failure of these words is one the weather caused and the tenant's state cannot contradict.
_INJECTED = (REFUSAL, "no usable answer", "locked", "could not be created", "401", "session", "403", "without a text")


def judge(scenario: Scenario, ended: Ended) -> None:
    """Check one run that has just ended."""
    requests = scenario.world.simulator.requests[ended.first_request :]
    _check_requests(scenario, ended, requests)
    _check_secrets(scenario, ended)
    if ended.error is not None:
        assert not [one for one in requests if _is_write(one)], "an error ends a run only before it writes"
        assert not ended.is_light, ended.error
        assert isinstance(ended.error, TenantError) or ended.error.exit_code in {5, 130}, ended.error
    if ended.ran is not None:
        _check_outcomes(ended)
        for outcome in ended.ran.report.artifacts():
            _check_artifact(scenario, ended, outcome)
        if ended.is_light:
            assert ended.ran.exit_code == 0, [_said(outcome) for outcome in ended.ran.report.artifacts()]
    if ended.name == "idle run":
        _check_idle(scenario, ended)
    if ended.name == "repairing run":
        _check_converged(scenario, ended)


def _is_write(request: RequestRecord) -> bool:
    return request.method != "GET" and request.path != "/oauth/token" and 200 <= request.handled < 300


def _said(outcome: ArtifactOutcome) -> str:
    return f"{outcome.ref}: " + "; ".join(f"{step.status.value} {step.summary} {step.reason}" for step in outcome.steps)


def _check_requests(scenario: Scenario, ended: Ended, requests: list[RequestRecord]) -> None:
    """Nothing is deleted or undeployed that was not asked for, and the limits are kept."""
    simulator = scenario.world.simulator
    replaced = {
        scenario_ref(artifact.ref)
        for event in ended.events
        if isinstance(event, PlanMade)
        for artifact in event.plan.artifacts()
        if artifact.update is not None and artifact.update.action is UpdateAction.REPLACE
    }
    for request in requests:
        if request.method == "DELETE":
            artifact = request.path.partition("Id='")[2].partition("'")[0]
            assert "/ValueMappingDesigntimeArtifacts(" in request.path, request.target
            assert artifact in replaced, request.target
    if not ended.has_others:
        assert not [one for one in requests if one.handled == 429], "the tenant refuses no request for its rate"
    assert simulator.highest_rate("designtime") <= 9
    assert simulator.highest_rate("runtime") <= 45
    missing = replaced - simulator.artifacts.keys() - ended.touched
    if not ended.is_cut_off and ended.ran is not None and not ended.ran.report.is_interrupted:
        told = {str(o.ref.artifact) for o in ended.ran.report.artifacts() if "missing on the tenant" in _said(o)}
        told |= {str(o.ref.artifact) for o in ended.ran.report.artifacts() if "is in .cpi" in _said(o)}
        assert missing <= told, missing


def scenario_ref(ref: ArtifactRef) -> str:
    """Give an artifact's id as the tenant spells it."""
    return str(ref.artifact)


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


def _check_outcomes(ended: Ended) -> None:
    """Every planned step has exactly one outcome, and events and report agree on it."""
    assert ended.ran is not None
    planned = [artifact for e in ended.events if isinstance(e, PlanMade) for artifact in e.plan.artifacts()]
    outcomes = list(ended.ran.report.artifacts())
    assert Counter(artifact.ref for artifact in planned) == Counter(outcome.ref for outcome in outcomes)
    by_ref = {outcome.ref: outcome for outcome in outcomes}
    for artifact in planned:
        outcome = by_ref[artifact.ref]
        assert (artifact.update is None) == (outcome.update is None), artifact.ref
        assert (artifact.deploy is None) == (outcome.deploy is None), artifact.ref
    updated = Counter(event.ref for event in ended.events if isinstance(event, ArtifactUpdated))
    deployed = Counter(event.ref for event in ended.events if isinstance(event, ArtifactDeployed))
    assert not {one for one in (updated + deployed) if updated[one] > 1 or deployed[one] > 1}
    for event in ended.events:
        if isinstance(event, ArtifactUpdated):
            assert event.outcome == by_ref[event.ref].update
        if isinstance(event, ArtifactDeployed):
            assert event.outcome == by_ref[event.ref].deploy


def _check_artifact(scenario: Scenario, ended: Ended, outcome: ArtifactOutcome) -> None:
    """No false green and no false red."""
    content, world = scenario.content, scenario.world
    (item,) = (one for one in content.items if content.final(one) == outcome.ref.artifact)
    artifact = str(outcome.ref.artifact)
    if artifact in ended.touched:
        return
    update, deploy = outcome.update, outcome.deploy
    if _is_good(update):
        assert _is_as_wanted(content, world, item), f"false green: {_said(outcome)}"
    has_no_time = not world.simulator.settings.gives_deployed_on
    # Without a time of deployment a task in SUCCESS is all there is, and a build may still fail after it.
    is_uncertain = artifact in ended.overlapped or (has_no_time and artifact in ended.fated)
    if _is_good(deploy) and not is_uncertain and not _is_changed_unseen(scenario, artifact):
        assert world.simulator.is_running_design_time(artifact), f"false green: {_said(outcome)}"
    failed = [step for step in outcome.steps if step.status is Status.FAILED]
    if (
        failed
        and artifact not in ended.fated
        and artifact in world.simulator.artifacts
        and _is_as_wanted(content, world, item)
    ):
        is_there = not item.is_deployed or world.simulator.is_running_design_time(artifact)
        is_injected = all(any(word in step.reason for word in _INJECTED) for step in failed)
        assert not is_there or is_injected, f"false red: {_said(outcome)}"


def _is_changed_unseen(scenario: Scenario, artifact: str) -> bool:
    """Whether somebody set a parameter where that moves no time of change, so that timestamps prove the wrong thing."""
    is_set = any(one == artifact for one, _ in scenario.set_by_hand)
    return is_set and not scenario.world.simulator.settings.parameter_write_moves_modified_at


def _is_good(step: StepOutcome | None) -> bool:
    return step is not None and step.status in _GOOD


def _is_as_wanted(content: Content, world: World, item: Item) -> bool:
    artifact = content.final(item)
    if artifact not in world.simulator.artifacts:
        return False
    stored = world.simulator.artifact(artifact)
    with zipfile.ZipFile(io.BytesIO(stored.archive)) as archive:
        has_content = archive.read(content.final_path(item)) == content.wanted(item)
    return has_content and all(stored.parameters.get(key) == value for key, value in item.overrides.items())


def _check_idle(scenario: Scenario, ended: Ended) -> None:
    """Nothing is written after a green run, but for deployments where the tenant gives no time of deployment.

    Where the run before met deployments of a run cut off, what it saw running may be theirs, and is deployed once more.
    """
    assert ended.ran is not None
    reasons = {NO_TIME, NO_RECORD} if scenario.joined else {NO_TIME}
    again = {str(o.ref.artifact) for o in ended.ran.report.artifacts() if o.deploy and o.deploy.reason in reasons}
    assert ended.ran.uploads == ()
    assert set(ended.ran.deployed) <= again, ended.ran.writes


def _check_converged(scenario: Scenario, ended: Ended) -> None:
    """Everything is and runs as the files want it, and what others configured is still there."""
    content, world = scenario.content, scenario.world
    plans = [event.plan for event in ended.events if isinstance(event, PlanMade)]
    scenario.joined = bool(ended.overlapped) or any(
        one.deploy is not None and one.deploy.action is DeployAction.WATCH for plan in plans for one in plan.artifacts()
    )
    for item in content.items:
        artifact = content.final(item)
        assert _is_as_wanted(content, world, item), artifact
        is_known = item.is_deployed and not _is_changed_unseen(scenario, artifact)
        assert not is_known or world.simulator.is_running_design_time(artifact), artifact
    if world.project.keys["parameterPolicy"] == "overrides" and not scenario.is_replaced_by_hand:
        _check_hands(scenario)


def _check_hands(scenario: Scenario) -> None:
    """Assert that what a person configured and the files do not enforce has the value that person gave it."""
    content, simulator = scenario.content, scenario.world.simulator
    overrides = {content.final(item): item.overrides for item in content.items}
    for (artifact, key), value in scenario.set_by_hand.items():
        if key not in overrides[artifact]:
            assert simulator.artifact(artifact).parameters[key] == value, (artifact, key)
