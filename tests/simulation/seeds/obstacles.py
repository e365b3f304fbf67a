"""What stands in the way of a run though the weather is fair: what the files and the policies themselves forbid."""

from __future__ import annotations

import io
import zipfile

from cpi_tasks.simulator import manifest
from tests.simulation.seeds.asking import Ask
from tests.simulation.seeds.content import GROUP, Content, Item
from tests.support.project import values
from tests.support.world import World


def is_smooth(ask: Ask, content: Content, world: World) -> bool:
    """Whether a run in fair weather, with nobody about, must do everything it is asked for."""
    chosen = [item for item in content.items if ask.takes(item)]
    blocked = (
        _would_go_down(ask, content, world, item)
        or _would_lose(ask, content, world, item)
        or _lacks(ask, content, world, item)
        for item in chosen
    )
    return not any(blocked) and not any(_has_foreign_draft(ask, content, world, item) for item in chosen)


def _has_foreign_draft(ask: Ask, content: Content, world: World, item: Item) -> bool:
    """Whether ``onDraft: fail`` protects what somebody has not saved."""
    return _is_draft(content, world, item) and world.project.keys["onDraft"] == "fail" and ask.writes(item)


def _would_go_down(ask: Ask, content: Content, world: World, item: Item) -> bool:
    """Whether ``versioning: exact`` would lower a version, which not every tenant and not every run does."""
    stored = world.simulator.artifacts.get(content.final(item))
    if stored is None or world.project.keys["versioning"] != "exact" or not ask.writes(item):
        return False
    is_forbidden = not ask.allow_downgrade or world.simulator.settings.save_version_rule != "any"
    return is_forbidden and manifest.version_key(item.version) < manifest.version_key(stored.version)


def _would_lose(ask: Ask, content: Content, world: World, item: Item) -> bool:
    """Whether ``valueMappings: safe`` protects entries that only the tenant has."""
    artifact = content.final(item)
    is_protected = item.kind == "values" and world.project.keys["valueMappings"] == "safe" and ask.writes(item)
    if not is_protected or artifact not in world.simulator.artifacts:
        return False
    with zipfile.ZipFile(io.BytesIO(world.simulator.artifact(artifact).archive)) as archive:
        return archive.read(item.path) not in {content.wanted(item), values(GROUP)}


def _lacks(ask: Ask, content: Content, world: World, item: Item) -> bool:
    """Whether something that a flow uses neither runs nor is deployed by the same run, be it as somebody's draft."""
    needed = [one for one in content.items if one.id in item.needs] if ask.deploys(item) else []
    running = {artifact for artifact, one in world.simulator.deployed.items() if one.status == "STARTED"}
    idle = [one for one in needed if content.final(one) not in running]
    return any(not ask.deploys(one) or _is_left_alone(ask, content, world, one) for one in idle)


def _is_left_alone(ask: Ask, content: Content, world: World, item: Item) -> bool:
    """Whether ``onDraft: skip`` leaves an artifact alone at design time and on the runtime."""
    return world.project.keys["onDraft"] == "skip" and _is_draft(content, world, item) and ask.writes(item)


def _is_draft(content: Content, world: World, item: Item) -> bool:
    stored = world.simulator.artifacts.get(content.final(item))
    return stored is not None and stored.is_draft
