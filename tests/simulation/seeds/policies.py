"""What the policies protect stays as it is, and what is overwritten all the same is kept first."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator

from cpi_tasks.events import (
    ArtifactDeployed,
    ArtifactUpdated,
    ArtifactUpdateStarted,
    DeploymentTriggered,
    PackageUpdated,
    Phase,
    PhaseStarted,
    PlanMade,
)
from cpi_tasks.model.report import Status
from tests.simulation.seeds.content import Content, Item
from tests.simulation.seeds.ended import Ended, Stored, picture
from tests.simulation.seeds.scenario import Scenario

_BY_HAND = b"tenant"
"""In everything that people write into artifacts."""
_VALUE = re.compile(rb"<value>(.*?)</value>")


def check_policies(scenario: Scenario, ended: Ended) -> None:
    """Look at everything that was there before and is there after the run, and that nobody else touched."""
    now, content = picture(scenario.world.simulator), scenario.content
    for item in content.items:
        artifact = content.final(item)
        before, after = ended.before.artifacts.get(artifact), now.artifacts.get(artifact)
        if before is not None and after is not None and artifact not in ended.touched:
            _check_protected(scenario, item, before, after)
            _check_kept(content, ended, item, before, after)
    for package, fields in ended.before.packages.items():
        if fields["Name"] != now.packages[package]["Name"] or fields["ShortText"] != now.packages[package]["ShortText"]:
            kept = [one for one in _documents(ended) if one.get("id") == package and "metadata" in one]
            assert kept, f"the metadata of {package} was overwritten and is not kept"
    _check_brake(scenario, ended)


def _check_protected(scenario: Scenario, item: Item, before: Stored, after: Stored) -> None:
    """Drafts, entries of value mappings and drift go by their policies."""
    content, keys = scenario.content, scenario.world.project.keys
    was, now = (_text(content, item, one) for one in (before, after))
    is_foreign = before.is_draft and _BY_HAND in was and was != content.wanted(item)
    if is_foreign and keys["onDraft"] != "overwrite":
        assert before.archive == after.archive, f"{item.id}: somebody's draft was overwritten"
    if item.kind == "values" and keys["valueMappings"] == "keep":
        assert was == now, f"{item.id} was to be kept"
    if item.kind == "values" and keys["valueMappings"] == "safe":
        assert set(_VALUE.findall(was)) <= set(_VALUE.findall(now)), f"{item.id} lost values"
    if keys["onDrift"] == "fail" and scenario.drifted.get(content.final(item)) == was:
        assert was == now, f"{item.id}: somebody's edit was overwritten"


def _text(content: Content, item: Item, stored: Stored) -> bytes:
    with zipfile.ZipFile(io.BytesIO(stored.archive)) as archive:
        return archive.read(content.final_path(item))


def _check_kept(content: Content, ended: Ended, item: Item, before: Stored, after: Stored) -> None:
    """Whatever a run overwrites is in its backup: content, and values of parameters."""
    was = _text(content, item, before)
    if was != _text(content, item, after):
        kept = [archive.read(content.final_path(item)) for archive in _archives(ended, content.final(item))]
        assert was in kept, f"{item.id} was overwritten and is not kept"
    lost = {key: value for key, value in before.parameters.items() if after.parameters.get(key, value) != value}
    if lost:
        kept_values = [one["parameters"] for one in _documents(ended) if one.get("id") == content.final(item)]
        assert any(isinstance(one, dict) and lost.items() <= one.items() for one in kept_values), (
            f"{item.id}: {sorted(lost)} overwritten and not kept"
        )


def _archives(ended: Ended, artifact: str) -> Iterator[zipfile.ZipFile]:
    for folder in ended.folders:
        for file in folder.glob("backup/*/*.zip"):
            if file.name.startswith(artifact):
                with zipfile.ZipFile(file) as archive:
                    yield archive


def _documents(ended: Ended) -> Iterator[dict[str, object]]:
    for folder in ended.folders:
        for file in folder.glob("backup/*/*.json"):
            yield json.loads(file.read_text(encoding="utf-8"))


def _check_brake(scenario: Scenario, ended: Ended) -> None:
    """Nothing begins once more has failed than ``onFailure`` and ``maxFailures`` allow."""
    keys, plans = scenario.world.project.keys, [event.plan for event in ended.events if isinstance(event, PlanMade)]
    if len(plans) != 1:
        return
    total = sum(bool(one.update or one.deploy) for one in plans[0].artifacts())
    limits = {"50%": total / 2, "1": 1.0}
    most = (
        0.0
        if keys.get("onFailure") == "stop"
        else limits.get(str(keys.get("maxFailures")), len(plans[0].packages) + total)
    )
    failed: set[object] = set()
    is_over = False
    for event in ended.events:
        if isinstance(event, PhaseStarted) and event.phase is Phase.DEPLOY:
            is_over = len(failed) > most
        if isinstance(event, ArtifactUpdateStarted):
            assert len(failed) <= most, f"{event.ref} was begun after {len(failed)} failures"
        # Within the phase a deployment may be about to be triggered when the last one fails that may.
        assert not is_over or not isinstance(event, DeploymentTriggered), f"deployed after {len(failed)} failures"
        if isinstance(event, ArtifactUpdated | ArtifactDeployed) and event.outcome.status is Status.FAILED:
            failed.add(event.ref)
        if isinstance(event, PackageUpdated) and event.outcome.status is Status.FAILED:
            failed.add(event.package)
