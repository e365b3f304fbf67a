"""Prefix, final ids and the renaming that references follow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.model.config import RunConfig, Selection

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]


def environment(write: Write, text: str = "") -> None:
    write("environments/x.yml", "packagesDir: packages\ndeployConfig: configs\n" + text)


def config(write: Write, name: str, package: str, *artifacts: str, head: str = "") -> None:
    """Write a file with one package; artifacts are ``id:Type``."""
    lines = [f"{head}packages:", f"  - integrationSuiteId: {package}", f"    packageDir: {package}", "    artifacts:"]
    for artifact in artifacts:
        source_id, kind = artifact.split(":")
        lines.append(f"      - {{artifactId: {source_id}, artifactDir: {source_id}, type: {kind}}}")
    write(f"configs/{name}.yml", "\n".join(lines) + "\n")


def ids(found: RunConfig) -> list[str]:
    return [str(a.ref) for config in found.configs for package in config.packages for a in package.artifacts]


def test_prefix_forms(write: Write, run: Run) -> None:
    """PFX<id> for packages, PFX_<id> for artifacts, "PFX - <name>" for names."""
    write(
        "config.yml",
        "deploymentPrefix: DEV\npackages:\n"
        "  - {integrationSuiteId: A, packageDir: A, displayName: My A, "
        "artifacts: [{artifactId: F, artifactDir: F, type: IntegrationFlow}]}\n"
        "  - {integrationSuiteId: B, packageDir: B}\n",
    )
    (found,) = run().configs
    named, unnamed = found.packages
    assert found.prefix == "DEV"
    assert (named.id, named.source_id, named.name, named.creation_name) == ("DEVA", "A", "DEV - My A", "DEV - My A")
    assert (unnamed.id, unnamed.name, unnamed.creation_name) == ("DEVB", None, "DEV - B")
    assert (str(named.artifacts[0].ref), named.artifacts[0].source_id) == ("DEVA/DEV_F", "F")


@pytest.mark.parametrize(
    ("in_environment", "in_file", "in_section", "flag", "expected"),
    [
        ("", "", "", None, ""),
        ("", "FILE", "", None, "FILE"),
        ("", "", "SEC", None, "SEC"),
        ("ENV", "FILE", "", None, "ENV"),
        ("ENV", "FILE", "", "FLAG", "FLAG"),
        ("ENV", "FILE", "", "", ""),
        ("", "", "SEC", "", ""),
        ("ENV", "SEC", "SEC", None, "ENV"),
    ],
)
def test_where_the_prefix_comes_from(
    write: Write, run: Run, in_environment: str, in_file: str, in_section: str, flag: str | None, expected: str
) -> None:
    """Flag, then environment file, then the configuration; an empty flag means none, an empty key not given."""
    environment(write, f"deploymentPrefix: '{in_environment}'\n")
    section = f"orchestrator: {{deploymentPrefix: '{in_section}'}}\n"
    config(write, "a", "A", "F:IntegrationFlow", head=f"deploymentPrefix: '{in_file}'\n{section}")
    (found,) = run(Selection(env="x", deployment_prefix=flag)).configs
    assert (expected, f"{expected}A") == (found.prefix, found.packages[0].id)


def test_two_prefixes_in_one_file_must_agree(write: Write, complaints: Complaints) -> None:
    """The top of a file and its orchestrator section cannot give different prefixes."""
    environment(write)
    head = "deploymentPrefix: A\norchestrator: {deploymentPrefix: B}\n"
    config(write, "a", "A", "F:IntegrationFlow", head=head)
    expected = "orchestrator.deploymentPrefix: differs from the deploymentPrefix at the top of the same file"
    assert [f"configs/a.yml:2:34: {expected}"] == complaints()


def test_one_id_under_two_prefixes_is_fine(write: Write, run: Run) -> None:
    """The same content may go to a tenant twice under different prefixes."""
    environment(write)
    for prefix in ("P", "Q"):
        config(write, prefix, "A", "F:IntegrationFlow", "S:ScriptCollection", head=f"deploymentPrefix: {prefix}\n")
    found = run()
    assert ids(found) == ["PA/P_F", "PA/P_S", "QA/Q_F", "QA/Q_S"]
    assert [config.renames for config in found.configs] == [{"S": "P_S"}, {"S": "Q_S"}]


def test_merged_files_keep_their_own_prefixes(write: Write, run: Run) -> None:
    """Merging does not change what each file's prefix says."""
    environment(write, "mergeConfigs: true\n")
    config(write, "a", "A", "F:IntegrationFlow", "S:ScriptCollection", head="deploymentPrefix: P\n")
    config(write, "b", "A", "F:IntegrationFlow", "M:MessageMapping", head="deploymentPrefix: Q\n")
    found = run()
    assert ids(found) == ["PA/P_F", "PA/P_S", "QA/Q_F", "QA/Q_M"]
    assert (found.configs[0].renames, found.configs[0].prefix) == ({"S": "P_S", "M": "Q_M"}, "")


