"""Choosing the environment file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded, environment_names
from cpi_tasks.model.config import RunConfig, Selection

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

MINIMAL = "packagesDir: packages\ndeployConfig: config.yml\n"


def test_flag_wins_over_variable_and_fallback(write: Write, run: Run) -> None:
    """``--env`` is stronger than ``CPI_ENV`` and the fallbacks, and the origin says so."""
    write("environments/other.yaml", MINIMAL)
    variables = {"CPI_ENV": "nope", "CPI_HOST": "h.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "p"}
    chosen = run(Selection(env="other", env_fallbacks=(("nope", "an earlier task"),)), variables=variables)
    assert (chosen.environment, chosen.environment_origin) == ("other", "--env")


def test_variable_wins_over_fallback(run: Run) -> None:
    """``CPI_ENV`` is used where no flag is given."""
    variables = {"CPI_ENV": "x", "CPI_HOST": "h.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "p"}
    chosen = run(Selection(env_fallbacks=(("nope", "an earlier task"),)), variables=variables)
    assert (chosen.environment, chosen.environment_origin) == ("x", "CPI_ENV")


def test_empty_variable_counts_as_not_set(run: Run) -> None:
    """An empty ``CPI_ENV`` leaves the choice to the fallbacks, best first."""
    variables = {"CPI_ENV": "", "CPI_HOST": "h.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "p"}
    fallbacks = (("x", "the Invoke setting cpi.env"), ("nope", "an earlier task"))
    chosen = run(Selection(env_fallbacks=fallbacks), variables=variables)
    assert (chosen.environment, chosen.environment_origin) == ("x", "the Invoke setting cpi.env")


@pytest.mark.parametrize("selection", [Selection(env="sub/my.yml"), Selection(orchestrator_config="sub/my.yml")])
def test_path_is_relative_to_the_current_folder(write: Write, run: Run, selection: Selection, tmp_path: Path) -> None:
    """A path names the environment by its stem and is looked up from the current folder."""
    write("work/sub/my.yml", MINIMAL)
    assert run(selection, cwd=tmp_path / "work").environment == "my"


def test_orchestrator_config_needs_no_suffix(write: Write, run: Run) -> None:
    """``--orchestrator-config`` is always a path, whatever it looks like."""
    write("plain", MINIMAL)
    chosen = run(Selection(orchestrator_config="plain"))
    assert (chosen.environment, chosen.environment_origin) == ("plain", "--orchestrator-config")


def test_both_spellings_at_once_are_refused(complaints: Complaints) -> None:
    """``--env`` and ``--orchestrator-config`` exclude each other."""
    expected = ["command line: --env and --orchestrator-config both name the environment; give only one"]
    assert expected == complaints(Selection(env="x", orchestrator_config="environments/x.yml"))


def test_unknown_name_lists_what_exists(write: Write, complaints: Complaints) -> None:
    """An unknown environment names those that exist and the most similar one."""
    write("environments/production.yml", MINIMAL)
    expected = [
        (
            "command line: --env: there is no environment 'prductio'; did you mean 'production'? "
            "(there are: production, x)"
        )
    ]
    assert expected == complaints(Selection(env="prductio"))


def test_no_environment_at_all(complaints: Complaints) -> None:
    """Without a name anywhere the problem says how to give one and which exist."""
    expected = ["command line: no environment is named; use --env NAME or set CPI_ENV (there are: x)"]
    assert expected == complaints(Selection(), variables={})


def test_two_files_of_one_name_are_ambiguous(write: Write, complaints: Complaints) -> None:
    """The same name as .yml and .yaml is refused."""
    write("environments/x.yaml", MINIMAL)
    expected = (
        "command line: --env: the environment 'x' is ambiguous: both environments/x.yml and environments/x.yaml exist"
    )
    assert [expected] == complaints()


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(env="environments/"), "command line: --env: 'environments/' is a folder, not an environment file"),
        (Selection(env="d"), "command line: --env: environments/d.yml is a folder, not an environment file"),
        (Selection(env="nope/a.yml"), "command line: --env: there is no environment 'nope/a.yml' (there are: x)"),
        (
            Selection(orchestrator_config="nope.yml"),
            "command line: --orchestrator-config: there is no file 'nope.yml'",
        ),
        (Selection(env=""), "command line: --env: is empty; give the name of an environment (there are: x)"),
        (Selection(orchestrator_config="d"), "command line: --orchestrator-config: there is no file 'd'"),
        (Selection(env="a\0b"), "command line: --env: there is no environment 'a\0b' (there are: x)"),
    ],
)
def test_unusable_choices(tmp_path: Path, complaints: Complaints, selection: Selection, expected: str) -> None:
    """Folders, missing files and empty or impossible names are explained."""
    (tmp_path / "environments" / "d.yml").mkdir(parents=True)
    assert [expected] == complaints(selection)


def test_a_fallback_is_named_in_its_own_problem(complaints: Complaints) -> None:
    """A fallback that does not exist is reported with where it came from."""
    expected = ["the Invoke setting cpi.env: there is no environment 'nope' (there are: x)"]
    assert expected == complaints(Selection(env_fallbacks=(("nope", "the Invoke setting cpi.env"),)), variables={})


def test_flag_problems_are_reported_together_with_a_missing_environment(complaints: Complaints) -> None:
    """Wrong flags are not hidden by an unknown environment."""
    expected = [
        "command line: --deploy-delay: 'abc' is not a number",
        "command line: --env: there is no environment 'y'; did you mean 'x'? (there are: x)",
    ]
    assert expected[0] in complaints(Selection(env="y", deploy_delay="abc"))
    assert len(complaints(Selection(env="y", deploy_delay="abc"))) == 2


def test_flags_alone_describe_a_run(complaints: Complaints) -> None:
    """With --deploy-config no environment file is needed, as in flashpipe's own commands; without it one is."""
    assert [text for text in complaints(Selection(deploy_config="c.yml"), variables={}) if "environment" in text] == []
    expected = ["command line: no environment is named; use --env NAME or set CPI_ENV (there are: x)"]
    assert expected == complaints(Selection(), variables={})


def test_mode_flags_contradict_each_other(complaints: Complaints) -> None:
    """Two mode flags are one problem that names both; a wrong --mode is one, too."""
    both = Selection(env="x", mode_flags=(("--update", "update-and-deploy"), ("--deploy-only", "deploy-only")))
    assert complaints(both) == ["command line: --update, --deploy-only: name different modes; give one of them"]
    wrong = complaints(Selection(env="x", mode_flags=(("--mode", "update-olny"),)))
    assert len(wrong) == 1
    assert wrong[0].startswith("command line: --mode: 'update-olny'")


def test_what_editors_leave_is_no_environment(write: Write, tmp_path: Path) -> None:
    """Resource forks, hidden files and backups are not listed, and so not checked by ``validate``."""
    for name in ("dev.yml", "._dev.yml", ".#qa.yml", ".hidden.yaml", "dev.yml~", "dev.yml.orig"):
        write(f"environments/{name}", MINIMAL)
    assert environment_names(tmp_path) == ("dev",)


def test_a_suffix_in_capitals_is_named(write: Write, complaints: Complaints) -> None:
    """The file is there, but only for machines to which case does not matter."""
    write("environments/dev.YML", MINIMAL)
    (found,) = complaints(Selection(env="dev"))
    assert "there is no environment 'dev'; there is 'dev.YML', but upper and lower case count" in found
