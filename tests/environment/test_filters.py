"""Package and artifact filters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.model.config import RunConfig, Selection

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]


def selected(found: RunConfig) -> list[str]:
    return [
        f"{package.source_id}({','.join(artifact.source_id for artifact in package.artifacts)})"
        for config in found.configs
        for package in config.packages
    ]


@pytest.mark.parametrize(
    ("packages", "artifacts", "expected", "left_out"),
    [
        (None, None, ["Sales(Orders,Scripts)", "Stock(Count)"], 0),
        ("Stock", None, ["Stock(Count)"], 2),
        (" Stock , Sales ,", None, ["Sales(Orders,Scripts)", "Stock(Count)"], 0),
        (None, "Orders", ["Sales(Orders)"], 2),
        (None, "Count,Scripts", ["Sales(Scripts)", "Stock(Count)"], 1),
        ("Sales", "Count, Orders", ["Sales(Orders)"], 2),
        ("", "", ["Sales(Orders,Scripts)", "Stock(Count)"], 0),
    ],
)
def test_filters_keep_what_they_name(
    run: Run, packages: str | None, artifacts: str | None, expected: list[str], left_out: int
) -> None:
    """The filters combine, the order of the files stays, and what is left out is counted."""
    found = run(Selection(env="x", package_filter=packages, artifact_filter=artifacts))
    assert expected == selected(found)
    assert left_out == found.configs[0].filtered_out


def test_an_empty_flag_clears_the_filter_of_the_file(write: Write, run: Run) -> None:
    """No filter can be asked for explicitly."""
    write("environments/x.yml", "packagesDir: p\ndeployConfig: config.yml\npackageFilter: Stock\n")
    assert selected(run()) == ["Stock(Count)"]
    assert selected(run(Selection(env="x", package_filter=""))) == ["Sales(Orders,Scripts)", "Stock(Count)"]


def test_a_package_without_artifacts_stays_for_its_metadata(write: Write, run: Run) -> None:
    """Without an artifact filter a package may have no artifacts; with one it goes."""
    write(
        "config.yml",
        "packages:\n  - {integrationSuiteId: A, packageDir: A}\n  - {integrationSuiteId: B, packageDir: B, "
        "artifacts: [{artifactId: F, artifactDir: F, type: ValueMapping}]}\n",
    )
    assert selected(run()) == ["A()", "B(F)"]
    assert selected(run(Selection(env="x", artifact_filter="F"))) == ["B(F)"]


def test_filters_name_ids_as_written(run: Run) -> None:
    """The prefix is no part of the names in filters."""
    flags = Selection(env="x", deployment_prefix="DEV", package_filter="Stock", artifact_filter="Count")
    assert [package.id for package in run(flags).configs[0].packages] == ["DEVStock"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (
            Selection(env="x", package_filter="Sales,Stok"),
            ["command line: --package-filter: there is no package 'Stok'; did you mean 'Stock'?"],
        ),
        (
            Selection(env="x", artifact_filter="Sales"),
            ["command line: --artifact-filter: there is no artifact 'Sales'"],
        ),
        (
            Selection(env="x", artifact_filter="A, Ordrs"),
            [
                "command line: --artifact-filter: there is no artifact 'A'",
                "command line: --artifact-filter: there is no artifact 'Ordrs'; did you mean 'Orders'?",
            ],
        ),
        (
            Selection(env="x", deployment_prefix="DEV", artifact_filter="DEV_Orders"),
            [
                (
                    "command line: --artifact-filter: there is no artifact 'DEV_Orders'; filters name ids as written "
                    "in the files, without the prefix: 'Orders'"
                )
            ],
        ),
        (
            Selection(env="x", package_filter="Stock", artifact_filter="Orders"),
            ["command line: --artifact-filter: the filters together leave nothing to do"],
        ),
    ],
)
def test_every_name_must_match(complaints: Complaints, flags: Selection, expected: list[str]) -> None:
    """A name that matches nothing, and a selection that leaves nothing, are problems."""
    assert expected == complaints(flags)


def test_problem_of_a_filter_in_a_file_has_its_place(write: Write, complaints: Complaints) -> None:
    """A filter of the environment file or the orchestrator section is reported there."""
    write("environments/x.yml", "packagesDir: p\ndeployConfig: config.yml\npackageFilter: Nope\n")
    assert complaints() == ["environments/x.yml:3:16: packageFilter: there is no package 'Nope'"]
    write("environments/x.yml", "packagesDir: p\ndeployConfig: config.yml\n")
    write("config.yml", "orchestrator: {packageFilter: Nope}\npackages: [{integrationSuiteId: A, packageDir: A}]\n")
    assert complaints() == ["config.yml:1:31: orchestrator.packageFilter: there is no package 'Nope'"]


def test_names_may_match_in_any_of_several_files(write: Write, run: Run) -> None:
    """Filters look at everything that was loaded; a file with nothing left stays, with its count."""
    write("environments/x.yml", "packagesDir: p\ndeployConfig: configs\nartifactFilter: F\n")
    for name in ("F", "G"):
        write(
            f"configs/{name}.yml",
            f"packages: [{{integrationSuiteId: P{name}, packageDir: A, "
            f"artifacts: [{{artifactId: {name}, artifactDir: F, type: ValueMapping}}]}}]\n",
        )
    found = run()
    assert [len(config.packages) for config in found.configs] == [1, 0]
    assert [config.filtered_out for config in found.configs] == [0, 1]


def test_no_false_mismatch_beside_wrong_entries(write: Write, complaints: Complaints) -> None:
    """A name of an entry that is wrong itself is not reported as unknown."""
    write(
        "config.yml",
        "packages: [{integrationSuiteId: A, packageDir: A, artifacts: [{artifactId: F, artifactDir: F, type: X}]}]\n",
    )
    (found,) = complaints(Selection(env="x", artifact_filter="F"))
    assert "packages.0.artifacts.0.type: 'X' is not one of" in found


def test_no_false_mismatch_beside_unset_variables(write: Write, complaints: Complaints) -> None:
    """An inline id whose variable is not set gives one problem, not three."""
    text = "packagesDir: p\npackages: [{integrationSuiteId: '${NOPE}', packageDir: A}]\npackageFilter: A\n"
    write("environments/x.yml", text)
    (found,) = complaints()
    assert "the environment variable NOPE is not set" in found


FOUR = "".join(
    f"  - {{integrationSuiteId: {name}, packageDir: p, artifacts: [{{artifactId: {name}1, artifactDir: F, "
    f"type: IntegrationFlow}}, {{artifactId: {name}2, artifactDir: F, type: IntegrationFlow}}]}}\n"
    for name in ("CustomerSync", "CustomerLegacy", "Orders", "customerx")
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Customer*", ["CustomerSync", "CustomerLegacy"]),
        ("Customer*,!CustomerLegacy", ["CustomerSync"]),
        ("!CustomerLegacy , Customer* ", ["CustomerSync"]),
        ("!Customer*", ["Orders", "customerx"]),
        ("!Orders,!customerx", ["CustomerSync", "CustomerLegacy"]),
        ("[co]*", ["customerx"]),
        ("Order?", ["Orders"]),
        ("Orders,Orders", ["Orders"]),
        ("! Orders", ["CustomerSync", "CustomerLegacy", "customerx"]),
    ],
)
def test_globs_and_negation(write: Write, run: Run, text: str, kept: list[str]) -> None:
    """Upper and lower case differ; with negations alone everything stays but those."""
    write("config.yml", f"packages:\n{FOUR}")
    found = run(Selection(env="x", package_filter=text)).configs[0].packages
    assert [package.source_id for package in found] == kept


def test_both_filters_with_patterns(write: Write, run: Run) -> None:
    """An artifact must pass both; a package of which nothing is left is not there."""
    write("config.yml", f"packages:\n{FOUR}")
    found = run(Selection(env="x", package_filter="!Orders", artifact_filter="*1,!customer*")).configs[0].packages
    assert [str(artifact.ref) for package in found for artifact in package.artifacts] == [
        "CustomerSync/CustomerSync1",
        "CustomerLegacy/CustomerLegacy1",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("customer*,!CustomerLegasy", "there is no package 'CustomerLegasy'; did you mean 'CustomerLegacy'?"),
        ("Costumer*", "no package matches 'Costumer*'"),
        ("!X*", "no package matches '!X*'"),
        (",", "'' names no package; write an id or a pattern; an empty filter means none"),
        (" , ,", "'' names no package"),
        ("!", "'!' names no package; write an id or a pattern after '!'"),
        ("customersync", "there is no package 'customersync'; did you mean 'CustomerSync'?"),
        ("Orders,!Orders", "the filters together leave nothing to do"),
    ],
)
def test_a_part_that_matches_nothing(write: Write, complaints: Complaints, text: str, message: str) -> None:
    """Every part of a filter must match something, also a negation."""
    write("config.yml", f"packages:\n{FOUR}")
    (found,) = complaints(Selection(env="x", package_filter=text))
    assert message in found
