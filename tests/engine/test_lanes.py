"""Packages take turns at the tenant: whatever is sent for one in the two phases is sent in its lane."""

from __future__ import annotations

from dataclasses import replace

from trio.testing import MockClock

from cpi_tasks.model.plan import PackageAction, UpdateAction
from cpi_tasks.model.tenant import LANE
from tests.support.bench import Bench, deployment, plan_of
from tests.support.script import Script


def lanes(bench: Bench) -> dict[str, str]:
    """Have the tenant note, for every call from now on, in whose lane it came."""
    found: dict[str, str] = {}

    def note() -> None:
        found.setdefault(bench.tenant.calls[-1].what, LANE.get())

    bench.tenant.at_each_await = note
    return found


def sent_for(found: dict[str, str], *verbs: str) -> dict[str, str]:
    """Give the lanes of some kinds of calls, by what they are about."""
    return {what.split()[1]: lane for what, lane in found.items() if what.split()[0] in verbs}


async def test_updates_are_sent_in_the_lane_of_their_package(bench: Bench, autojump_clock: MockClock) -> None:
    """Metadata, content and parameters of each package wait their turn with its own."""
    names = {"P1": "P", "P2": "P", "Q1": "Q", "R1": "R"}
    plans = [
        bench.update(bench.content(artifact, package=package), UpdateAction.CREATE, deployed=False)
        for artifact, package in names.items()
    ]
    found = lanes(bench)

    await bench.carry_out(plan_of(*plans, action=PackageAction.CREATE))

    assert sent_for(found, "create_package") == {"P": "P", "Q": "Q", "R": "R"}
    assert sent_for(found, "create") == names


async def test_deployments_are_sent_in_the_lane_of_their_package(bench: Bench, autojump_clock: MockClock) -> None:
    """Triggers and questions about build tasks too, also of what another package's end has made ready."""
    names = {"P1": "P", "P2": "P", "Q1": "Q", "R1": "R"}
    for artifact, package in names.items():
        bench.tenant.have(artifact, package=package)
        bench.tenant.scripts[artifact] = Script(appears_s=5.0, takes_s=20.0, task_s=15.0)
    first, second, third, fourth = (deployment(artifact, package=package) for artifact, package in names.items())
    assert third.deploy is not None
    third = replace(third, deploy=replace(third.deploy, depends_on=frozenset([first.ref])))
    found = lanes(bench)

    await bench.carry_out(plan_of(first, second, third, fourth, updates=False))

    assert sent_for(found, "trigger") == names
    assert sent_for(found, "task") == names
