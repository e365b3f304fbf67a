"""A plan in words: packages, what is folded, and the last lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.events import DiffMade, Event, PlanFinished, PlanMade, WarningRaised
from cpi_tasks.model.naming import PackageId
from cpi_tasks.model.plan import ArtifactPlan, Origin, PackageAction, PackagePlan, Plan
from cpi_tasks.model.tenant import IntegrationPackage
from tests.report.plans import (
    CREATE,
    DEPLOY,
    REFUSE,
    RUNNING,
    SAME,
    UPDATE,
    artifact,
    change,
    package,
    plan,
    ref,
    shown,
    told,
)

READ_ONLY = "read-only on the tenant"


def lines_of(*packages: PackagePlan) -> list[str]:
    """Give what the plan says between its title and the counts."""
    return shown([PlanMade(plan=plan(*packages))])[2:-1]


def quiet(name: str, amount: int, action: PackageAction = PackageAction.UNCHANGED, reason: str = "") -> PackagePlan:
    artifacts = (artifact(f"{name}{n}", SAME, RUNNING, package=name) for n in range(amount))
    return package(*artifacts, name=name, action=action, reason=reason)


def test_metadata_is_shown_old_to_new_and_somebodys_edit_is_marked() -> None:
    """Of the fields that change exactly those are marked that somebody changed on the tenant."""
    before = IntegrationPackage(
        id=PackageId("P"), name="P", short_text="", description="", is_read_only=False, metadata={"Version": "1.0"}
    )
    changed = PackagePlan(
        id=PackageId("P"),
        action=PackageAction.UPDATE,
        reason="Description, Version differ",
        changed_fields=("Description", "Version"),
        drifted_fields=("Version",),
        metadata={"Description": "x" * 61, "Version": "1.1", "Name": "P"},
        before=before,
        origin=Origin.BOTH,
    )
    assert lines_of(changed) == [
        "~ 📦 P: update metadata (Description, Version differ; ⚠ changed on both sides)",
        f"      set Description: none → '{'x' * 60}…'",
        "      set Version: '1.0' → '1.1' (⚠ overwrites someone's edit)",
    ]


def test_a_new_package_needs_no_reason_and_a_deleted_one_is_marked() -> None:
    """Both are created; only the second is news to the person who reads."""
    new = package(name="New", action=PackageAction.CREATE, reason="does not exist on the tenant")
    gone = replace(new, id=PackageId("Gone"), origin=Origin.TENANT)
    assert lines_of(replace(new, origin=Origin.FILES), gone) == [
        "+ 📦 New: create",
        "+ 📦 Gone: create",
        "      ⚠ deleted on the tenant since the last run",
    ]


def test_packages_in_which_nothing_is_done_share_a_line() -> None:
    """Those that are unchanged make one line, those left alone one for each reason; each counts its artifacts."""
    keep = PackageAction.KEEP
    packages = [
        quiet("A", 2),
        quiet("B", 1),
        quiet("C", 1, keep, READ_ONLY),
        quiet("D", 0, keep, "sync is false: metadata is left alone"),
        quiet("E", 0, keep, "sync is false: metadata is left alone"),
    ]
    assert lines_of(*packages) == [
        "= 📦 2 packages unchanged, with 3 artifacts: A, B",
        "- 📦 C: read-only on the tenant; 1 artifact unchanged",
        "- 📦 2 packages (sync is false: metadata is left alone): D, E",
    ]
    assert lines_of(quiet("A", 1)) == ["= 📦 A: unchanged, with 1 artifact"]


def test_a_package_left_alone_whose_artifacts_are_written_is_a_heading() -> None:
    """The reason stands with the package, the work below it."""
    kept = package(
        artifact("A", UPDATE), artifact("B", SAME, RUNNING), action=PackageAction.KEEP, reason="sync is false"
    )
    assert lines_of(kept) == [
        "- 📦 P: sync is false",
        "  ~ A (integration flow): update (content differs in a.iflw)",
        "  = 1 artifact unchanged",
    ]


@pytest.mark.parametrize(
    ("prototype", "more"),
    [
        (artifact("A", CREATE, DEPLOY), "  + … and 2 more to create: A40, A41"),
        (artifact("A", SAME, DEPLOY), "  ↻ … and 2 more to deploy: A40, A41"),
        (
            artifact("A", replace(SAME, kept=(change("k", "1", "2"),)), RUNNING),
            "  = … and 2 more unchanged with differing parameters: A40, A41",
        ),
    ],
)
def test_above_forty_alike_only_names_follow(prototype: ArtifactPlan, more: str) -> None:
    """Forty that are created, deployed or only noted are listed, the others named."""
    lines = told(*(replace(prototype, ref=ref(f"A{n}")) for n in range(42)))
    assert sum("(integration flow)" in line for line in lines) == 40
    assert lines[-1] == more


@pytest.mark.parametrize(
    "prototype",
    [
        artifact("A", UPDATE, DEPLOY),
        artifact("A", REFUSE, DEPLOY),
        artifact("A", CREATE, DEPLOY, warnings=("collides",)),
        artifact("A", CREATE, replace(DEPLOY, fires_timer=True)),
        artifact("A", replace(CREATE, origin=Origin.TENANT)),
    ],
)
def test_what_changes_something_there_or_is_worth_a_warning_is_never_folded(prototype: ArtifactPlan) -> None:
    """However many there are, each is listed."""
    lines = told(*(replace(prototype, ref=ref(f"A{n}")) for n in range(60)))
    assert sum("(integration flow)" in line for line in lines) == 60
    assert not any("… and" in line for line in lines)


def test_skipped_artifacts_share_a_line_for_each_reason() -> None:
    """The names are there, so that nobody misses one; of many, twenty are named."""
    skipped = [artifact(f"S{n}", skip_reason="sync is false") for n in range(22)]
    assert told(artifact("D", skip_reason="deploy is false"), *skipped) == [
        "  - D: skipped (deploy is false)",
        f"  - {', '.join(f'S{n}' for n in range(20))}, … and 2 more: skipped (sync is false)",
    ]


def ending(*plans: Plan, warnings: int = 0, has_diffs: bool = False) -> list[str]:
    """Give what follows the last plan."""
    events: list[Event] = [PlanMade(plan=one) for one in plans]
    events += [WarningRaised(text=f"w{n}") for n in range(warnings)]
    diffs: list[Event] = [DiffMade(ref=ref("A"), diffs=())] if has_diffs else []
    return shown([*events, *diffs, PlanFinished(plans=plans)])[len(shown(events)) :]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (plan(package(artifact("A", UPDATE, DEPLOY))), "run invoke orchestrate to carry this out."),
        (plan(package(artifact("A", UPDATE)), deploys=False), "run invoke update to carry this out."),
        (plan(package(artifact("A", None, DEPLOY)), updates=False), "run invoke deploy to carry this out."),
        (plan(package(artifact("A", SAME, RUNNING))), "✓ Nothing would change."),
        (plan(package()), "⚠ Nothing would change: the plan has no artifacts."),
        (plan(package(artifact("A", REFUSE))), "1 is refused or held up, see above: a run would do nothing else"),
        (
            plan(package(artifact("A", REFUSE), artifact("B", UPDATE))),
            "✗ Nothing was written; 1 is refused or held up, see above: a run would carry out the rest and fail",
        ),
    ],
)
def test_the_last_line_says_whether_there_is_anything_to_do(one: Plan, said: str) -> None:
    """Nothing to do is only said where that is so, and what will fail is said before it is tried."""
    assert said in ending(one)[-1]


def test_several_plans_get_a_total() -> None:
    """Each configuration has its counts; the total stands last, with the number of warnings."""
    first = plan(package(artifact("A", CREATE, DEPLOY), action=PackageAction.CREATE))
    second = plan(package(artifact("B", UPDATE), name="Q"), deploys=False)
    assert ending(first, second, warnings=2) == [
        "",
        "Plan in total: 1 to create, 1 to update, 1 to deploy, 0 unchanged; packages: 1 to create",
        "",
        "Nothing was written; run invoke orchestrate to carry this out. There were 2 warnings, see above.",
    ]


def test_diffs_between_plan_and_end_make_the_counts_worth_repeating() -> None:
    """After screens of diffs the counts are said again; without any they are not."""
    one = plan(package(artifact("A", replace(UPDATE, changes=(change("k", "1", "2"),)))))
    assert ending(one, has_diffs=True)[-4:] == [
        "",
        "Plan: 1 to update, 0 to deploy, 0 unchanged",
        "",
        "Nothing was written; run invoke orchestrate to carry this out.",
    ]
    assert len(ending(one)) == 2


def test_a_plan_that_would_be_refused_does_not_say_run_it() -> None:
    """Where a run would end at once, the last line says so instead of how to start it."""
    one = plan(package(artifact("A", UPDATE)))
    events: list[Event] = [PlanMade(plan=one), WarningRaised(text="a run would be refused: drift")]
    assert shown([*events, PlanFinished(plans=(one,), is_refused=True)])[-1] == (
        "✗ Nothing was written; a run would be refused (exit code 5). There was 1 warning, see above."
    )
