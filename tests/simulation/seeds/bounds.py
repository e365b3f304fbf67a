"""What a run must leave as it is: nothing is written, lowered or deployed that was not asked for."""

from __future__ import annotations

from cpi_tasks.events import PlanMade
from cpi_tasks.model.plan import UpdateAction
from cpi_tasks.model.report import ArtifactOutcome, Status, StepOutcome
from cpi_tasks.simulator import manifest
from cpi_tasks.simulator.life import UI_USER
from tests.simulation.seeds.content import Item
from tests.simulation.seeds.ended import Ended, Stored, Tenant, deployments_since, picture
from tests.simulation.seeds.scenario import Scenario


def check_bounds(scenario: Scenario, ended: Ended) -> None:
    """Compare the tenant with what it was before the run, artifact by artifact."""
    now = picture(scenario.world.simulator)
    for artifact in ended.before.artifacts.keys() | now.artifacts.keys():
        if artifact not in ended.touched:
            _check_stored(scenario, ended, artifact, now)
            _check_triggers(scenario, ended, artifact)
    _check_packages(scenario, ended, now)
    if ended.ran is not None:
        for outcome in ended.ran.report.artifacts():
            if str(outcome.ref.artifact) not in ended.touched:
                _check_gates(scenario, ended, outcome, now)


def _check_stored(scenario: Scenario, ended: Ended, artifact: str, now: Tenant) -> None:
    """Content goes where it may be written, and stays within the package; values change where they are enforced."""
    before, after = ended.before.artifacts.get(artifact), now.artifacts.get(artifact)
    item = scenario.content.find(artifact)
    may_write = item is not None and ended.ask.writes(item)
    if before is None or after is None:
        assert may_write, f"{artifact} came or went"
        return
    assert may_write or _content(before) == _content(after), f"{artifact} was not to be written"
    assert before.package == after.package
    if item is None or item.kind != "flow":
        return
    enforced = ended.ask.updates(item) and item.enforced(scenario.world.project.keys["parameterPolicy"])
    takes_file_values = scenario.world.simulator.settings.put_takes_file_values
    for key in before.parameters.keys() & after.parameters.keys() - set(enforced or ()):
        # Some tenants take a new archive's value where nobody has configured one.
        is_free = may_write and takes_file_values and key not in before.values
        assert is_free or before.parameters[key] == after.parameters[key], f"{artifact}: {key} was not to be set"


def _content(stored: Stored) -> tuple[bytes, str, bool]:
    return stored.archive, stored.version, stored.is_draft


def _check_triggers(scenario: Scenario, ended: Ended, artifact: str) -> None:
    """Only what takes part in the deploy phase is deployed."""
    item = scenario.content.find(artifact)
    is_asked_for = item is not None and ended.ask.deploys(item)
    assert is_asked_for or not _triggers(scenario, ended, artifact), f"{artifact} was not to be deployed"


def _triggers(scenario: Scenario, ended: Ended, artifact: str) -> int:
    began = deployments_since(scenario.world.simulator, artifact, ended.before.now_ms)
    return sum(one.deployed_by != UI_USER for one in began)


def _check_packages(scenario: Scenario, ended: Ended, now: Tenant) -> None:
    """Metadata is written where the files describe it, and no package goes."""
    content = scenario.content
    described = {content.final_package(one.id) for one in content.bundles.values() if ended.ask.describes(one, content)}
    for package in ended.before.packages.keys() | now.packages.keys():
        assert package in now.packages, f"package {package} is gone"
        if package not in described:
            assert ended.before.packages.get(package) == now.packages[package], f"package {package} was not to change"


def _check_gates(scenario: Scenario, ended: Ended, outcome: ArtifactOutcome, now: Tenant) -> None:
    """Assert that what is told as not begun was not begun, and that a failed update is not deployed."""
    artifact = str(outcome.ref.artifact)
    before, after = ended.before.artifacts.get(artifact), now.artifacts.get(artifact)
    update, deploy = outcome.update, outcome.deploy
    if _is_not_begun(update):
        assert before == after, f"{artifact} was not begun to be updated"
    if (update is not None and update.status.is_bad) or _is_not_begun(deploy):
        assert not _triggers(scenario, ended, artifact), f"{artifact} was not to be deployed: {update} {deploy}"
    if update is not None and update.status is Status.DONE and before is not None and after is not None:
        _check_version(scenario, ended, artifact, before, after)
    item = scenario.content.find(artifact)
    assert item is not None
    if after is not None and deploy is not None and not _is_not_begun(deploy):
        _check_needs(scenario, ended, item)


def _is_not_begun(step: StepOutcome | None) -> bool:
    return step is not None and (
        step.status is Status.ABORTED or (step.status is Status.ABANDONED and step.summary == "not begun")
    )


def _check_version(scenario: Scenario, ended: Ended, artifact: str, before: Stored, after: Stored) -> None:
    """No version goes down without leave, and ``exact`` and ``keep`` mean what they say."""
    policy = scenario.world.project.keys["versioning"]
    was, is_now = manifest.version_key(before.version), manifest.version_key(after.version)
    may_go_down = policy == "exact" and ended.ask.allow_downgrade
    assert may_go_down or is_now >= was, f"{artifact} went down from {before.version} to {after.version}"
    item = scenario.content.find(artifact)
    assert item is not None
    is_written = any(
        one.update is not None and one.update.content is not None and one.update.writes
        for one in ended.planned
        if one.ref.artifact == artifact
    )
    if policy == "exact" and is_written:
        assert is_now == manifest.version_key(item.version), f"{artifact} has not exactly {item.version}"
    if policy == "bump" and before.archive != after.archive and not before.is_draft and _is_changed(ended, artifact):
        assert is_now > was, f"{artifact} changed under {before.version}"


def _is_changed(ended: Ended, artifact: str) -> bool:
    return any(
        one.update is not None and one.update.action in {UpdateAction.UPDATE, UpdateAction.REPLACE}
        for one in ended.planned
        if one.ref.artifact == artifact
    )


def _check_needs(scenario: Scenario, ended: Ended, item: Item) -> None:
    """Nothing is deployed whose needed artifact failed in the same run: it would run against the old one, or fail."""
    assert ended.ran is not None
    bad = {
        str(outcome.ref.artifact)
        for part in ended.ran.report.parts
        for outcome in part.artifacts()
        if outcome.deploy is not None and any(step.status.is_bad for step in outcome.steps)
    }
    own = next(part for part in scenario.content.parts if item.package in part)
    for one in scenario.content.items:
        if one.id in item.needs and one.package in own and scenario.content.final(one) in bad:
            artifact = scenario.content.final(item)
            assert not _triggers(scenario, ended, artifact), f"{artifact} needs {one.id}, which failed"


def check_order(ended: Ended) -> None:
    """No deployment begins before every update has ended; with several parts, each has phases of its own."""
    plans = sum(isinstance(event, PlanMade) for event in ended.events)
    if plans != 1:
        return
    writes = [one for one in ended.requests if one.method != "GET" and one.path != "/oauth/token"]
    triggers = [number for number, one in enumerate(writes) if one.path.startswith("/api/v1/Deploy")]
    updates = [number for number, one in enumerate(writes) if not one.path.startswith("/api/v1/Deploy")]
    assert not triggers or not updates or updates[-1] < triggers[0], "a deployment began before the updates ended"
