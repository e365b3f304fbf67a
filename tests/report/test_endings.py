"""The closing line and the exit code say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import UpdateAction
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Report, Status, StepOutcome
from cpi_tasks.report import Redactor, render_report

PACKAGE = PackageId("P")


def step(status: Status, reason: str = "", advice: str = "") -> StepOutcome:
    return StepOutcome(status=status, summary=status.value, reason=reason, advice=advice)


def artifact(
    name: str, update: StepOutcome | None = None, deploy: StepOutcome | None = None, skipped: StepOutcome | None = None
) -> ArtifactOutcome:
    ref = ArtifactRef(package=PACKAGE, artifact=ArtifactId(name))
    return ArtifactOutcome(ref=ref, kind=ArtifactKind.VALUE_MAPPING, update=update, deploy=deploy, skipped=skipped)


def report(*artifacts: ArtifactOutcome, package: StepOutcome | None = None, deploy_s: float | None = 1.0) -> Report:
    outcome = PackageOutcome(id=PACKAGE, update=package, artifacts=artifacts)
    part = PartReport(source="c.yml", packages=(outcome,), update_s=1.0, deploy_s=deploy_s)
    return Report(environment="dev", tenant="t", parts=(part,), duration_s=75.0)


NEW = replace(step(Status.DONE), action=UpdateAction.CREATE)
DONE, SAME, FAILED = step(Status.DONE), step(Status.UNCHANGED), step(Status.FAILED)
SKIPPED, ABORTED, ABANDONED = step(Status.SKIPPED), step(Status.ABORTED), step(Status.ABANDONED)
ENDINGS = [
    (report(artifact("A", DONE, DONE)), "✓ All operations completed successfully: 1 artifact updated, 1 deployed."),
    (
        report(artifact("A", DONE), deploy_s=None),
        "✓ All operations completed successfully: 1 artifact updated (update only).",
    ),
    (
        report(artifact("A", NEW), artifact("B", NEW), artifact("C", DONE), deploy_s=None),
        "✓ All operations completed successfully: 3 artifacts updated (update only; 2 created).",
    ),
    (
        report(artifact("A", NEW, DONE), artifact("B", SAME, SAME)),
        ("✓ All operations completed successfully: 1 artifact updated (1 created), 1 deployed, 1 artifact unchanged."),
    ),
    (
        replace(report(), parts=(replace(report(artifact("A", None, DONE)).parts[0], update_s=None),)),
        "✓ All operations completed successfully: 1 artifact deployed (deploy only).",
    ),
    (
        report(package=DONE),
        "✓ All operations completed successfully: 1 package and 0 artifacts updated, 0 deployed.",
    ),
    (
        report(artifact("A", SAME, SAME), artifact("B", skipped=SKIPPED)),
        "✓ Nothing needed doing: 1 artifact unchanged, 1 skipped; nothing was written, nothing was deployed.",
    ),
    (report(artifact("A", skipped=SKIPPED)), "⚠ Nothing was done: 1 artifact skipped, none updated or deployed."),
    (report(), "⚠ Nothing was done: the run had no artifacts to work on."),
    (
        report(artifact("A", DONE, FAILED), artifact("B", DONE, ABORTED), artifact("C", DONE, DONE)),
        (
            "✗ 2 of 3 artifacts failed (1 of them not started because of another failure); 3 updated, 1 deployed"
            " (exit code 1)."
        ),
    ),
    (report(artifact("A", SAME), package=FAILED), "✗ 1 package failed; 0 updated, 0 deployed (exit code 1)."),
    (
        replace(report(artifact("A", DONE, step(Status.ABANDONED))), is_interrupted=True),
        (
            "✗ Interrupted after 1 min 15 s (exit code 130): 1 of 1 artifact not finished, 0 failed, 1 updated, "
            "0 deployed. Running the same command again picks up from here."
        ),
    ),
    (
        # Cut off in the update phase: there was to be a deploy phase.
        replace(
            report(artifact("A", NEW, ABANDONED), artifact("B", ABANDONED, ABANDONED), deploy_s=None),
            is_interrupted=True,
        ),
        (
            "✗ Interrupted after 1 min 15 s (exit code 130): 2 of 2 artifacts not finished, 0 failed,"
            " 1 updated (1 created), 0 deployed. Running the same command again picks up from here."
        ),
    ),
    (
        report(artifact("A", replace(step(Status.FAILED), is_unreachable=True), step(Status.ABORTED))),
        "✗ 1 of 1 artifact failed; 0 updated, 0 deployed because the tenant was not to be reached (exit code 3).",
    ),
]


@pytest.mark.parametrize(("ended", "line"), ENDINGS)
def test_the_last_line(ended: Report, line: str) -> None:
    """Each way to end has its own last line."""
    assert line == render_report(ended, Redactor()).splitlines()[-1]


@pytest.mark.parametrize("ended", [ended for ended, _ in ENDINGS])
def test_the_last_line_agrees_with_the_exit_code(ended: Report) -> None:
    """A bad exit code is named beside a cross; a good one has none."""
    line = render_report(ended, Redactor()).splitlines()[-1]
    assert (ended.exit_code != 0) == line.startswith("✗")
    assert (f"(exit code {ended.exit_code})" in line) == (ended.exit_code != 0)


def test_the_kept_folder_is_named() -> None:
    """Where content was kept is said before the closing line."""
    ended = replace(report(artifact("A", DONE, DONE)), kept_folder="/p/.cpi/runs/1")
    assert render_report(ended, Redactor()).splitlines()[-2] == "The uploaded content was kept in /p/.cpi/runs/1"


def test_what_failed_for_the_same_reason_is_said_once() -> None:
    """Artifacts kept out by one cause are named together, at most twenty of them, after the cause itself."""
    out = step(Status.ABORTED, reason="package 'P' could not be created", advice="see the package's failure")
    many = [artifact(f"A{number:02d}", out, out) for number in range(25)]
    cause = step(Status.FAILED, reason="403 Forbidden")
    text = render_report(report(*many, package=cause), Redactor())
    named = ", ".join(f"A{number:02d}" for number in range(20))
    assert text[text.index("WHAT FAILED") :] == (
        f"""WHAT FAILED AND WHAT TO DO ABOUT IT
{"═" * 71}
✗ Package P
    update phase: failed: 403 Forbidden

