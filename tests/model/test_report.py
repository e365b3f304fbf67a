"""Reports made by hand: what they are counted as, and the exit code they give."""

from __future__ import annotations

import pytest

from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.report import (
    ArtifactOutcome,
    Counts,
    PackageOutcome,
    PartReport,
    Report,
    Status,
    StepOutcome,
    count,
)

PACK = PackageId("Pack")


def step(status: Status, *, is_unreachable: bool = False) -> StepOutcome:
    return StepOutcome(status=status, summary=status.value, is_unreachable=is_unreachable)


DONE, UNCHANGED, SKIPPED = step(Status.DONE), step(Status.UNCHANGED), step(Status.SKIPPED)
FAILED, ABORTED, ABANDONED = step(Status.FAILED), step(Status.ABORTED), step(Status.ABANDONED)
UNREACHABLE = step(Status.FAILED, is_unreachable=True)


def artifact(
    update: StepOutcome | None = None, deploy: StepOutcome | None = None, skipped: StepOutcome | None = None
) -> ArtifactOutcome:
    ref = ArtifactRef(package=PACK, artifact=ArtifactId("Flow"))
    kind = ArtifactKind.INTEGRATION_FLOW
    return ArtifactOutcome(ref=ref, kind=kind, update=update, deploy=deploy, skipped=skipped)


def package(*artifacts: ArtifactOutcome, update: StepOutcome | None = UNCHANGED) -> PackageOutcome:
    return PackageOutcome(id=PACK, update=update, artifacts=artifacts)


def part(*packages: PackageOutcome) -> PartReport:
    return PartReport(source="deploy.yml", packages=packages, update_s=0.1, deploy_s=0.2)


def report(*parts: PartReport, is_interrupted: bool = False) -> Report:
    return Report(
        environment="prod",
        tenant="https://t1.example.com",
        parts=parts,
        duration_s=1.0,
        is_interrupted=is_interrupted,
    )


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (package(artifact(DONE, DONE)), 0),
        (package(artifact(UNCHANGED, UNCHANGED)), 0),
        (package(artifact(skipped=SKIPPED)), 0),
        (package(artifact(SKIPPED)), 0),
        (package(update=None), 0),
        (package(artifact(FAILED, ABORTED)), 1),
        (package(artifact(DONE, FAILED)), 1),
        (package(artifact(UNCHANGED, ABORTED)), 1),
        (package(artifact(DONE, ABANDONED)), 1),
        (package(artifact(DONE, DONE), update=FAILED), 1),
        (package(artifact(DONE, DONE), artifact(DONE, FAILED)), 1),
        (package(artifact(UNREACHABLE, ABORTED)), 3),
        (package(artifact(DONE, UNREACHABLE), artifact(DONE, DONE)), 3),
        (package(artifact(UNREACHABLE), artifact(FAILED)), 1),
        (package(artifact(UNREACHABLE), update=FAILED), 1),
    ],
)
def test_the_exit_code_says_whether_everything_is_there(one: PackageOutcome, code: int) -> None:
    """0 only where nothing failed, was aborted or abandoned; 3 where it was all for want of the tenant."""
    assert report(part(package(artifact(DONE, DONE)), one)).exit_code == code


def test_a_failure_in_any_part_counts() -> None:
    """With several deploy configurations one that failed is enough."""
    good, bad = part(package(artifact(DONE, DONE))), part(package(artifact(FAILED)))

    assert [report(good, good).exit_code, report(bad, good).exit_code, report(good, bad).exit_code] == [0, 1, 1]


def test_an_interrupted_run_is_told_by_its_own_code() -> None:
    """130 whatever was done or failed by then."""
    assert report(part(package(artifact(DONE, DONE))), is_interrupted=True).exit_code == 130
    assert report(part(package(artifact(FAILED))), is_interrupted=True).exit_code == 130
    assert report(is_interrupted=True).exit_code == 130


