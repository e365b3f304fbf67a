"""The schema of deploy configurations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded
from cpi_tasks.model.config import Position, RunConfig
from cpi_tasks.model.naming import ArtifactKind

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]


def artifact(text: str) -> str:
    return (
        "packages:\n  - integrationSuiteId: A\n    packageDir: A\n    artifacts:\n"
        f"      - artifactId: F\n        artifactDir: F\n        type: IntegrationFlow\n{text}"
    )


def test_every_key(write: Write, run: Run, tmp_path: Path) -> None:
    """Every key of packages and artifacts reaches the specs."""
    text = """packages:
  - integrationSuiteId: A
    packageDir: pa
    displayName: My Package
    description: ''
    short_text: Short
    artifacts:
      - artifactId: F
        artifactDir: fa/deep
        displayName: My Flow
        type: IntegrationFlow
        deploy: false
        configOverrides: {Host: h}
      - {artifactId: S, artifactDir: s, type: ScriptCollection, sync: false}
      - {artifactId: M, artifactDir: m, type: MessageMapping, displayName: ''}
      - {artifactId: V, artifactDir: v, type: ValueMapping}
"""
    write("config.yml", text)
    (package,) = run().configs[0].packages
    assert (
        package.name,
        package.creation_name,
        package.description,
        package.short_text,
    ) == ("My Package", "My Package", "", "Short")
    assert tmp_path / "packages" / "pa" == package.folder
    flow, scripts, mapping, values = package.artifacts
    assert (flow.id, flow.ref.package, flow.display_name, flow.sync, flow.deploy) == ("F", "A", "My Flow", True, False)
    assert tmp_path / "packages" / "pa" / "fa" / "deep" == flow.folder
    assert flow.overrides == {"Host": "h"}
    assert Position(file="config.yml", line=8, column=21, path="packages.0.artifacts.0.artifactId") == flow.position
    where = Position(file="config.yml", line=13, column=27, path="packages.0.artifacts.0.configOverrides.Host")
    assert {"Host": where} == flow.override_positions
    assert (scripts.kind, scripts.sync, scripts.deploy) == (ArtifactKind.SCRIPT_COLLECTION, False, True)
    assert (mapping.kind, mapping.display_name) == (ArtifactKind.MESSAGE_MAPPING, None)
    assert ArtifactKind.VALUE_MAPPING is values.kind


def test_what_is_not_given_is_none(write: Write, run: Run) -> None:
    """Keys left out, or without a value, are left alone on the tenant."""
    write("config.yml", "packages: [{integrationSuiteId: A, packageDir: A, displayName: , artifacts: }]\n")
    (package,) = run().configs[0].packages
    assert (package.name, package.description, package.short_text, package.creation_name) == (None, None, None, "A")
    assert package.artifacts == ()


@pytest.mark.parametrize(("key", "expected"), [("sync", (False, True)), ("deploy", (True, False))])
def test_package_switches_hold_for_its_artifacts(write: Write, run: Run, key: str, expected: tuple[bool, bool]) -> None:
    """What is switched off for a package is switched off for all of its artifacts."""
    write("config.yml", artifact(f"        {key}: true\n    {key}: false\n"))
    (package,) = run().configs[0].packages
    assert expected == (package.sync, package.deploy)
    assert expected == (package.artifacts[0].sync, package.artifacts[0].deploy)


def test_overrides_are_taken_as_written(write: Write, run: Run) -> None:
    """No YAML type changes the text of an override or of its key."""
    text = """        configOverrides:
          007: 007
          a: 1.10
          b: yes
          c: 2024-01-01
          d: ''
          e: "~"
          f: 0x1F
          g: |
            one
            two
          h: >-
            folded
            text
          on: !!str null
          'quoted key': "tab\\there"
          i: ${header.X}
          j: 1_000
          k.l: =