{"═" * 71}
NOT BEGUN BECAUSE OF ANOTHER FAILURE
{"═" * 71}
✗ 25: {named}, … and 5 more
    update and deploy phase: aborted: package 'P' could not be created
    what to do: see the package's failure

✗ 1 package failed and 25 of 25 artifacts failed (25 of them not started because of another failure); \
0 updated, 0 deployed (exit code 1).
"""
    )


def test_what_was_in_flight_stands_before_what_never_began() -> None:
    """Of an interrupted run the few that were under way come first."""
    idle = step(Status.ABANDONED, reason="the run was interrupted")
    flying = step(Status.ABANDONED, reason="STARTING; goes on on the tenant")
    ended = replace(report(artifact("A", idle), artifact("B", idle), artifact("C", flying)), is_interrupted=True)
    lines = render_report(ended, Redactor()).splitlines()
    assert [line for line in lines if line.startswith("✗")][:2] == ["✗ C (value mapping, package P)", "✗ 2: A, B"]


def test_skipped_artifacts_are_listed_with_their_reason() -> None:
    """The summary names what was skipped, grouped by reason."""
    filtered = step(Status.SKIPPED, reason="sync and deploy are false")
    draft = step(Status.SKIPPED, reason="a draft is open")
    ended = report(artifact("A", skipped=filtered), artifact("B", draft, DONE), artifact("C", skipped=filtered))
    text = render_report(ended, Redactor())
    assert "Skipped: 3 artifacts\n  - A, C: sync and deploy are false\n  - B: a draft is open\n" in text


def test_what_follows_from_an_own_failure_has_no_advice_of_its_own() -> None:
    """Under a failed update its deployment is one line; what to do is said for the update only."""
    failed = step(Status.FAILED, reason="locked", advice="close the editor")
    follows = step(Status.ABORTED, reason="its update failed", advice="see its update")
    text = render_report(report(artifact("A", failed, follows)), Redactor())
    assert (
        "✗ A (value mapping, package P)\n"
        "    update phase: failed: locked\n"
        "    what to do: close the editor\n"
        "    deploy phase: aborted: its update failed\n\n"
    ) in text
