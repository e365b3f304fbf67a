"""What ``--diff`` adds to a plan: unified diffs of files, and parameters with their whole values."""

from __future__ import annotations

import pytest

from cpi_tasks.events import DiffMade, PlanMade
from cpi_tasks.model.content import DiffStatus, FileDiff
from cpi_tasks.model.plan import Origin, UpdateAction, UpdateStep
from cpi_tasks.report import Redactor, diff_lines
from cpi_tasks.report.wording import Tone
from tests.report.plans import CREATE, SAME, UPDATE, artifact, change, package, plan, ref, shown


def diff(*lines: str, path: str = "src/a.groovy", status: DiffStatus = DiffStatus.CHANGED) -> FileDiff:
    return FileDiff(path=path, status=status, lines=lines)


def texts(*diffs: FileDiff, update: UpdateStep | None = None, redactor: Redactor | None = None) -> list[str]:
    lines = diff_lines(ref("A"), diffs, redactor or Redactor(), update=update)
    return [line.text for line in lines]


def test_a_changed_file_is_a_unified_diff_from_tenant_to_files() -> None:
    """The heads say which side is which, indentation stays, and every line has the tone of its side."""
    lines = diff_lines(ref("A"), [diff("@@ -1,2 +1,2 @@", " def a", "-  b", "+\tc")], Redactor())
    assert [(line.text, line.tone) for line in lines] == [
        ("", Tone.NORMAL),
        ("DIFF: P/A", Tone.HEADING),
        ("--- tenant: src/a.groovy", Tone.DIFF_HEADER),
        ("+++ files: src/a.groovy", Tone.DIFF_HEADER),
        ("@@ -1,2 +1,2 @@", Tone.DIFF_HUNK),
        (" def a", Tone.DIFF_CONTEXT),
        ("-  b", Tone.DIFF_REMOVED),
        ("+    c", Tone.DIFF_ADDED),
    ]


@pytest.mark.parametrize(
    ("status", "heads"),
    [
        (DiffStatus.ADDED, ["--- tenant: (not there)", "+++ files: src/a.groovy"]),
        (DiffStatus.REMOVED, ["--- tenant: src/a.groovy", "+++ files: (not there)"]),
    ],
)
def test_a_file_that_one_side_lacks_says_so(status: DiffStatus, heads: list[str]) -> None:
    """What is new and what goes away are told apart at the head."""
    assert texts(diff("+x", status=status))[2:4] == heads


def test_a_remark_instead_of_lines_is_shown_as_it_is() -> None:
    """A binary file has one remark, which is no added or removed line even if it begins like one."""
    remark = FileDiff(path="a.jar", status=DiffStatus.CHANGED, lines=("- 3 kB of no text",), is_binary=True)
    last = diff_lines(ref("A"), [remark], Redactor())[-1]
    assert (last.text, last.tone) == ("- 3 kB of no text", Tone.DIFF_CONTEXT)


def test_nothing_that_differs_is_no_diff() -> None:
    """An artifact without differences gets no heading."""
    assert texts(update=SAME) == []
    assert texts() == []


def test_parameters_follow_with_their_whole_values() -> None:
    """Old and new are lines of their own; a value of 100 characters is whole, unlike in the plan."""
    update = UpdateStep(
        action=UpdateAction.CONFIGURE,
        reason="",
        changes=(change("host", None, "x" * 100),),
        kept=(change("timeout", "30", "", Origin.TENANT),),
    )
    assert texts(update=update) == [
        "",
        "DIFF: P/A",
        "@@ parameter host, set by the files @@",
        "-none",
        f"+'{'x' * 100}'",
        "@@ parameter timeout, kept as on the tenant @@",
        "-'30'",
        "+''",
    ]


@pytest.mark.parametrize("action", [UpdateAction.KEEP, UpdateAction.REFUSE])
def test_what_is_not_written_is_not_shown_as_set(action: UpdateAction) -> None:
    """A step that sends nothing sets no parameters."""
    assert texts(update=UpdateStep(action=action, reason="", changes=(change("host", "a", "b"),))) == []