def test_ambiguous_references_of_merged_files(write: Write, complaints: Complaints) -> None:
    """One script collection under two prefixes in one run leaves references undecided."""
    environment(write, "mergeConfigs: true\n")
    for prefix in ("P", "Q"):
        config(write, prefix, "A", "S:ScriptCollection", head=f"deploymentPrefix: {prefix}\n")
    expected = (
        "configs/Q.yml:6:22: packages.0.artifacts.0.artifactId: 'S' becomes 'Q_S' here and 'P_S' at configs/P.yml:6, "
        "so references to it are ambiguous; set mergeConfigs to false"
    )
    assert [expected] == complaints()


@pytest.mark.parametrize("merge", ["true", "false"])
def test_final_ids_are_unique_over_all_files(write: Write, complaints: Complaints, merge: str) -> None:
    """A package or artifact id in two places is a problem at the second, also for what a filter leaves out."""
    environment(write, f"mergeConfigs: {merge}\npackageFilter: B\n")
    config(write, "a", "A", "F:IntegrationFlow")
    config(write, "b", "A", "G:IntegrationFlow")
    config(write, "c", "B", "F:ScriptCollection")
    assert complaints() == [
        (
            "configs/b.yml:2:25: packages.0.integrationSuiteId: the package id 'A' is used twice, first at "
            "configs/a.yml:2:25"
        ),
        (
            "configs/c.yml:5:22: packages.0.artifacts.0.artifactId: the artifact id 'F' is used twice, first at "
            "configs/a.yml:5:22"
        ),
    ]


def test_prefix_and_id_may_meet(write: Write, complaints: Complaints) -> None:
    """Final ids count: prefix P with AB is the same package as prefix PA with B."""
    environment(write)
    config(write, "a", "AB", "F:IntegrationFlow", head="deploymentPrefix: P\n")
    config(write, "b", "B", "F:IntegrationFlow", head="deploymentPrefix: PA\n")
    (found,) = complaints()
    assert "the package id 'PAB' is used twice, first at configs/a.yml:3:25" in found


def test_renames_are_those_of_the_whole_configuration(write: Write, run: Run) -> None:
    """Filters, sync and deploy do not matter for what references become; only two families are referenced."""
    environment(write, "deploymentPrefix: DEV\nartifactFilter: F\n")
    config(
        write,
        "a",
        "A",
        "F:IntegrationFlow",
        "S:ScriptCollection",
        "M:MessageMapping",
        "V:ValueMapping",
        "G:IntegrationFlow",
    )
    (found,) = run().configs
    assert found.renames == {"S": "DEV_S", "M": "DEV_M"}
    assert ids(run()) == ["DEVA/DEV_F"]


def test_ids_without_prefix_are_renamed_to_themselves(write: Write, run: Run) -> None:
    """Also ids that keep their name are in the renaming."""
    environment(write)
    config(write, "a", "A", "S:ScriptCollection")
    assert run().configs[0].renames == {"S": "S"}


def test_references_to_other_files(write: Write, run: Run) -> None:
    """Unmerged files may refer to each other's artifacts where that is unambiguous; the own file wins."""
    environment(write)
    config(write, "a", "A", "S:ScriptCollection", "T:ScriptCollection", head="deploymentPrefix: P\n")
    config(write, "b", "B", "T:ScriptCollection", "M:MessageMapping", head="deploymentPrefix: Q\n")
    config(write, "c", "C", "F:IntegrationFlow", head="deploymentPrefix: R\n")
    first, second, third = run().configs
    assert first.renames == {"S": "P_S", "T": "P_T", "M": "Q_M"}
    assert second.renames == {"S": "P_S", "T": "Q_T", "M": "Q_M"}
    assert third.renames == {"S": "P_S", "M": "Q_M"}
