"""``dependsOn``: what must run first, by ids as written; unknown ids and circles are told with their place."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded
from cpi_tasks.model.config import RunConfig, Selection

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Load = Callable[..., Loaded]
Complaints = Callable[..., list[str]]


def config(write: Write, name: str, package: str, *artifacts: str, head: str = "") -> None:
    """Write a deploy configuration in the folder ``configs`` with artifacts such as ``F: [G, H]`` or ``G``."""
    lines = [f"packages:\n  - integrationSuiteId: {package}\n    packageDir: {package}\n    artifacts:\n"]
    for artifact in artifacts:
        id_, _, needed = artifact.partition(": ")
        depends_on = f", dependsOn: {needed}" if needed else ""
        lines.append(f"      - {{artifactId: {id_}, artifactDir: {id_}, type: IntegrationFlow{depends_on}}}\n")
    write(f"configs/{name}.yml", head + "".join(lines))


def environment(write: Write, text: str = "") -> None:
    write("environments/x.yml", f"packagesDir: packages\ndeployConfig: configs\n{text}")


def needs(run: RunConfig) -> dict[str, list[str]]:
    """Give what each artifact names, by final ids."""
    specs = [spec for config in run.configs for package in config.packages for spec in package.artifacts]
    return {str(spec.id): [str(id_) for id_ in spec.depends_on] for spec in specs}


def test_ids_become_final(write: Write, run: Run) -> None:
    """Ids are written without the prefix and mean the artifact under its final id; each place is known."""
    environment(write, "deploymentPrefix: DEV\n")
    config(write, "a", "A", "F: [G, H]", "G", "H: [G, G]")
    found = run()
    assert needs(found) == {"DEV_F": ["DEV_G", "DEV_H"], "DEV_G": [], "DEV_H": ["DEV_G"]}
    (first, *_) = found.configs[0].packages[0].artifacts
    assert [(p.file, p.line, p.path) for p in first.depends_on.values()] == [
        ("configs/a.yml", 5, "packages.0.artifacts.0.dependsOn.0"),
        ("configs/a.yml", 5, "packages.0.artifacts.0.dependsOn.1"),
    ]


@pytest.mark.parametrize("merge", ["true", "false"])
def test_other_files_count(write: Write, run: Run, merge: str) -> None:
    """An id of another file is known where it is the only one; the own file's goes first."""
    environment(write, f"mergeConfigs: {merge}\n")
    config(write, "a", "A", "F: [H, G]", "G", head="deploymentPrefix: P\n")
    config(write, "b", "B", "G", "H", head="deploymentPrefix: Q\n")
    assert needs(run()) == {"P_F": ["Q_H", "P_G"], "P_G": [], "Q_G": [], "Q_H": []}


def test_an_id_of_two_other_files_is_ambiguous(write: Write, complaints: Complaints) -> None:
    """Where two other files have the id under different prefixes, nobody can tell which one is meant."""
    environment(write)
    config(write, "a", "A", "F: [G]")
    config(write, "b", "B", "G", head="deploymentPrefix: P\n")
    config(write, "c", "C", "G", head="deploymentPrefix: Q\n")
    (found,) = complaints()
    assert found.startswith("configs/a.yml:5:")
    assert found.endswith("packages.0.artifacts.0.dependsOn.0: 'G' is ambiguous, it may mean any of 'P_G', 'Q_G'")


def test_unknown_ids_are_told_with_a_hint(write: Write, complaints: Complaints) -> None:
    """Every id that no file has is a problem at its place; the final id is none that one may write."""
    environment(write, "deploymentPrefix: P\n")
    config(write, "a", "A", "Orders: [Order, Zzz]", "Other: [P_Orders]")
    assert [found.partition("packages.")[2] for found in complaints()] == [
        "0.artifacts.0.dependsOn.0: there is no artifact 'Order' in the configuration; did you mean 'Orders'?",
        "0.artifacts.0.dependsOn.1: there is no artifact 'Zzz' in the configuration",
        "0.artifacts.1.dependsOn.0: there is no artifact 'P_Orders' in the configuration; did you mean 'Orders'?",
    ]


def test_a_wrong_entry_is_not_an_unknown_id(write: Write, complaints: Complaints) -> None:
    """An entry left out for a fault of its own draws no second complaint from those that name it."""
    text = """packages:
  - integrationSuiteId: A
    packageDir: A
    artifacts:
      - {artifactId: F, artifactDir: F, type: IntegrationFlow, dependsOn: [G]}
      - {artifactId: G, artifactDir: G, type: Flow}
"""
    environment(write)
    write("configs/a.yml", text)
    (found,) = complaints()
    assert "packages.0.artifacts.1.type: 'Flow' is not one of" in found


def test_filters_do_not_make_ids_unknown(write: Write, run: Run, complaints: Complaints) -> None:
    """What a filter leaves out is known all the same, and its circles are found."""
    environment(write)
    config(write, "a", "A", "F: [G]", "G")
    assert needs(run(Selection(env="x", artifact_filter="F"))) == {"F": ["G"]}
    config(write, "a", "A", "F", "G: [H]", "H: [G]")
    assert len(complaints(Selection(env="x", artifact_filter="F"))) == 1


def test_itself(write: Write, complaints: Complaints) -> None:
    """An artifact cannot wait for itself."""
    environment(write)
    config(write, "a", "A", "F: [F]")
    (found,) = complaints()
    assert found.endswith("packages.0.artifacts.0.dependsOn.0: 'F' cannot depend on itself")


@pytest.mark.parametrize("merge", ["true", "false"])
def test_a_circle_is_named_from_its_beginning(write: Write, complaints: Complaints, merge: str) -> None:
    """A circle is one problem that names everybody in it in order, also across files; who only leads to it is not."""
    environment(write, f"mergeConfigs: {merge}\n")
    config(write, "a", "A", "Start: [F]", "F: [G]")
    config(write, "b", "B", "G: [H]", "H: [F]", head="deploymentPrefix: P\n")
    (found,) = complaints()
    place, _, message = found.partition(": dependsOn goes round in a circle: ")
    names = message.split(" → ")
    assert sorted(names[1:]) == ["F", "G", "H"]
    assert names[0] == names[-1]
    follows = {"F": "G", "G": "H", "H": "F"}
    assert all(follows[name] == after for name, after in itertools.pairwise(names))
    entry = {"F": ("a", 6, 1), "G": ("b", 6, 0), "H": ("b", 7, 1)}[names[0]]
    assert place.startswith(f"configs/{entry[0]}.yml:{entry[1]}:")
    assert place.endswith(f"packages.0.artifacts.{entry[2]}.dependsOn.0")


def test_a_diamond_is_no_circle(write: Write, run: Run) -> None:
    """Two ways to the same artifact are fine."""
    environment(write)
    config(write, "a", "A", "F: [G, H]", "G: [I]", "H: [I]", "I")
    assert needs(run())["F"] == ["G", "H"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("G", "dependsOn: must be a list"),
        ("[1]", "dependsOn.0: must be text: put '1' in quotes"),
        ("['']", "dependsOn.0: must not be empty"),
        ("[[G]]", "dependsOn.0: must be text, not a list"),
    ],
)
def test_wrong_lists(write: Write, complaints: Complaints, written: str, expected: str) -> None:
    """Only a list of ids will do."""
    environment(write)
    config(write, "a", "A", f"F: {written}", "G")
    (found,) = complaints()
    assert found.endswith(f"packages.0.artifacts.0.{expected}")
