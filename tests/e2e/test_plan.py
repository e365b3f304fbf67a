"""``invoke plan``, dry runs and saved plans: the real program shows what it would do and does nothing."""

from __future__ import annotations

import json
import signal

import pytest

from cpi_tasks.simulator import Fault, FaultKind, FaultRule, Simulator
from tests.support.program import Program
from tests.support.project import SCRIPT

CHANGED = b"// changed\n"
UPDATE = "~ Orders (integration flow): update (content differs in src/main/resources/script/Main.groovy; your change)"


@pytest.fixture
def sales(program: Program) -> Program:
    """Give the program with a small project that no run has brought to the tenant yet."""
    program.project.every_kind()
    program.project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    program.project.save()
    return program


@pytest.fixture
def edited(sales: Program) -> Program:
    """Give the program after a run and an edit of a script in the files."""
    assert sales.run("orchestrate", "--env", "x").code == 0
    sales.project.edit("Sales", "Orders", SCRIPT, CHANGED)
    return sales


def test_a_plan_says_what_would_be_done(sales: Program) -> None:
    """Each artifact with its step, then the counts; the tenant is only read."""
    ended = sales.run("plan", "--env", "x")
    lines = ended.said.splitlines()
    assert (ended.code, ended.writes, list(sales.simulator.packages)) == (0, (), [])
    assert "PLAN: 2 packages, 5 artifacts" in lines
    assert "+ 📦 Sales: create" in lines
    assert "  + Counting (integration flow): create 1.0.3, then deploy" in lines
    assert lines[-3:] == [
        "Plan: 5 to create, 0 to update, 5 to deploy, 0 unchanged; packages: 2 to create",
        "",
        "Nothing was written; run invoke orchestrate to carry this out.",
    ]


def test_the_detailed_exit_code_tells_whether_anything_would_change(sales: Program) -> None:
    """2 before the run, 0 after it; without the flag a plan that was made ends with 0."""
    before = sales.run("plan", "--env", "x", "--detailed-exitcode")
    assert sales.run("orchestrate", "--env", "x").code == 0
    after = sales.run("plan", "--env", "x", "--detailed-exitcode")
    assert (before.code, before.writes) == (2, ())
    assert (after.code, after.writes) == (0, ())
    assert after.said.splitlines()[-1] == "✓ Nothing would change."


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--env", "x", "--diff"),
        ("orchestrate", "--env", "x", "--dry-run", "--diff"),
        ("--dry", "update", "--env", "x", "--diff"),
    ],
    ids=["plan", "dry-run", "dry"],
)
def test_a_diff_shows_lines_and_writes_nothing(edited: Program, arguments: tuple[str, ...]) -> None:
    """The edit is there as a unified diff, whichever way a person asks for it."""
    ended = edited.run(*arguments)
    lines = ended.said.splitlines()
    start = lines.index("DIFF: Sales/Orders")
    assert (ended.code, ended.writes) == (0, ())
    assert [line for line in lines if UPDATE in line]
    assert lines[start + 1 : start + 4] == [f"--- tenant: {SCRIPT}", f"+++ files: {SCRIPT}", "@@ -1,3 +1 @@"]
    assert "+// changed" in lines


def test_a_saved_plan_is_carried_out(edited: Program) -> None:
    """Exactly what it says, from any folder below, with no other flag; then it is out of date."""
    made = edited.run("plan", "--env", "x", "--out", "plans/today.json")
    done = edited.run("orchestrate", "--plan", "../plans/today.json", cwd=edited.project.root / "packages")
    again = edited.run("orchestrate", "--plan", "plans/today.json")
    assert made.code == 0
    assert made.said.splitlines()[-1] == (
        "Saved; exactly this is carried out by: invoke orchestrate --plan plans/today.json"
    )
    assert (done.code, done.said.splitlines()[0].partition(" | ")[0]) == (0, "Environment: x (the saved plan)")
    assert done.writes == (
        "PUT IntegrationDesigntimeArtifacts(Id='Orders',Version='active')",
        "POST DeployIntegrationDesigntimeArtifact?Id='Orders'&Version='active'",
    )
    assert (again.code, again.writes) == (5, ())


