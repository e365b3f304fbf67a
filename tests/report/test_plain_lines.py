"""Single lines of the plain view: warnings, requests, waiting, encodings, large plans."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest

from cpi_tasks.errors import AuthenticationError, Problem
from cpi_tasks.events import (
    ConfirmationNeeded,
    DeploymentTriggered,
    Event,
    Phase,
    PhaseStarted,
    PlanMade,
    RequestFinished,
    RunFinished,
    RuntimeStatusSeen,
    WarningRaised,
)
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    ArtifactPlan,
    DeployAction,
    DeployStep,
    PackageAction,
    PackagePlan,
    ParameterChange,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Report, Status, StepOutcome
from cpi_tasks.report import Redactor, open_view, render_error, render_problems
from cpi_tasks.report.wording import seconds

Play = Callable[[Sequence[Event]], str]
FLOW = ArtifactKind.INTEGRATION_FLOW
REQUEST = RequestFinished(method="GET", target="/api/v1/X?p=hunter2!", result="200", duration_s=0.123)


def ref(name: str) -> ArtifactRef:
    return ArtifactRef(package=PackageId("P"), artifact=ArtifactId(name))


def plan(*artifacts: ArtifactPlan, warnings: tuple[str, ...] = ()) -> Plan:
    package = PackagePlan(
        id=PackageId("P"), action=PackageAction.CREATE, reason="not on the tenant yet", artifacts=artifacts
    )
    return Plan(source="c.yml", packages=(package,), updates=True, deploys=False, warnings=warnings)


def report_of(*warned: tuple[str, str]) -> Report:
    """Give a report of artifacts with one warning each."""
    artifacts = tuple(ArtifactOutcome(ref=ref(name), kind=FLOW, warnings=(text,)) for name, text in warned)
    unchanged = StepOutcome(status=Status.UNCHANGED, summary="unchanged")
    package = PackageOutcome(id=PackageId("P"), update=unchanged, artifacts=artifacts)
    part = PartReport(source="c.yml", packages=(package,), update_s=0.0, deploy_s=0.0)
    return Report(environment="dev", tenant="t", parts=(part,), duration_s=1.0)


def test_a_warning_is_said_once(play: Play) -> None:
    """A warning that comes as an event, in the plan and in the report is one line, and the end counts it."""
    part = PartReport(source="c.yml", packages=(), update_s=0.0, deploy_s=0.0, warnings=("collides", "late"))
    report = Report(environment="dev", tenant="t", parts=(part,), duration_s=1.0)
    text = play(
        [WarningRaised(text="collides"), PlanMade(plan=plan(warnings=("collides",))), RunFinished(report=report)]
    )
    assert [line for line in text.splitlines() if line.startswith("⚠ W")] == ["⚠ Warning: collides", "⚠ Warning: late"]
    assert text.endswith("There were 2 warnings, see above.\n")


def test_a_warning_of_an_artifact_stands_below_it_in_the_plan_and_is_not_said_again(play: Play) -> None:
    """The plan shows it in its place, for each artifact it is about; the report repeats it not, the end counts it."""
    step = UpdateStep(action=UpdateAction.CREATE, reason="new")
    planned = plan(
        *(ArtifactPlan(ref=ref(name), kind=FLOW, update=step, warnings=("stays 1.0.0",)) for name in ("A1", "B1"))
    )
    text = play([PlanMade(plan=planned), RunFinished(report=report_of(("A1", "stays 1.0.0"), ("B1", "stays 1.0.0")))])
    lines = text.splitlines()
    assert [lines[number - 1 : number + 1] for number, line in enumerate(lines) if "stays" in line] == [
        ["  + A1 (integration flow): create (new)", "      ⚠ stays 1.0.0"],
        ["  + B1 (integration flow): create (new)", "      ⚠ stays 1.0.0"],
    ]
    assert text.endswith("There were 2 warnings, see above.\n")


def test_a_warning_that_came_up_during_the_run_names_its_artifact(play: Play) -> None:
    """A warning that no plan has shown carries the artifact's name, unless the text has it already."""
    warned = report_of(("A1", "stays 1.0.0"), ("B1", "stays 1.0.0"), ("C1", "C1 stays"))
    lines = play([RunFinished(report=warned)]).splitlines()
    assert [line for line in lines if line.startswith("⚠ W")] == [
        "⚠ Warning: A1: stays 1.0.0",
        "⚠ Warning: B1: stays 1.0.0",
        "⚠ Warning: C1 stays",
    ]