def test_an_empty_report_has_nothing_failed() -> None:
    """Where nothing was asked for nothing is missing."""
    assert report().exit_code == 0


def test_outcomes_are_counted_once_each() -> None:
    """Packages and artifacts of all parts are folded into one set of numbers."""
    parts = (
        part(
            package(artifact(DONE, DONE), artifact(UNCHANGED, DONE), artifact(UNCHANGED, UNCHANGED), update=DONE),
            package(artifact(FAILED, ABORTED), artifact(DONE, FAILED)),
        ),
        part(package(artifact(skipped=SKIPPED), artifact(SKIPPED), artifact(UNCHANGED, UNCHANGED))),
    )

    assert count(parts) == Counts(
        packages_total=3,
        packages_updated=1,
        packages_deployed=1,
        packages_unchanged=1,
        packages_failed=1,
        artifacts_total=8,
        artifacts_updated=2,
        artifacts_deployed=2,
        artifacts_deploy_failed=2,
        artifacts_unchanged=2,
        artifacts_skipped=2,
        artifacts_failed=2,
        artifacts_changed=2,
    )


def test_nothing_is_counted_as_nothing() -> None:
    """An empty run has zeros everywhere."""
    assert count(()) == Counts(**dict.fromkeys(Counts.__dataclass_fields__, 0))


@pytest.mark.parametrize(
    ("one", "is_updated", "is_deployed"),
    [
        (package(artifact(DONE, DONE)), True, True),
        (package(artifact(UNCHANGED, UNCHANGED), update=DONE), True, False),
        (package(artifact(DONE, UNCHANGED), artifact(FAILED, ABORTED)), False, False),
        (package(artifact(DONE, DONE), artifact(DONE, FAILED)), True, False),
        (package(artifact(DONE, DONE), update=FAILED), False, True),
        (package(artifact(DONE, ABANDONED)), True, False),
        (package(artifact(None, DONE), update=None), False, True),
        (package(), False, False),
    ],
)
def test_a_package_counts_where_something_was_done_and_nothing_failed(
    one: PackageOutcome, *, is_updated: bool, is_deployed: bool
) -> None:
    """One failed artifact keeps its package from being called updated or deployed."""
    assert (one.is_updated, one.is_deployed) == (is_updated, is_deployed)


@pytest.mark.parametrize(
    ("one", "has_failed", "is_unchanged", "is_skipped"),
    [
        (artifact(UNCHANGED, UNCHANGED), False, True, False),
        (artifact(UNCHANGED), False, True, False),
        (artifact(UNCHANGED, DONE), False, False, False),
        (artifact(SKIPPED), False, False, True),
        (artifact(SKIPPED, DONE), False, False, True),
        (artifact(SKIPPED, FAILED), True, False, False),
        (artifact(skipped=SKIPPED), False, False, True),
        (artifact(UNCHANGED, ABORTED), True, False, False),
        (artifact(), False, False, False),
    ],
)
def test_an_artifact_is_what_its_steps_say(
    one: ArtifactOutcome, *, has_failed: bool, is_unchanged: bool, is_skipped: bool
) -> None:
    """Failed with any bad step, unchanged only with all steps unchanged, skipped where something was left alone."""
    assert (one.has_failed, one.is_unchanged, one.is_skipped) == (has_failed, is_unchanged, is_skipped)


@pytest.mark.parametrize(
    ("status", "is_bad"),
    [
        (Status.DONE, False),
        (Status.UNCHANGED, False),
        (Status.SKIPPED, False),
        (Status.FAILED, True),
        (Status.ABORTED, True),
        (Status.ABANDONED, True),
    ],
)
def test_bad_is_what_was_asked_for_and_is_not_there(status: Status, *, is_bad: bool) -> None:
    """Aborted and abandoned steps are as bad as failed ones; skipped is as asked."""
    assert status.is_bad is is_bad