@pytest.mark.parametrize("flags", [(), ("--dry-run",)], ids=["run", "dry-run"])
@pytest.mark.parametrize("moved", ["files", "tenant"])
def test_a_saved_plan_is_refused_once_anything_has_moved(edited: Program, moved: str, flags: tuple[str, ...]) -> None:
    """With 5 and what moved, before anything is sent; a dry run says so as well."""
    assert edited.run("plan", "--env", "x", "--out", "plan.json").code == 0
    if moved == "files":
        edited.project.edit("Sales", "Orders", SCRIPT, b"// changed again\n")
    else:
        edited.simulator.edit_content("Orders", {SCRIPT: b"// somebody else\n"})
    ended = edited.run("orchestrate", "--plan", "plan.json", *flags)
    assert (ended.code, ended.writes) == (5, ())
    assert "the saved plan is out of date" in ended.said
    assert list(edited.project.root.glob(".cpi/runs/*/backup")) == []
    whose = {"files": "'Sales/Orders': the files have changed", "tenant": "'Sales/Orders': the tenant has changed"}
    assert whose[moved] in ended.said
    assert "Traceback" not in ended.said


def test_a_saved_plan_has_no_values_and_is_private(sales: Program) -> None:
    """It may lie among a pipeline's artifacts: what parameters are set to is not in it."""
    assert sales.run("plan", "--env", "x", "--out", "plan.json").code == 0
    file = sales.project.root / "plan.json"
    text = file.read_text(encoding="utf-8")
    assert json.loads(text)["environment"] == "x"
    assert [value for value in ("a.example", "b.example", "c.example") if value in text] == []
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plan", "--env", "x", "--format", "yaml"), "--format: 'yaml' is not one of text, json"),
        (("drift", "--env", "x", "--format", "sarif"), "--format: 'sarif' is not one of text, json"),
        (("plan", "--env", "x", "--out", ""), "--out: must not be empty"),
        (("plan", "--env", "x", "--mode", "both"), "--mode"),
        (("plan", "--env", "x", "--artifact-filter", "Nothing"), "there is no artifact 'Nothing'"),
        (("drift", "--env", "y"), "there is no environment 'y'"),
        (("drift", "--env", "x", "--verify", "most"), "--verify: 'most' is not one of full, parameters, cached"),
    ],
)
def test_wrong_flags_end_with_4_and_send_nothing(sales: Program, arguments: tuple[str, ...], message: str) -> None:
    """Bad input is named before the tenant is asked anything."""
    ended = sales.run(*arguments)
    assert ended.code == 4
    assert message in ended.said
    assert sales.simulator.requests == []


def test_flags_that_ask_for_something_else_than_the_plan_are_refused(sales: Program) -> None:
    """What the plan decides cannot be decided again beside it."""
    assert sales.run("plan", "--env", "x", "--out", "plan.json").code == 0
    ended = sales.run("orchestrate", "--plan", "plan.json", "--artifact-filter", "Orders")
    assert (ended.code, ended.writes) == (4, ())
    assert "--artifact-filter: is decided by the saved plan" in ended.said


def test_a_file_that_cannot_be_written_ends_with_4(sales: Program) -> None:
    """A plan that was not saved is no success."""
    ended = sales.run("plan", "--env", "x", "--out", "config.yml/plan.json")
    assert (ended.code, ended.writes) == (4, ())
    assert "config.yml/plan.json: --out: the plan could not be saved: " in ended.said


@pytest.mark.parametrize("task", ["plan", "drift"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_ctrl_c_ends_with_130(sales: Program, task: str, name: str) -> None:
    """While the tenant is read: one sentence and no traceback."""
    slow = Fault(kind=FaultKind.SLOW_FIRST_BYTE, seconds=60.0)
    sales.simulator.play(Simulator.script(FaultRule(method="GET", pattern="Integration", fault=slow)))
    process = sales.start(task, "--env", "x")
    assert process.stdout is not None
    said = process.stdout.readline()
    process.send_signal(signal.Signals[name])
    said += process.communicate(timeout=30)[0]
    sales.outputs.append(said)
    assert (process.returncode, said.splitlines()[0].partition(" |")[0]) == (130, "Environment: x (--env)")
    assert "interrupted; nothing was sent that changes the tenant" in said
    assert "Traceback" not in said
