"""Looking at whole repositories: one environment or all, without a tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cpi_tasks import offline
from cpi_tasks.app.prepare import prepare
from cpi_tasks.errors import InputError
from cpi_tasks.model.config import Selection
from cpi_tasks.model.finding import Inspection, Severity
from tests.support.project import MODEL, PROP, PROPDEF, Project

Look = Callable[..., Inspection]
LOGIN = {"CPI_HOST": "t1.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "p"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a repository with two packages and artifacts of all types."""
    made = Project(tmp_path)
    made.every_kind()
    made.save()
    return made


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Inspect the repository."""

    def inspect(
        selection: Selection | None = None, *, variables: Mapping[str, str] | None = None, cwd: Path = tmp_path
    ) -> Inspection:
        return offline.inspect(
            selection or Selection(),
            root=tmp_path,
            cwd=cwd,
            variables=LOGIN if variables is None else variables,
            note_secret=lambda _: None,
        )

    return inspect


def told(inspection: Inspection) -> list[str]:
    """Give place, severity and rule of each finding, and the environments where those are not all."""
    return [
        f"{each.problem.file} {each.severity.value} {each.rule.value} {','.join(each.environments)}".rstrip()
        for each in inspection.findings
    ]


def test_every_file_is_checked_as_a_run_checks_it(
    project: Project, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All problems of all artifacts, with their lines, and what is only doubtful as a warning."""
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    project.edit("Sales", "Orders", PROP, b"Host=a\nHost=b\n")
    project.edit(
        "Sales", "Scripts", "src/main/resources/lib/a.jar", b"version https://git-lfs.github.com/spec/v1\noid x"
    )
    project.edit("Stock", "Counting", PROP, b"Receiver\\ Host=a\n== Zero ==\n")
    project.edit("Stock", "Counting", MODEL, b"<html></html>")
    found = look()
    with pytest.raises(InputError) as caught:
        prepare(Selection(env="x"), root=project.root, note_secret=lambda _: None)

    assert [f"{told_of} {each.problem.line}" for told_of, each in zip(told(found), found.findings, strict=True)] == [
        f"packages/Sales/Orders/{PROP} warning ambiguous-content 2",
        "packages/Sales/Scripts/src/main/resources/lib/a.jar error content 1",
        f"packages/Stock/Counting/{PROP} error content 2",
        f"packages/Stock/Counting/{MODEL} error content 1",
    ]
    errors = [each.problem.message for each in found.findings if each.severity is Severity.ERROR]
    assert errors == [problem.message for problem in caught.value.problems]


def environment(project: Project, name: str, text: str) -> None:
    (project.root / "environments" / f"{name}.yml").write_text(text, encoding="utf-8")


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
FILES = "packagesDir: packages\ndeployConfig: config.yml\n"


def test_a_sound_repository_has_no_findings(project: Project, look: Look) -> None:
    """All artifacts were read, and the environment is named."""
    found = look()
    assert told(found) == []
    assert (found.environments, found.artifacts) == (("x",), 5)


def test_every_environment_is_looked_at_unless_one_is_named(project: Project, look: Look) -> None:
    """Flag, variable or setting narrow it down; what all have is told once, the rest names its environments."""
    environment(project, "a", FILES + "deploymentPrefix: QA_\n")
    environment(project, "b", FILES + "zzz: 1\n")
    project.edit("Sales", "Orders", "META-INF/MANIFEST.MF", b"Bundle-Version: 1.0.0\r\n\r\n")
    manifest = "packages/Sales/Orders/META-INF/MANIFEST.MF error content"
    everything = look()
    assert everything.environments == ("a", "b", "x")
    expected = ["config.yml warning package-id a"] * 2 + ["environments/b.yml error configuration b", manifest]
    assert told(everything) == expected
    named = look(Selection(env="x"))
    assert (named.environments, told(named)) == (("x",), [manifest])
    assert look(variables={**LOGIN, "CPI_ENV": "b"}).environments == ("b",)
    assert look(Selection(env_fallbacks=(("a", "the Invoke setting cpi.env"),))).environments == ("a",)
    assert look(Selection(orchestrator_config="environments/a.yml")).environments == ("a",)


def test_a_repository_without_environments_is_an_error(tmp_path: Path, look: Look) -> None:
    """A check of nothing is no success."""
    assert told(look()) == ["command line error configuration"]