@pytest.mark.parametrize(("debug", "text"), [(True, "GET /api/v1/X?p=*** → 200 (0.12 s)\n"), (False, "")])
def test_requests_are_shown_only_for_debugging(redactor: Redactor, text: str, *, debug: bool) -> None:
    """With ``--debug`` each request is a line, without secrets; else there is none."""
    stream = io.StringIO()
    open_view(stdout=stream, is_live=False, debug=debug, redactor=redactor).handle(REQUEST, 0.0)
    assert text == stream.getvalue()


@pytest.mark.parametrize(
    ("is_confirmed", "text"),
    [
        (True, "Environment 'prod' is protected; confirmed by --yes."),
        (False, "Environment 'prod' is protected. Type its name to carry this out:"),
    ],
)
def test_a_question_is_asked_only_where_nobody_confirmed(text: str, *, is_confirmed: bool) -> None:
    """With ``--yes``, the run states that it goes on."""
    stream = io.StringIO()
    view = open_view(stdout=stream, is_live=False, debug=False, redactor=Redactor())
    view.handle(ConfirmationNeeded(environment="prod", is_confirmed=is_confirmed), 0.0)
    assert stream.getvalue().strip().removeprefix("⚠ ") == text


def test_a_long_silence_is_broken_by_what_is_waited_for() -> None:
    """After a minute without a line the plain view says what is in progress and since when."""
    stream = io.StringIO()
    view = open_view(stdout=stream, is_live=False, debug=False, redactor=Redactor())
    view.handle(PhaseStarted(phase=Phase.DEPLOY, total=9, pending=8), 100.0)
    for name in ("A", "B", "C", "D", "E", "F"):
        view.handle(DeploymentTriggered(ref=ref(name), kind=FLOW), 110.0)
    view.handle(RuntimeStatusSeen(ref=ref("A"), status="STARTING"), 115.0)
    before = stream.getvalue()
    view.tick(174.9)
    assert stream.getvalue() == before
    view.tick(175.0)
    assert stream.getvalue() == before + (
        "… Phase 2: deploying, 1 min 15 s so far: 0 of 8 settled, 2 waiting; in progress: A STARTING 1 min 05 s, "
        "B deploying 1 min 05 s, C deploying 1 min 05 s, D deploying 1 min 05 s, E deploying 1 min 05 s, … and 1 more\n"
    )
    view.tick(180.0)
    assert stream.getvalue().count("so far") == 1


