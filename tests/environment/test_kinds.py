"""Types of artifacts: the spellings of flashpipe's fork, and the manifest where the configuration gives none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment.kinds import kind_in_manifest, kind_of
from cpi_tasks.model.config import RunConfig
from cpi_tasks.model.naming import ArtifactKind

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]
FLOW, VALUES, MAPPING, SCRIPTS = (
    ArtifactKind.INTEGRATION_FLOW,
    ArtifactKind.VALUE_MAPPING,
    ArtifactKind.MESSAGE_MAPPING,
    ArtifactKind.SCRIPT_COLLECTION,
)
CONFIG = "packages: [{integrationSuiteId: A, packageDir: A, artifacts: [{artifactId: F, artifactDir: F%s}]}]\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("IntegrationFlow", FLOW),
        ("integrationflow", FLOW),
        ("integration flow", FLOW),
        ("Integration Flow", FLOW),
        ("INTEGRATION-FLOW", FLOW),
        ("integration_flow", FLOW),
        ("iflow", FLOW),
        ("iFlow", FLOW),
        ("Integration", FLOW),
        ("value mapping", VALUES),
        ("ValueMapping", VALUES),
        ("Message Mapping", MAPPING),
        ("messageMapping", MAPPING),
        ("script collection", SCRIPTS),
        ("ScriptCollection", SCRIPTS),
        ("RESTAPIProvider", None),
        ("", None),
    ],
)
def test_spellings(text: str, kind: ArtifactKind | None) -> None:
    """Case, blanks, hyphens and underscores do not count."""
    assert kind_of(text) is kind


@pytest.mark.parametrize("written", [", type: iflow", ", type: integration flow", ", type: Integration", ""])
def test_a_configuration_of_the_fork(write: Write, run: Run, written: str) -> None:
    """It works as it is, with any spelling, and without a type where the manifest names it."""
    write("environments/x.yml", "packagesDir: p\ndeployConfig: config.yml\ntenant: {simulator: {}}\n")
    write("p/A/F/META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nsap-bundletype: Integra\r\n tionFlow\r\n")
    write("config.yml", CONFIG % written)
    ((artifact,),) = (package.artifacts for package in run().configs[0].packages)
    assert artifact.kind is FLOW


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("Manifest-Version: 1.0\n", "has no SAP-BundleType"),
        ("SAP-BundleType: FunctionLibraries\n", "SAP-BundleType 'FunctionLibraries' is none that this program deploys"),
    ],
)
def test_a_manifest_that_names_no_type(tmp_path: Path, manifest: str, why: str) -> None:
    """The reason is a clause for a sentence."""
    (tmp_path / "META-INF").mkdir()
    (tmp_path / "META-INF/MANIFEST.MF").write_text(manifest, encoding="utf-8")
    found = kind_in_manifest(tmp_path)
    assert isinstance(found, str)
    assert found.endswith(why)


def test_neither_a_type_nor_a_folder(write: Write, complaints: Complaints) -> None:
    """Also where folders are not needed: the problem is at the artifact and says what to add."""
    write("environments/x.yml", "mode: deploy-only\ndeployConfig: config.yml\ntenant: {simulator: {}}\n")
    write("config.yml", CONFIG % "")
    (found,) = complaints()
    assert "packages.0.artifacts.0.type: is not given, and " in found
    assert "cannot be read" in found
    assert found.endswith("add type: IntegrationFlow, or what else it is")


def test_overrides_of_what_turns_out_to_be_no_flow(write: Write, complaints: Complaints) -> None:
    """The manifest decides; the problem is at the overrides."""
    write("environments/x.yml", "packagesDir: p\ndeployConfig: config.yml\ntenant: {simulator: {}}\n")
    write("p/A/F/META-INF/MANIFEST.MF", "SAP-BundleType: ValueMapping\n")
    write("config.yml", CONFIG % ", configOverrides: {a: b}")
    (found,) = complaints()
    assert "only integration flows have parameters to override, not a value mapping" in found


def test_no_types_and_no_packages_folder(write: Write, complaints: Complaints) -> None:
    """A wrong packagesDir is one problem, not one for each artifact whose manifest would name a type."""
    write("environments/x.yml", "packagesDir: Packages\ndeployConfig: config.yml\ntenant: {simulator: {}}\n")
    write("packages/A/F/META-INF/MANIFEST.MF", "SAP-BundleType: ValueMapping\n")
    entries = "{artifactId: %s, artifactDir: F%s}"
    artifacts = ", ".join([entries % ("F", ""), entries % ("G", ""), entries % ("H", ", type: ValueMapping")])
    write("config.yml", f"packages: [{{integrationSuiteId: A, packageDir: A, artifacts: [{artifacts}]}}]\n")
    (found,) = complaints()
    assert found.startswith("environments/x.yml:1:14: packagesDir: the folder of the packages does not exist: ")
    assert "; there is 'packages', but upper and lower case count" in found
