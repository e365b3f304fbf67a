"""``invoke validate``: the real program on a repository, with a tenant at hand that must never hear of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.program import Program, make_program
from tests.support.project import PROPDEF


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Program]:
    """Give a sound repository whose tenant is asked nothing, not even for a token."""
    simulator = Simulator(SimulatorSettings())
    with running(simulator) as url:
        program = make_program(tmp_path / "repo", simulator, url, login="oauth")
        program.project.every_kind()
        program.project.save()
        yield program
        assert not simulator.requests
    program.check_outputs()


def break_it(program: Program) -> None:
    """Make an error and a warning."""
    project = program.project
    project.override("Counting", {"Receiver Hots": "c.example"})
    (project.folder("Stock", "Counting") / PROPDEF).unlink()
    project.save()


def test_a_sound_repository_ends_with_0(untouched: Program) -> None:
    """One line says what was looked at."""
    ended = untouched.run("validate")
    assert (ended.code, ended.said) == (0, "✓ No problems in environment x; 5 artifacts read.\n")


def test_a_broken_repository_ends_with_4_and_every_finding(untouched: Program) -> None:
    """Places, severities and rules, sorted; warnings alone end with 0."""
    break_it(untouched)
    ended = untouched.run("validate", "--env", "x")
    first, second, last = ended.said.splitlines()
    assert ended.code == 4
    assert first.startswith("config.yml:")
    assert first.endswith("did you mean 'Receiver Host'? [unknown-parameter]")
    assert ": warning: packages." in first
    assert second.startswith("packages/Stock/Counting/src/main/resources/parameters.prop: error: ")
    assert second.endswith("[missing-definitions]")
    assert last == "✗ 1 error, 1 warning in environment x; 5 artifacts read."
    (untouched.project.folder("Stock", "Counting") / "src/main/resources/parameters.prop").unlink()
    ended = untouched.run("validate", "-e", "x")
    assert (ended.code, ended.said.splitlines()[-1][:11]) == (0, "✓ No errors")


def test_sarif_goes_to_a_file_and_text_to_the_terminal(untouched: Program) -> None:
    """The report for an upload is complete, the log is for people; folders on the way are made."""
    break_it(untouched)
    ended = untouched.run("validate", "--format", "sarif", "--out", "reports/validate.sarif")
    log = json.loads((untouched.project.root / "reports/validate.sarif").read_text(encoding="utf-8"))
    (run,) = log["runs"]
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]]
    assert ended.code == 4
    assert ended.said.endswith("✗ 1 error, 1 warning in environment x; 5 artifacts read.\n")
    assert uris == ["config.yml", "packages/Stock/Counting/src/main/resources/parameters.prop"]
    assert log["version"] == "2.1.0"


def test_annotations_come_after_a_readable_log(untouched: Program) -> None:
    """GitHub reads the commands, people read the rest."""
    break_it(untouched)
    said = untouched.run("validate", "--format", "github").said.splitlines()
    assert [line.partition(" ")[0] for line in said if line.startswith("::")] == ["::error", "::warning"]
    assert "✗ 1 error, 1 warning in environment x; 5 artifacts read." in said


def test_a_code_quality_report_for_gitlab(untouched: Program) -> None:
    """A list of issues, alone on standard output or in the file that the pipeline names; text is in the log then."""
    break_it(untouched)
    shown = untouched.run("validate", "--format", "gitlab")
    kept = untouched.run("validate", "--format", "gitlab", "--out", "validate.json")
    issues = json.loads(shown.said)
    assert [(each["check_name"], each["severity"]) for each in issues] == [
        ("unknown-parameter", "minor"),
        ("missing-definitions", "major"),
    ]
    assert json.loads((untouched.project.root / "validate.json").read_text(encoding="utf-8")) == issues
    assert (shown.code, kept.code) == (4, 4)
    assert kept.said.endswith("✗ 1 error, 1 warning in environment x; 5 artifacts read.\n")


def test_json_alone_is_on_standard_output(untouched: Program) -> None:
    """Other programs can read it as it is."""
    break_it(untouched)
    assert json.loads(untouched.run("validate", "--format", "json").said)["counts"] == {"error": 1, "warning": 1}


def test_without_login_and_without_a_named_environment(untouched: Program) -> None:
    """The job of a pull request has no secrets: that is worth a warning for each environment, and no more."""
    environments = untouched.project.root / "environments"
    (environments / "y.yml").write_text((environments / "x.yml").read_text(encoding="utf-8"), encoding="utf-8")
    empty = dict.fromkeys(untouched.variables, "")
    ended = untouched.run("validate", cwd=environments, **empty)
    assert ended.code == 0
    assert [line.partition(":")[0] for line in ended.said.splitlines()[:-1]] == ["x.yml", "y.yml"]
    assert ended.said.splitlines()[-1] == "✓ No errors, 2 warnings in environments x, y; 5 artifacts read."


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (
            ("--format", "sarfi"),
            "--format: 'sarfi' is not one of text, json, sarif, github, gitlab; did you mean 'sarif'?",
        ),
        (("--out", ""), "--out: must not be empty"),
        (("--out", "packages"), "--out: the report could not be written to '"),
        (("--env", "nope"), "there is no environment 'nope'"),
    ],
)
def test_wrong_flags_end_with_4_and_a_sentence(untouched: Program, flags: tuple[str, ...], expected: str) -> None:
    """A report that was not written is no success either."""
    ended = untouched.run("validate", *flags)
    assert ended.code == 4
    assert expected in ended.said
    assert "Traceback" not in ended.said