def test_a_plain_stream_of_ascii_gets_ascii(failed_run: list[Event], redactor: Redactor) -> None:
    """A stream that cannot take the signs gets ASCII ones, and other characters as escapes; nothing is raised."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    view = open_view(stdout=stream, is_live=True, debug=False, redactor=redactor)
    for event in [*failed_run, WarningRaised(text="Zürich")]:
        view.handle(event, 0.0)
    lines = raw.getvalue().decode("ascii").splitlines()
    assert "-> deploying CustomerSync (integration flow)" in lines
    assert "+ CustomerSync updated 1.0.1 (0.4 s)" in lines
    assert "x CustomerSync not deployed: ended in ERROR: ... (9.0 s)" in lines
    assert "=" * 71 in lines
    assert lines[-1] == "! Warning: Z\\xfcrich"


def render_plan(planned: Plan, redactor: Redactor) -> str:
    """Give what the plain view says of a plan."""
    out = io.StringIO()
    open_view(stdout=out, is_live=False, debug=False, redactor=redactor).handle(PlanMade(plan=planned), 0.0)
    return out.getvalue().removeprefix("\n")


def test_a_thousand_artifacts_stay_readable() -> None:
    """Unchanged artifacts are counted, skipped ones share a line, and refused ones say what to do."""
    same = UpdateStep(action=UpdateAction.UNCHANGED, reason="equal")
    refused = UpdateStep(action=UpdateAction.REFUSE, reason="a draft is open", advice="save it")
    artifacts = [ArtifactPlan(ref=ref(f"A{n}"), kind=FLOW, update=same) for n in range(1000)]
    artifacts += [ArtifactPlan(ref=ref(name), kind=FLOW, skip_reason="filtered") for name in ("S1", "S2")]
    artifacts += [ArtifactPlan(ref=ref("R"), kind=FLOW, update=refused)]
    assert render_plan(plan(*artifacts), Redactor()) == (
        "PLAN: 1 package, 1,003 artifacts\n"
        "+ 📦 P: create (not on the tenant yet)\n"
        "  ✗ R (integration flow): refused (a draft is open)\n"
        "      what to do: save it\n"
        "  - S1, S2: skipped (filtered)\n"
        "  = 1,000 artifacts unchanged\n"
        "Plan: 0 to update, no deploy phase, 1,000 unchanged, 2 skipped, 1 refused; packages: 1 to create\n"
    )


def test_kept_parameters_are_shown_even_where_nothing_changes() -> None:
    """An unchanged flow with differing values is listed for these; long values are cut, secrets masked before that."""
    secret = "s" * 40 + "ecret"
    kept = (
        ParameterChange(key="url", old=None, new="x" * 58 + secret),
        ParameterChange(key="API_KEY", old="", new="12"),
        *(ParameterChange(key=f"k{n}", old="a\nb", new="c") for n in range(10)),
    )
    step = UpdateStep(action=UpdateAction.UNCHANGED, reason="equal", kept=kept)
    running = DeployStep(action=DeployAction.RUNNING, reason="runs")
    text = render_plan(plan(ArtifactPlan(ref=ref("A"), kind=FLOW, update=step, deploy=running)), Redactor([secret]))
    lines = text.splitlines()
    assert lines[2:6] == [
        "  = A (integration flow): unchanged (equal)",
        f"      kept url: none on the tenant, '{'x' * 58}**…' in the files",
        "      kept API_KEY: '' on the tenant, '***' in the files",
        "      kept k0: 'a b' on the tenant, 'c' in the files",
    ]
    assert lines[-2:] == [
        "      kept … and 2 more parameters",
        "Plan: 0 to update, no deploy phase, 1 unchanged; packages: 1 to create",
    ]
    assert len(lines) == 15


def test_a_refused_package_is_marked() -> None:
    """A package that will fail is marked in the plan, with the reason."""
    package = PackagePlan(id=PackageId("P"), action=PackageAction.REFUSE, reason="read-only")
    text = render_plan(Plan(source="c.yml", packages=(package,), updates=True, deploys=True), Redactor())
    assert text.splitlines()[1] == "✗ 📦 P: refused (read-only)"


def test_problems_are_listed_and_counted() -> None:
    """Bad input is one line for each problem and a line that says that nothing was sent."""
    problems = [
        Problem(file="e.yml", line=3, column=5, path="tenant.host", message="is\nmissing"),
        Problem(file="c.yml", message="not found"),
    ]
    assert render_problems(problems, Redactor()) == (
        "e.yml:3:5: tenant.host: is missing\nc.yml: not found\n2 problems; nothing was sent.\n"
    )


def test_an_error_names_the_exit_code(redactor: Redactor) -> None:
    """An error that ends a run before its report is shown redacted, with the exit code."""
    error = AuthenticationError("the tenant refused 'hunter2!'\nask for another")
    assert render_error(error, redactor) == "✗ the tenant refused '***'\n    ask for another\n(exit code 3)\n"


@pytest.mark.parametrize(
    ("duration_s", "said"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (59.96, "1 min 00 s"), (125.4, "2 min 05 s"), (3720.0, "1 h 02 min")],
)
def test_durations(duration_s: float, said: str) -> None:
    """Durations are said in the unit that fits."""
    assert said == seconds(duration_s)
