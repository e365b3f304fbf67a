"""``orchestrator:`` sections of several files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cpi_tasks.model.config import RunConfig
from cpi_tasks.model.naming import Mode

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]


def environment(write: Write, text: str = "") -> None:
    write("environments/x.yml", "deployConfig: configs\n" + text)


def config(write: Write, name: str, section: str) -> None:
    write(
        f"configs/{name}.yml",
        f"orchestrator: {{packagesDir: p, {section}}}\npackages: [{{integrationSuiteId: {name}, packageDir: A}}]\n",
    )


def test_merged_sections_must_agree(write: Write, complaints: Complaints) -> None:
    """Merged files are one run: a setting that differs is a problem that names both places."""
    environment(write, "mergeConfigs: true\n")
    config(write, "a", "deployRetries: 3, requestsPerSecond: {runtime: 5}")
    config(write, "b", "deployRetries: 3, requestsPerSecond: {runtime: 6}, keepTemp: true")
    config(write, "c", "deployRetries: 4, keepTemp: true")
    assert complaints() == [
        (
            "configs/b.yml:1:69: orchestrator.requestsPerSecond: merged files must agree, but configs/a.yml:1 gives "
            "another value"
        ),
        (
            "configs/c.yml:1:47: orchestrator.deployRetries: merged files must agree, but configs/a.yml:1 "
            "gives another value"
        ),
    ]


def test_merged_sections_that_agree(write: Write, run: Run) -> None:
    """Sections that say the same, or different things, are put together."""
    environment(write)
    config(write, "a", "mergeConfigs: true, deployRetries: 4")
    config(write, "b", "mergeConfigs: true, keepTemp: true")
    found = run()
    assert (len(found.configs), found.settings.deploy_timeout_s, found.settings.keep_temp) == (1, 60.0, True)


def test_unmerged_settings_come_from_the_first_file_that_has_them(write: Write, run: Run, tmp_path: Path) -> None:
    """Without merging the first file with a setting decides for the run."""
    environment(write)
    config(write, "a", "mode: update-only")
    config(write, "b", "mode: deploy-only, deployRetries: 2")
    config(write, "c", "deployRetries: 9")
    found = run()
    assert (len(found.configs), found.settings.mode, found.settings.deploy_timeout_s) == (3, Mode.UPDATE_ONLY, 30.0)
    assert tmp_path / "p" / "A" == found.configs[0].packages[0].folder


def test_pattern_in_a_section_draws_a_warning(write: Write, run: Run) -> None:
    """A pattern inside a file comes too late to choose files."""
    environment(write)
    config(write, "a", "configPattern: '*.x'")
    assert run().warnings == ("configs/a.yml: configPattern has no effect here, the files are chosen before",)
