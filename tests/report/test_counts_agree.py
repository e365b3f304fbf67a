"""Whatever a run comes to: its summary adds up, and its last line and its JSON document say the same numbers."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import PackageAction, UpdateAction
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Report, Status, StepOutcome
from cpi_tasks.report import Redactor, render_report, report_json

WRITES = [UpdateAction.CREATE, UpdateAction.UPDATE, UpdateAction.CONFIGURE, UpdateAction.REPLACE,
          UpdateAction.SAVE_VERSION]  # fmt: skip


def step(status: Status, action: UpdateAction | PackageAction | None = None) -> StepOutcome:
    return StepOutcome(
        status=status, summary=status.value, action=action if status is Status.DONE else None, reason="x"
    )


updates = st.none() | st.builds(step, st.sampled_from(Status), st.sampled_from(WRITES))
deploys = st.none() | st.builds(step, st.sampled_from(Status))
metadata = st.none() | st.builds(
    step, st.sampled_from(Status), st.sampled_from([PackageAction.CREATE, PackageAction.UPDATE])
)


@st.composite
def artifacts(draw: st.DrawFn) -> ArtifactOutcome:
    update, deploy = draw(updates), draw(deploys)
    return ArtifactOutcome(
        ref=ArtifactRef(package=PackageId("P"), artifact=ArtifactId("A")),
        kind=ArtifactKind.VALUE_MAPPING,
        update=update,
        deploy=deploy,
        skipped=None if update or deploy else step(Status.SKIPPED),
    )


packages = st.builds(
    lambda update, found: PackageOutcome(id=PackageId("P"), update=update, artifacts=tuple(found)),
    metadata,
    st.lists(artifacts(), max_size=6),
)
times = st.integers(min_value=0, max_value=500).map(lambda tenths: tenths / 10)
parts = st.builds(
    lambda found, update_s, deploy_s: PartReport(
        source="c.yml", packages=tuple(found), update_s=update_s, deploy_s=deploy_s
    ),
    st.lists(packages, max_size=3),
    times | st.none(),
    times | st.none(),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    found = tuple(draw(st.lists(parts, min_size=1, max_size=3)))
    reading_s, confirmation_s, rest_s = draw(times), draw(times), draw(times)
    phases = sum(duration or 0 for part in found for duration in (part.update_s, part.deploy_s))
    return Report(
        environment="x",
        tenant="t",
        parts=found,
        duration_s=reading_s + confirmation_s + phases + rest_s,
        reading_s=reading_s,
        confirmation_s=confirmation_s,
        is_interrupted=draw(st.booleans()),
    )


def rows(text: str) -> dict[str, str]:
    """Return the rows of the last summary of a text; indented rows by the row that they belong to."""
    found, above = dict[str, str](), ""
    for line in text[text.rindex("DEPLOYMENT SUMMARY") :].splitlines():
        match = re.fullmatch(r"( *)([A-Za-z ]+): +(\S.*)", line)
        if match is None:
            continue
        above = above if match[1] else match[2]
        found[f"{above}/{match[2]}" if match[1] else match[2]] = match[3]
    return found


def seconds(text: str) -> float:
    """Read a duration as a summary shows it."""
    if text == "did not run":
        return 0.0
    match = re.fullmatch(r"(?:(\d+) h )?(?:(\d+) min ?)?(?:([\d.]+) s)?", text)
    assert match is not None, text
    return sum(float(amount or 0) * unit for amount, unit in zip(match.groups(), (3600, 60, 1), strict=True))


@settings(max_examples=300)
@given(report=reports())
def test_every_number_agrees_with_the_others(report: Report) -> None:
    """Rows add up to the total, and row, last line and JSON document give the same count."""
    text = render_report(report, Redactor())
    shown, last = rows(text), text.splitlines()[-1]
    counts = json.loads(report_json(report, Redactor(), {}))["counts"]

    def row(label: str) -> int:
        return int(shown.get(label, "0"))

    ends = ("Changed", "Unchanged", "Skipped", "Failed", "Not Finished")
    assert row("Artifacts Total") == sum(row(f"Artifacts {end}") for end in ends)
    kinds = ("created", "reconfigured", "replaced", "saved as a version")
    assert sum(row(f"Artifacts Updated/{kind}") for kind in kinds) <= row("Artifacts Updated")
    for label, name in {
        "Total": "Total", "Updated": "Updated", "Deployed OK": "Deployed", "Deployed Fail": "DeployFailed",
        "Changed": "Changed", "Unchanged": "Unchanged", "Skipped": "Skipped", "Failed": "Failed",
        "Not Finished": "Unfinished", "Updated/created": "Created", "Updated/reconfigured": "Reconfigured",
    }.items():  # fmt: skip
        assert row(f"Artifacts {label}") == counts[f"artifacts{name}"], label
    for label, name in {"Failed": "Failed", "Not Finished": "Unfinished", "Updated": "Updated"}.items():
        assert row(f"Packages {label}") == counts[f"packages{name}"]
    for label, pattern in {
        "Artifacts Updated": r"(\d+)(?: artifacts?)? updated",
        "Artifacts Deployed OK": r"(\d+)(?: artifacts?)? deployed",
        "Artifacts Failed": r"(\d+)(?: of \d+ artifacts?)? failed",
        "Artifacts Not Finished": r"(\d+) of \d+ artifacts? not finished",
    }.items():
        said = [int(amount) for amount in re.findall(pattern, last)]
        assert said in ([], [row(label)]) or "package" in last, last
        assert said or not row(label) or "(update only" in last or "(deploy only" in last, (label, last)


@settings(max_examples=200)
@given(report=reports())
def test_the_times_add_up(report: Report) -> None:
    """Reading, confirmation, phases and the rest make the total."""
    shown = rows(render_report(report, Redactor()))
    total = seconds(shown.pop("Total time"))
    names = {"Reading and planning", "Confirmation", "Other", "Update phase", "Update phases", "Deploy phase",
             "Deploy phases"}  # fmt: skip
    parts_shown = [seconds(value) for label, value in shown.items() if label in names]
    assert abs(total - sum(parts_shown)) <= 0.5 * len(parts_shown) + 0.5
