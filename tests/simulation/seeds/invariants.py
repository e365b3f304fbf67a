"""What holds after every run of every seed, told by the tenant itself and not by what the run says."""

from __future__ import annotations

import io
import zipfile
from collections import Counter

from cpi_tasks.errors import TenantError
from cpi_tasks.events import ArtifactDeployed, ArtifactUpdated, PlanMade
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import DeployAction, UpdateAction
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, Status, StepOutcome
from cpi_tasks.simulator import manifest
from tests.simulation.seeds.blame import is_failed_for_nothing
from tests.simulation.seeds.bounds import check_bounds, check_order
from tests.simulation.seeds.content import FAMILIES, Content, Item
from tests.simulation.seeds.ended import Ended
from tests.simulation.seeds.policies import check_policies
from tests.simulation.seeds.scenario import Scenario
from tests.simulation.seeds.traces import check_traces, is_write
from tests.simulation.seeds.under_way import in_flight
from tests.support.world import World

_GOOD = {Status.DONE, Status.UNCHANGED}
NO_RECORD = "not provable: the tenant gives no time of change and .cpi/ has no record of this state"
NO_TIME = "not provable: the tenant gives no time of deployment"
NOT_OURS = "not provable: .cpi/ has no record of what its last deployment was built from"


def judge(scenario: Scenario, ended: Ended) -> None:
    """Check one run that has just ended."""
    _check_deletions(scenario, ended)
    check_traces(scenario, ended)
    check_order(ended)
    check_bounds(scenario, ended)
    check_policies(scenario, ended)
    if ended.error is not None:
        assert not [one for one in ended.requests if is_write(one)], "an error ends a run only before it writes"
        assert not ended.is_light, ended.error
        assert isinstance(ended.error, TenantError) or ended.error.exit_code in {5, 130}, ended.error
    if ended.ran is not None:
        _check_outcomes(scenario, ended)
        for package in ended.ran.report.packages():
            _check_package(scenario, package)
        for outcome in ended.ran.report.artifacts():
            _check_artifact(scenario, ended, outcome)
        if ended.is_light:
            assert ended.ran.exit_code == 0, [_said(outcome) for outcome in ended.ran.report.artifacts()]
    if ended.name == "idle run":
        _check_idle(scenario, ended)
    if ended.name == "repairing run":
        _check_converged(scenario, ended)


def _said(outcome: ArtifactOutcome) -> str:
    return f"{outcome.ref}: " + "; ".join(f"{step.status.value} {step.summary} {step.reason}" for step in outcome.steps)


def _check_deletions(scenario: Scenario, ended: Ended) -> None:
    """Nothing is deleted or undeployed but value mappings to be replaced, and these come back or are told missing."""
    replaced = {
        scenario_ref(artifact.ref)
        for artifact in ended.planned
        if artifact.update is not None and artifact.update.action is UpdateAction.REPLACE
    }
    for request in ended.requests:
        if request.method == "DELETE":
            artifact = request.path.partition("Id='")[2].partition("'")[0]
            assert "/ValueMappingDesigntimeArtifacts(" in request.path, request.target
            assert artifact in replaced, request.target
    missing = replaced - scenario.world.simulator.artifacts.keys() - ended.touched
    if not ended.is_cut_off and ended.ran is not None and not ended.ran.report.is_interrupted:
        told = {str(o.ref.artifact) for o in ended.ran.report.artifacts() if "missing on the tenant" in _said(o)}
        told |= {str(o.ref.artifact) for o in ended.ran.report.artifacts() if "is in .cpi" in _said(o)}
        assert missing <= told, missing


def scenario_ref(ref: ArtifactRef) -> str:
    """Give an artifact's id as the tenant spells it."""
    return str(ref.artifact)


def _check_outcomes(scenario: Scenario, ended: Ended) -> None:
    """Every planned step has exactly one outcome, everything asked for is planned, and events and report agree."""
    assert ended.ran is not None
    outcomes = list(ended.ran.report.artifacts())
    by_ref = {outcome.ref: outcome for outcome in outcomes}
    for artifact in ended.planned:
        outcome = by_ref[artifact.ref]
        assert (artifact.update is None) == (outcome.update is None), artifact.ref
        assert (artifact.deploy is None) == (outcome.deploy is None), artifact.ref
    content = scenario.content
    asked = Counter(content.final(item) for item in content.items if ended.ask.takes(item))
    assert asked == Counter(scenario_ref(outcome.ref) for outcome in outcomes), "what is asked for has one outcome"
    # Also where it was not begun: somebody's draft is not deployed.
    left_alone = {one.ref for one in ended.planned if one.update is not None and one.update.action is UpdateAction.KEEP}
    if scenario.world.project.keys["onDraft"] == "skip":
        # Of a file that was never begun nobody was told which they are.
        left_alone |= by_ref.keys() - {one.ref for one in ended.planned}
    for outcome in outcomes:
        item = content.find(scenario_ref(outcome.ref))
        assert item is not None
        assert (outcome.update is not None) == ended.ask.updates(item), _said(outcome)
        assert (outcome.deploy is not None) == ended.ask.deploys(item) or outcome.ref in left_alone, _said(outcome)
    updated = Counter(event.ref for event in ended.events if isinstance(event, ArtifactUpdated))
    deployed = Counter(event.ref for event in ended.events if isinstance(event, ArtifactDeployed))
    assert not {one for one in (updated + deployed) if updated[one] > 1 or deployed[one] > 1}
    for event in ended.events:
        if isinstance(event, ArtifactUpdated):
            assert event.outcome == by_ref[event.ref].update
        if isinstance(event, ArtifactDeployed):
            assert event.outcome == by_ref[event.ref].deploy


