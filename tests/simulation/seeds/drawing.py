"""What a seed draws before anything is played: repository, environment and tenant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import trio
import trio.testing

from cpi_tasks.simulator import SimulatorSettings
from tests.simulation.seeds.content import Content
from tests.simulation.seeds.endings import exactly
from tests.simulation.seeds.scenario import Judge, Scenario, SeedWorld
from tests.support.project import Project
from tests.support.world import LOGINS, URL
from tests.support.world import make_world as make_plain_world

_FAMILIES = ("Integration", "MessageMapping", "ScriptCollection", "ValueMapping")


def make_scenario(seed: int, root: Path, judge: Judge) -> Scenario:
    """Draw repository, environment and tenant of a seed."""
    lots = Random(seed)  # noqa: S311 - no secret
    login = lots.choice(("basic", "oauth"))
    profile = lots.choice(("default", "default", "strict", "lenient", "drafts", "legacy"))
    settings = replace(
        SimulatorSettings.profile(profile),
        deploy_s=lots.choice((1.0, 10.0, 45.0)),
        modified_at_families=frozenset(family for family in _FAMILIES if lots.random() < 0.5),
        gives_task_id_for_all=lots.random() < 0.5,
        gives_deployed_on=lots.random() < 0.9,
        # Where this is forbidden a running value mapping cannot be replaced, whatever a run does.
        deletes_deployed=True,
        parameter_write_moves_modified_at=lots.random() < 0.5,
    )
    settings = replace(settings, **_disputed(Random(f"disputed {seed}")))  # noqa: S311 - no secret
    plain = make_plain_world(root, login=login, settings=settings)
    world = SeedWorld(project=Project(root), simulator=plain.simulator, fails_requests=True)
    world.project.keys = {"tenant": {"host": URL, **LOGINS[login]}, **_environment(lots)}
    content = Content(random=lots, project=world.project)
    scenario = Scenario(seed=seed, lots=lots, world=world, content=content, login=login, judge=judge)
    shown = {key: value for key, value in world.project.keys.items() if key != "tenant"}
    scenario.story.append(f"tenant {profile}, login {login}, {shown}")
    return scenario


def play(seed: int, root: Path, judge: Judge) -> Scenario:
    """Play a seed from beginning to end in a loop of its own; a failure tells the seed and the story."""
    scenario = make_scenario(seed, root, judge)
    with exactly(seed):
        try:
            trio.run(scenario.play, clock=trio.testing.MockClock(autojump_threshold=0))
        except BaseException as error:
            error.add_note(
                "\n".join((f"seed {seed} (replay: pytest tests/simulation/seeds --seed {seed})", *scenario.story))
            )
            raise
    return scenario


def _disputed(lots: Random) -> dict[str, Any]:
    """Draw what sources disagree about, by lots of its own: what else a seed draws stays as it was.

    Not drawn: ``symbolic_name``, because seeds put content under other names on the tenant before, which can never be
    updated then, and ``created_mappings_move_on_s``, because the judge compares versions with ``versioning: exact``.
    """
    return {
        "error_information_delay_s": lots.choice((0.0, 1.0, 20.0)),
        "undeployment": lots.choice(("stopping", "gone", "old-first")),
        "deploys_while_stopping": lots.random() < 0.5,
        "added_profile": lots.choice(("", "iflmap")),
        "duplicate_artifact_text": lots.choice(("observed", "specified")),
        "plain_referenced_type": lots.choice(("null", "empty")),
        "lock_errors": lots.choice(("specified", "uniform")),
        "batch_blanks": lots.random() < 0.5,
    }


def _environment(lots: Random) -> dict[str, object]:
    keys: dict[str, object] = {
        "parallelDeployments": lots.randint(1, 4),
        "polling": lots.choice(("adaptive", "adaptive", "fixed")),
        "verify": lots.choice(("parameters", "full", "cached")),
        "parameterPolicy": lots.choice(("overrides", "overrides", "all")),
        "valueMappings": lots.choice(("safe", "replace", "keep")),
        "onDraft": lots.choice(("fail", "overwrite", "skip")),
        "onDrift": lots.choice(("warn", "overwrite", "fail")),
        "versioning": lots.choice(("manifest", "manifest", "exact", "keep", "bump")),
        "deployDelaySeconds": lots.choice((5, 15)),
        "deployTimeoutSeconds": lots.choice((200, 600)),
        "requestTimeoutSeconds": lots.choice((20, 180)),
        "outageBudgetSeconds": lots.choice((60, 300)),
    }
    if lots.random() < 0.3:
        keys["onFailure"] = "stop"
    if lots.random() < 0.2:
        keys["maxFailures"] = lots.choice((1, "50%"))
    if lots.random() < 0.2:
        keys["maxParallelDeployments"] = keys["parallelDeployments"]
    if lots.random() < 0.2:
        keys["requestsPerSecond"] = {"designtime": lots.choice((3, 6))}
    return keys