def test_flags_alone_describe_what_to_look_at(project: Project, look: Look) -> None:
    """As for a run: no environment file is needed."""
    found = look(Selection(deploy_config="config.yml", packages_dir="packages"))
    assert (found.environments, found.artifacts, told(found)) == (("none",), 5, [])


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("", {}, ["environments/x.yml warning login"]),
        ("", {"CPI_HOST": "t1.example.com"}, ["environments/x.yml warning login"]),
        ("tenant: {password: '${PW}'}\n", LOGIN, ["environments/x.yml warning unset-variable"]),
        ("tenant: {serviceKey: key.json}\n", {}, ["environments/x.yml warning login"]),
        ("tenant: {host: a/b}\n", LOGIN, ["environments/x.yml error configuration"]),
        ("mode: ${MODE}\n", LOGIN, ["environments/x.yml warning unset-variable"]),
    ],
)
def test_what_only_a_run_needs_is_a_warning(
    project: Project, look: Look, text: str, variables: Mapping[str, str], expected: list[str]
) -> None:
    """A pull request's job has no secrets; the artifacts are read all the same."""
    environment(project, "x", FILES + text)
    found = look(variables=variables)
    assert (expected, 5) == (told(found), found.artifacts)


@pytest.mark.parametrize("text", ["packagesDir: ${X}\ndeployConfig: config.yml\n", "deployConfig: ${X}\n"])
def test_artifacts_that_could_not_be_read_are_not_passed_over(project: Project, look: Look, text: str) -> None:
    """Where a variable hides what there is to check, the report says that nothing was checked."""
    environment(project, "x", text)
    found = look()
    assert found.artifacts == 0
    assert told(found) == ["environment x warning not-checked", "environments/x.yml warning unset-variable"]


def test_a_url_is_not_fetched(project: Project, look: Look) -> None:
    """Offline means no network at all; the warning names the address without its query."""
    environment(project, "x", "packagesDir: packages\ndeployConfig: https://config.example.com/c.yml?token=hunter2\n")
    assert told(look()) == ["https://config.example.com/c.yml warning not-read"]


def test_all_checks_reach_the_files(project: Project, look: Look) -> None:
    """Parameters, references and definitions of real folders, with places relative to the current folder."""
    project.override("Counting", {"Receiver Hots": "c.example"})
    project.flow("Sales", "Billing", scripts_of="Elsewhere", parameters={"Host": "a"})
    (project.folder("Sales", "Billing") / PROPDEF).unlink()
    project.save()
    assert told(look()) == [
        "config.yml warning unknown-reference",
        "config.yml warning unknown-parameter",
        "packages/Sales/Billing/src/main/resources/parameters.prop error missing-definitions",
    ]
    (project.root / "sub").mkdir()
    shown = told(look(cwd=project.root / "packages"))
    assert "Sales/Billing/src/main/resources/parameters.prop error missing-definitions" in shown


def test_a_run_that_only_deploys_needs_no_folders(project: Project, look: Look) -> None:
    """What such a run never reads is not checked."""
    project.edit("Sales", "Orders", "META-INF/MANIFEST.MF", b"")
    environment(project, "x", FILES + "mode: deploy-only\n")
    assert told(look()) == []


def test_a_folder_no_configuration_names_is_a_warning(project: Project, look: Look) -> None:
    """A flow that was added to the folders but to no configuration would never be deployed."""
    project.flow("Sales", "Forgotten")
    listed = project.packages["Sales"]["artifacts"]
    assert isinstance(listed, list)
    listed.pop()
    project.save()
    forgotten = ["packages/Sales/Forgotten/META-INF/MANIFEST.MF warning unused-folder"]
    assert told(look()) == forgotten
    assert told(look(Selection(env="x"))) == []
    environment(project, "part", FILES + "packageFilter: Stock\n")
    assert told(look()) == []


def test_messages_hold_no_path_of_this_machine(project: Project, look: Look, tmp_path: Path) -> None:
    """The same finding is the same text wherever it is made."""
    project.artifacts["Orders"]["artifactDir"] = "Missing"
    project.save()
    (finding,) = look(Selection(env="x")).findings
    assert "does not exist: packages/Sales/Missing" in finding.problem.message
    assert str(tmp_path) not in str(finding.problem)