def _check_package(scenario: Scenario, outcome: PackageOutcome) -> None:
    """No false green of a package's own metadata."""
    content = scenario.content
    if not _is_good(outcome.update):
        return
    (package,) = (one for one in content.bundles if content.final_package(one) == outcome.id)
    given, stored = content.project.packages[package], scenario.world.simulator.packages[str(outcome.id)].fields
    prefix = f"{content.prefix} - " if content.prefix else ""
    assert "displayName" not in given or stored["Name"] == f"{prefix}{given['displayName']}", outcome
    assert "short_text" not in given or stored["ShortText"] == given["short_text"], outcome


def _check_artifact(scenario: Scenario, ended: Ended, outcome: ArtifactOutcome) -> None:
    """No false green and no false red."""
    world, artifact = scenario.world, str(outcome.ref.artifact)
    item = scenario.content.find(artifact)
    if artifact in ended.touched or item is None:
        return
    update, deploy = outcome.update, outcome.deploy
    if _is_good(update):
        assert _is_as_wanted(scenario.content, world, item), f"false green: {_said(outcome)}"
    has_no_time = not world.simulator.settings.gives_deployed_on
    # Without a time of deployment a task in SUCCESS is all there is: it may still fail, or show the old state a while.
    is_on_its_way = artifact in ended.fated or artifact in in_flight(world.simulator)
    is_uncertain = artifact in ended.unsure or (has_no_time and is_on_its_way)
    if _is_good(deploy) and not is_uncertain and not _is_changed_unseen(scenario, artifact):
        assert world.simulator.is_running_design_time(artifact), f"false green: {_said(outcome)}"
    if artifact in world.simulator.artifacts and (not _is_bad(update) or _is_as_wanted(scenario.content, world, item)):
        assert not is_failed_for_nothing(scenario, ended, outcome, item), f"false red: {_said(outcome)}"


def _is_changed_unseen(scenario: Scenario, artifact: str) -> bool:
    """Whether somebody set a parameter where that moves no time of change, so that timestamps prove the wrong thing."""
    is_set = any(one == artifact for one, _ in scenario.set_by_hand)
    return is_set and not scenario.world.simulator.settings.parameter_write_moves_modified_at


def _is_good(step: StepOutcome | None) -> bool:
    return step is not None and step.status in _GOOD


def _is_bad(step: StepOutcome | None) -> bool:
    return step is not None and step.status.is_bad


def _is_as_wanted(content: Content, world: World, item: Item) -> bool:
    """Whether design time has the files' content under a version, and the values that they enforce."""
    artifact = content.final(item)
    if artifact not in world.simulator.artifacts:
        return False
    stored, keys = world.simulator.artifact(artifact), world.project.keys
    enforced = item.enforced(keys["parameterPolicy"])
    has_values = all(stored.parameters.get(key) == value for key, value in enforced.items())
    if item.bundle.is_read_only:
        return has_values
    with zipfile.ZipFile(io.BytesIO(stored.archive)) as archive:
        has_content = archive.read(content.final_path(item)) == content.wanted(item)
    is_other = manifest.version_key(stored.version) != manifest.version_key(item.version)
    has_version = not stored.is_draft and (keys["versioning"] != "exact" or not is_other)
    return has_content and has_version and has_values


def _check_idle(scenario: Scenario, ended: Ended) -> None:
    """Nothing is written after a green run, but for deployments where the tenant gives no time of deployment.

    Where the run before met deployments of a run cut off, what it saw running may be theirs, and is deployed once more.
    """
    assert ended.ran is not None
    reasons = {NO_TIME, NO_RECORD, NOT_OURS} if scenario.joined else {NO_TIME}
    again = {str(o.ref.artifact) for o in ended.ran.report.artifacts() if o.deploy and o.deploy.reason in reasons}
    again |= {scenario.content.final(item) for item in scenario.content.items if _is_never_proved(scenario, item)}
    assert ended.ran.uploads == ()
    assert set(ended.ran.deployed) <= again, ended.ran.writes


def _is_never_proved(scenario: Scenario, item: Item) -> bool:
    """Whether the tenant shows nothing that could prove what runs: read-only content without a time of change."""
    timed = scenario.world.simulator.settings.modified_at_families
    is_unread = item.bundle.is_read_only and FAMILIES[item.kind] not in timed
    return is_unread or _is_hidden(scenario, item)


def _is_hidden(scenario: Scenario, item: Item) -> bool:
    """Whether a draft stays one, and the tenant does not show the parameters of drafts."""
    simulator = scenario.world.simulator
    is_draft = simulator.artifact(scenario.content.final(item)).is_draft
    return item.kind == "flow" and is_draft and simulator.settings.configurations_of_draft == "not-found"


def _check_converged(scenario: Scenario, ended: Ended) -> None:
    """Everything is and runs as the files want it, and what others configured is still there."""
    content, world = scenario.content, scenario.world
    plans = [event.plan for event in ended.events if isinstance(event, PlanMade)]
    scenario.joined = bool(ended.overlapped) or any(
        one.deploy is not None and one.deploy.action is DeployAction.WATCH for plan in plans for one in plan.artifacts()
    )
    for item in content.items:
        artifact = content.final(item)
        assert not item.is_synced or _is_as_wanted(content, world, item), artifact
        # As with each outcome: without a time of deployment a task in SUCCESS is all there is.
        is_on_its_way = not world.simulator.settings.gives_deployed_on and artifact in in_flight(world.simulator)
        is_known = item.is_deployed and not is_on_its_way and not _is_changed_unseen(scenario, artifact)
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