"""
    write("config.yml", artifact(text))
    expected = {
        "007": "007",
        "a": "1.10",
        "b": "yes",
        "c": "2024-01-01",
        "d": "",
        "e": "~",
        "f": "0x1F",
        "g": "one\ntwo\n",
        "h": "folded text",
        "on": "null",
        "quoted key": "tab\there",
        "i": "${header.X}",
        "j": "1_000",
        "k.l": "=",
    }
    assert expected == run().configs[0].packages[0].artifacts[0].overrides


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("k: ~", "has no value; write '' for an empty one"),
        ("k: null", "has no value; write '' for an empty one"),
        ("k: [a]", "must be a single value, not a list"),
        ("k: {a: b}", "must be a single value, not a mapping"),
        ("k: ", "has no value; write '' for an empty one"),
    ],
)
def test_overrides_that_are_no_scalars(write: Write, complaints: Complaints, value: str, expected: str) -> None:
    """Null, lists and mappings are problems at the value."""
    write("config.yml", artifact(f"        configOverrides:\n          {value}\n"))
    (found,) = complaints()
    assert found.startswith("config.yml:9:")
    assert found.endswith(f"packages.0.artifacts.0.configOverrides.k: {expected}")


def test_overrides_only_for_flows(write: Write, complaints: Complaints) -> None:
    """Other kinds have no parameters."""
    text = artifact("        configOverrides: {a: b}\n").replace("IntegrationFlow", "ScriptCollection")
    write("config.yml", text)
    expected = "only integration flows have parameters to override, not a script collection"
    assert [f"config.yml:8:9: packages.0.artifacts.0.configOverrides: {expected}"] == complaints()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "artifactId: F",
            "artifactId: 007",
            "5:21: packages.0.artifacts.0.artifactId: must be text: put '007' in quotes",
        ),
        ("artifactId: F", "artifactId: ' '", "5:21: packages.0.artifacts.0.artifactId: must not be empty"),
        ("artifactId: F", "artifactId: 'F '", "5:21: packages.0.artifacts.0.artifactId: must not begin or end with"),
        (
            "artifactId: F",
            "artifactID: F",
            "5:9: packages.0.artifacts.0.artifactID: unknown key; did you mean 'artifactId'?",
        ),
        (
            "artifactDir: F",
            "artifactDir: ../F",
            "6:22: packages.0.artifacts.0.artifactDir: must not leave the packages",
        ),
        (
            "artifactDir: F",
            "artifactDir: 'a\\\\..\\\\..'",
            "6:22: packages.0.artifacts.0.artifactDir: must not leave the pac",
        ),
        ("artifactDir: F", "artifactDir: /F", "6:22: packages.0.artifacts.0.artifactDir: must be a folder below"),
        (
            "artifactDir: F",
            "artifactDir: 'C:\\\\F'",
            "6:22: packages.0.artifacts.0.artifactDir: must be a folder below",
        ),
        ("artifactDir: F", "artifactDir:", "6:21: packages.0.artifacts.0.artifactDir: must not be empty"),
        ("packageDir: A", "packageDir: ..", "3:17: packages.0.packageDir: must not leave the packages folder"),
        (
            "type: IntegrationFlow",
            "type: integrationflows",
            (
                "7:15: packages.0.artifacts.0.type: 'integrationflows' is not one of IntegrationFlow, "
                "ScriptCollection, MessageMapping, ValueMapping; did you mean 'IntegrationFlow'?"
            ),
        ),
        ("type: IntegrationFlow", "type: ''", "7:15: packages.0.artifacts.0.type: is not given, and "),
        ("        type: IntegrationFlow\n", "", "5:9: packages.0.artifacts.0.type: is not given, and "),
        ("packageDir: A", "deploy: maybe", "2:5: packages.0.packageDir: is required"),
        (
            "packageDir: A",
            "packageDir: A\n    shortText: x",
            "4:5: packages.0.shortText: unknown key; did you mean 'short_text'?",
        ),
        ("integrationSuiteId: A", "integrationSuiteId: 1.5", "2:25: packages.0.integrationSuiteId: must be text: put"),
        ("packages:", "mode: update-only\npackages:", "1:1: mode: belongs in the environment file or in an 'orch"),
        ("packages:", "pakages: 1\npackages:", "1:1: pakages: unknown key; did you mean 'packages'?"),
        (
            "packages:",
            "orchestrator: 5\npackages:",
            "1:15: orchestrator: must be a mapping of keys, not a single value",
        ),
        ("packages:", "orchestrator: {tenant: {}}\npackages:", "1:16: orchestrator.tenant: belongs in the environment"),
        (
            "packages:",
            "orchestrator: {polling: x}\npackages:",
            "1:25: orchestrator.polling: 'x' is not one of adaptive",
        ),
        (
            "packages:",
            "orchestrator: {verify: fast}\npackages:",
            "1:24: orchestrator.verify: 'fast' is not one of full",
        ),
        ("packages:", "orchestrator: {protected: 1}\npackages:", "1:27: orchestrator.protected: must be true or false"),
        ("packages:", "orchestrator: {deployConfig: x}\npackages:", "1:16: orchestrator.deployConfig: belongs in the"),
        ("packages:", "deploymentPrefix: A-B\npackages:", "1:19: deploymentPrefix: 'A-B' is not a prefix"),
        ("packages:", "packages: A #", "1:11: packages: must be a list"),
    ],
)
def test_wrong_entries(write: Write, complaints: Complaints, old: str, new: str, expected: str) -> None:
    """Every wrong entry has its line, column, path and sentence."""
    text = artifact("")
    assert old in text
    write("packages/A/readme.md", "")
    text = text.replace(old, new, 1) if not new.endswith("#") else "packages: A\n"
    write("config.yml", text)
    assert any(found.startswith(f"config.yml:{expected}") for found in complaints()), complaints()


@pytest.mark.parametrize("text", ["  - A\n", "  - [A]\n", "  -\n"])
def test_entries_that_are_no_mappings(write: Write, complaints: Complaints, text: str) -> None:
    """A package must be a mapping."""
    write("config.yml", "packages:\n" + text)
    (found,) = complaints()
    assert "packages.0: must be a mapping of keys, not " in found


def test_valid_entries_survive_wrong_neighbours(write: Write, load: Load) -> None:
    """Entries without faults are there to be checked further, and all faults are listed."""
    text = """packages:
  - {integrationSuiteId: 1, packageDir: A}
  - integrationSuiteId: B
    packageDir: B
    zzz: 1
    artifacts:
      - {artifactId: F, artifactDir: F, type: Flow}
      - {artifactId: G, artifactDir: G, type: IntegrationFlow, configOverrides: {a: }}
      - {artifactId: H, artifactDir: H, type: ValueMapping}
"""
    write("config.yml", text)
    loaded = load()
    assert [problem.line for problem in loaded.problems] == [2, 5, 7, 8]
    assert loaded.run is not None
    (package,) = loaded.run.configs[0].packages
    assert [each.source_id for each in package.artifacts] == ["G", "H"]
