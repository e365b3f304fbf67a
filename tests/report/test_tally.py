"""The numbers of a plan add up: whatever is in it, every artifact is counted once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
    Origin,
    PackageAction,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.report.tally import tally
from tests.report.plans import CREATE, DEPLOY, REFUSE, RUNNING, SAME, UPDATE, artifact, package, plan, ref

NAMES = [f"A{n}" for n in range(6)]
WRITES = ("create", "update", "configure", "replace", "save version")


@st.composite
def plans(draw: st.DrawFn, name_of_package: str = "P") -> Plan:
    """Give a plan of up to six artifacts in any states, each using any of the others."""
    found: list[ArtifactPlan] = []
    for name in NAMES[: draw(st.integers(0, len(NAMES)))]:
        update = draw(st.none() | st.sampled_from(UpdateAction))
        deploy = draw(st.none() | st.sampled_from(DeployAction))
        needs = draw(st.frozensets(st.sampled_from(NAMES), max_size=2))
        step = (
            DeployStep(action=deploy, reason="", depends_on=frozenset(ref(need, name_of_package) for need in needs))
            if deploy
            else None
        )
        written = UpdateStep(action=update, reason="") if update else None
        found.append(artifact(name, written, step, package=name_of_package))
    return plan(package(*found, name=name_of_package, action=draw(st.sampled_from(PackageAction))))


@settings(deadline=None)
@given(planned=plans())
def test_every_artifact_is_counted_once(planned: Plan) -> None:
    """Unchanged, left alone, skipped, refused, or worked on: the five are all there are, and none overlap."""
    counts = tally([planned])
    actions = [
        {
            *([] if a.update is None else [a.update.action.value]),
            *([] if a.deploy is None else [f"deploy: {a.deploy.action.value}"]),
        }
        for a in planned.artifacts()
    ]
    refused = [a for a in actions if a & {"refuse", "deploy: refuse"}]
    worked_on = [a for a in actions if a not in refused and a & {*WRITES, "deploy: deploy", "deploy: watch"}]
    assert counts.artifacts == len(actions)
    assert counts.refused == len(refused)
    assert counts.unchanged + counts.left_alone + counts.skipped + counts.refused + len(worked_on) == counts.artifacts
    assert counts.deploys[DeployAction.DEPLOY] + counts.deploys[DeployAction.WATCH] + counts.blocked == sum(
        bool(a & {"deploy: deploy", "deploy: watch"}) for a in actions if a not in refused
    )


@settings(deadline=None)
@given(first=plans(), second=plans("Q"))
def test_several_plans_count_as_the_sum_of_each(first: Plan, second: Plan) -> None:
    """The total of a run of several configurations is what its parts say."""
    one, two, both = tally([first]), tally([second]), tally([first, second])
    assert (both.artifacts, both.unchanged, both.skipped, both.refused, both.updates, both.deploys) == (
        one.artifacts + two.artifacts,
        one.unchanged + two.unchanged,
        one.skipped + two.skipped,
        one.refused + two.refused,
        one.updates + two.updates,
        one.deploys + two.deploys,
    )
    assert both.has_changes == (one.has_changes or two.has_changes)


def test_the_line_names_what_is_there_and_what_everybody_looks_for() -> None:
    """Zeros are left out but for updates and deployments; what will not happen is no deployment to come."""
    waits = DeployStep(action=DeployAction.DEPLOY, reason="", depends_on=frozenset({ref("R")}))
    keep = UpdateStep(action=UpdateAction.KEEP, reason="")
    artifacts = [
        artifact("C", CREATE, DEPLOY),
        artifact("U", UPDATE, waits),
        artifact("S", SAME, RUNNING),
        artifact("R", REFUSE, DEPLOY),
        artifact("K", keep, RUNNING),
        artifact("X", skip_reason="sync is false"),
    ]
    assert tally([plan(package(*artifacts, action=PackageAction.REFUSE))]).words() == (
        "1 to create, 1 to update, 1 to deploy, 1 unchanged, 1 left alone, 1 skipped, 1 refused, "
        "1 held up by a refused one; packages: 1 refused"
    )


def test_creations_of_unknown_origin_are_not_counted() -> None:
    """They overwrite nothing, so the first run of all is told nothing about records; what is overwritten counts."""
    unknown = [replace(one, origin=Origin.UNKNOWN) for one in (CREATE, UPDATE)]
    created, updated = (
        replace(package(*(artifact("A", step) for step in steps), action=action), origin=Origin.UNKNOWN)
        for steps, action in ((unknown[:1], PackageAction.CREATE), (unknown[1:], PackageAction.UPDATE))
    )
    assert tally([plan(created)]).unknown_origins == 0
    assert tally([plan(updated)]).unknown_origins == 2


def test_a_phase_that_is_not_part_of_the_run_says_so() -> None:
    """No updates because nothing differs, and no updates because none were asked for, are told apart."""
    assert tally([plan(package(), updates=False)]).words() == "no update phase, 0 to deploy, 0 unchanged"
    assert tally([plan(package(), deploys=False)]).words() == "0 to update, no deploy phase, 0 unchanged"
