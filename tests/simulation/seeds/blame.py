"""Who is to blame for a failed step, told by what the tenant really did and not by the words of the report."""

from __future__ import annotations

import re
from collections.abc import Iterable

import trio

from cpi_tasks.events import ArtifactDeployed, ArtifactUpdated
from cpi_tasks.model.report import ArtifactOutcome, Status
from cpi_tasks.simulator import RequestRecord
from cpi_tasks.simulator.lifecycle import Fate
from tests.simulation.seeds.content import FAMILIES, Item
from tests.simulation.seeds.ended import Ended, deployments_alive, shown_at
from tests.simulation.seeds.scenario import Scenario

_TASK = re.compile(r"TaskId='[^']*'")
_LOGIN = frozenset({401, 403, 429})
"""What the tenant answers on its own only after a fault that ended sessions or tokens, or for others' requests."""
_SHARED = (
    re.compile(r"/oauth/token$"),
    re.compile(r"/api/v1/?$"),
    re.compile(r"/IntegrationPackages$"),
    re.compile(r"/IntegrationRuntimeArtifacts$"),
)


def is_failed_for_nothing(scenario: Scenario, ended: Ended, outcome: ArtifactOutcome, item: Item) -> bool:
    """Whether a step failed though the tenant had what was wanted and did nothing to make it look otherwise."""
    update, deploy = outcome.update, outcome.deploy
    if update is not None and update.status is Status.FAILED:
        at = ended.time_of(ArtifactUpdated, outcome.ref)
        return not _is_hindered(scenario, ended, item, at, is_away=update.is_unreachable)
    if deploy is not None and deploy.status is Status.FAILED:
        at = ended.time_of(ArtifactDeployed, outcome.ref)
        is_hindered = _is_hindered(scenario, ended, item, at, is_away=deploy.is_unreachable)
        return not is_hindered and not _was_not_there(scenario, ended, item, at)
    return False


def _is_hindered(scenario: Scenario, ended: Ended, item: Item, at: float, *, is_away: bool) -> bool:
    """Whether the last of the run's requests of some kind about an artifact came to nothing by the tenant's doing."""
    earlier = [one for one in ended.requests if one.time <= at]
    last = {_kind_of(one): one for one in earlier if _is_about(scenario, item, one)}
    is_locked = scenario.content.final(item) in ended.before.locks
    status = scenario.world.simulator.settings.lock_status
    if any(_is_struck(one) or (is_locked and one.status == status) for one in last.values()):
        return True
    # A tenant that is away is asked nothing more by anybody.
    return is_away and any(_is_struck(one) for one in _last_of_each(earlier))


def _is_struck(request: RequestRecord) -> bool:
    return bool(request.fault) or request.status in _LOGIN


def _kind_of(request: RequestRecord) -> str:
    if request.method == "GET" and "/IntegrationRuntimeArtifacts" in request.path:
        return "look"
    return f"{request.method} {_TASK.sub('', request.target)}"


def _is_about(scenario: Scenario, item: Item, request: RequestRecord) -> bool:
    content, target = scenario.content, request.target
    names = (f"'{content.final(item)}'", f"'{content.final_package(item.package)}'")
    task = scenario.world.simulator._state.tasks.get(target.partition("TaskId='")[2].partition("'")[0])
    if task is not None:
        return task.artifact_id == content.final(item)
    is_creation = request.method == "POST" and target.endswith(f"/{FAMILIES[item.kind]}DesigntimeArtifacts")
    return is_creation or any(name in target for name in names) or any(one.search(request.path) for one in _SHARED)


def _last_of_each(requests: Iterable[RequestRecord]) -> Iterable[RequestRecord]:
    """Give the last request of each family that has a limit of its own."""
    return {one.family: one for one in requests}.values()


def _was_not_there(scenario: Scenario, ended: Ended, item: Item, at: float) -> bool:
    """Whether the last look at the runtime could not show the wanted state as this run's doing."""
    simulator, artifact = scenario.world.simulator, scenario.content.final(item)
    looks = [one.time for one in ended.requests if _kind_of(one) == "look" and one.time <= at and not _is_struck(one)]
    record, stored = simulator._state.runtime.get(artifact), simulator.artifact(artifact)
    if record is None or not looks:
        return True
    offset_ms = simulator._state.clock.now_ms() - trio.current_time() * 1000
    shown = shown_at(record, looks[-1] * 1000 + offset_ms)
    if shown is None or shown.status != "STARTED":
        return True
    if shown.snapshot.digest != stored.content.digest or dict(shown.snapshot.parameters) != stored.parameters:
        return True
    alive = deployments_alive(simulator, artifact, ended.before.now_ms)
    # Without a time of deployment only the task tells the new state from the old one.
    is_untold = not simulator.settings.gives_deployed_on and any(one.task_hangs for one in alive)
    return is_untold or any(one.fate is not Fate.STARTS for one in alive)
