"""``invoke drift``, and what runs do about other people's edits and versions that go down."""

from __future__ import annotations

import json

import pytest

from tests.support.program import Program
from tests.support.project import SCRIPT


@pytest.fixture
def settled(program: Program) -> Program:
    """Give the program with a project that the tenant already is as the files say."""
    program.project.every_kind()
    program.project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    program.project.save()
    assert program.run("orchestrate", "--env", "x").code == 0
    return program


def edit_on_the_tenant(program: Program) -> None:
    """Do what a person does in the Web UI: change a script and a parameter."""
    program.simulator.edit_content("Orders", {SCRIPT: b"// somebody else\n"})
    program.simulator.set_parameter("Counting", "Receiver Host", "d.example")


def test_no_drift_ends_with_0(settled: Program) -> None:
    """Where nothing differs, one line says so, with the detailed exit code too."""
    ended = settled.run("drift", "--env", "x", "--detailed-exitcode")
    assert (ended.code, ended.writes) == (0, ())
    assert ended.said.splitlines()[-1] == "✓ No drift: 5 artifacts and their packages are as the files say."


def test_ones_own_change_is_told_from_somebodys_edit(settled: Program) -> None:
    """Each difference says who made it; the exit code is 2 only where that is asked for."""
    settled.project.edit("Stock", "Counting", SCRIPT, b"// mine\n")
    settled.simulator.edit_content("Orders", {SCRIPT: b"// somebody else\n"})
    ended = settled.run("drift", "--env", "x", "--detailed-exitcode")
    lines = [line.partition(" (last changed")[0].strip() for line in ended.said.splitlines()]
    assert (ended.code, ended.writes) == (2, ())
    assert f"⚠ someone's edit: content differs in {SCRIPT}" in lines
    assert f"~ your change: content differs in {SCRIPT}" in lines
    assert settled.run("drift", "--env", "x").code == 0


def test_an_overwritten_edit_is_told_and_kept(settled: Program) -> None:
    """By default a run overwrites it, warns of it, and keeps what was there in the folder that ``--run-dir`` names."""
    edit_on_the_tenant(settled)
    ended = settled.run("orchestrate", "--env", "x", "--run-dir", "kept")
    warned = [line for line in ended.said.splitlines() if "somebody changed this on the tenant since the last" in line]
    (backup,) = settled.project.root.glob("kept/*/backup")
    counting = json.loads((backup / "Stock/Counting.json").read_text(encoding="utf-8"))
    assert (ended.code, len(warned)) == (0, 2)
    assert counting["parameters"] == {"Receiver Host": "d.example", "Zero": ""}
    assert (backup / "Sales/Orders.zip").is_file()
    assert settled.run("drift", "--env", "x", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("keys", "flags"),
    [({"onDrift": "fail"}, ()), ({"protected": True}, ("--yes",))],
    ids=["onDrift", "protected"],
)
def test_drift_may_stop_a_run_before_its_first_write(
    settled: Program, keys: dict[str, object], flags: tuple[str, ...]
) -> None:
    """With 5 and what would be lost; a protected environment does so by itself, and a plan says it beforehand."""
    edit_on_the_tenant(settled)
    settled.project.keys.update(keys)
    settled.project.save()
    ended = settled.run("orchestrate", "--env", "x", *flags)
    out = settled.project.root / "plan.json"
    kept = settled.project.root / "kept.json"
    kept.write_text("{}", encoding="utf-8")
    again = settled.run("plan", "--env", "x", "--out", str(kept))
    assert (again.code, kept.read_text(encoding="utf-8")) == (5, "{}")
    assert "kept.json still holds an earlier plan; do not use it" in again.said
    planned = settled.run("plan", "--env", "x", "--detailed-exitcode", "--out", str(out))
    assert (ended.code, ended.writes) == (5, ())
    assert list(settled.project.root.glob(".cpi/runs/*/backup")) == []
    assert "'Sales/Orders': content that differs in src/main/resources/script/Main.groovy" in ended.said
    assert "'Stock/Counting': parameter 'Receiver Host'" in ended.said
    assert (planned.code, planned.writes, out.exists()) == (5, (), False)
    assert "a run would be refused (exit code 5)" in planned.said
    assert "The plan was not saved" in planned.said
    assert "Saved;" not in planned.said


def test_a_flag_lets_a_run_overwrite_what_protection_keeps(settled: Program) -> None:
    """``--force`` does not permit it, as the refusal says; ``--on-drift warn`` does, and a saved plan keeps that."""
    edit_on_the_tenant(settled)
    settled.project.keys["protected"] = True
    settled.project.save()
    forced = settled.run("orchestrate", "--env", "x", "--yes", "--force")
    planned = settled.run("plan", "--env", "x", "--on-drift", "warn", "--out", "plan.json")
    assert (forced.code, forced.writes) == (5, ())
    assert "--on-drift warn (--force does not permit it)" in forced.said
    assert planned.code == 0, planned.said
    ended = settled.run("orchestrate", "--plan", "plan.json", "--yes")
    assert ended.code == 0, ended.said
    assert "somebody changed this on the tenant since the last run" in ended.said


def test_a_version_goes_down_only_where_that_is_allowed(settled: Program) -> None:
    """``versioning: exact`` with a lower version ends with 5; ``--allow-downgrade`` carries it out."""
    settled.project.keys["versioning"] = "exact"
    settled.project.raise_version("Stock", "Counting", "1.0.1")
    settled.project.save()
    assert settled.run("plan", "--env", "x").code == 5
    assert settled.run("orchestrate", "--env", "x", "--dry-run").code == 5
    refused = settled.run("orchestrate", "--env", "x")
    assert (refused.code, refused.writes) == (5, ())
    assert "--allow-downgrade" in refused.said
    assert settled.run("orchestrate", "--env", "x", "--allow-downgrade").code == 0
    assert settled.simulator.artifact("Counting").version == "1.0.1"