def test_secret_values_are_masked_on_both_sides() -> None:
    """Whether the key or one of the two values gives it away; an empty value stays visible as empty."""
    update = UpdateStep(
        action=UpdateAction.CONFIGURE,
        reason="",
        changes=(change("apiKey", "geheim1", "geheim2"), change("url", "https://u:geheim3@h", "none of that")),
        kept=(change("dbPassword", "", "geheim4"),),
    )
    lines = texts(update=update)
    assert [line for line in lines if line[:1] in {"-", "+"}] == [
        "-'***'",
        "+'***'",
        "-'***'",
        "+'***'",
        "-''",
        "+'***'",
    ]


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("+db.password=geheim", "+db.password=***"),
        ("-  API_KEY : geheim", "-  API_KEY : ***"),
        (" token geheim", " token ***"),
        ("+#password=geheim", "+#password=***"),
        ("-! secret: geheim", "-! secret: ***"),
        ("+url=https://u:geheim@h", "+url=***"),
        ("+host=h", "+host=h"),
        ("+# says nothing", "+# says nothing"),
        ("+password=", "+password="),
        ("@@ -1 +1 @@", "@@ -1 +1 @@"),
    ],
)
def test_secret_properties_are_masked_in_property_files(line: str, masked: str) -> None:
    """Also a commented one, and one without an equals sign; what is no secret stays readable."""
    for path in ("src/x.prop", "src/X.Properties"):
        assert texts(diff(line, path=path))[4:] == [masked]


def test_a_secret_property_that_goes_on_in_the_next_line_is_masked_to_its_end() -> None:
    """Each side's value has its own end; the next property is shown again."""
    lines = [
        "-password=gehe\\",
        "+password=geheim1\\\\",
        "-   im1",
        "+host=h",
        "-   port=1",
        " secret=a\\",
        "-  geheim2",
        "+  geheim3\\",
        "+  geheim4",
        " host=h",
        "-token=a\\",
        "@@ -9 +9 @@",
        "-host=i\\",
        "-  j",
    ]
    assert texts(diff(*lines, path="x.properties"))[4:] == [
        "-password=***",
        "+password=***",
        "-***",
        "+host=h",
        "-   port=1",
        " secret=***",
        "-***",
        "+***",
        "+***",
        " host=h",
        "-token=***",
        "@@ -9 +9 @@",
        "-host=i\\",
        "-  j",
    ]


def test_other_files_are_shown_as_they_are() -> None:
    """A script that assigns a variable called token is what the diff is for."""
    assert texts(diff("+token = header.get(x)", path="a.groovy"))[4:] == ["+token = header.get(x)"]


def test_long_diffs_and_long_lines_are_cut_visibly() -> None:
    """Four hundred lines of a file and four hundred characters of a line, then what is missing is said."""
    lines = texts(diff("+" + "x" * 500, *(f"+{n}" for n in range(999))))
    assert lines[4] == f"+{'x' * 399}…"
    assert lines[-2:] == ["+398", "… and 600 more lines of src/a.groovy"]
    whole = texts(update=UpdateStep(action=UpdateAction.CONFIGURE, reason="", changes=(change("k", None, "y" * 4001),)))
    assert whole[-1] == f"+'{'y' * 4000}…'"


def test_a_known_secret_is_masked_before_a_line_is_cut() -> None:
    """Half a secret at the cut would not be recognised any more."""
    secret = "geheimgeheim"
    lines = texts(diff("+" + "x" * 394 + secret), redactor=Redactor([secret]))
    assert lines[4] == f"+{'x' * 394}***"


def test_diffs_stand_after_the_plan_with_the_parameters_of_their_artifact() -> None:
    """The view takes each artifact's parameters from its plan; a new artifact has no old values to show."""
    changed = UpdateStep(action=UpdateAction.UPDATE, reason="r", changes=(change("host", "a", "b"),))
    made = PlanMade(plan=plan(package(artifact("A", changed), artifact("B", CREATE), artifact("C", UPDATE))))
    diffs = [
        DiffMade(ref=ref("A"), diffs=()),
        DiffMade(ref=ref("B"), diffs=()),
        DiffMade(ref=ref("C"), diffs=(diff("-a", "+b"),)),
    ]
    lines = shown([made, *diffs])
    assert lines[len(shown([made])) :] == [
        "",
        "DIFF: P/A",
        "@@ parameter host, set by the files @@",
        "-'a'",
        "+'b'",
        "",
        "DIFF: P/C",
        "--- tenant: src/a.groovy",
        "+++ files: src/a.groovy",
        "-a",
        "+b",
    ]
